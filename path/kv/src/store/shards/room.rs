//! The bound of memory, for all shards together.

use std::sync::atomic::Ordering;
use std::sync::{Arc, PoisonError};

use super::super::access::Eviction;
use super::super::entry::Ms;
use super::super::keys::Evicted;
use super::super::outcome::Outcome;
use super::super::view::View;
use super::{Guard, PAGES, Place, Store};

/// Keys that go under one lock, and blocks that are moved.
const KEYS: usize = 8;
const MOVES: usize = 64;

impl Store {
    /// Bytes in use: those of tables, of pages but for some of their holes, and of what is big.
    pub(crate) fn used(&self) -> usize {
        self.memory.used()
    }

    /// The most that were.
    pub(crate) fn peak(&self) -> usize {
        self.memory.peak()
    }

    /// Bytes that may be in use.
    pub(crate) fn limit(&self) -> usize {
        self.memory.limit()
    }

    pub(crate) fn set_limit(&self, bytes: usize) {
        self.memory.set_limit(bytes);
    }

    /// So many bytes of what may be in use are held by others than keys: they have half of it at most.
    pub(crate) fn set_beside(&self, bytes: usize) {
        self.memory.set_beside(bytes);
    }

    /// Whether more is in use than may be; always, where not even a page may be.
    #[inline]
    pub(crate) fn is_full(&self) -> bool {
        self.used().max(*PAGES.start()) > self.limit()
    }

    /// Takes keys away, some of each shard in turn, until there is room or it `is_late`. `after` sees each shard while it is locked.
    /// Whether a write may go on: not if no key may go any more.
    pub(crate) fn make_room(
        &self,
        now: Ms,
        outcome: &mut Outcome,
        mut is_late: impl FnMut() -> bool,
        mut after: impl FnMut(&mut View<'_>),
    ) -> bool {
        let mut barren = 0;
        while self.is_full() && barren < self.count() && !is_late() {
            let number = self.next.fetch_add(1, Ordering::Relaxed) % self.count();
            match self.lose(number, now, outcome, &mut after) {
                Evicted::None => barren += 1,
                Evicted::Gone | Evicted::Later => barren = 0,
            }
        }
        barren < self.count() || !self.is_full()
    }

    fn lose(&self, number: usize, now: Ms, outcome: &mut Outcome, after: &mut impl FnMut(&mut View<'_>)) -> Evicted {
        // What a worker has may have something for later.
        let Ok(mut keys) = self.lock(number) else { return Evicted::Later };
        let mut went = keys.evict(now, outcome);
        for _ in 1..KEYS {
            if went != Evicted::Gone || keys.evict(now, outcome) != Evicted::Gone {
                break;
            }
        }
        if keys.is_holey() && keys.evacuate(MOVES) > 0 && went == Evicted::None {
            // A page may be given back.
            went = Evicted::Later;
        }
        after(&mut self.view(&mut keys, now, outcome));
        keys.says();
        went
    }

    /// Keys go so from now on, or soon: a worker tells one shard after the other, for whoever asks may hold locks.
    pub(crate) fn set_eviction(self: &Arc<Self>, eviction: Eviction, now: Ms) {
        let mut holds = self.eviction.lock().unwrap_or_else(PoisonError::into_inner);
        if *holds != eviction {
            *holds = eviction;
            (0..self.count()).for_each(|number| self.run_away(vec![number], move |_, keys| keys[0].1.adopt(eviction, now)));
        }
    }
}

impl Guard<'_> {
    /// Says to the byte what is used.
    pub(crate) fn says(&mut self) {
        if let Place::Here(keys) = &mut *self.place {
            self.memory.hear(keys, 1);
        }
    }
}

impl Drop for Guard<'_> {
    fn drop(&mut self) {
        if let Place::Here(keys) = &mut *self.place {
            self.memory.hear(keys, self.memory.step());
            self.shown.show(keys);
        }
    }
}
