//! Transactions: commands that are done together, if what the client watches has not changed.

use std::mem;
use std::sync::Arc;
use std::time::Instant;

use super::answer::{Did, Stop, owing};
use super::execute::{AT_ONCE, copies_much, run_in_script, shards};
use super::long::Long;
use super::permit::still_permitted;
use super::scripted::Scripted;
use super::serve::{after, publish};
use super::{Command, Flags, Group, Here, KeySpec, Run};
use crate::client::{Client, Transaction, Watch};
use crate::door::Shared;
use crate::error::Fault;
use crate::events::LoopEvents;
use crate::frame::{Args, Reply};
use crate::script::Engine;
use crate::store::{Ms, Outcome, Store, View};

const ALWAYS: Flags = Flags::NO_SCRIPT.and(Flags::LOADING).and(Flags::STALE).and(Flags::FAST).and(Flags::ALLOW_BUSY);

pub(super) const COMMANDS: &[Command] = &[
    Command::here("multi", 1, ALWAYS, Group::Transaction, multi),
    Command { run: Run::Exec, ..Command::here("exec", 1, EXEC, Group::Transaction, multi) },
    Command::here("discard", 1, ALWAYS, Group::Transaction, discard),
    Command::both("watch", -2, ALWAYS, Group::Transaction, KeySpec::REST, watch),
    Command::here("unwatch", 1, ALWAYS, Group::Transaction, unwatch),
];
const EXEC: Flags = Flags::NO_SCRIPT.and(Flags::LOADING).and(Flags::STALE);

fn multi(here: &mut Here<'_>, _: Args<'_>, reply: &mut Reply<'_>) -> Result<(), Fault> {
    if here.client.transaction.is_some() {
        return Err(Fault::fixed("ERR MULTI calls can not be nested"));
    }
    here.client.transaction = Some(Box::default());
    here.client.look();
    reply.ok();
    Ok(())
}

fn discard(here: &mut Here<'_>, _: Args<'_>, reply: &mut Reply<'_>) -> Result<(), Fault> {
    if here.client.transaction.is_none() {
        return Err(Fault::fixed("ERR DISCARD without MULTI"));
    }
    forget(here.client, &here.common.store);
    reply.ok();
    Ok(())
}

fn watch(here: &mut Here<'_>, view: &mut View<'_>, args: Args<'_>, reply: &mut Reply<'_>) -> Result<(), Fault> {
    if here.client.transaction.is_some() {
        return Err(Fault::fixed("ERR WATCH inside MULTI is not allowed"));
    }
    for key in args.from(1).iter() {
        if here.client.watches.iter().all(|watch| *watch.key != *key) {
            let (number, was_overdue) = (here.common.store.number_of(key), view.is_overdue(key));
            let version = view.keys_of(key).watch(key);
            here.client.watches.push(Watch { key: key.into(), number, version, was_overdue });
        }
    }
    reply.ok();
    Ok(())
}

fn unwatch(here: &mut Here<'_>, _: Args<'_>, reply: &mut Reply<'_>) -> Result<(), Fault> {
    forget_watches(here.client, &here.common.store);
    reply.ok();
    Ok(())
}

/// The end of a transaction that is not done.
pub(crate) fn forget(client: &mut Client, store: &Arc<Store>) {
    client.transaction = None;
    forget_watches(client, store);
    client.look();
}

/// Nothing is watched any more.
pub(crate) fn forget_watches(client: &mut Client, store: &Arc<Store>) {
    for Watch { key, number, .. } in client.watches.drain(..) {
        store.later(number, move |keys| keys.unwatch(&key));
    }
}

/// EXEC: locks what it needs, and does what was queued, or has a worker do it.
pub(super) fn exec(
    client: &mut Client,
    (common, events): (&Arc<Shared>, &LoopEvents),
    now: Ms,
    outcome: &mut Outcome,
    reply: &mut Reply<'_>,
    debts: &mut Vec<usize>,
) -> Did {
    let store = &common.store;
    let Some(transaction) = &client.transaction else { return Did::Failed(Fault::fixed("ERR EXEC without MULTI")) };
    if transaction.is_flawed {
        forget(client, store);
        return Did::Failed(Fault::fixed("EXECABORT Transaction discarded because of previous errors."));
    }
    let numbers = needed(store, transaction, &client.watches);
    let mut guards = match store.lock_many(numbers.iter().copied()) {
        Ok(guards) => guards,
        Err(away) => return Did::Retry(Stop::Away(away)),
    };
    if guards.iter().any(|(_, keys)| keys.owes()) {
        return Did::Owes(owing(&guards));
    }
    if transaction.queued.iter().any(|queued| matches!(queued.command.run, Run::Script(_))) {
        drop(guards);
        let peer = client.peer.clone();
        let user = (client.user.clone(), client.users_seen);
        let client = mem::replace(client, Client::new(peer, user));
        return Did::Stop(Stop::Scripted(Scripted::Transaction(Box::new(client), numbers)));
    }
    let mut view = store.view_many(guards.iter_mut().map(|(number, keys)| (*number, &mut **keys)), now, outcome);
    if cost(transaction, &view) > AT_ONCE || view.is_saving() && copies(transaction, &view) {
        return Did::Stop(Stop::Long(Long::Transaction(numbers)));
    }
    work(client, (common, events), &mut Ground::Locked(&mut view), reply);
    after(&mut view, common);
    debts.extend(owing(&guards));
    Did::Done
}

