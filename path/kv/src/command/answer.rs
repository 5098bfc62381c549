//! Answers the requests of a client one after the other, under the locks of their keys.
//!
//! A lock is kept over a run of commands on the same shard: taking it for each would send its cache lines from core to
//! core with every command.

use std::sync::Arc;

use tokio::sync::oneshot;

use super::execute::{in_view, shards};
use super::{Command, Here, KeySpec, OnKeys, Run, find};
use crate::door::now;
use crate::error::Fault;
use crate::events::add;
use crate::frame::{Args, Owned, Protocol, Reply};
use crate::store::{Away, Guard, Ms, Outcome, Store};
use crate::visit::{Desk, Visit};

/// Commands for which a lock is kept.
const RUN: usize = 32;
/// Bytes of answers that are written before more are made.
const FULL: usize = 256 << 10;

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
}

/// A command for a worker.
pub(crate) struct Long {
    command: &'static Command,
    run: OnKeys,
    args: Owned,
    protocol: Protocol,
}

/// A lock that is kept.
struct Held<'s> {
    number: usize,
    guard: Guard<'s>,
    /// Commands that it was kept for.
    run: usize,
}

/// Answers what it can.
pub(crate) fn answer(visit: &mut Visit<'_>) -> Stop {
    let door = visit.door.clone();
    let store = &*door.common.store;
    let (mut held, now, before) = (None, now(), visit.desk.next);
    let stop = loop {
        let Desk { input, requests, next, output, outcome, .. } = &mut *visit.desk;
        if *next >= requests.len() || visit.client.leaves {
            break Stop::Done;
        }
        if output.len() > FULL {
            break Stop::Full;
        }
        let bytes = input.as_ref().map_or(&[][..], |input| input.unread());
        let args = requests.at(*next, bytes);
        let mut reply = Reply::new(output, visit.client.protocol);
        let done = match admitted(args) {
            Ok(command) => match command.run {
                Run::Keys(run) => match on_keys(store, command, run, args, now, &mut held, outcome, &mut reply) {
                    Ok(Some(done)) => done,
                    Ok(None) => {
                        let long = Long { command, run, args: args.owned(), protocol: visit.client.protocol };
                        *next += 1;
                        break Stop::Long(long);
                    }
                    Err(away) => break Stop::Away(away),
                },
                Run::Here(run) => {
                    // It may take locks itself.
                    held = None;
                    run(&mut Here { client: visit.client, door: &door }, args, &mut reply)
                }
            },
            Err(fault) => Err(fault),
        };
        if let Err(fault) = done {
            reply.error(&fault);
        }
        *next += 1;
        if !outcome.is_quiet() {
            outcome.clear();
        }
    };
    add(&door.events().commands, (visit.desk.next - before) as u64);
    stop
}

/// The command that is asked for, if it is one and its words are as many as it takes.
fn admitted(args: Args<'_>) -> Result<&'static Command, Fault> {
    let command = find(args.at(0)).ok_or_else(|| unknown(args))?;
    if command.takes(args.len()) { Ok(command) } else { Err(command.wrong_count()) }
}

/// As Redis says it: with the first words that fit.
fn unknown(args: Args<'_>) -> Fault {
    let mut said = String::new();
    for word in args.from(1).iter() {
        if said.len() >= 128 {
            break;
        }
        let most = 128 - said.len();
        said += &format!("'{}' ", String::from_utf8_lossy(&word[..word.len().min(most)]));
    }
    let name = String::from_utf8_lossy(&args.at(0)[..args.at(0).len().min(128)]).into_owned();
    Fault::made(format!("ERR unknown command '{name}', with args beginning with: {said}"))
}

/// `None`: it would take long.
#[allow(clippy::too_many_arguments)]
fn on_keys<'s>(
    store: &'s Store,
    command: &Command,
    run: OnKeys,
    args: Args<'_>,
    now: Ms,
    held: &mut Option<Held<'s>>,
    outcome: &mut Outcome,
    reply: &mut Reply<'_>,
) -> Result<Option<Result<(), Fault>>, Away> {
    if let KeySpec::Range { first: 1, last: 1, .. } = command.keys {
        let number = store.number_of(args.at(1));
        let held = hold(store, number, held)?;
        let mut view = store.view(&mut held.guard, now, outcome);
        return Ok(in_view(command, run, args, &mut view, reply));
    }
    *held = None;
    let numbers = shards(store, command.keys, args);
    let mut guards = store.lock_many(numbers.into_iter())?;
    let mut view = store.view_many(guards.iter_mut().map(|(number, guard)| (*number, &mut **guard)), now, outcome);
    Ok(in_view(command, run, args, &mut view, reply))
}

/// Takes the lock of a shard, or keeps it.
fn hold<'s, 'h>(store: &'s Store, number: usize, held: &'h mut Option<Held<'s>>) -> Result<&'h mut Held<'s>, Away> {
    if held.as_ref().is_none_or(|held| held.number != number || held.run >= RUN) {
        *held = None;
        *held = Some(Held { number, guard: store.lock(number)?, run: 0 });
    }
    let held = held.as_mut().expect("it was just taken");
    held.run += 1;
    Ok(held)
}

impl Long {
    /// Has a worker run it, and waits for its answer.
    pub(crate) async fn run(self, visit: &mut Visit<'_>) {
        let store = &visit.door.common.store;
        let numbers = shards(store, self.command.keys, self.args.args());
        let (sender, answer) = oneshot::channel();
        let now = now();
        store.run_away(numbers, move |store, keys| {
            let mut outcome = Outcome::default();
            let mut out = Vec::new();
            let mut reply = Reply::new(&mut out, self.protocol);
            let mut view = store.view_many(keys.iter_mut().map(|(number, keys)| (*number, &mut **keys)), now, &mut outcome);
            if let Err(fault) = (self.run)(&mut view, self.args.args(), &mut reply) {
                reply.undo(0);
                reply.error(&fault);
            }
            // The client may be gone.
            let _ = sender.send(out);
        });
        match answer.await {
            Ok(out) => visit.desk.output.extend_from_slice(&out),
            // The worker panicked with it, and nobody knows what it has done.
            Err(_) => visit.client.leaves = true,
        }
    }
}
