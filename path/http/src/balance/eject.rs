//! When an endpoint that fails again and again is left for a while.

use std::time::Duration;

/// Failures in a row that make an endpoint leave.
pub const FAILURES: u32 = 5;

/// Its first absence; each further one is twice as long.
const FIRST: Duration = Duration::from_secs(5);

/// So long after its return earlier absences are forgotten.
pub const FORGET: Duration = Duration::from_secs(60);

/// The longest absence.
const LONGEST: Duration = Duration::from_secs(60);

/// An endpoint and its group at the moment of a failure.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Standing {
    /// Failures in a row over all loops, this one included.
    pub failures: u32,
    /// How often it was ejected of late.
    pub ejections: u32,
    /// Other endpoints that take requests now.
    pub others_ready: usize,
    /// Endpoints ejected now.
    pub ejected: usize,
    /// Endpoints of the group.
    pub total: usize,
}

/// How long it is left, or `None`: it stays.
///
/// Never the last one, and never more than half of a group: when most fail alike, the fault is not the endpoint's.
pub fn after_failure(standing: Standing) -> Option<Duration> {
    let allowed = standing.others_ready > 0 && (standing.ejected + 1) * 2 <= standing.total;
    if standing.failures < FAILURES || !allowed {
        return None;
    }
    Some(FIRST.saturating_mul(1 << standing.ejections.min(8)).min(LONGEST))
}

#[cfg(test)]
mod tests {
    use super::*;

    const STANDING: Standing = Standing { failures: 5, ejections: 0, others_ready: 2, ejected: 0, total: 3 };

    #[test]
    fn leaves_after_five_and_longer_each_time() {
        assert_eq!(after_failure(Standing { failures: 4, ..STANDING }), None);
        assert_eq!(after_failure(STANDING), Some(Duration::from_secs(5)));
        assert_eq!(after_failure(Standing { ejections: 2, ..STANDING }), Some(Duration::from_secs(20)));
        assert_eq!(after_failure(Standing { ejections: 99, ..STANDING }), Some(Duration::from_secs(60)));
    }

    proptest::proptest! {
        #[test]
        fn the_last_and_the_second_half_stay(total in 1usize..20, ejected in 0usize..20, others_ready in 0usize..20) {
            let verdict = after_failure(Standing { failures: 50, ejections: 0, others_ready, ejected, total });
            if others_ready == 0 || (ejected + 1) * 2 > total {
                proptest::prop_assert_eq!(verdict, None);
            }
        }
    }
}
