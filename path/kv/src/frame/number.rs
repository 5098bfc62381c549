//! Numbers as Redis reads and prints them.

mod big;
mod double;
mod hex;
mod long;
mod scaled;

pub(crate) use double::{parse_double, write_double, write_human, write_score};
pub(crate) use long::Long;

/// The two digits of every number below 100.
const PAIRS: [u8; 200] = {
    let mut pairs = [0; 200];
    let mut at = 0;
    while at < 100 {
        pairs[at * 2] = b'0' + (at / 10) as u8;
        pairs[at * 2 + 1] = b'0' + (at % 10) as u8;
        at += 1;
    }
    pairs
};

/// An integer in the one way it can be written: no blanks, no plus, no zeros in front, no `-0`.
#[inline]
pub(crate) fn parse_int(text: &[u8]) -> Option<i64> {
    match text {
        [b'0'] => Some(0),
        [b'-', digits @ ..] => 0i64.checked_sub_unsigned(magnitude(digits)?),
        digits => magnitude(digits)?.try_into().ok(),
    }
}

/// Digits, the first of them not zero.
#[inline]
fn magnitude(digits: &[u8]) -> Option<u64> {
    if digits.len() > 19 || matches!(digits, [] | [b'0', ..]) {
        return None;
    }
    let mut value = 0u64;
    for byte in digits {
        let digit = byte.wrapping_sub(b'0');
        if digit > 9 {
            return None;
        }
        value = value * 10 + u64::from(digit); // 19 digits fit
    }
    Some(value)
}

/// Appends an integer.
#[inline]
pub(crate) fn write_int(value: i64, out: &mut Vec<u8>) {
    out.extend_from_slice(int_text(value, &mut [0; 20]));
}

/// The text of an integer, at the end of `text`.
#[inline]
pub(crate) fn int_text(value: i64, text: &mut [u8; 20]) -> &[u8] {
    let mut start = digits(value.unsigned_abs(), text);
    if value < 0 {
        start -= 1;
        text[start] = b'-';
    }
    &text[start..]
}

/// Appends an integer without a sign.
#[inline]
pub(crate) fn write_unsigned(value: u64, out: &mut Vec<u8>) {
    let mut text = [0; 20];
    let start = digits(value, &mut text);
    out.extend_from_slice(&text[start..]);
}

/// Writes `value` at the end of `text`, two digits at a time; says where it begins.
#[inline]
pub(crate) fn digits(mut value: u64, text: &mut [u8; 20]) -> usize {
    let mut at = text.len();
    while value >= 100 {
        let pair = (value % 100) as usize * 2;
        value /= 100;
        at -= 2;
        text[at..at + 2].copy_from_slice(&PAIRS[pair..pair + 2]);
    }
    if value >= 10 {
        let pair = value as usize * 2;
        at -= 2;
        text[at..at + 2].copy_from_slice(&PAIRS[pair..pair + 2]);
    } else {
        at -= 1;
        text[at] = b'0' + value as u8;
    }
    at
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn written(value: i64) -> String {
        let mut out = Vec::new();
        write_int(value, &mut out);
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn integers_are_read_strictly() {
        let good: [(&str, i64); 7] = [
            ("0", 0),
            ("7", 7),
            ("-1", -1),
            ("100", 100),
            ("9223372036854775807", i64::MAX),
            ("-9223372036854775808", i64::MIN),
            ("-9223372036854775807", -i64::MAX),
        ];
        for (text, value) in good {
            assert_eq!(parse_int(text.as_bytes()), Some(value), "{text}");
        }
        let bad = ["", "-", "+1", "-0", "00", "01", "-01", " 1", "1 ", "1.0", "0x1", "9223372036854775808", "-9223372036854775809"];
        for text in bad.into_iter().chain(["10000000000000000000", "99999999999999999999", "١"]) {
            assert_eq!(parse_int(text.as_bytes()), None, "{text}");
        }
    }

    proptest! {
        #[test]
        fn integers_are_read_as_they_were_written(value: i64, cut in 0u32..64) {
            let value = value >> cut;
            prop_assert_eq!(written(value), value.to_string());
            prop_assert_eq!(parse_int(written(value).as_bytes()), Some(value));
        }

        #[test]
        fn what_is_read_as_an_integer_is_its_only_text(text in "[-+0-9 ]{0,21}") {
            if let Some(value) = parse_int(text.as_bytes()) {
                prop_assert_eq!(value.to_string(), text);
            }
        }
    }
}
