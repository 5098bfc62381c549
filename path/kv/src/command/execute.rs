//! A command that works on keys is run under the locks of its shards.

use super::{Command, KeySpec, OnKeys};
use crate::error::Fault;
use crate::frame::{Args, Reply};
use crate::store::{Away, Ms, Outcome, Store};

/// Elements, or KB, that a loop may touch at once.
pub(crate) const AT_ONCE: usize = 2_000;

/// What became of a command.
pub(crate) enum Done {
    /// It has answered, or failed.
    Here(Result<(), Fault>),
    /// It would take long: a worker must run it.
    Long,
}

/// Runs `run` with the keys that `args` names.
///
/// # Errors
/// A worker has some of the keys: nothing was done.
pub(crate) fn execute(
    store: &Store,
    command: &Command,
    run: OnKeys,
    args: Args<'_>,
    now: Ms,
    outcome: &mut Outcome,
    reply: &mut Reply<'_>,
) -> Result<Done, Away> {
    let numbers = shards(store, command.keys, args);
    if let [number] = numbers[..] {
        let mut guard = store.lock(number)?;
        let mut view = store.view(&mut guard, now, outcome);
        return Ok(in_view(command, run, args, &mut view, reply));
    }
    let mut guards = store.lock_many(numbers.into_iter())?;
    let mut view = store.view_many(guards.iter_mut().map(|(number, guard)| (*number, &mut **guard)), now, outcome);
    Ok(in_view(command, run, args, &mut view, reply))
}

fn in_view(command: &Command, run: OnKeys, args: Args<'_>, view: &mut crate::store::View<'_>, reply: &mut Reply<'_>) -> Done {
    if command.cost.is_some_and(|cost| cost(view, args) > AT_ONCE) {
        return Done::Long;
    }
    let before = reply.written();
    let done = run(view, args, reply);
    if done.is_err() {
        reply.undo(before);
    }
    Done::Here(done)
}

/// The shards of a command's keys, in ascending order.
pub(crate) fn shards(store: &Store, keys: KeySpec, args: Args<'_>) -> Vec<usize> {
    if matches!(keys, KeySpec::All) {
        return (0..store.count()).collect();
    }
    let mut numbers = Vec::new();
    keys.places(args, |place| numbers.push(store.number_of(args.at(place))));
    numbers.sort_unstable();
    numbers.dedup();
    numbers
}
