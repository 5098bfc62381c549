use std::sync::atomic::{AtomicU64, Ordering};

/// Upper bounds of latency buckets in seconds: the field's usual steps, finer below a millisecond.
pub const LATENCY_BOUNDS: [f64; 16] =
    [0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0];

/// Latencies in fixed buckets. One thread records; any thread reads.
#[derive(Debug)]
pub struct Histogram {
    counts: [AtomicU64; LATENCY_BOUNDS.len() + 1],
    sum_nanos: AtomicU64,
}

impl Default for Histogram {
    fn default() -> Histogram {
        Histogram { counts: std::array::from_fn(|_| AtomicU64::new(0)), sum_nanos: AtomicU64::new(0) }
    }
}

impl Histogram {
    /// Records one latency in nanoseconds. Only the owning thread calls this.
    pub fn record(&self, nanos: u64) {
        let index = BOUNDS_NANOS.iter().position(|bound| nanos <= *bound).unwrap_or(LATENCY_BOUNDS.len());
        add(&self.counts[index], 1);
        add(&self.sum_nanos, nanos);
    }

    /// Adds all that `other` has counted.
    pub fn merge(&self, other: &Histogram) {
        for (mine, theirs) in self.counts.iter().zip(&other.counts) {
            add(mine, theirs.load(Ordering::Relaxed));
        }
        add(&self.sum_nanos, other.sum_nanos.load(Ordering::Relaxed));
    }

    /// Upper bound in seconds and own count (not cumulated) of each bucket; the last bound is infinite.
    pub fn buckets(&self) -> impl Iterator<Item = (f64, u64)> + '_ {
        LATENCY_BOUNDS.iter().copied().chain([f64::INFINITY]).zip(self.counts.iter().map(|count| count.load(Ordering::Relaxed)))
    }

    /// The sum of all latencies in seconds.
    pub fn sum_seconds(&self) -> f64 {
        self.sum_nanos.load(Ordering::Relaxed) as f64 / 1e9
    }

    /// How many were recorded.
    pub fn count(&self) -> u64 {
        self.counts.iter().map(|count| count.load(Ordering::Relaxed)).sum()
    }

    /// The upper bound in seconds of the bucket that holds quantile `q` (0..=1); 0 when empty, the last finite bound when beyond it.
    pub fn quantile(&self, q: f64) -> f64 {
        let wanted = (self.count() as f64 * q).ceil() as u64;
        let mut seen = 0;
        for (bound, count) in self.buckets() {
            seen += count;
            if seen >= wanted && seen > 0 {
                return bound.min(LATENCY_BOUNDS[LATENCY_BOUNDS.len() - 1]);
            }
        }
        0.0
    }
}

const BOUNDS_NANOS: [u64; LATENCY_BOUNDS.len()] = {
    let mut nanos = [0; LATENCY_BOUNDS.len()];
    let mut index = 0;
    while index < nanos.len() {
        nanos[index] = (LATENCY_BOUNDS[index] * 1e9) as u64;
        index += 1;
    }
    nanos
};

/// A single writer needs no locked add.
fn add(cell: &AtomicU64, more: u64) {
    cell.store(cell.load(Ordering::Relaxed) + more, Ordering::Relaxed);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantiles_are_bucket_bounds() {
        let histogram = Histogram::default();
        for _ in 0..99 {
            histogram.record(900_000);
        }
        histogram.record(3_000_000_000);
        assert_eq!(histogram.quantile(0.5), 0.001);
        assert_eq!(histogram.quantile(1.0), 5.0);
        assert_eq!(histogram.count(), 100);
    }

    #[test]
    fn empty_is_zero() {
        assert_eq!(Histogram::default().quantile(0.99), 0.0);
    }
}
