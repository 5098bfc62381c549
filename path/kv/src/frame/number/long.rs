//! The numbers of INCRBYFLOAT and HINCRBYFLOAT: C's long double on x86, with 64 binary digits, so that 0.1 and 0.2 are 0.3.

use std::io::Write;

use super::big::Big;
use super::double::infinite;
use super::hex::{self, parse_exponent};
use super::scaled::{Scaled, Shape};

/// Longest text that is read, bytes.
const LONGEST: usize = 5 * 1024 - 1;

/// The format of the x87.
const SHAPE: Shape = Shape { digits: 64, lowest: -16445, highest: 16384 };

/// Decimals that are printed.
const DECIMALS: u32 = 17;

/// `digits` times two to the `exponent`, or infinity.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Long {
    negative: bool,
    digits: u64,
    exponent: i64,
}

/// An exponent that no finite number has.
const INFINITE: i64 = i64::MAX;

impl Long {
    /// Reads what `parse_double` reads, with more digits and a wider range.
    pub(crate) fn parse(text: &[u8]) -> Option<Long> {
        let (negative, unsigned) = match text {
            [b'-', rest @ ..] => (true, rest),
            [b'+', rest @ ..] => (false, rest),
            _ => (false, text),
        };
        let scaled = match unsigned {
            _ if text.len() > LONGEST => return None,
            [b'0', b'x' | b'X', digits @ ..] => hex::parse(digits)?,
            _ if infinite(unsigned) => return Some(Long { negative, digits: 0, exponent: INFINITE }),
            _ => decimal(unsigned)?,
        };
        Long::fit(negative, scaled)
    }

    /// Whether it is not infinite.
    pub(crate) fn is_finite(self) -> bool {
        self.exponent != INFINITE
    }

    /// The sum, unless it is not finite.
    pub(crate) fn plus(self, other: Long) -> Option<Long> {
        if self.exponent == INFINITE || other.exponent == INFINITE {
            return None;
        }
        if self.digits == 0 || other.digits == 0 {
            return Some(if self.digits == 0 { other } else { self });
        }
        let (large, small) = if self.top() >= other.top() { (self, other) } else { (other, self) };
        let (large_digits, exponent) = large.spread();
        let (small_digits, small_exponent) = small.spread();
        let drop = u32::try_from(exponent - small_exponent).unwrap_or(u32::MAX);
        let kept = small_digits.checked_shr(drop).unwrap_or(0);
        let more = kept.checked_shl(drop).unwrap_or(0) != small_digits;
        let (negative, digits) = match large_digits.checked_sub(kept) {
            _ if self.negative == other.negative => (self.negative, large_digits + kept),
            Some(digits) => (large.negative && digits > 0, digits - u128::from(more)),
            None => (small.negative, kept - large_digits),
        };
        Long::fit(negative, Scaled { digits, exponent, more })
    }

    /// Appends it without an exponent: 17 decimals, without zeros at the end.
    pub(crate) fn write(self, out: &mut Vec<u8>) {
        debug_assert_ne!(self.exponent, INFINITE, "sums are finite");
        let start = out.len();
        match self.exponent {
            0.. => Big::new(self.digits, self.exponent as usize).write(out),
            _ => self.write_parts(out),
        }
        if out.len() == start {
            out.push(b'0');
        } else if self.negative && out[start..] != *b"0" {
            out.insert(start, b'-');
        }
    }

    /// Appends the size of a number that may have decimals.
    fn write_parts(self, out: &mut Vec<u8>) {
        const ONE: u128 = 10u128.pow(DECIMALS);
        let drop = -self.exponent;
        let scaled = u128::from(self.digits) * ONE; // below 2^121
        let rounded = Scaled { digits: scaled, exponent: 0, more: false }.without(drop).unwrap_or(0);
        let (whole, part) = (rounded / ONE, rounded % ONE);
        write!(out, "{whole}").expect("memory takes all");
        if part > 0 {
            write!(out, ".{part:017}").expect("memory takes all");
            let last = out.iter().rposition(|byte| *byte != b'0').expect("a part is not zero");
            out.truncate(last + 1);
        }
    }

