use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use super::TopStatement;

/// What one loop alone writes and anybody reads: one place for each kind, the first for what has no other.
#[derive(Debug)]
pub(super) struct Slots(Box<[Slot]>);

/// Where one kind is counted.
#[derive(Debug, Default)]
pub(super) struct Slot {
    fingerprint: AtomicU64,
    calls: AtomicU64,
    errors: AtomicU64,
    rows: AtomicU64,
    nanos: AtomicU64,
    longest: AtomicU64,
    /// Changes with the fingerprint only.
    text: Mutex<Arc<str>>,
}

/// A single writer needs no locked add.
fn add(cell: &AtomicU64, more: u64) {
    cell.store(cell.load(Ordering::Relaxed).wrapping_add(more), Ordering::Relaxed);
}

impl Slots {
    pub(super) fn new(kinds: usize) -> Slots {
        Slots((0..=kinds).map(|_| Slot::default()).collect())
    }

    pub(super) fn slot(&self, place: usize) -> &Slot {
        &self.0[place]
    }

    /// How many there are, the first one included.
    pub(super) fn count(&self) -> usize {
        self.0.len()
    }

    /// Those that were used. One that changes hands meanwhile may be read half before and half after.
    pub(super) fn read(&self) -> impl Iterator<Item = TopStatement> {
        self.0.iter().map(Slot::read).filter(|statement| statement.calls > 0)
    }
}

impl Slot {
    /// From now on it counts another kind.
    pub(super) fn turn_over(&self, fingerprint: u64, text: Arc<str>) {
        for count in [&self.calls, &self.errors, &self.rows, &self.nanos, &self.longest] {
            count.store(0, Ordering::Relaxed);
        }
        *self.text.lock().unwrap_or_else(PoisonError::into_inner) = text;
        self.fingerprint.store(fingerprint, Ordering::Relaxed);
    }

    pub(super) fn record(&self, nanos: u64, rows: u64, failed: bool) {
        add(&self.calls, 1);
        add(&self.errors, u64::from(failed));
        add(&self.rows, rows);
        add(&self.nanos, nanos);
        if nanos > self.longest.load(Ordering::Relaxed) {
            self.longest.store(nanos, Ordering::Relaxed);
        }
    }

    pub(super) fn fingerprint(&self) -> u64 {
        self.fingerprint.load(Ordering::Relaxed)
    }

    pub(super) fn calls(&self) -> u64 {
        self.calls.load(Ordering::Relaxed)
    }

    pub(super) fn text(&self) -> Arc<str> {
        self.text.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn read(&self) -> TopStatement {
        let load = |cell: &AtomicU64| cell.load(Ordering::Relaxed);
        TopStatement {
            fingerprint: load(&self.fingerprint),
            text: self.text(),
            calls: load(&self.calls),
            errors: load(&self.errors),
            rows: load(&self.rows),
            total: Duration::from_nanos(load(&self.nanos)),
            longest: Duration::from_nanos(load(&self.longest)),
        }
    }
}
