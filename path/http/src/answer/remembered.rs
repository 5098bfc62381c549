use std::collections::HashMap;
use std::rc::Rc;
use std::time::{Duration, Instant};

use super::entry::Entry;

/// Bounds of all loops together.
const BYTES: usize = 32 << 20;
const FILES: usize = 1024;
const ENTRIES: usize = 8192;

/// The entries that one loop keeps, bounded; the least recently used leave first.
#[derive(Debug)]
pub(super) struct Remembered {
    entries: HashMap<Box<[u8]>, Slot>,
    bytes: usize,
    files: usize,
    share: usize,
    /// Counts recalls, so that "recently used" needs no clock.
    turn: u64,
}

#[derive(Debug)]
struct Slot {
    entry: Rc<Entry>,
    checked: Instant,
    used: u64,
    cost: (usize, usize),
}

impl Remembered {
    /// With one loop's share of the bounds.
    pub(super) fn new(loops: usize) -> Remembered {
        Remembered { entries: HashMap::new(), bytes: 0, files: 0, share: loops.clamp(1, 16), turn: 0 }
    }

    /// The entry of `path`, if `is_current` still says so when it was last asked `tick` ago or earlier.
    pub(super) fn recall(
        &mut self,
        path: &[u8],
        now: Instant,
        tick: Duration,
        is_current: impl FnOnce(&Entry) -> bool,
    ) -> Option<Rc<Entry>> {
        let slot = self.entries.get_mut(path)?;
        if now.saturating_duration_since(slot.checked) >= tick {
            if !is_current(&slot.entry) {
                self.forget(path);
                return None;
            }
            slot.checked = now;
        }
        self.turn += 1;
        slot.used = self.turn;
        Some(slot.entry.clone())
    }

    /// Keeps `entry`, and drops the quarter used longest ago when a bound is passed.
    pub(super) fn insert(&mut self, path: &[u8], entry: Rc<Entry>, now: Instant) {
        self.forget(path);
        let cost = entry.cost();
        let cost = (cost.0 + path.len() + size_of::<Slot>() + size_of::<Entry>(), cost.1);
        self.turn += 1;
        self.bytes += cost.0;
        self.files += cost.1;
        self.entries.insert(path.into(), Slot { entry, checked: now, used: self.turn, cost });
        while self.entries.len() > 1 && self.is_over() {
            self.drop_quarter();
        }
    }

    /// Forgets everything.
    pub(super) fn clear(&mut self) {
        self.entries.clear();
        (self.bytes, self.files) = (0, 0);
    }

    #[cfg(test)]
    pub(super) fn size(&self) -> (usize, usize) {
        (self.entries.len(), self.bytes)
    }

    fn is_over(&self) -> bool {
        self.bytes > BYTES / self.share || self.files > FILES / self.share || self.entries.len() > ENTRIES / self.share
    }

    fn drop_quarter(&mut self) {
        let mut turns: Vec<u64> = self.entries.values().map(|slot| slot.used).collect();
        let quarter = turns.len() / 4;
        let (_, bound, _) = turns.select_nth_unstable(quarter);
        let bound = *bound;
        self.entries.retain(|_, slot| slot.used > bound);
        self.bytes = self.entries.values().map(|slot| slot.cost.0).sum();
        self.files = self.entries.values().map(|slot| slot.cost.1).sum();
    }

    fn forget(&mut self, path: &[u8]) {
        if let Some(slot) = self.entries.remove(path) {
            self.bytes -= slot.cost.0;
            self.files -= slot.cost.1;
        }
    }
}