    /// Rounds; none if it is too large or vanishes.
    fn fit(negative: bool, scaled: Scaled) -> Option<Long> {
        let (digits, exponent) = scaled.fit(&SHAPE)?;
        Some(match u64::try_from(digits) {
            Ok(digits) => Long { negative, digits, exponent },
            Err(_) => Long { negative, digits: 1 << 63, exponent: exponent + 1 }, // 64 ones, rounded up
        })
    }

    /// The power of two that is just too large.
    fn top(self) -> i64 {
        self.exponent + 64 - i64::from(self.digits.leading_zeros())
    }

    /// Its digits at the top of 127 bits, and the exponent they have there.
    fn spread(self) -> (u128, i64) {
        let shift = 63 + self.digits.leading_zeros();
        (u128::from(self.digits) << shift, self.exponent - i64::from(shift))
    }
}

/// A decimal number without a sign.
fn decimal(text: &[u8]) -> Option<Scaled> {
    let (digits, exponent) = match text.iter().position(|byte| byte.eq_ignore_ascii_case(&b'e')) {
        Some(at) => (&text[..at], parse_exponent(&text[at + 1..])?),
        None => (text, 0),
    };
    let (whole, part) = match digits.iter().position(|byte| *byte == b'.') {
        Some(at) => (&digits[..at], &digits[at + 1..]),
        None => (digits, &[][..]),
    };
    let all = whole.iter().chain(part);
    if (whole.is_empty() && part.is_empty()) || !all.clone().all(u8::is_ascii_digit) {
        return None;
    }
    scale(all.skip_while(|digit| **digit == b'0'), exponent - part.len() as i64)
}

/// Digits, the first not zero, times ten to the `exponent`.
fn scale<'a>(digits: impl Iterator<Item = &'a u8> + Clone, exponent: i64) -> Option<Scaled> {
    const POWERS: std::ops::Range<i64> = -4951..4934; // of ten: outside, nothing is a number
    let count = digits.clone().count();
    if count == 0 {
        return Some(Scaled { digits: 0, exponent: 0, more: false });
    }
    if !POWERS.contains(&(exponent + count as i64)) {
        return None;
    }
    let power = exponent.unsigned_abs() as usize;
    if count <= 19 && power <= 18 {
        let digits = digits.fold(0, |value, digit| value * 10 + u64::from(digit - b'0'));
        return Some(small(digits, power, exponent < 0));
    }
    Some(match exponent {
        0.. => Big::decimal(digits, power).scaled(),
        _ => Big::decimal(digits, 0).over(Big::decimal([b'1'].iter(), power)),
    })
}

