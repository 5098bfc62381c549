//! What a shard shows to those who hold no lock: how many keys it has, and what became of others.

use std::sync::atomic::{AtomicU64, Ordering};

use super::keys::{Counts, Keys};

/// Written by whoever had the lock last, before it lets go.
#[derive(Debug, Default)]
pub(super) struct Shown {
    keys: AtomicU64,
    volatile: AtomicU64,
    expired: AtomicU64,
    expired_fields: AtomicU64,
    evicted: AtomicU64,
    hits: AtomicU64,
    misses: AtomicU64,
}

/// Of all shards; each part is of a moment of its own.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Sum {
    /// Keys, those that are overdue among them.
    pub(crate) keys: u64,
    /// How many of them have an expiry.
    pub(crate) volatile: u64,
    pub(crate) counts: Counts,
}

impl Shown {
    #[inline]
    pub(super) fn show(&self, keys: &Keys) {
        let Counts { expired, expired_fields, evicted, hits, misses } = keys.counts;
        let set = |cell: &AtomicU64, value| cell.store(value, Ordering::Relaxed);
        set(&self.keys, keys.len() as u64);
        set(&self.volatile, keys.volatile() as u64);
        set(&self.expired, expired);
        set(&self.expired_fields, expired_fields);
        set(&self.evicted, evicted);
        set(&self.hits, hits);
        set(&self.misses, misses);
    }

    pub(super) fn add_to(&self, mut sum: Sum) -> Sum {
        let add = |to: &mut u64, cell: &AtomicU64| *to += cell.load(Ordering::Relaxed);
        add(&mut sum.keys, &self.keys);
        add(&mut sum.volatile, &self.volatile);
        add(&mut sum.counts.expired, &self.expired);
        add(&mut sum.counts.expired_fields, &self.expired_fields);
        add(&mut sum.counts.evicted, &self.evicted);
        add(&mut sum.counts.hits, &self.hits);
        add(&mut sum.counts.misses, &self.misses);
        sum
    }
}
