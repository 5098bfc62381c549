//! Answers the requests of a client one after the other, under the locks of their keys.
//!
//! A lock is kept over a run of commands on the same shard: taking it for each would send its cache lines from core to
//! core with every command.

mod watched;

use std::sync::Arc;

use super::admit::{admitted, may, may_now, needs_room, silenced, writes};
use super::asked::Asked;
use super::blocked::Blocked;
use super::execute::{in_view, shards, takes_long};
use super::long::Long;
use super::scripted::Scripted;
use super::serve::{after, settle};
use super::{Command, Here, KeySpec, Run, catalog, transactions};
use crate::client::Client;
use crate::door::{Shared, now};
use crate::error::Fault;
use crate::events::{LoopEvents, add};
use crate::frame::{Args, Reply};
use crate::pubsub::Posting;
use crate::store::{Away, Guard, Ms, OnWait, Outcome, Store, Turn, View, Waiter, Went};
use crate::upkeep::make_room;
use crate::visit::{Desk, Visit};
use watched::times;

/// Commands for which a lock is kept.
const RUN: usize = 32;
/// Bytes of answers that are written before more are made.
const FULL: usize = 256 << 10;
/// Microseconds that nothing takes here: what takes longer is done by a worker.
const TIMED: i64 = 2_000;

/// A script has keys for too long.
const BUSY: Fault = Fault::fixed("BUSY Redis is busy running a script. You can only call SCRIPT KILL or SHUTDOWN NOSAVE.");

/// Why no more requests are answered at once.
pub(crate) enum Stop {
    /// There are no more.
    Done,
    /// There is much to write.
    Full,
    /// A worker has the keys of the next.
    Away(Away),
    /// The next takes long.
    Long(Long),
    /// The next is for the thread that runs scripts.
    Scripted(Scripted),
    /// The last one waits for what others do.
    Blocked(Blocked),
    /// What the last one said is on its way to many.
    Posting(Posting),
    /// Clients are to wait.
    Paused,
    /// Somebody else does the last one.
    Asked(Asked),
}

/// How a command went.
pub(super) enum Did {
    /// It is answered.
    Done,
    /// The client is told why not.
    Failed(Fault),
    /// It is answered by what follows.
    Stop(Stop),
    /// It must be tried again, when this has passed.
    Retry(Stop),
    /// It must be tried again, when these shards owe nothing any more.
    Owes(Vec<usize>),
}

/// A lock that is kept.
pub(crate) struct Held<'s> {
    number: usize,
    pub(crate) guard: Guard<'s>,
    /// Commands that it was kept for.
    run: usize,
}

/// Commands that are answered at once.
struct Batch<'s> {
    common: &'s Arc<Shared>,
    events: &'s LoopEvents,
    now: Ms,
    held: Option<Held<'s>>,
    /// Each command is timed: quick ones may be called slow.
    times: bool,
}

/// What one client asks for, and where that leads.
struct Request<'r> {
    client: &'r mut Client,
    args: Args<'r>,
    outcome: &'r mut Outcome,
    reply: Reply<'r>,
    /// Shards that owe something to clients that wait.
    debts: &'r mut Vec<usize>,
}

/// Answers what it can.
pub(crate) fn answer(visit: &mut Visit<'_>) -> Stop {
    let door = visit.door.clone();
    let before = visit.desk.next;
    visit.desk.outcome.wanted = door.common.config.wanted();
    let mut batch = Batch { common: &door.common, events: door.events(), now: now(), held: None, times: times(&door.common) };
    if !door.common.users.are_known_to(visit.client) {
        door.common.users.show(visit.client);
    }
    visit.client.peer.has_sent(visit.desk.input.as_ref().map_or(0, |input| input.len()));
    let stop = batch.all(visit);
    visit.client.peer.has_sent(0);
    add(&door.events().changes, std::mem::take(&mut visit.desk.outcome.changes));
    add(&door.events().commands, (visit.desk.next - before) as u64);
    stop
}

