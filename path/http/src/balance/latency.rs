//! Peak EWMA of one endpoint's latency as one loop sees it, in nanoseconds: rises at once, falls slowly.

/// Above this an endpoint is slow, however slow: work is then spread by open requests. 2 s.
pub const CEILING: u64 = 2_000_000_000;

/// Below this endpoints count as equally fast: what differs there is noise. 200 µs.
pub const FLOOR: u64 = 200_000;

/// What one loop knows of an endpoint's latency.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Latency {
    /// The estimate; 0: nothing known yet.
    pub estimate: u64,
    /// The two samples before, the newer first.
    pub before: [u64; 2],
    /// When the estimate was made.
    pub at: u64,
}

impl Latency {
    /// The knowledge after one more sample at `now`.
    ///
    /// The peak taken is the least of three samples in a row, so that slow requests among fast ones (a report, a pause)
    /// do not drive an endpoint out, while an endpoint that is slow shows it with its third answer.
    pub fn observe(self, sample: u64, now: u64) -> Latency {
        let sample = sample.clamp(1, CEILING);
        if self.estimate == 0 {
            return Latency { estimate: sample, before: [sample; 2], at: now };
        }
        let [newer, older] = self.before;
        let confirmed = sample.min(newer).min(older);
        let faded = fade(self.estimate, now.saturating_sub(self.at));
        let estimate = if confirmed >= faded { confirmed } else { faded - (faded - confirmed) / 16 };
        Latency { estimate: estimate.max(1), before: [sample, newer], at: now }
    }

    /// The estimate at `now`: without new samples it halves every 2.1 s, so that an endpoint left for its slowness is tried again.
    pub fn faded(self, now: u64) -> u64 {
        fade(self.estimate, now.saturating_sub(self.at))
    }
}

/// `value` halved for every 2^31 ns that went by, straight lines between.
fn fade(value: u64, age: u64) -> u64 {
    let whole = (age >> 31).min(63);
    let part = age & 0x7fff_ffff;
    let value = value >> whole;
    // CEILING < 2^31, so the product fits.
    value - ((value * part) >> 32)
}

#[cfg(test)]
mod tests {
    use super::*;

    const MS: u64 = 1_000_000;

    #[test]
    fn two_slow_answers_are_not_believed_three_are() {
        let known = Latency::default().observe(5 * MS, 0);
        let once = known.observe(500 * MS, MS);
        let twice = once.observe(400 * MS, 2 * MS);
        assert!(twice.estimate < 6 * MS, "{twice:?}");
        assert_eq!(twice.observe(450 * MS, 3 * MS).estimate, 400 * MS);
    }

    #[test]
    fn fast_answers_bring_it_down_and_so_does_time() {
        let slow = Latency { estimate: 1000 * MS, before: [1000 * MS; 2], at: 0 };
        let mut after = slow;
        for _ in 0..100 {
            after = after.observe(5 * MS, 0);
        }
        assert!(after.estimate < 10 * MS, "{after:?}");
        assert_eq!(slow.faded(1 << 31), 500 * MS);
        assert_eq!(slow.faded(1 << 30), 750 * MS);
        assert_eq!(slow.faded(u64::MAX), 0);
    }

    proptest::proptest! {
        #[test]
        fn estimates_stay_within_the_samples(samples in proptest::collection::vec(1u64..10_000_000_000, 1..50)) {
            let mut known = Latency::default();
            for (index, sample) in samples.iter().enumerate() {
                known = known.observe(*sample, index as u64 * MS);
            }
            let highest = samples.iter().max().copied().unwrap_or(0).min(CEILING);
            proptest::prop_assert!(known.estimate >= 1 && known.estimate <= highest);
            proptest::prop_assert!(known.faded(1 << 40) <= known.estimate);
        }
    }
}
