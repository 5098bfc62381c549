//! How much memory all shards use, and how much they may.

use std::sync::atomic::{AtomicUsize, Ordering};

use super::keys::Keys;

/// A shard says what it uses in steps of one part of its share of all.
const PARTS: usize = 256;
const STEPS: std::ops::RangeInclusive<usize> = 256..=64 << 10;

#[derive(Debug)]
pub(super) struct Memory {
    /// Bytes, but for what shards have not said yet.
    used: AtomicUsize,
    limit: AtomicUsize,
    /// What was said, of which `limit` is what others leave.
    said: AtomicUsize,
    beside: AtomicUsize,
    /// The most that it was.
    peak: AtomicUsize,
    shards: usize,
    /// What a shard must have more or less of before it says so.
    step: AtomicUsize,
}

impl Memory {
    pub(super) fn new(limit: usize, shards: usize) -> Memory {
        let zero = AtomicUsize::default;
        let memory = Memory { used: zero(), limit: zero(), said: zero(), beside: zero(), peak: zero(), shards, step: zero() };
        memory.set_limit(limit);
        memory
    }

    pub(super) fn step(&self) -> usize {
        self.step.load(Ordering::Relaxed)
    }

    /// So much more is used.
    fn add(&self, more: isize) {
        let used = self.used.fetch_add(more as usize, Ordering::Relaxed).wrapping_add_signed(more);
        // Two that race may lose a little of the peak.
        if more > 0 && used > self.peak() {
            self.peak.store(used, Ordering::Relaxed);
        }
    }

    /// Adds what a shard has more or less than it has said, if that is `step` or more.
    #[inline]
    pub(super) fn hear(&self, keys: &mut Keys, step: usize) {
        if let Some(more) = keys.says_used(step) {
            self.add(more);
        }
    }

    pub(super) fn used(&self) -> usize {
        self.used.load(Ordering::Relaxed)
    }

    pub(super) fn peak(&self) -> usize {
        self.peak.load(Ordering::Relaxed)
    }

    /// Others hold so much of it, of which half at most is not for keys.
    pub(super) fn set_beside(&self, bytes: usize) {
        let said = self.said.load(Ordering::Relaxed);
        self.beside.store(bytes, Ordering::Relaxed);
        self.limit.store(said - bytes.min(said / 2), Ordering::Relaxed);
    }

    pub(super) fn limit(&self) -> usize {
        self.limit.load(Ordering::Relaxed)
    }

    pub(super) fn set_limit(&self, bytes: usize) {
        self.said.store(bytes, Ordering::Relaxed);
        self.set_beside(self.beside.load(Ordering::Relaxed));
        self.step.store((bytes / self.shards / PARTS).clamp(*STEPS.start(), *STEPS.end()), Ordering::Relaxed);
    }
}
