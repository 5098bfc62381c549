//! Which of some endpoints takes the next request: the least cost, latency² × (open requests + 1). Squared, because what
//! is ten times slower helps only when the others are ten times as busy, and their own latency then says so.
//!
//! With few endpoints all are compared: two random ones of three would leave a slow one a third of the picks it is
//! in. Endpoints of about the same latency differ by their open requests only, and equal ones take turns.

use super::latency::FLOOR;

/// Up to so many endpoints all are compared; of more, two.
pub const FEW: usize = 4;

/// One endpoint at the time of the choice, nanoseconds throughout.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Look {
    /// Its latency when last measured; 0: nothing known.
    pub measured: u64,
    /// The same, faded since then.
    pub faded: u64,
    /// How long it has not answered anything although something waits; 0 when nothing waits.
    pub silent: u64,
    /// Requests that this loop has open there.
    pub open: u32,
}

/// The index of the look with the least cost; among equal ones the first. `None` of none.
pub fn least(looks: &[Look]) -> Option<usize> {
    let fastest = looks.iter().filter(|look| look.measured > 0).map(|look| look.measured).min().unwrap_or(FLOOR).max(FLOOR);
    let mut best = None;
    let mut best_cost = u64::MAX;
    for (index, look) in looks.iter().enumerate() {
        let cost = cost(look, fastest);
        if cost < best_cost {
            (best, best_cost) = (Some(index), cost);
        }
    }
    best
}

/// `fastest` stands for what is unknown, has faded below it, or is less than twice as slow.
///
/// What has faded gets one request to show what it can do now, not a burst of them.
fn cost(look: &Look, fastest: u64) -> u64 {
    let latency = if look.open == 0 { look.faded } else { look.measured };
    let latency = latency.max(look.silent);
    let latency = if latency < fastest.saturating_mul(2) { fastest } else { latency };
    // Over `fastest`, so that the square of 2 s times all open requests fits.
    (latency * latency / fastest).saturating_mul(u64::from(look.open) + 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    const MS: u64 = 1_000_000;

    fn look(latency_ms: u64, open: u32) -> Look {
        Look { measured: latency_ms * MS, faded: latency_ms * MS, silent: 0, open }
    }

    #[test]
    fn of_about_equal_ones_the_less_busy_then_the_first() {
        assert_eq!(least(&[look(6, 3), look(9, 2), look(5, 2)]), Some(1));
        assert_eq!(least(&[look(7, 0), look(5, 0)]), Some(0));
        assert_eq!(least(&[]), None);
    }

    #[test]
    fn a_slow_one_takes_what_its_slowness_allows() {
        assert_eq!(least(&[look(50, 0), look(5, 8)]), Some(1));
        assert_eq!(least(&[look(50, 0), look(5, 98)]), Some(1));
        assert_eq!(least(&[look(50, 0), look(5, 100)]), Some(0));
    }

    #[test]
    fn a_silent_one_is_slow_and_an_unknown_one_is_like_the_others() {
        let silent = Look { silent: 40 * MS, ..look(5, 0) };
        assert_eq!(least(&[silent, look(5, 6)]), Some(1));
        assert_eq!(least(&[look(50, 1), Look { open: 1, ..Look::default() }]), Some(0));
        let unknown = Look { open: 2, ..Look::default() };
        assert_eq!(least(&[look(50, 1), unknown]), Some(0), "an unknown one is not flooded");
    }

    #[test]
    fn a_faded_one_is_tried_but_not_preferred() {
        let faded = Look { measured: 50 * MS, faded: 1, silent: 0, open: 0 };
        assert_eq!(least(&[faded, look(5, 0)]), Some(0));
        assert_eq!(least(&[look(5, 0), faded]), Some(0));
        assert_eq!(least(&[Look { open: 1, ..faded }, look(5, 0)]), Some(1));
        assert_eq!(least(&[Look { open: 1, ..faded }, look(5, 18)]), Some(1), "one trial at a time");
    }
}
