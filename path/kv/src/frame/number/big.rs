//! Whole numbers of any size, for the few decimals that need them.

use std::cmp::Ordering;

use super::scaled::Scaled;

/// Ten to the 19th: the largest power of ten in 64 bits.
pub(super) const TEN_19: u64 = 10u64.pow(19);

/// Limbs of 64 bits, the lowest first, the last not zero.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Big(Vec<u64>);

impl Big {
    /// Digits times two to the `exponent`.
    pub(super) fn new(digits: u64, exponent: usize) -> Big {
        let mut big = Big(vec![digits]);
        big.shift_up(exponent);
        big
    }

    /// Decimal digits times ten to the `zeros`.
    pub(super) fn decimal<'a>(digits: impl Iterator<Item = &'a u8>, zeros: usize) -> Big {
        let mut big = Big::default();
        let (mut chunk, mut factor) = (0, 1);
        for digit in digits {
            (chunk, factor) = (chunk * 10 + u64::from(digit - b'0'), factor * 10);
            if factor == TEN_19 {
                big.times_plus(factor, chunk);
                (chunk, factor) = (0, 1);
            }
        }
        big.times_plus(factor, chunk);
        for _ in 0..zeros / 19 {
            big.times_plus(TEN_19, 0);
        }
        big.times_plus(10u64.pow((zeros % 19) as u32), 0);
        big
    }

    /// The first 127 to 128 binary digits.
    pub(super) fn scaled(&self) -> Scaled {
        let spare = self.bits().saturating_sub(128);
        let (limb, bit) = (spare / 64, spare % 64);
        let at = |index: usize| u128::from(self.0.get(index).copied().unwrap_or(0));
        let low = at(limb) | at(limb + 1) << 64;
        let digits = if bit == 0 { low } else { low >> bit | at(limb + 2) << (128 - bit) };
        let more = self.0.iter().take(limb).any(|limb| *limb > 0) || at(limb) & ((1 << bit) - 1) > 0;
        Scaled { digits, exponent: spare as i64, more }
    }

    /// The first binary digits of what it is over `divisor`; neither is zero.
    pub(super) fn over(mut self, mut divisor: Big) -> Scaled {
        const DIGITS: i64 = 67;
        let (ours, theirs) = (self.bits(), divisor.bits());
        self.shift_up(theirs.saturating_sub(ours));
        divisor.shift_up(ours.saturating_sub(theirs));
        let mut digits = 0;
        for _ in 0..DIGITS {
            digits <<= 1;
            if self.compare(&divisor).is_ge() {
                self.minus(&divisor);
                digits |= 1;
            }
            self.shift_up(1);
        }
        Scaled { digits, exponent: ours as i64 - theirs as i64 - (DIGITS - 1), more: !self.0.is_empty() }
    }

    /// Appends its decimal digits.
    pub(super) fn write(mut self, out: &mut Vec<u8>) {
        let mut chunks = Vec::new();
        while !self.0.is_empty() {
            chunks.push(self.divide());
        }
        let text = chunks.iter().rev().map(|chunk| format!("{chunk:019}")).collect::<String>();
        out.extend_from_slice(text.trim_start_matches('0').as_bytes());
    }

    fn bits(&self) -> usize {
        self.0.last().map_or(0, |last| self.0.len() * 64 - last.leading_zeros() as usize)
    }

    fn times_plus(&mut self, factor: u64, plus: u64) {
        let mut carry = u128::from(plus);
        for limb in &mut self.0 {
            carry += u128::from(*limb) * u128::from(factor);
            *limb = carry as u64;
            carry >>= 64;
        }
        self.0.push(carry as u64);
        self.trim();
    }

    fn shift_up(&mut self, bits: usize) {
        self.times_plus(1 << (bits % 64), 0);
        self.0.splice(0..0, std::iter::repeat_n(0, bits / 64));
        self.trim();
    }

    /// Takes away a number that is not larger.
    fn minus(&mut self, other: &Big) {
        let mut borrow = false;
        for (index, limb) in self.0.iter_mut().enumerate() {
            (*limb, borrow) = limb.borrowing_sub(other.0.get(index).copied().unwrap_or(0), borrow);
        }
        self.trim();
    }

    /// Divides by 10^19; says what remains.
    fn divide(&mut self) -> u64 {
        let mut rest = 0;
        for limb in self.0.iter_mut().rev() {
            (*limb, rest) = over_ten_19(rest, *limb);
        }
        self.trim();
        rest
    }

    fn compare(&self, other: &Big) -> Ordering {
        self.0.len().cmp(&other.0.len()).then_with(|| self.0.iter().rev().cmp(other.0.iter().rev()))
    }

    fn trim(&mut self) {
        let used = self.0.iter().rposition(|limb| *limb > 0).map_or(0, |last| last + 1);
        self.0.truncate(used);
    }
}

/// `high` (below 10^19) and `low`, over 10^19: quotient and rest. By multiplication with the inverse, which is several times
/// faster than division; Moeller and Granlund, "Improved division by invariant integers", algorithm 4.
fn over_ten_19(high: u64, low: u64) -> (u64, u64) {
    const INVERSE: u64 = (u128::MAX / TEN_19 as u128 - (1 << 64)) as u64;
    let guess = u128::from(INVERSE) * u128::from(high) + (u128::from(high) << 64 | u128::from(low));
    let mut quotient = ((guess >> 64) as u64).wrapping_add(1);
    let mut rest = low.wrapping_sub(quotient.wrapping_mul(TEN_19));
    if rest > guess as u64 {
        quotient = quotient.wrapping_sub(1);
        rest = rest.wrapping_add(TEN_19);
    }
    if rest >= TEN_19 { (quotient.wrapping_add(1), rest - TEN_19) } else { (quotient, rest) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn division_by_multiplication_is_division(high in 0..TEN_19, low: u64) {
            let value = u128::from(high) << 64 | u128::from(low);
            let ten = u128::from(TEN_19);
            prop_assert_eq!(over_ten_19(high, low), ((value / ten) as u64, (value % ten) as u64));
        }

        #[test]
        fn large_numbers_are_printed_as_they_were_read(digits in "[1-9][0-9]{0,200}", zeros in 0usize..100) {
            let mut out = Vec::new();
            Big::decimal(digits.as_bytes().iter(), zeros).write(&mut out);
            prop_assert_eq!(String::from_utf8(out).unwrap(), digits + &"0".repeat(zeros));
        }
    }

    #[test]
    fn division_holds_at_the_edges() {
        for (high, low) in [(0, 0), (0, TEN_19 - 1), (0, TEN_19), (0, u64::MAX), (1, 0), (TEN_19 - 1, u64::MAX), (TEN_19 - 1, 0)] {
            let value = u128::from(high) << 64 | u128::from(low);
            let (quotient, rest) = over_ten_19(high, low);
            assert_eq!(u128::from(quotient) * u128::from(TEN_19) + u128::from(rest), value);
            assert!(rest < TEN_19);
        }
    }
}
