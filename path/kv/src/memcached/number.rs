//! Numbers as memcached reads them: as C does, with blanks in front, and anything behind a blank.

/// Of what is behind the blanks: whether it has a minus, and its digits as a number, none if that is too great.
fn read(text: &[u8]) -> Option<(bool, Option<u64>)> {
    let text = text.trim_ascii_start();
    let (is_negative, digits) = match text {
        [b'-', rest @ ..] => (true, rest),
        [b'+', rest @ ..] => (false, rest),
        _ => (false, text),
    };
    let length = digits.iter().take_while(|byte| byte.is_ascii_digit()).count();
    let is_whole = digits.get(length).is_none_or(|byte| byte.is_ascii_whitespace() || *byte == 0x0b);
    if length == 0 || !is_whole {
        return None;
    }
    let digit = |sum: u64, byte: &u8| sum.checked_mul(10)?.checked_add(u64::from(byte - b'0'));
    Some((is_negative, digits[..length].iter().try_fold(0, digit)))
}

/// A number without a sign. One with a minus is what it is modulo 2^64, if that is below 2^63.
pub(super) fn unsigned(text: &[u8]) -> Option<u64> {
    let (is_negative, number) = read(text)?;
    let number = if is_negative { number?.wrapping_neg() } else { number? };
    let is_minus = number > i64::MAX as u64 && text.contains(&b'-');
    (!is_minus).then_some(number)
}

/// As [`unsigned`], modulo 2^32.
pub(super) fn flags(text: &[u8]) -> Option<u32> {
    unsigned(text).map(|number| number as u32)
}

/// A number that fits 64 bits, modulo 2^32.
pub(super) fn signed(text: &[u8]) -> Option<i32> {
    let (is_negative, number) = read(text)?;
    let number = i128::from(number?);
    let number = if is_negative { -number } else { number };
    i64::try_from(number).ok().map(|number| number as i32)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_are_read_as_c_does() {
        for (text, number) in [
            ("0", Some(0)),
            ("+7", Some(7)),
            (" 7", Some(7)),
            ("7 x", Some(7)),
            ("7\t", Some(7)),
            ("7x", None),
            ("", None),
            ("-", None),
            ("-1", None),
            ("18446744073709551615", Some(u64::MAX)),
            ("18446744073709551616", None),
            ("-18446744073709551615", Some(1)),
        ] {
            assert_eq!(unsigned(text.as_bytes()), number, "{text}");
        }
        assert_eq!((flags(b"4294967297"), flags(b"4294967295")), (Some(1), Some(u32::MAX)));
        assert_eq!((signed(b"-5"), signed(b"4294967301"), signed(b"9223372036854775808")), (Some(-5), Some(5), None));
    }
}
