//! Who watches a key, and who waits for it.

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;

use super::super::outcome::Outcome;
use super::super::waiter::Waiter;
use super::Keys;

/// Those of one shard.
#[derive(Debug, Default)]
pub(super) struct Queues {
    /// Keys that somebody watches: by how many, and how often they have changed.
    watched: HashMap<Box<[u8]>, Watched>,
    /// Keys that somebody waits for, in the order in which they came.
    waiters: HashMap<Box<[u8]>, VecDeque<Arc<Waiter>>>,
    /// Keys that are ready for somebody whose other shards were not locked.
    owed: Vec<Box<[u8]>>,
}

#[derive(Debug, Default, Clone, Copy)]
struct Watched {
    by: usize,
    version: u64,
}

impl Keys {
    /// A key has changed: those who watch it and those who wait for it are told.
    #[inline]
    pub(in super::super) fn touched(&mut self, key: &[u8], outcome: &mut Outcome) {
        let Queues { watched, waiters, .. } = &mut self.queues;
        if !watched.is_empty()
            && let Some(watched) = watched.get_mut(key)
        {
            watched.version += 1;
        }
        if !waiters.is_empty() && waiters.contains_key(key) && !outcome.ready.iter().any(|ready| **ready == *key) {
            outcome.ready.push(key.into());
        }
    }

    /// Somebody watches `key` from now on; gives what [`Keys::version`] says as long as it does not change.
    pub(crate) fn watch(&mut self, key: &[u8]) -> u64 {
        let watched = self.queues.watched.entry(key.into()).or_default();
        watched.by += 1;
        watched.version
    }

    /// Counts changes of a key that is watched.
    pub(crate) fn version(&self, key: &[u8]) -> u64 {
        self.queues.watched.get(key).map_or(0, |watched| watched.version)
    }

    /// The end of [`Keys::watch`].
    pub(crate) fn unwatch(&mut self, key: &[u8]) {
        if let Some(watched) = self.queues.watched.get_mut(key) {
            watched.by -= 1;
            if watched.by == 0 {
                self.queues.watched.remove(key);
            }
        }
    }

    /// The keys that somebody watches or waits for.
    pub(super) fn attended(&self) -> Vec<Box<[u8]>> {
        self.queues.watched.keys().chain(self.queues.waiters.keys()).cloned().collect()
    }

    /// `waiter` stands in the queue of `key` from now on, behind the others.
    pub(crate) fn enqueue(&mut self, key: &[u8], waiter: &Arc<Waiter>) {
        let queue = self.queues.waiters.entry(key.into()).or_default();
        if !queue.back().is_some_and(|last| Arc::ptr_eq(last, waiter)) {
            queue.push_back(waiter.clone());
        }
    }

    /// Takes `waiter` out of the queue of `key`.
    pub(crate) fn dequeue(&mut self, key: &[u8], waiter: &Arc<Waiter>) {
        if let Some(queue) = self.queues.waiters.get_mut(key) {
            queue.retain(|other| !Arc::ptr_eq(other, waiter));
            self.tidy(key);
        }
    }

    /// Takes those who wait for `key`, who go on waiting when [`Keys::put_queue`] gives them back.
    pub(crate) fn take_queue(&mut self, key: &[u8]) -> VecDeque<Arc<Waiter>> {
        // An empty queue stays: what is pushed to this key meanwhile makes it ready once more.
        self.queues.waiters.get_mut(key).map(std::mem::take).unwrap_or_default()
    }

    pub(crate) fn put_queue(&mut self, key: &[u8], queue: VecDeque<Arc<Waiter>>) {
        if let Some(place) = self.queues.waiters.get_mut(key) {
            *place = queue;
            self.tidy(key);
        }
    }

    fn tidy(&mut self, key: &[u8]) {
        if self.queues.waiters.get(key).is_some_and(VecDeque::is_empty) {
            self.queues.waiters.remove(key);
        }
    }

    /// `key` is ready for somebody who needs other shards too.
    pub(crate) fn owe(&mut self, key: &[u8]) {
        self.queues.owed.push(key.into());
    }

    /// Whether something is owed: it is given before the keys are used.
    #[inline]
    pub(crate) fn owes(&self) -> bool {
        !self.queues.owed.is_empty()
    }

    /// What is owed.
    pub(crate) fn take_owed(&mut self) -> Vec<Box<[u8]>> {
        std::mem::take(&mut self.queues.owed)
    }

    /// The shards that must be locked to give what is owed.
    pub(crate) fn owed_shards(&self) -> Vec<usize> {
        let queues = self.queues.owed.iter().filter_map(|key| self.queues.waiters.get(key));
        queues.flatten().flat_map(|waiter| waiter.shards.iter().copied()).collect()
    }

    /// Bytes that those who watch and wait take, about.
    pub(super) fn queues_held(&self) -> usize {
        let Queues { watched, waiters, .. } = &self.queues;
        watched.capacity() * size_of::<(Box<[u8]>, Watched)>() + waiters.capacity() * size_of::<(Box<[u8]>, VecDeque<Arc<Waiter>>)>()
    }
}
