//! What a shard notes to keep itself in order: how its keys were used, which go first, what it has said of its memory.

use super::super::access::{Eviction, Queue, Standing};
use super::super::entry::{self, Ms};
use super::super::order::{Name, Order};
use super::super::random::Random;
use super::super::table::Place;
use super::{Keys, hash};

#[derive(Debug, Default)]
pub(super) struct Care {
    pub(super) eviction: Eviction,
    pub(super) order: Order,
    pub(super) random: Random,
    /// When a key was asked for last: what is new came then.
    pub(super) now: Ms,
    /// Bytes that were said to be used.
    pub(super) said: usize,
    /// Bytes of the pages when something was put last.
    pub(super) pages: usize,
    /// Pages are being emptied.
    pub(super) tidies: bool,
}

impl Care {
    /// The access bits of an entry that comes.
    pub(super) fn first(&self) -> u32 {
        self.eviction.policy.first(self.now)
    }

    pub(super) fn held(&self) -> usize {
        self.order.held()
    }

    pub(super) fn clear(&mut self) {
        self.order.clear();
        (self.pages, self.tidies) = (0, false);
    }
}

impl Keys {
    /// Counts a use.
    #[inline]
    pub(super) fn used(&mut self, place: Place) {
        let Care { eviction, random, now, .. } = &mut self.care;
        let entry = self.blocks.bytes_mut(self.table.at(place));
        let before = entry::access(entry);
        let after = eviction.policy.used(before, *now, || random.next());
        // Most uses change nothing, and leave the line of the cache as it is.
        if after != before {
            entry::set_access(entry, after);
        }
    }

    /// A key that may go stands in a queue, if there are any.
    #[inline]
    pub(super) fn stands(&mut self, place: Place, hash: u64) {
        if self.care.eviction.policy.has_queues() {
            self.stand(place, hash);
        }
    }

    fn stand(&mut self, place: Place, hash: u64) {
        let entry = self.entry(place);
        let standing = Standing::of(entry::access(entry));
        if standing.queue.is_none() && self.may_go(entry::expiry(entry)) {
            let hash = self.table.own(hash);
            let queue = self.care.order.queue_for(hash);
            self.stand_in(place, hash, queue, 0);
        }
    }

    /// Stands in `queue` behind all others; `hash` is without the bits that are equal for the whole shard.
    pub(super) fn stand_in(&mut self, place: Place, hash: u64, queue: Queue, frequency: u32) {
        let turn = self.care.order.push(queue, hash);
        let before = Standing::of(entry::access(self.entry(place)));
        self.set_access(place, Standing { turn, queue: Some(queue), frequency, ..before }.bits());
    }

    /// A key goes, and its name in a queue means nothing any more.
    #[inline]
    pub(super) fn stands_no_more(&mut self, place: Place) {
        if !self.care.eviction.policy.has_queues() {
            return;
        }
        let standing = Standing::of(entry::access(self.entry(place)));
        let Some(queue) = standing.queue else { return };
        self.set_access(place, Standing { queue: None, ..standing }.bits());
        self.care.order.lost(queue);
        if self.care.order.is_sparse(queue) {
            let mut order = std::mem::take(&mut self.care.order);
            order.tidy(queue, |name| self.named(queue, name).is_some());
            self.care.order = order;
        }
    }

    /// The key that a name in a queue is of.
    pub(super) fn named(&self, queue: Queue, name: Name) -> Option<Place> {
        self.table.find_named(name.hash(), |at| {
            let entry = self.blocks.bytes(at);
            let standing = Standing::of(entry::access(entry));
            let is_there = standing.queue == Some(queue) && standing.turn == name.turn();
            is_there && name.is_of(self.table.own(hash(&self.hasher, entry::key(entry))))
        })
    }

    /// Follows another policy from now on; takes long where there are many keys.
    pub(crate) fn adopt(&mut self, eviction: Eviction, now: Ms) {
        (self.care.eviction, self.care.now) = (eviction, now);
        self.care.order.clear();
        let first = self.care.first();
        for number in 0..self.table.segments() {
            for index in 0..self.table.segment(number).0.len() {
                let place = self.table.place(number, index);
                self.set_access(place, first);
                let hash = hash(&self.hasher, entry::key(self.entry(place)));
                self.stands(place, hash);
            }
        }
    }

    /// How its keys are chosen that go.
    pub(crate) fn eviction(&self) -> Eviction {
        self.care.eviction
    }

    /// When a key was asked for last.
    pub(in super::super) fn now(&self) -> Ms {
        self.care.now
    }

    /// Bytes that are used: all that is held but some holes, which the next writes will fill.
    pub(crate) fn in_use(&self) -> usize {
        self.held() - self.blocks.free_bytes().min(self.holes_allowed())
    }

    /// What is to be added to what was said to be used, if that is `step` or more.
    pub(crate) fn says_used(&mut self, step: usize) -> Option<isize> {
        let (said, now) = (self.care.said, self.in_use());
        if said.abs_diff(now) < step.max(1) {
            return None;
        }
        self.care.said = now;
        Some(now as isize - said as isize)
    }
}
