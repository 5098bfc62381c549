//! How many different texts were seen: Otmar Ertl, "New cardinality estimation algorithms for HyperLogLog sketches"
//! (arXiv:1702.01284), the improved raw estimator.

use super::{CORRUPTED, Encoding, HEAD, REGISTERS, dense, encoding, sparse};
use crate::error::Fault;

/// Registers by what they hold.
type Histogram = [u32; 64];

/// Largest count that a hash can give.
const MOST: usize = 64 - REGISTERS.ilog2() as usize + 1;
/// 1 / (2 ln 2).
const ALPHA: f64 = 0.721_347_520_444_481_7;

/// Of a string that is one.
pub(super) fn of_bytes(bytes: &[u8]) -> Result<u64, Fault> {
    let mut histogram = [0; 64];
    match encoding(bytes)? {
        Encoding::Dense => dense::each(&bytes[HEAD..]).for_each(|count| histogram[usize::from(count)] += 1),
        Encoding::Sparse => sparse::runs(bytes).for_each(|run| histogram[usize::from(run.count)] += run.length as u32),
    }
    if histogram.iter().sum::<u32>() as usize != REGISTERS {
        return Err(CORRUPTED);
    }
    Ok(estimate(&histogram))
}

/// Of registers.
pub(super) fn of_registers(all: &[u8]) -> u64 {
    let mut histogram = [0; 64];
    all.iter().for_each(|count| histogram[usize::from(*count)] += 1);
    estimate(&histogram)
}

fn estimate(histogram: &Histogram) -> u64 {
    let registers = REGISTERS as f64;
    let mut sum = registers * tau((registers - f64::from(histogram[MOST])) / registers);
    for count in histogram[1..MOST].iter().rev() {
        sum = (sum + f64::from(*count)) * 0.5;
    }
    sum += registers * sigma(f64::from(histogram[0]) / registers);
    (ALPHA * registers * registers / sum).round() as u64
}

fn sigma(mut x: f64) -> f64 {
    if x == 1.0 {
        return f64::INFINITY;
    }
    let (mut y, mut sum) = (1.0, x);
    loop {
        x *= x;
        let before = sum;
        sum += x * y;
        y += y;
        if sum == before {
            return sum;
        }
    }
}

fn tau(mut x: f64) -> f64 {
    if x == 0.0 || x == 1.0 {
        return 0.0;
    }
    let (mut y, mut sum) = (1.0, 1.0 - x);
    loop {
        x = x.sqrt();
        let before = sum;
        y *= 0.5;
        sum -= (1.0 - x) * (1.0 - x) * y;
        if sum == before {
            return sum / 3.0;
        }
    }
}
