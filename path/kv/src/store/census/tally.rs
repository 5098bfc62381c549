//! What is counted of each class in a shard: written by whoever has the shard's keys, read by anybody.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};

use super::name::Name;

/// What is counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum What {
    /// Asked for, and there.
    Hits,
    /// Asked for, and not there.
    Misses,
    /// Opened by a command that may change it.
    Writes,
    Evicted,
    Expired,
    /// There, when they were counted last.
    Keys,
    /// Bytes that these take.
    Bytes,
}

const WHATS: usize = What::Bytes as usize + 1;

/// Counts of a class, by [`What`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Counted([u64; WHATS]);

/// One place for each class, the first for all that have no other.
#[derive(Debug)]
pub(crate) struct Tally(Box<[Slot]>);

#[derive(Debug)]
struct Slot {
    /// Changes only when another class gets the place.
    name: Mutex<Name>,
    counts: [AtomicU64; WHATS],
}

/// The first place: all that have no other.
pub(crate) const OTHER: usize = 0;

impl Tally {
    /// For so many classes, and others.
    pub(crate) fn new(classes: usize) -> Tally {
        let slot = |_| Slot { name: Mutex::new(Name::NONE), counts: Default::default() };
        Tally((0..=classes).map(slot).collect())
    }

    /// Counts at a place.
    pub(crate) fn add(&self, place: usize, what: What, more: u64) {
        let cell = &self.0[place].counts[what as usize];
        // A single writer needs no locked add.
        cell.store(cell.load(Ordering::Relaxed) + more, Ordering::Relaxed);
    }

    pub(crate) fn set(&self, place: usize, what: What, value: u64) {
        self.0[place].counts[what as usize].store(value, Ordering::Relaxed);
    }

    /// The place is that of another class from now on; what it counted is counted with the others.
    pub(crate) fn turn_over(&self, place: usize, name: Name) {
        for what in 0..WHATS {
            let count = self.0[place].counts[what].swap(0, Ordering::Relaxed);
            let other = &self.0[OTHER].counts[what];
            other.store(other.load(Ordering::Relaxed) + count, Ordering::Relaxed);
        }
        *self.0[place].name.lock().unwrap_or_else(PoisonError::into_inner) = name;
    }

    /// Adds what is counted here to what is counted elsewhere, by name; those without a place to the second.
    pub(crate) fn add_to(&self, classes: &mut HashMap<Box<[u8]>, Counted>, others: &mut Counted) {
        for (place, slot) in self.0.iter().enumerate() {
            let counts = Counted(std::array::from_fn(|what| slot.counts[what].load(Ordering::Relaxed)));
            if place == OTHER {
                others.add(&counts);
            } else if counts != Counted::default() {
                let name = *slot.name.lock().unwrap_or_else(PoisonError::into_inner);
                classes.entry(name.bytes().into()).or_default().add(&counts);
            }
        }
    }
}

impl Counted {
    pub(crate) fn add(&mut self, other: &Counted) {
        self.0.iter_mut().zip(other.0).for_each(|(count, more)| *count += more);
    }

    pub(crate) fn of(&self, what: What) -> u64 {
        self.0[what as usize]
    }
}
