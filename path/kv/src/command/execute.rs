//! Runs a command on the keys that are locked for it.

use super::{Command, Flags, Here, KeySpec, OnKeys, Run, catalog};
use crate::error::Fault;
use crate::frame::{Args, Reply};
use crate::persist::BIG;
use crate::store::{Store, Turn, View, Went};

/// Elements, or KB, that a loop may touch at once.
pub(crate) const AT_ONCE: usize = 2_000;

/// Runs `run` on the keys of `view`. `None`: it would take long, and nothing was done.
pub(super) fn in_view(
    command: &Command,
    run: OnKeys,
    args: Args<'_>,
    view: &mut View<'_>,
    reply: &mut Reply<'_>,
) -> Option<Result<(), Fault>> {
    if takes_long(command, view, args) {
        return None;
    }
    let before = reply.written();
    let done = run(view, args, reply);
    if done.is_err() {
        reply.undo(before);
    }
    Some(done)
}

/// Whether a worker is to run it. What may wait costs nothing as long as it would.
pub(super) fn takes_long(command: &Command, view: &View<'_>, args: Args<'_>) -> bool {
    command.cost.is_some_and(|cost| cost(view, args) > AT_ONCE) || view.is_saving() && copies_much(command, view, args)
}

/// Whether a save wants a copy of much that the command may change.
pub(super) fn copies_much(command: &Command, view: &View<'_>, args: Args<'_>) -> bool {
    let mut copied = 0;
    if command.flags.has(Flags::WRITE) {
        command.keys.places(args, |place| copied += view.unsaved(args.at(place)));
    }
    copied > BIG
}

/// Runs what works on keys and may not wait, and tells the log.
///
/// # Errors
/// What the client is to be told; nothing is written then.
///
/// # Panics
/// The command needs its client.
pub(super) fn on_keys(command: &Command, args: Args<'_>, view: &mut View<'_>, reply: &mut Reply<'_>) -> Result<(), Fault> {
    let (before, changes) = (reply.written(), view.outcome.changes);
    let done = at_once(command, args, view, reply);
    view.outcome.tell(args.iter(), changes);
    if done.is_err() {
        reply.undo(before);
    }
    done
}

/// Runs what works on keys, which may not wait.
///
/// # Panics
/// The command needs its client.
pub(super) fn at_once(command: &Command, args: Args<'_>, view: &mut View<'_>, reply: &mut Reply<'_>) -> Result<(), Fault> {
    match command.run {
        Run::Keys(run) => run(view, args, reply),
        Run::Waits(run) => match run(view, args, reply, Turn::Only)? {
            Went::Wait(_) => unreachable!("it was told not to wait"),
            Went::Done => Ok(()),
        },
        _ => unreachable!("{} needs a client", command.name),
    }
}

/// Runs a command of a transaction or a script.
///
/// # Errors
/// What is to be said; what was written must be taken back then.
///
/// # Panics
/// It is one that has to do with scripts.
pub(crate) fn run_in_script(
    command: &Command,
    here: &mut Here<'_>,
    view: &mut View<'_>,
    args: Args<'_>,
    reply: &mut Reply<'_>,
) -> Result<(), Fault> {
    match command.run {
        Run::Here(run) => run(here, args, reply),
        Run::Both(run) => run(here, view, args, reply),
        Run::Container => {
            catalog::all(reply);
            Ok(())
        }
        _ => on_keys(command, args, view, reply),
    }
}

/// The shards of a command's keys, in ascending order.
pub(crate) fn shards(store: &Store, keys: KeySpec, args: Args<'_>) -> Vec<usize> {
    let is_all = match keys {
        KeySpec::All => true,
        KeySpec::Reaching { reaches, .. } => reaches(args),
        _ => false,
    };
    if is_all {
        return (0..store.count()).collect();
    }
    let mut numbers = Vec::new();
    keys.places(args, |place| numbers.push(store.number_of(args.at(place))));
    numbers.sort_unstable();
    numbers.dedup();
    numbers
}
