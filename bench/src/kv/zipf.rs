//! Who asks for what: Zipf's law, with scans between.

use crate::random::Random;

/// One read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Read {
    /// Of the key of this rank, from 0, the most likely.
    Ranked(u32),
    /// Of a key of this number, which is read once and never again.
    Scanned(u32),
}

/// Reads in their order.
#[derive(Debug)]
pub struct Trace {
    /// Keys that are read more than once.
    pub keys: u32,
    /// The n-th key is read `n^-exponent` as often as the first.
    pub exponent: f64,
    /// Reads from scan to scan, and of a scan at the end of them.
    pub scans: Option<(usize, usize)>,
    pub reads: usize,
}

impl Trace {
    /// The reads, the same each time.
    pub fn reads(&self) -> Vec<Read> {
        let sums = self.sums();
        let total = sums.last().copied().unwrap_or_default();
        let (mut random, mut scanned) = (Random::seeded(17), 0);
        let read = |at: usize| {
            if self.scans.is_some_and(|(every, long)| at % every >= every - long) {
                scanned += 1;
                return Read::Scanned(scanned);
            }
            let share = random.share() * total;
            Read::Ranked(sums.partition_point(|sum| *sum <= share) as u32)
        };
        (0..self.reads).map(read).collect()
    }

    /// How likely, relative to the first, a key or one before it is.
    fn sums(&self) -> Vec<f64> {
        let weights = (1..=self.keys).map(|rank| f64::from(rank).powf(-self.exponent));
        let add = |sum: &mut f64, weight| {
            *sum += weight;
            Some(*sum)
        };
        weights.scan(0.0, add).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn trace(exponent: f64, scans: Option<(usize, usize)>) -> Trace {
        Trace { keys: 1000, exponent, scans, reads: 100_000 }
    }

    #[test]
    fn ranks_are_as_likely_as_the_law_says() {
        for exponent in [0.9, 1.0] {
            let reads = trace(exponent, None).reads();
            let share = |rank| reads.iter().filter(|read| **read == Read::Ranked(rank)).count() as f64 / reads.len() as f64;
            let total: f64 = (1..=1000).map(|rank| f64::from(rank).powf(-exponent)).sum();
            for rank in [0u32, 1, 9] {
                let law = f64::from(rank + 1).powf(-exponent) / total;
                assert!((share(rank) / law - 1.0).abs() < 0.1, "{exponent} {rank}: {} instead of {law}", share(rank));
            }
            assert!(reads.iter().all(|read| matches!(read, Read::Ranked(0..1000))));
        }
    }

    #[test]
    fn a_scan_reads_each_key_once() {
        let reads = trace(1.0, Some((1000, 400))).reads();
        let scanned: Vec<u32> = reads.iter().filter_map(|read| if let Read::Scanned(key) = read { Some(*key) } else { None }).collect();
        assert_eq!(scanned, (1..=40_000).collect::<Vec<_>>());
        assert!(matches!(
            (reads[599], reads[600], reads[999], reads[1000]),
            (Read::Ranked(_), Read::Scanned(1), Read::Scanned(400), Read::Ranked(_))
        ));
    }
}
