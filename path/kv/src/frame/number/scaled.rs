//! A number in binary before it is rounded: digits times a power of two, and perhaps a bit more.

/// `digits` times two to the `exponent`; `more`: and something less than the last digit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Scaled {
    /// If there is more, at least 66 digits.
    pub(super) digits: u128,
    pub(super) exponent: i64,
    pub(super) more: bool,
}

/// What a kind of number can hold.
pub(super) struct Shape {
    pub(super) digits: i64,
    /// Power of two of its smallest number.
    pub(super) lowest: i64,
    /// Power of two that is just too large.
    pub(super) highest: i64,
}

/// IEEE's binary64.
const DOUBLE: Shape = Shape { digits: 53, lowest: -1074, highest: 1024 };

impl Scaled {
    /// Rounded to the nearest, of two to the even one. None if it vanishes in that or is too large.
    pub(super) fn fit(self, shape: &Shape) -> Option<(u128, i64)> {
        if self.digits == 0 {
            return Some((0, 0));
        }
        let length = i64::from(u128::BITS - self.digits.leading_zeros());
        let kept = shape.digits.min(length + self.exponent - shape.lowest);
        let drop = length - kept;
        let (digits, exponent) = if drop <= 0 { (self.digits, self.exponent) } else { (self.without(drop)?, self.exponent + drop) };
        let top = i64::from(u128::BITS - digits.leading_zeros()) + exponent;
        (digits > 0 && top <= shape.highest).then_some((digits, exponent))
    }

    /// Its digits without the last `drop`, rounded.
    pub(super) fn without(self, drop: i64) -> Option<u128> {
        let drop = u32::try_from(drop).ok()?;
        let half = 1u128.checked_shl(drop - 1)?; // smaller than half: nothing is left
        let kept = self.digits.checked_shr(drop).unwrap_or(0);
        let dropped = self.digits - kept.checked_shl(drop).unwrap_or(0);
        let up = dropped > half || (dropped == half && (self.more || kept % 2 == 1));
        Some(kept + u128::from(up))
    }

    /// The nearest double.
    pub(super) fn double(self) -> Option<f64> {
        let (digits, exponent) = self.fit(&DOUBLE)?;
        let half = exponent / 2; // two steps, for a power alone may be too small
        Some(digits as f64 * power(half) * power(exponent - half))
    }
}

/// Two to the `exponent`, which a double can hold.
fn power(exponent: i64) -> f64 {
    f64::from_bits(((exponent + 1023) as u64) << 52)
}
