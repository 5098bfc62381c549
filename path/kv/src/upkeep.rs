//! upkeep: what keeps the store in order beside the traffic. Keys that are overdue go although nobody asks for them, pages that have
//! become sparse are emptied, and keys go as the policy says when memory is full.
//!
//! Each loop looks after some of the shards, some microseconds at a time.

use std::sync::Arc;
use std::time::{Duration, Instant};

use crate::client::bounds;
use crate::command::after;
use crate::door::{Shared, now};
use crate::error::Fault;
use crate::store::{Eviction, Ms, Outcome};

/// The longest that is worked at once.
const AT_ONCE: Duration = Duration::from_micros(100);
/// Segments that are swept under one lock: where something is overdue, and where nothing is.
const BUSY_SEGMENTS: usize = 2;
const IDLE_SEGMENTS: usize = 32;
/// Blocks that are moved under one lock.
const MOVES: usize = 64;
/// Keys that were overdue from which on many more are thought to be.
const MANY: u64 = 32;

/// Where a loop is with its shards.
#[derive(Debug)]
struct Round {
    shards: Vec<usize>,
    /// The one it is at.
    at: usize,
    /// The segment it is at.
    from: u32,
    segments: usize,
    outcome: Outcome,
}

/// What was done at once.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
struct Done {
    /// Keys and fields that were overdue.
    expired: u64,
    /// All shards have had their turn.
    is_round: bool,
    /// Memory is full, and keys may go.
    is_full: bool,
}

/// Looks after the shards of a loop until it is dropped.
pub(crate) async fn keep(common: Arc<Shared>, index: usize) {
    let loops = common.events.loops.len();
    let shards = (index..common.store.count()).step_by(loops).collect();
    let mut round = Round { shards, at: 0, from: 0, segments: IDLE_SEGMENTS, outcome: Outcome::default() };
    if round.shards.is_empty() {
        return;
    }
    loop {
        round.outcome.wanted = common.config.wanted();
        let mut done = round.work(&common, now());
        if index == 0 {
            let events = &common.events;
            common
                .rates
                .look(now(), || [events.sum(|one| &one.commands), events.sum(|one| &one.bytes_in), events.sum(|one| &one.bytes_out)]);
        }
        if common.store.is_full() {
            // If nothing may go the next write is told so.
            done.is_full = make_room(&common, now(), &mut round.outcome).is_ok() && common.store.is_full();
        }
        loops::time::sleep(pause(done)).await;
    }
}

/// How long to wait before more is done: the more is overdue or too much, the shorter.
fn pause(done: Done) -> Duration {
    Duration::from_millis(match done {
        Done { is_full: true, .. } => 1,
        Done { is_round: true, .. } => 100,
        Done { expired: MANY.., .. } => 1,
        Done { .. } => 10,
    })
}

impl Round {
    fn work(&mut self, common: &Shared, now: Ms) -> Done {
        let (start, mut done) = (Instant::now(), Done::default());
        while !done.is_round && start.elapsed() < AT_ONCE {
            let (expired, is_over) = self.step(common, now);
            done.expired += expired;
            self.segments = if expired > 0 { BUSY_SEGMENTS } else { IDLE_SEGMENTS };
            if is_over {
                (self.at, self.from) = ((self.at + 1) % self.shards.len(), 0);
                done.is_round = self.at == 0;
            }
        }
        done
    }

    /// A little of a shard: how much was overdue, and whether it is done with.
    fn step(&mut self, common: &Shared, now: Ms) -> (u64, bool) {
        let Ok(mut keys) = common.store.lock(self.shards[self.at]) else { return (0, true) };
        let before = keys.counts.expired + keys.counts.expired_fields;
        self.from = if common.active_expire() { keys.sweep(self.from, self.segments, now, &mut self.outcome) } else { 0 };
        let moved = if keys.is_holey() { keys.evacuate(MOVES) } else { 0 };
        let expired = keys.counts.expired + keys.counts.expired_fields - before;
        after(&mut common.store.view(&mut keys, now, &mut self.outcome), common);
        keys.says();
        (expired, self.from == 0 && moved == 0)
    }
}

/// Takes keys away until there is room, or until enough was done for one command: the next one goes on.
///
/// # Errors
/// Nothing may go.
pub(crate) fn make_room(common: &Shared, now: Ms, outcome: &mut Outcome) -> Result<(), Fault> {
    let start = Instant::now();
    let has_room = common.store.make_room(now, outcome, || start.elapsed() >= AT_ONCE, |view| after(view, common));
    if has_room { Ok(()) } else { Err(Fault::OUT_OF_MEMORY) }
}

/// Memory, policy and bounds of clients are as the parameters say from now on.
pub(crate) fn follow(common: &Shared) {
    let limit = common.config.number("maxmemory").max(0) as usize;
    common.store.set_limit(if limit == 0 { usize::MAX } else { limit });
    let [normal, _, hears] = bounds::parse(&common.config.text("client-output-buffer-limit")).unwrap_or_default();
    common.bounds.set(normal, hears);
    common.bounds.set_most(common.config.most_of_clients(limit));
    let eviction = Eviction::parse(&common.config.text("maxmemory-policy")).unwrap_or_default();
    common.store.set_eviction(eviction, now());
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_more_is_overdue_the_sooner_it_goes_on() {
        let wait = |expired, is_round| pause(Done { expired, is_round, is_full: false }).as_millis();
        assert_eq!((wait(0, true), wait(5, false), wait(500, false)), (100, 10, 1));
        assert_eq!(pause(Done { is_round: true, is_full: true, expired: 0 }).as_millis(), 1);
    }
}