impl<'s> Batch<'s> {
    fn all(&mut self, visit: &mut Visit<'_>) -> Stop {
        loop {
            let Desk { input, requests, next, output, outcome, debts, .. } = &mut *visit.desk;
            if !debts.is_empty() {
                self.held = None;
                if let Err(away) = settle(self.common, debts, self.now, outcome) {
                    return Stop::Away(away);
                }
            }
            if *next >= requests.len() || visit.client.leaves {
                return Stop::Done;
            }
            if output.len() > FULL {
                return Stop::Full;
            }
            let bytes = input.as_ref().map_or(&[][..], |input| input.unread());
            let args = requests.at(*next, bytes);
            let reply = Reply::new(output, visit.client.protocol);
            let before = reply.written();
            let mut request = Request { client: visit.client, args, outcome, reply, debts };
            match self.one(&mut request) {
                Did::Done => {}
                Did::Failed(fault) => {
                    self.events.calls.error(&fault);
                    request.reply.error(&fault);
                }
                Did::Retry(Stop::Away(away)) if away.is_busy => {
                    let fault = self.common.scripts.busy().unwrap_or(BUSY);
                    let fault = self.refuse(request.client, args, fault);
                    self.events.calls.error(&fault);
                    request.reply.error(&fault);
                }
                Did::Retry(stop) => return stop,
                Did::Owes(numbers) => {
                    request.debts.extend(numbers);
                    continue;
                }
                Did::Stop(stop) => {
                    *next += 1;
                    return stop;
                }
            }
            *next += 1;
            let Request { client, mut reply, .. } = request;
            if client.is_special {
                silenced(client, Some(args), &mut reply, before);
                client.hear(&mut reply);
            }
        }
    }

    /// Does one command, if it is one and may be done.
    #[inline]
    fn one(&mut self, request: &mut Request<'_>) -> Did {
        let Request { client, args, outcome, reply, .. } = request;
        let args = *args;
        let command = match admitted(args) {
            Ok(command) => command,
            Err(fault) => return Did::Failed(self.refuse(client, args, fault)),
        };
        client.peer.asks(command, self.now);
        if self.common.is_watched() && self.common.must_wait(client, command, args, self.now) {
            return Did::Retry(Stop::Paused);
        }
        if client.is_special
            && let Err(fault) = may(client, self.common, command, args)
        {
            return Did::Failed(self.refuse(client, args, fault));
        }
        if self.common.is_watched()
            && writes(client, command)
            && let Some(fault) = self.common.persist.refuses(&self.common.config)
        {
            return Did::Failed(self.refuse(client, args, fault));
        }
        if self.common.store.is_full()
            && let Err(fault) = self.room_for(client, command, outcome)
        {
            return Did::Failed(self.refuse(client, args, fault));
        }
        if client.is_special {
            match may_now(client, command, args, reply) {
                Ok(true) => {}
                Ok(false) => return Did::Done,
                Err(fault) => return Did::Failed(self.refuse(client, args, fault)),
            }
        }
        let did = if self.times || self.common.is_watched() || self.events.calls.is_due(command) {
            self.run_watched(command, request)
        } else {
            self.run(command, request)
        };
        self.count(command, &did);
        did
    }

    /// Memory is full: keys go before a command that may need more.
    #[cold]
    fn room_for(&mut self, client: &Client, command: &Command, outcome: &mut Outcome) -> Result<(), Fault> {
        if !needs_room(client, command) {
            return Ok(());
        }
        self.held = None;
        make_room(self.common, self.now, outcome)
    }

    fn run(&mut self, command: &'static Command, request: &mut Request<'_>) -> Did {
        let (common, Request { client, args, outcome, reply, debts }) = (self.common, request);
        let args = *args;
        match command.run {
            Run::Keys(run) => self.on_keys(command, args, outcome, debts, |view| match in_view(command, run, args, view, reply) {
                Some(done) => done.map_or_else(Did::Failed, |()| Did::Done),
                None => Did::Stop(Stop::Long(Long::command(command, args, reply.protocol()))),
            }),
            Run::Waits(run) => self.on_keys(command, args, outcome, debts, |view| {
                if takes_long(command, view, args) {
                    return Did::Stop(Stop::Long(Long::command(command, args, reply.protocol())));
                }
                first_turn(client, common, command, run, view, args, reply)
            }),
            Run::Both(run) => self.on_keys(command, args, outcome, debts, |view| {
                let before = reply.written();
                let done = run(&mut Here { client, common, in_transaction: false }, view, args, reply);
                done.map_or_else(|fault| undone(reply, before, fault), |()| Did::Done)
            }),
            Run::Here(run) => {
                // It may take locks itself.
                self.held = None;
                let before = reply.written();
                let done = run(&mut Here { client, common, in_transaction: false }, args, reply);
                (outcome.wanted, self.times) = (common.config.wanted(), times(common));
                if !common.users.are_known_to(client) {
                    common.users.show(client);
                }
                if let Some(posting) = client.posting.take() {
                    return Did::Stop(Stop::Posting(posting));
                }
                done.map_or_else(|fault| undone(reply, before, fault), |()| Did::Done)
            }
            Run::Asks(ask) => match ask(&mut Here { client, common, in_transaction: false }, args) {
                Ok(asked) => Did::Stop(Stop::Asked(asked)),
                Err(fault) => Did::Failed(fault),
            },
            Run::Exec => {
                self.held = None;
                transactions::exec(client, (common, self.events), self.now, outcome, reply, debts)
            }
            Run::Script(_) => self.script(client, command, args),
            // Of these only COMMAND may stand alone.
            Run::Container => {
                catalog::all(reply);
                Did::Done
            }
        }
    }

