//! How long to wait before the next try: pure.

use std::time::Duration;

/// A ready life shorter than this counts half: restarting at once for ever would spin.
const SHORT_LIFE: Duration = Duration::from_secs(1);
/// So many of them are followed by a restart at once.
const FREE_RESTARTS: u32 = 5;
const FIRST_WAIT: Duration = Duration::from_millis(250);
const LONGEST_WAIT: Duration = Duration::from_secs(30);

/// Tries that did not become ready, in a row.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Tries {
    failed: u32,
}

impl Tries {
    /// Notes the end of a life that was ready for `ready` (`None`: never); returns how long to wait before the next try.
    pub(crate) fn ended(&mut self, ready: Option<Duration>) -> Duration {
        if ready.is_some_and(|life| life >= SHORT_LIFE) {
            self.failed = 0;
            return Duration::ZERO;
        }
        self.failed = self.failed.saturating_add(1);
        let free = if ready.is_some() { FREE_RESTARTS } else { 0 };
        match self.failed.checked_sub(free + 1) {
            None => Duration::ZERO,
            Some(doublings) => (FIRST_WAIT * 2u32.pow(doublings.min(16))).min(LONGEST_WAIT),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_crash_is_followed_at_once_and_failures_ever_later() {
        let mut tries = Tries::default();
        assert_eq!(tries.ended(Some(Duration::from_secs(60))), Duration::ZERO);
        let waits: Vec<_> = (0..9).map(|_| tries.ended(None).as_millis()).collect();
        assert_eq!(waits, [250, 500, 1000, 2000, 4000, 8000, 16000, 30000, 30000]);
        assert_eq!(tries.ended(Some(Duration::from_secs(2))), Duration::ZERO);
        let short: Vec<_> = (0..7).map(|_| tries.ended(Some(Duration::from_millis(100))).as_millis()).collect();
        assert_eq!(short, [0, 0, 0, 0, 0, 250, 500]);
    }
}