/// What most numbers are: at most 19 digits times or over a power of ten up to the 18th.
fn small(digits: u64, power: usize, over: bool) -> Scaled {
    let ten = 10u64.pow(power as u32);
    if !over {
        return Scaled { digits: u128::from(digits) * u128::from(ten), exponent: 0, more: false };
    }
    let zeros = digits.leading_zeros() + 64;
    let shifted = u128::from(digits) << zeros;
    Scaled { digits: shifted / u128::from(ten), exponent: -i64::from(zeros), more: !shifted.is_multiple_of(u128::from(ten)) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn printed(long: Long) -> String {
        let mut out = Vec::new();
        long.write(&mut out);
        String::from_utf8(out).unwrap()
    }

    fn long(text: &str) -> Long {
        Long::parse(text.as_bytes()).unwrap()
    }

    fn sum(one: &str, other: &str) -> String {
        long(one).plus(long(other)).map_or("none".into(), printed)
    }

    #[test]
    fn sums_are_what_people_expect() {
        assert_eq!(sum("0.1", "0.2"), "0.3");
        assert_eq!(sum("1.5", "1.1"), "2.6");
        assert_eq!(sum("3.0e3", "200"), "3200");
        assert_eq!(sum("10.50", "0.1"), "10.6");
        assert_eq!(sum("5", "-7.25"), "-2.25");
        assert_eq!(sum("17179869184.25", "-17179869184.25"), "0");
        assert_eq!(sum("-3", "3"), "0");
        assert_eq!(sum("0", "-0.0"), "0");
        assert_eq!(sum("1e-18", "-3e-18"), "0");
        assert_eq!(sum("9223372036854775807", "1"), "9223372036854775808");
        assert_eq!(sum("18446744073709551615", "1"), "18446744073709551616");
        assert_eq!(sum("0x10", "0x1p-1"), "16.5");
    }

    #[test]
    fn sums_are_those_of_c() {
        assert_eq!(sum("-9375836.5944", "-5.91"), "-9375842.504399999999805");
        assert_eq!(sum("128.213704", "0"), "128.21370400000000001");
        assert_eq!(sum("0.0000000677129422", "+71322089253834153.0000000000000000001"), "71322089253834153");
    }

    #[test]
    fn sums_beyond_all_bounds_are_none() {
        for (one, other) in [("inf", "1"), ("1", "-inf"), ("inf", "-inf"), ("1.1e4932", "1.1e4932")] {
            assert_eq!(sum(one, other), "none");
        }
    }

    #[test]
    fn long_texts_are_read_to_the_last_digit() {
        assert_eq!(printed(long("1e30")), "1000000000000000000024696061952");
        assert_eq!(printed(long(&format!("1{}", "0".repeat(40)))), printed(long("1e40")));
        assert_eq!(printed(long(&format!("0.{}1e5000", "0".repeat(4999)))), "1");
        assert_eq!(printed(long(&format!("1.5{}", "0".repeat(3000)))), "1.5");
        assert_eq!(printed(long("1e-4950")), "0");
        // one above and one at the middle between two numbers
        assert_eq!(printed(long("36893488147419103234.0000000000000000000000000000000000000001")), "36893488147419103236");
        assert_eq!(printed(long("36893488147419103234.0000000000000000000000000000000000000000")), "36893488147419103232");
        assert_eq!(printed(long("1.18973149535723176502e4932")).len(), 4933);
    }

    #[test]
    fn what_is_no_number_is_refused() {
        let texts = [
            "",
            "-",
            ".",
            "1e",
            "e1",
            "1 ",
            " 1",
            "nan",
            "1x",
            "0x",
            "0x1p",
            "0x.p1",
            "--1",
            "1.19e4932",
            "1e-4951",
            "1e99999999999",
            "0x1p16384",
            "0x1p-16446",
        ];
        for text in texts {
            assert_eq!(Long::parse(text.as_bytes()), None, "{text}");
        }
        assert_eq!(Long::parse("1".repeat(LONGEST + 1).as_bytes()), None);
        assert_eq!(long("0x1p-16445").digits, 1);
        assert_eq!(long("0e99999999999").digits, 0);
    }

    proptest! {
        #[test]
        fn decimals_are_printed_as_they_were_read(whole in -127i64..128, part in 0u32..1_000_000) {
            let text = format!("{whole}.{part:06}");
            let expected = text.trim_end_matches('0').trim_end_matches('.');
            prop_assert_eq!(printed(long(&text)), expected);
        }

        #[test]
        fn integers_are_summed_exactly(one in -(1i64 << 62)..1 << 62, other in -(1i64 << 62)..1 << 62) {
            prop_assert_eq!(sum(&one.to_string(), &other.to_string()), (one + other).to_string());
        }

        #[test]
        fn the_two_ways_to_read_agree(digits in "[1-9][0-9]{0,18}", power in 0usize..19) {
            let point = Big::decimal(digits.as_bytes().iter(), 0).over(Big::decimal([b'1'].iter(), power));
            prop_assert_eq!(Long::fit(false, point).unwrap().spread(), long(&format!("{digits}e-{power}")).spread());
            let whole = Big::decimal(digits.as_bytes().iter(), power).scaled();
            prop_assert_eq!(Long::fit(false, whole).unwrap().spread(), long(&format!("{digits}e{power}")).spread());
        }
    }
}
