//! `math.random` of scripts: the generator of C's `lrand48`, so that a seed gives the same numbers as in Redis.

/// 48 bits.
#[derive(Debug)]
pub(super) struct Lrand48(u64);

const MASK: u64 = (1 << 48) - 1;
/// The greatest number.
const MOST: f64 = i32::MAX as f64;

impl Default for Lrand48 {
    fn default() -> Lrand48 {
        Lrand48(0x1234_ABCD_330E)
    }
}

impl Lrand48 {
    pub(super) fn seed(&mut self, seed: i32) {
        self.0 = u64::from(seed as u32) << 16 | 0x330E;
    }

    /// A number from 0 up to 1, which it is not.
    pub(super) fn next(&mut self) -> f64 {
        self.0 = self.0.wrapping_mul(0x5_DEEC_E66D).wrapping_add(0xB) & MASK;
        let drawn = (self.0 >> 17) as u32;
        f64::from(drawn % i32::MAX as u32) / MOST
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_seed_gives_the_same_numbers_as_everywhere() {
        let mut random = Lrand48::default();
        random.seed(0);
        // The first two of lrand48 after srand48(0).
        let (first, second) = (366_850_414.0 / MOST, 1_610_402_240.0 / MOST);
        assert!((random.next() - first).abs() < 1e-9 && (random.next() - second).abs() < 1e-9);
    }
}
