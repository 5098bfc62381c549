//! Waiting for a condition, never for a time.

use std::time::{Duration, Instant};

/// Long enough for a loaded two-core machine; a condition that holds is seen within 10 ms.
pub const DEADLINE: Duration = Duration::from_secs(60);

/// Waits until `condition` holds. Panics, naming `what`, when it does not hold within [`DEADLINE`].
#[track_caller]
pub fn until(what: &str, condition: impl FnMut() -> bool) {
    assert!(holds_within(DEADLINE, condition), "waited {} s in vain: {what}", DEADLINE.as_secs());
}

/// Whether `condition` comes to hold within `deadline`; asked about every 10 ms, and once more at the end.
pub fn holds_within(deadline: Duration, mut condition: impl FnMut() -> bool) -> bool {
    let end = Instant::now() + deadline;
    while Instant::now() < end {
        if condition() {
            return true;
        }
        std::thread::park_timeout(Duration::from_millis(10));
    }
    condition()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_condition_is_asked_until_it_holds() {
        let mut asked = 0;
        until("the third question", || {
            asked += 1;
            asked == 3
        });
        assert_eq!(asked, 3);
        assert!(!holds_within(Duration::ZERO, || false));
    }
}
