//! Doubles: read as C's strtod does, printed as its `%.17g` and `%.17f` do.

use std::io::Write;

use super::{hex, write_int};

/// Longest text of a double in scientific notation with 17 digits: `-1.2345678901234567e-308`.
const SCIENTIFIC: usize = 24;

/// A number that may be infinite: decimal or hexadecimal, all of the text and nothing else, no NaN. A number too large or
/// too small for a double is none.
pub(crate) fn parse_double(text: &[u8]) -> Option<f64> {
    let (negative, unsigned) = match text {
        [b'-', rest @ ..] => (true, rest),
        [b'+', rest @ ..] => (false, rest),
        _ => (false, text),
    };
    let value = match unsigned {
        [b'0', b'x' | b'X', digits @ ..] => hex::parse(digits)?.double()?,
        [b'0'..=b'9' | b'.', ..] => decimal(unsigned)?,
        _ if infinite(unsigned) => f64::INFINITY,
        _ => return None,
    };
    Some(if negative { -value } else { value })
}

/// Whether it is one of infinity's two names.
pub(super) fn infinite(text: &[u8]) -> bool {
    text.eq_ignore_ascii_case(b"inf") || text.eq_ignore_ascii_case(b"infinity")
}

/// A decimal number without a sign.
fn decimal(text: &[u8]) -> Option<f64> {
    let value: f64 = str::from_utf8(text).ok()?.parse().ok()?;
    let vanished =
        value == 0.0 && text.iter().take_while(|byte| !byte.eq_ignore_ascii_case(&b'e')).any(|byte| (b'1'..=b'9').contains(byte));
    (value.is_finite() && !vanished).then_some(value)
}

/// Appends a number as answers print it: 17 digits, without zeros at the end.
pub(crate) fn write_double(value: f64, out: &mut Vec<u8>) {
    const WHOLE: f64 = 1e17; // from here on there is an exponent
    if value.abs() < WHOLE && value.trunc() == value && !(value == 0.0 && value.is_sign_negative()) {
        write_int(value as i64, out);
    } else if value.is_finite() {
        general(value, out);
    } else {
        special(value, out);
    }
}

/// Appends a score as it is kept and scanned: as an integer as far as that goes.
pub(crate) fn write_score(value: f64, out: &mut Vec<u8>) {
    const FAR: f64 = (1u64 << 62) as f64;
    if value.abs() <= FAR && value.trunc() == value && !(value == 0.0 && value.is_sign_negative()) {
        write_int(value as i64, out);
    } else {
        write_double(value, out);
    }
}

/// Appends a number without an exponent: 17 decimals, without zeros at the end.
pub(crate) fn write_human(value: f64, out: &mut Vec<u8>) {
    if !value.is_finite() {
        return special(value, out);
    }
    let start = out.len();
    write!(out, "{value:.17}").expect("memory takes all");
    while out.last() == Some(&b'0') {
        out.pop();
    }
    out.pop_if(|last| *last == b'.');
    if out[start..] == *b"-0" {
        out.remove(start);
    }
}

/// Appends what is no number.
fn special(value: f64, out: &mut Vec<u8>) {
    let name: &[u8] = match value {
        f64::INFINITY => b"inf",
        f64::NEG_INFINITY => b"-inf",
        _ => b"nan",
    };
    out.extend_from_slice(name);
}

/// Appends what C's `%.17g` does.
fn general(value: f64, out: &mut Vec<u8>) {
    let mut text = [0; SCIENTIFIC];
    let mut rest = &mut text[..];
    write!(rest, "{:.16e}", value.abs()).expect("17 digits and an exponent fit");
    let length = SCIENTIFIC - rest.len();
    if value.is_sign_negative() {
        out.push(b'-');
    }
    text[1] = text[0]; // over the point, so that all digits lie together
    let exponent = exponent(&text[19..length]);
    let last = text[1..18].iter().rposition(|digit| *digit != b'0').unwrap_or(0);
    lay(&text[1..last + 2], exponent, out);
}

/// The exponent that Rust wrote.
fn exponent(text: &[u8]) -> i32 {
    let (negative, digits) = text.strip_prefix(b"-").map_or((false, text), |digits| (true, digits));
    let value = digits.iter().fold(0, |value, digit| value * 10 + i32::from(digit - b'0'));
    if negative { -value } else { value }
}

/// Lays out digits whose first stands before the point times ten to the `exponent`.
fn lay(digits: &[u8], exponent: i32, out: &mut Vec<u8>) {
    match exponent {
        -4..0 => {
            out.extend_from_slice(&b"0.000"[..(1 - exponent) as usize]);
            out.extend_from_slice(digits);
        }
        0..17 => {
            let whole = exponent as usize + 1;
            out.extend_from_slice(&digits[..whole.min(digits.len())]);
            out.extend(std::iter::repeat_n(b'0', whole.saturating_sub(digits.len())));
            fraction(digits.get(whole..).unwrap_or_default(), out);
        }
        _ => {
            out.push(digits[0]);
            fraction(&digits[1..], out);
            let sign = if exponent < 0 { '-' } else { '+' };
            write!(out, "e{sign}{:02}", exponent.abs()).expect("memory takes all");
        }
    }
}

/// Appends a point and digits, if there are any.
fn fraction(digits: &[u8], out: &mut Vec<u8>) {
    if !digits.is_empty() {
        out.push(b'.');
        out.extend_from_slice(digits);
    }
}

#[cfg(test)]
mod tests;
