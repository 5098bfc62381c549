//! What an entry of a stream is found by: a time in milliseconds, and a number among those of that time.

use std::ops::Deref;

use crate::frame::{digits, parse_int};

/// As text `ms-seq`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub(crate) struct Id {
    pub(crate) ms: u64,
    pub(crate) seq: u64,
}

/// Longest text of an ID that is read.
const LONGEST: usize = 127;
/// Longest text that is written.
const TEXT: usize = 20 + 1 + 20;

/// An ID as text.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Text {
    bytes: [u8; TEXT],
    from: usize,
}

impl Id {
    pub(crate) const MIN: Id = Id { ms: 0, seq: 0 };
    pub(crate) const MAX: Id = Id { ms: u64::MAX, seq: u64::MAX };

    /// The one behind it.
    pub(crate) fn next(self) -> Option<Id> {
        match self.seq.checked_add(1) {
            Some(seq) => Some(Id { seq, ..self }),
            None => Some(Id { ms: self.ms.checked_add(1)?, seq: 0 }),
        }
    }

    /// The one before it.
    pub(crate) fn before(self) -> Option<Id> {
        match self.seq.checked_sub(1) {
            Some(seq) => Some(Id { seq, ..self }),
            None => Some(Id { ms: self.ms.checked_sub(1)?, seq: u64::MAX }),
        }
    }

    /// Reads `ms-seq`, or `ms` alone, which has the number `missing`.
    pub(crate) fn parse(text: &[u8], missing: u64) -> Option<Id> {
        let (ms, seq) = Id::parts(text)?;
        Some(Id { ms, seq: seq.map_or(Some(missing), unsigned)? })
    }

    /// As [`Id::parse`]; of `ms-*` only the time.
    pub(crate) fn parse_open(text: &[u8]) -> Option<Result<Id, u64>> {
        match Id::parts(text)? {
            (ms, Some(b"*")) => Some(Err(ms)),
            _ => Id::parse(text, 0).map(Ok),
        }
    }

    fn parts(text: &[u8]) -> Option<(u64, Option<&[u8]>)> {
        if text.len() > LONGEST {
            return None;
        }
        let dash = text.iter().position(|byte| *byte == b'-');
        let (ms, seq) = dash.map_or((text, None), |dash| (&text[..dash], Some(&text[dash + 1..])));
        Some((unsigned(ms)?, seq))
    }

    /// As text.
    pub(crate) fn text(self) -> Text {
        let (mut bytes, mut number) = ([b'-'; TEXT], [0; 20]);
        let start = digits(self.seq, &mut number);
        bytes[TEXT - 20 + start..].copy_from_slice(&number[start..]);
        let end = TEXT - 21 + start;
        bytes[end] = b'-';
        let start = digits(self.ms, &mut number);
        let from = end - (20 - start);
        bytes[from..end].copy_from_slice(&number[start..]);
        Text { bytes, from }
    }
}

impl Deref for Text {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        &self.bytes[self.from..]
    }
}

/// A number as Redis reads it here: as C's `strtoull` does, so that blanks and a sign in front are no fault.
fn unsigned(text: &[u8]) -> Option<u64> {
    if let Some(number) = parse_int(text) {
        return u64::try_from(number).ok();
    }
    let text = text.trim_ascii_start();
    let (negative, text) = match text {
        [b'-', rest @ ..] => (true, rest),
        [b'+', rest @ ..] => (false, rest),
        _ => (false, text),
    };
    if text.is_empty() {
        return None;
    }
    let mut number = 0u64;
    for byte in text {
        let digit = byte.wrapping_sub(b'0');
        number = if digit > 9 { None } else { number.checked_mul(10)?.checked_add(u64::from(digit)) }?;
    }
    Some(if negative { number.wrapping_neg() } else { number })
}