    fn script(&mut self, client: &mut Client, command: &'static Command, args: Args<'_>) -> Did {
        self.held = None;
        match self.common.scripts.busy() {
            Some(fault) => Did::Failed(self.refuse(client, args, fault)),
            None => Did::Stop(Stop::Scripted(Scripted::command(command, args, client))),
        }
    }

    /// Runs what works on keys, under their locks, and then what follows from it.
    fn on_keys(
        &mut self,
        command: &Command,
        args: Args<'_>,
        outcome: &mut Outcome,
        debts: &mut Vec<usize>,
        run: impl FnOnce(&mut View<'_>) -> Did,
    ) -> Did {
        let store = &*self.common.store;
        let numbers = match command.keys {
            KeySpec::Range { first: 1, last: 1, .. } => Ok(store.number_of(args.at(1))),
            keys => match &*shards(store, keys, args) {
                [number] => Ok(*number),
                numbers => Err(numbers.to_vec()),
            },
        };
        let numbers = match numbers {
            Ok(number) => return self.on_one(number, args, outcome, debts, run),
            Err(numbers) => numbers,
        };
        self.held = None;
        let mut guards = match store.lock_many(numbers.into_iter()) {
            Ok(guards) => guards,
            Err(away) => return Did::Retry(Stop::Away(away)),
        };
        if guards.iter().any(|(_, keys)| keys.owes()) {
            return Did::Owes(owing(&guards));
        }
        let mut view = store.view_many(guards.iter_mut().map(|(number, guard)| (*number, &mut **guard)), self.now, outcome);
        let changes = view.outcome.changes;
        let did = run(&mut view);
        view.outcome.tell(args.iter(), changes);
        if !view.outcome.is_quiet() {
            after(&mut view, self.common);
            debts.extend(owing(&guards));
        }
        did
    }

    /// The same, when all of them are in one shard: its lock may be held already, and is kept.
    #[inline]
    fn on_one(
        &mut self,
        number: usize,
        args: Args<'_>,
        outcome: &mut Outcome,
        debts: &mut Vec<usize>,
        run: impl FnOnce(&mut View<'_>) -> Did,
    ) -> Did {
        let store = &*self.common.store;
        let held = match hold(store, number, &mut self.held) {
            Ok(held) => held,
            Err(away) => return Did::Retry(Stop::Away(away)),
        };
        if held.guard.owes() {
            return Did::Owes(vec![number]);
        }
        let mut view = store.view(&mut held.guard, self.now, outcome);
        let changes = view.outcome.changes;
        let did = run(&mut view);
        view.outcome.tell(args.iter(), changes);
        if !view.outcome.is_quiet() {
            after(&mut view, self.common);
            debts.extend(held.guard.owes().then_some(number));
        }
        did
    }
}

fn undone(reply: &mut Reply<'_>, before: usize, fault: Fault) -> Did {
    reply.undo(before);
    Did::Failed(fault)
}

/// The shards among these that owe something.
pub(super) fn owing(guards: &[(usize, Guard<'_>)]) -> Vec<usize> {
    guards.iter().filter(|(_, keys)| keys.owes()).map(|(number, _)| *number).collect()
}

/// Takes the lock of a shard, or keeps it.
pub(crate) fn hold<'s, 'h>(store: &'s Store, number: usize, held: &'h mut Option<Held<'s>>) -> Result<&'h mut Held<'s>, Away> {
    if held.as_ref().is_none_or(|held| held.number != number || held.run >= RUN) {
        *held = None;
        *held = Some(Held { number, guard: store.lock(number)?, run: 0 });
    }
    let held = held.as_mut().expect("it was just taken");
    held.run += 1;
    Ok(held)
}

/// Runs what may have to wait, and has it wait.
fn first_turn(
    client: &Client,
    common: &Shared,
    command: &Command,
    run: OnWait,
    view: &mut View<'_>,
    args: Args<'_>,
    reply: &mut Reply<'_>,
) -> Did {
    let before = reply.written();
    match run(view, args, reply, Turn::First) {
        Ok(Went::Done) => Did::Done,
        Err(fault) => undone(reply, before, fault),
        Ok(Went::Wait(mut wait)) => {
            let args = wait.instead.take().unwrap_or_else(|| args.owned());
            let shards = shards(&common.store, command.keys, args.args()).into();
            Did::Stop(Stop::Blocked(Blocked::new(view, Waiter::new(args, run, wait, shards, client.protocol, client.peer.waker().clone()))))
        }
    }
}
