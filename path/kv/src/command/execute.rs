//! Runs a command on the keys that are locked for it.

use super::{Command, KeySpec, OnKeys};
use crate::error::Fault;
use crate::frame::{Args, Reply};
use crate::store::{Store, View};

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
    if command.cost.is_some_and(|cost| cost(view, args) > AT_ONCE) {
        return None;
    }
    let before = reply.written();
    let done = run(view, args, reply);
    if done.is_err() {
        reply.undo(before);
    }
    Some(done)
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
