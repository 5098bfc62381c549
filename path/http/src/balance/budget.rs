//! How many retries one loop may make for an app: a fifth of its recent requests, and a few a second at least.

use std::sync::atomic::Ordering::Relaxed;
use std::sync::atomic::{AtomicU32, AtomicU64};

/// Seconds that count as recent.
const WINDOW: usize = 10;

/// Retries for every hundred requests.
const PERCENT: u64 = 20;

/// Retries a second that are always allowed, over all loops.
const LEAST: u64 = 10;

/// One loop's account. Times are nanoseconds from one origin. Only that loop uses it; atomic, so that it needs no lock to.
#[derive(Debug, Default)]
pub struct Budget {
    slots: [Slot; WINDOW],
}

#[derive(Debug, Default)]
struct Slot {
    second: AtomicU64,
    requests: AtomicU32,
    retries: AtomicU32,
}

impl Budget {
    /// A request was taken (its first attempt).
    pub fn deposit(&self, now: u64) {
        add(&self.slot(now).requests);
    }

    /// Takes one retry out, if there is one left; `loops` share the least.
    pub fn withdraw(&self, now: u64, loops: usize) -> bool {
        let is_left = self.is_left(now, loops);
        if is_left {
            add(&self.slot(now).retries);
        }
        is_left
    }

    /// Whether a retry is left to take out.
    pub fn is_left(&self, now: u64, loops: usize) -> bool {
        let second = now / 1_000_000_000;
        let recent = self.slots.iter().filter(|slot| slot.second.load(Relaxed) + WINDOW as u64 > second);
        let (requests, retries) = recent
            .map(|slot| (slot.requests.load(Relaxed), slot.retries.load(Relaxed)))
            .fold((0, 0), |sum, slot| (sum.0 + u64::from(slot.0), sum.1 + u64::from(slot.1)));
        let allowed = requests * PERCENT / 100 + (LEAST * WINDOW as u64).div_ceil(loops.max(1) as u64);
        retries < allowed
    }

    fn slot(&self, now: u64) -> &Slot {
        let second = now / 1_000_000_000;
        let slot = &self.slots[second as usize % WINDOW];
        if slot.second.load(Relaxed) != second {
            slot.second.store(second, Relaxed);
            slot.requests.store(0, Relaxed);
            slot.retries.store(0, Relaxed);
        }
        slot
    }
}

/// A single writer needs no locked add.
fn add(cell: &AtomicU32) {
    cell.store(cell.load(Relaxed) + 1, Relaxed);
}

#[cfg(test)]
mod tests {
    use super::*;

    const S: u64 = 1_000_000_000;

    fn drain(budget: &Budget, now: u64, loops: usize) -> usize {
        (0..10_000).take_while(|_| budget.withdraw(now, loops)).count()
    }

    #[test]
    fn a_quiet_app_has_the_least() {
        assert_eq!(drain(&Budget::default(), 0, 1), 100);
        assert_eq!(drain(&Budget::default(), 100 * S, 4), 25);
    }

    #[test]
    fn a_fifth_of_recent_requests_and_what_is_old_is_forgotten() {
        let budget = Budget::default();
        for index in 0..1000 {
            budget.deposit(50 * S + index);
        }
        assert_eq!(drain(&budget, 55 * S, 1), 300);
        assert_eq!(drain(&budget, 59 * S, 1), 0);
        assert_eq!(drain(&budget, 60 * S, 1), 0, "the requests of second 50 are forgotten, the retries of 55 are not");
        assert_eq!(drain(&budget, 66 * S, 1), 100);
    }
}
