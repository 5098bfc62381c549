//! Numbers as C prints and reads them.

/// Appends a finite or infinite number as `%.Ng` prints it.
pub(super) fn write(number: f64, digits: usize, out: &mut Vec<u8>) {
    if !number.is_finite() {
        let text: &[u8] = if number.is_nan() { b"nan" } else { b"inf" };
        out.extend_from_slice(if number.is_sign_negative() { b"-" } else { b"" });
        return out.extend_from_slice(text);
    }
    if number.trunc() == number && number.abs() < 1e9 && digits >= 9 && !(number == 0.0 && number.is_sign_negative()) {
        return out.extend_from_slice((number as i64).to_string().as_bytes());
    }
    let text = format!("{number:.*e}", digits - 1);
    let (mantissa, exponent) = text.split_once('e').unwrap_or((&text, "0"));
    let exponent: i32 = exponent.parse().unwrap_or(0);
    if exponent < -4 || exponent >= digits as i32 {
        out.extend_from_slice(trimmed(mantissa).as_bytes());
        let sign = if exponent < 0 { '-' } else { '+' };
        return out.extend_from_slice(format!("e{sign}{:02}", exponent.abs()).as_bytes());
    }
    let decimals = (digits as i32 - 1 - exponent).max(0) as usize;
    out.extend_from_slice(trimmed(&format!("{number:.decimals$}")).as_bytes());
}

/// Without zeros at the end of a fraction.
fn trimmed(text: &str) -> &str {
    if text.contains('.') { text.trim_end_matches('0').trim_end_matches('.') } else { text }
}

/// A number at the start of a text, as C's `strtod` reads it, and how many bytes it has; none: 0.
pub(super) fn read(text: &[u8]) -> (f64, usize) {
    let signed = matches!(text.first(), Some(b'-' | b'+'));
    let start = usize::from(signed);
    let rest = &text[start..];
    let has = |word: &[u8]| rest.len() >= word.len() && rest[..word.len()].eq_ignore_ascii_case(word);
    let (value, length) = if has(b"infinity") {
        (f64::INFINITY, 8)
    } else if has(b"inf") {
        (f64::INFINITY, 3)
    } else if has(b"nan") {
        (f64::NAN, 3)
    } else if has(b"0x") && hexadecimal(&rest[2..]).1 > 0 {
        let (value, length) = hexadecimal(&rest[2..]);
        (value, length + 2)
    } else {
        decimal(rest)
    };
    if length == 0 {
        return (0.0, 0);
    }
    (if text[0] == b'-' { -value } else { value }, start + length)
}

fn digits(text: &[u8], is_digit: impl Fn(&u8) -> bool) -> usize {
    text.iter().take_while(|byte| is_digit(byte)).count()
}

fn decimal(text: &[u8]) -> (f64, usize) {
    let whole = digits(text, u8::is_ascii_digit);
    let mut length = whole;
    if text.get(length) == Some(&b'.') {
        let fraction = digits(&text[length + 1..], u8::is_ascii_digit);
        if whole + fraction > 0 {
            length += 1 + fraction;
        }
    }
    if length == 0 {
        return (0.0, 0);
    }
    length += exponent(&text[length..], b'e').1;
    let text = str::from_utf8(&text[..length]).unwrap_or_default();
    (text.parse().unwrap_or(0.0), length)
}

/// `e+5` and the like: the exponent and the bytes of it.
fn exponent(text: &[u8], letter: u8) -> (i32, usize) {
    if text.first().is_none_or(|byte| !byte.eq_ignore_ascii_case(&letter)) {
        return (0, 0);
    }
    let sign = usize::from(matches!(text.get(1), Some(b'-' | b'+')));
    let count = digits(&text[1 + sign..], u8::is_ascii_digit);
    if count == 0 {
        return (0, 0);
    }
    let length = 1 + sign + count;
    let value = text[1 + sign..length].iter().fold(0i32, |all, digit| all.saturating_mul(10).saturating_add(i32::from(digit - b'0')));
    (if text[1] == b'-' { -value } else { value }, length)
}

/// Behind `0x`. Of more than 16 digits the rest is only counted.
fn hexadecimal(text: &[u8]) -> (f64, usize) {
    let (mut value, mut scale, mut length, mut seen) = (0f64, 0i32, 0, 0);
    let mut in_fraction = false;
    for byte in text {
        match (char::from(*byte).to_digit(16), byte) {
            (Some(digit), _) => {
                value = value * 16.0 + f64::from(digit);
                scale -= if in_fraction { 4 } else { 0 };
                seen += 1;
            }
            (None, b'.') if !in_fraction => in_fraction = true,
            _ => break,
        }
        length += 1;
    }
    if seen == 0 {
        return (0.0, 0);
    }
    let (power, more) = exponent(&text[length..], b'p');
    (value * 2f64.powi(scale.saturating_add(power)), length + more)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_printed_as_c_prints_them() {
        for (number, digits, text) in [
            (1.0, 14, "1"),
            (-0.0, 14, "-0"),
            (0.1, 14, "0.1"),
            (1.0 / 3.0, 14, "0.33333333333333"),
            (1e15, 14, "1e+15"),
            (123_456_789_012_345_678.0, 14, "1.2345678901235e+17"),
            (0.000_01, 14, "1e-05"),
            (0.000_123, 14, "0.000123"),
            (1234.5678, 3, "1.23e+03"),
            (f64::INFINITY, 14, "inf"),
        ] {
            let mut out = Vec::new();
            write(number, digits, &mut out);
            assert_eq!(String::from_utf8_lossy(&out), text);
        }
    }

    #[test]
    fn numbers_are_read_as_c_reads_them() {
        for (text, value, length) in [
            ("12,", 12.0, 2),
            ("-1.5e3]", -1500.0, 6),
            ("1e", 1.0, 1),
            ("0x1F", 31.0, 4),
            ("0x.8p1", 1.0, 6),
            ("Infinity", f64::INFINITY, 8),
            (".5", 0.5, 2),
            ("-", 0.0, 0),
            (".", 0.0, 0),
        ] {
            assert_eq!(read(text.as_bytes()), (value, length), "{text}");
        }
    }
}
