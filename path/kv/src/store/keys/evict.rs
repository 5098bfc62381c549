//! Takes away a key when memory is full, as the policy chooses.

#[cfg(test)]
mod ratio;
#[cfg(test)]
mod tests;

use super::super::access::{Among, Policy, Queue, Standing};
use super::super::census::What;
use super::super::entry::{self, Ms};
use super::super::order::{Fate, fate};
use super::super::outcome::{Class, Outcome};
use super::super::table::Place;
use super::{Keys, hash};

/// Keys that have a turn before one must have gone.
const TURNS: usize = 64;
/// Keys that are looked at for one that goes.
const SAMPLE: usize = 32;
/// Segments that are looked at for a sample: those without any key that may go cost little.
const SEGMENTS: u32 = 2048;
/// Segments of which the one is taken where something expires first.
const SOONEST: usize = 8;

/// How it went.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Went {
    /// A key is gone.
    Gone,
    /// There may be one, but it was not found at once.
    Later,
    /// No key may go.
    None,
}

impl Keys {
    /// Takes a key away, if one may go.
    pub(crate) fn evict(&mut self, now: Ms, outcome: &mut Outcome) -> Went {
        if self.care.eviction.policy == Policy::None || self.candidates() == 0 {
            return Went::None;
        }
        self.care.now = now;
        // Names get lost where two are alike: then a sample decides.
        let is_sampled = !self.care.eviction.policy.has_queues() || self.care.order.is_empty();
        let Some(place) = (if is_sampled { self.sampled() } else { self.next_in_order() }) else { return Went::Later };
        self.drop_key(place, outcome);
        Went::Gone
    }

    /// How many keys may go.
    fn candidates(&self) -> usize {
        if self.care.eviction.among == Among::All { self.table.len() } else { self.volatile }
    }

    /// Whether a key with this expiry may go.
    pub(super) fn may_go(&self, expiry: Option<Ms>) -> bool {
        self.care.eviction.among == Among::All || expiry.is_some()
    }

    fn drop_key(&mut self, place: Place, outcome: &mut Outcome) {
        let mut key = self.scratch();
        key.extend_from_slice(entry::key(self.entry(place)));
        if entry::expiry(self.entry(place)).is_some_and(|expiry| expiry <= self.care.now) {
            self.expire(place, &key, outcome);
        } else {
            outcome.drops(self.remove(place));
            self.counts.evicted += 1;
            self.departed(&key, What::Evicted);
            self.touched(&key, outcome);
            outcome.happened(Class::EVICTED, "evicted", &key);
            self.says_gone(&key, outcome);
        }
        self.keep_scratch(key);
    }

    /// Whose turn it is and who was not used since the last one.
    fn next_in_order(&mut self) -> Option<Place> {
        for _ in 0..TURNS {
            let (queue, name) = self.care.order.pop()?;
            let Some(place) = self.named(queue, name) else {
                self.care.order.missed(queue);
                continue;
            };
            let (access, expiry) = (entry::access(self.entry(place)), entry::expiry(self.entry(place)));
            let standing = Standing::of(access);
            // It stands nowhere now: its name is out.
            self.set_access(place, Standing { queue: None, ..standing }.bits());
            if !self.may_go(expiry) {
                continue;
            }
            if self.care.eviction.policy == Policy::Fifo {
                return Some(place);
            }
            let hash = self.own_hash(place);
            match fate(queue, standing.frequency) {
                Fate::Stays(frequency) => self.stand_in(place, hash, Queue::Main, frequency),
                Fate::Goes => {
                    if queue == Queue::Small {
                        self.care.order.remember(hash);
                    }
                    return Some(place);
                }
            }
        }
        None
    }

    /// Without the bits that are equal for the whole shard.
    fn own_hash(&self, place: Place) -> u64 {
        self.table.own(hash(&self.hasher, entry::key(self.entry(place))))
    }

    /// The worst of some keys that lie together: which they are is chance.
    fn sampled(&mut self) -> Option<Place> {
        let segments = self.table.segments();
        let mut number = self.care.random.below(segments.max(1) as usize) as u32;
        let (is_ttl, mut best, mut seen) = (self.care.eviction.policy == Policy::Ttl, None::<(Ms, u32)>, 0);
        for _ in 0..SEGMENTS.min(segments) {
            let (handles, soonest) = self.table.segment(number);
            let is_barren = handles.is_empty() || self.care.eviction.among == Among::Ttl && soonest == Ms::MAX;
            if !is_barren && !is_ttl {
                if let Some(place) = self.worst(number, SAMPLE) {
                    return Some(place);
                }
            } else if !is_barren {
                seen += 1;
                if best.is_none_or(|(least, _)| soonest < least) && self.worst(number, 1).is_some() {
                    best = Some((soonest, number));
                }
            }
            if seen >= SOONEST && best.is_some() {
                break;
            }
            number = if number + 1 < segments { number + 1 } else { 0 };
        }
        best.and_then(|(_, number)| self.worst(number, usize::MAX))
    }

    /// Of keys of a segment that may go, the one to go: of `most`, or so few as there are.
    fn worst(&mut self, number: u32, most: usize) -> Option<Place> {
        let count = self.table.segment(number).0.len();
        let first = self.care.random.below(count);
        let (handles, _) = self.table.segment(number);
        let (policy, now) = (self.care.eviction.policy, self.care.now);
        let candidates = (0..count).map(|index| (first + index) % count).filter_map(|index| {
            let entry = self.blocks.bytes(handles[index]);
            let expiry = entry::expiry(entry);
            self.may_go(expiry).then(|| (policy.score(entry::access(entry), expiry, now), index))
        });
        let (_, index) = candidates.take(most).max_by_key(|(score, _)| *score)?;
        Some(self.table.place(number, index))
    }
}
