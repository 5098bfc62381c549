//! What `stats` counts, for one loop.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};

macro_rules! tally {
    ($($name:ident),*) => {
        /// Counted by one loop alone, by the names that `stats` has for them.
        #[derive(Debug, Default)]
        pub(crate) struct Tally {
            $(pub(super) $name: AtomicU64,)*
        }

        impl Tally {
            /// All of them.
            pub(super) fn all(&self) -> impl Iterator<Item = (&'static str, &AtomicU64)> {
                [$((stringify!($name), &self.$name)),*].into_iter()
            }
        }
    };
}

tally!(
    cmd_get,
    cmd_set,
    cmd_flush,
    cmd_touch,
    cmd_meta,
    get_hits,
    get_misses,
    delete_hits,
    delete_misses,
    incr_hits,
    incr_misses,
    decr_hits,
    decr_misses,
    cas_hits,
    cas_misses,
    cas_badval,
    touch_hits,
    touch_misses,
    store_too_large,
    store_no_memory,
    auth_cmds,
    auth_errors
);

/// What all counters were when `stats reset` was asked for last.
#[derive(Debug, Default)]
pub(crate) struct Base(Mutex<BTreeMap<&'static str, u64>>);

impl Base {
    /// All counters since then, over all loops, in the order of their names.
    pub(super) fn since<'t>(&self, loops: impl Iterator<Item = &'t Tally>) -> BTreeMap<&'static str, u64> {
        let mut sums = sums(loops);
        let base = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        sums.iter_mut().for_each(|(name, count)| *count -= base.get(name).copied().unwrap_or(0).min(*count));
        sums
    }

    /// They begin anew.
    pub(super) fn reset<'t>(&self, loops: impl Iterator<Item = &'t Tally>) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = sums(loops);
    }
}

fn sums<'t>(loops: impl Iterator<Item = &'t Tally>) -> BTreeMap<&'static str, u64> {
    let mut sums = BTreeMap::new();
    for (name, counter) in loops.flat_map(Tally::all) {
        *sums.entry(name).or_default() += counter.load(Ordering::Relaxed);
    }
    sums
}
