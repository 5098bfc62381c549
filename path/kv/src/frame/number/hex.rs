//! Hexadecimal numbers, which C's strtod reads too: `0x1.8p3` is 1.5 times two to the third.

use super::scaled::Scaled;

/// A number without its sign and its `0x`.
pub(super) fn parse(text: &[u8]) -> Option<Scaled> {
    let (digits, exponent) = match text.iter().position(|byte| byte.eq_ignore_ascii_case(&b'p')) {
        Some(at) => (&text[..at], parse_exponent(&text[at + 1..])?),
        None => (text, 0),
    };
    let (whole, part) = match digits.iter().position(|byte| *byte == b'.') {
        Some(at) => (&digits[..at], &digits[at + 1..]),
        None => (digits, &[][..]),
    };
    if whole.is_empty() && part.is_empty() {
        return None;
    }
    let mut value = Scaled { digits: 0, exponent, more: false };
    whole.iter().try_for_each(|digit| value.digit(*digit, 4))?;
    part.iter().try_for_each(|digit| value.digit(*digit, 0))?;
    Some(value)
}

/// A decimal exponent, bounded: no text is long enough to bring a larger one back.
pub(super) fn parse_exponent(text: &[u8]) -> Option<i64> {
    const BOUND: i64 = 1 << 40;
    let (negative, digits) = match text {
        [b'-', digits @ ..] => (true, digits),
        [b'+', digits @ ..] => (false, digits),
        digits => (false, digits),
    };
    if digits.is_empty() || !digits.iter().all(u8::is_ascii_digit) {
        return None;
    }
    let value = digits.iter().fold(0, |value, digit| (value * 10 + i64::from(digit - b'0')).min(BOUND));
    Some(if negative { -value } else { value })
}

impl Scaled {
    /// Appends a digit; those that find no room make the number larger by `place` bits.
    fn digit(&mut self, digit: u8, place: i64) -> Option<()> {
        let digit = char::from(digit).to_digit(16)?;
        if self.digits >> (u128::BITS - 4) == 0 {
            self.digits = self.digits << 4 | u128::from(digit);
            self.exponent -= 4 - place;
        } else {
            self.more |= digit > 0;
            self.exponent += place;
        }
        Some(())
    }
}
