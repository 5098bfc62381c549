use std::sync::Arc;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};

use crate::server::Key;

/// What the loops have of one key. Each loop writes its own cell; any thread reads.
#[derive(Debug)]
pub(crate) struct Ledger {
    pub(crate) key: Arc<Key>,
    cells: Box<[Cell]>,
}

/// One loop's part. Two cache lines: neighbours are fetched in pairs.
#[derive(Debug, Default)]
#[repr(align(128))]
pub(crate) struct Cell {
    /// Connections that wait for a client.
    pub(super) idle: AtomicU32,
    /// Connections lent to a client.
    pub(super) busy: AtomicU32,
    /// Connections being opened.
    pub(super) opening: AtomicU32,
    /// Clients that wait for a connection.
    pub(super) waiting: AtomicU32,
    /// Clients that are logged in.
    pub(super) clients: AtomicU32,
    /// Since when the client waits that waits longest, see [`super::shared::Pool::nanos`]; 0: nobody waits.
    pub(super) oldest: AtomicU64,
}

/// All loops together, as they were when asked.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Sum {
    pub(crate) idle: usize,
    pub(crate) busy: usize,
    pub(crate) opening: usize,
    pub(crate) waiting: usize,
    pub(crate) clients: usize,
    /// Of all loops the earliest; 0: nobody waits.
    pub(crate) oldest: u64,
}

impl Ledger {
    pub(super) fn new(key: Arc<Key>, loops: usize) -> Ledger {
        Ledger { key, cells: (0..loops).map(|_| Cell::default()).collect() }
    }

    pub(super) fn cell(&self, index: usize) -> &Cell {
        &self.cells[index]
    }

    pub(super) fn cells(&self) -> &[Cell] {
        &self.cells
    }

    pub(crate) fn sum(&self) -> Sum {
        self.cells.iter().fold(Sum::default(), |sum, cell| sum.and(cell.read()))
    }
}

impl Cell {
    pub(super) fn read(&self) -> Sum {
        let of = |count: &AtomicU32| count.load(Ordering::Relaxed) as usize;
        Sum {
            idle: of(&self.idle),
            busy: of(&self.busy),
            opening: of(&self.opening),
            waiting: of(&self.waiting),
            clients: of(&self.clients),
            oldest: self.oldest.load(Ordering::Relaxed),
        }
    }
}

impl Sum {
    /// Connections, those that are being opened included.
    pub(crate) fn servers(&self) -> usize {
        self.idle + self.busy + self.opening
    }

    /// Connections that were opened.
    pub(crate) fn ready(&self) -> usize {
        self.idle + self.busy
    }

    pub(crate) fn and(self, other: Sum) -> Sum {
        let oldest = match (self.oldest, other.oldest) {
            (0, one) | (one, 0) => one,
            (one, two) => one.min(two),
        };
        Sum {
            idle: self.idle + other.idle,
            busy: self.busy + other.busy,
            opening: self.opening + other.opening,
            waiting: self.waiting + other.waiting,
            clients: self.clients + other.clients,
            oldest,
        }
    }
}

/// One more, by the cell's only writer.
pub(super) fn more(count: &AtomicU32) {
    count.store(count.load(Ordering::Relaxed) + 1, Ordering::Relaxed);
}

/// One less, by the cell's only writer.
pub(super) fn less(count: &AtomicU32) {
    count.store(count.load(Ordering::Relaxed).saturating_sub(1), Ordering::Relaxed);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sum_is_of_all_loops_and_its_oldest_the_earliest() {
        let key = Arc::new(Key { user: "u".into(), database: "d".into() });
        let ledger = Ledger::new(key, 3);
        more(&ledger.cell(0).busy);
        more(&ledger.cell(2).busy);
        more(&ledger.cell(2).idle);
        less(&ledger.cell(2).idle);
        ledger.cell(1).oldest.store(7, Ordering::Relaxed);
        ledger.cell(2).oldest.store(5, Ordering::Relaxed);
        let sum = ledger.sum();
        assert_eq!((sum.busy, sum.idle, sum.servers(), sum.oldest), (2, 0, 2, 5));
    }
}