/// The shards of all that is queued and watched.
fn needed(store: &Store, transaction: &Transaction, watches: &[Watch]) -> Vec<usize> {
    let mut numbers: Vec<usize> = watches.iter().map(|watch| watch.number).collect();
    for queued in &transaction.queued {
        numbers.extend(shards(store, queued.command.keys, queued.args.args()));
    }
    numbers.sort_unstable();
    numbers.dedup();
    numbers
}

/// About how much it is, as far as can be seen before it is done.
fn cost(transaction: &Transaction, view: &View<'_>) -> usize {
    let each = transaction.queued.iter();
    each.map(|queued| queued.command.cost.map_or(1, |cost| cost(view, queued.args.args()).saturating_add(1))).fold(0, usize::saturating_add)
}

/// Whether a save wants copies of much that it may change.
fn copies(transaction: &Transaction, view: &View<'_>) -> bool {
    transaction.queued.iter().any(|queued| copies_much(queued.command, view, queued.args.args()))
}

/// The keys of a transaction.
pub(super) enum Ground<'g, 'v> {
    Locked(&'g mut View<'v>),
    /// The thread that runs scripts has taken them.
    Scripts(&'g mut Engine),
}

impl Ground<'_, '_> {
    fn view<T>(&mut self, see: impl FnOnce(&mut View<'_>) -> T) -> T {
        match self {
            Ground::Locked(view) => see(view),
            Ground::Scripts(engine) => engine.with_view(see),
        }
    }
}

/// Does what was queued, unless what is watched has changed.
pub(super) fn work(client: &mut Client, (common, events): (&Arc<Shared>, &LoopEvents), ground: &mut Ground<'_, '_>, reply: &mut Reply<'_>) {
    let (transaction, watches) = (client.transaction.take().unwrap_or_default(), std::mem::take(&mut client.watches));
    client.look();
    let is_stale = ground.view(|view| {
        let is_stale = watches.iter().any(|watch| has_changed(view, watch));
        watches.iter().for_each(|watch| view.keys_of(&watch.key).unwatch(&watch.key));
        is_stale
    });
    if is_stale {
        return reply.null_array();
    }
    reply.array(transaction.queued.len());
    let times = common.config.slower_than() >= 0;
    for queued in &transaction.queued {
        let (command, args) = (queued.command, queued.args.args());
        if common.is_watched() {
            common.shows(&client.peer, command, args);
        }
        let (before, start) = (reply.written(), times.then(Instant::now));
        let mut here = Here { client, common, in_transaction: true };
        let done = match (command.run, &mut *ground) {
            _ if let Err(fault) = still_permitted(&mut here, command, args) => Err(fault),
            (Run::Script(run), Ground::Scripts(engine)) => run(engine, args, reply),
            (_, ground) => ground.view(|view| run_in_script(command, &mut here, view, args, reply)),
        };
        events.calls.called(command);
        if let Err(fault) = done {
            events.calls.failed(command);
            events.calls.error(&fault);
            reply.undo(before);
            reply.error(&fault);
        }
        if let Some(start) = start {
            let time = start.elapsed();
            events.calls.took(command, time);
            common.took(&client.peer, command, args, time);
        }
        // HELLO may be among them.
        reply.set_protocol(client.protocol);
        ground.view(|view| publish(view.outcome, common));
        client.take_mail(reply);
    }
}

/// Whether what was seen by WATCH is not so any more.
fn has_changed(view: &mut View<'_>, watch: &Watch) -> bool {
    let is_overdue = view.is_overdue(&watch.key);
    let is_there = view.kind(&watch.key).is_some();
    let changes = view.keys_of(&watch.key).version(&watch.key) - watch.version;
    match watch.was_overdue {
        // It was not there for anybody, and is not: only its entry may have gone.
        true => is_there || changes > 1,
        false => is_overdue || changes > 0,
    }
}
