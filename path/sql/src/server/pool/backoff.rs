use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};
use std::time::Duration;

use tokio::sync::Notify;
use tokio::sync::futures::Notified;

/// The first pause after a failure.
const FIRST: Duration = Duration::from_millis(50);

/// The longest.
const LONGEST: Duration = Duration::from_secs(1);

/// When a server that could not be reached may be tried again: one try at a time, for all loops together.
#[derive(Debug, Default)]
pub(super) struct Backoff {
    failures: AtomicU32,
    /// When the last of them was, nanoseconds on the pool's clock.
    failed: AtomicU64,
    /// The next try.
    until: AtomicU64,
    changed: Notify,
}

/// Whether a connection may be tried now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Turn {
    /// Yes.
    Now,
    /// After that long, or when [`Backoff::changed`] says so.
    Later(Duration),
}

impl Backoff {
    /// After a failure only the first that asks is told `Now`; the others wait for what becomes of it.
    pub(super) fn turn(&self, now: u64, random: u64) -> Turn {
        let failures = self.failures.load(Ordering::SeqCst);
        if failures == 0 {
            return Turn::Now;
        }
        let until = self.until.load(Ordering::SeqCst);
        let next = now + pause(failures, random).as_nanos() as u64;
        if until <= now && self.until.compare_exchange(until, next, Ordering::SeqCst, Ordering::SeqCst).is_ok() {
            return Turn::Now;
        }
        let until = self.until.load(Ordering::SeqCst);
        Turn::Later(Duration::from_nanos(until.saturating_sub(now).max(1_000_000)))
    }

    /// A try that was begun at `began` failed. Tries that ran together fail together: they count once.
    pub(super) fn failed(&self, began: u64, now: u64, random: u64) {
        let failures = self.failures.load(Ordering::SeqCst);
        if failures > 0 && began < self.failed.swap(now, Ordering::SeqCst) {
            return;
        }
        self.failed.store(now, Ordering::SeqCst);
        self.failures.store(failures.saturating_add(1), Ordering::SeqCst);
        self.until.store(now + pause(failures.saturating_add(1), random).as_nanos() as u64, Ordering::SeqCst);
    }

    /// A try succeeded, or there is a reason to hope: everybody may try.
    pub(super) fn forget(&self) {
        if self.failures.swap(0, Ordering::SeqCst) > 0 {
            self.changed.notify_waiters();
        }
    }

    /// Returns when everybody may try again, counted from this call on.
    pub(super) fn changed(&self) -> Notified<'_> {
        self.changed.notified()
    }

    pub(super) fn is_failing(&self) -> bool {
        self.failures.load(Ordering::Relaxed) > 0
    }
}

/// Doubles with each failure; between half of it and all of it, by chance.
fn pause(failures: u32, random: u64) -> Duration {
    let whole = FIRST.saturating_mul(1 << failures.saturating_sub(1).min(10)).min(LONGEST);
    whole / 2 + whole.mul_f64((random % 1024) as f64 / 2048.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    const MILLI: u64 = 1_000_000;

    #[test]
    fn pauses_double_up_to_a_second_and_differ() {
        assert_eq!(pause(1, 0), FIRST / 2);
        assert!(pause(1, 1023) > FIRST * 9 / 10 && pause(1, 1023) < FIRST);
        assert_eq!(pause(2, 512), FIRST * 3 / 2);
        assert_eq!(pause(40, 0), LONGEST / 2);
    }

    #[test]
    fn after_a_failure_one_tries_at_a_time() {
        let backoff = Backoff::default();
        assert_eq!(backoff.turn(1, 0), Turn::Now);
        assert_eq!(backoff.turn(1, 0), Turn::Now);
        backoff.failed(1, 1, 0);
        backoff.failed(0, 1, 0);
        assert_eq!(backoff.turn(1, 0), Turn::Later(FIRST / 2));
        assert_eq!(backoff.turn(26 * MILLI, 0), Turn::Now);
        assert_eq!(backoff.turn(26 * MILLI, 0), Turn::Later(FIRST / 2));
        backoff.failed(26 * MILLI, 27 * MILLI, 0);
        assert_eq!(backoff.turn(27 * MILLI, 0), Turn::Later(FIRST));
        backoff.forget();
        assert_eq!(backoff.turn(26 * MILLI, 0), Turn::Now);
        assert!(!backoff.is_failing());
    }

    #[tokio::test]
    async fn who_waits_is_told_of_a_success() {
        let backoff = Backoff::default();
        backoff.failed(1, 1, 0);
        let changed = backoff.changed();
        backoff.forget();
        changed.await;
    }
}
