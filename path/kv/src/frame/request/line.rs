//! The lines of a request, of a bounded length: a number's ends at a CR, others at an LF.

use memchr::{memchr, memchr2};

use crate::frame::number::parse_int;

/// Longest line, bytes.
pub(super) const LONGEST: usize = 64 * 1024;

/// Why a line cannot be read.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Stop {
    /// So many bytes are missing, at least.
    Needs(usize),
    TooLong,
    /// It is no number.
    Wrong,
}

/// A number without a sign and its line's length, if it is short and all there.
#[inline]
pub(super) fn short_number(text: &[u8]) -> Option<(i64, usize)> {
    const DIGITS: usize = 10;
    let mut value = 0;
    for (at, byte) in text.iter().take(DIGITS + 1).enumerate() {
        let digit = byte.wrapping_sub(b'0');
        if digit > 9 {
            let canonical = at == 1 || (at > 1 && text[0] != b'0');
            return (*byte == b'\r' && canonical && text.len() > at + 1).then_some((value, at + 2));
        }
        value = value * 10 + i64::from(digit);
    }
    None
}

/// A number and its line's length. The first `seen` bytes have been searched for the end.
#[cold]
pub(super) fn number(text: &[u8], seen: &mut usize) -> Result<(i64, usize), Stop> {
    let end = find(text, seen, |unseen| memchr(b'\r', unseen))?;
    if text.len() < end + 2 {
        return Err(Stop::Needs(1));
    }
    let value = parse_int(&text[..end]).ok_or(Stop::Wrong)?;
    Ok((value, end + 2))
}

/// Where the line's LF is. The first `seen` bytes have been searched. A line with a zero byte never ends for Redis, which
/// cuts it once it is too long.
pub(super) fn end(text: &[u8], seen: &mut usize) -> Result<usize, Stop> {
    let end = find(text, seen, |unseen| memchr2(b'\n', 0, unseen))?;
    if text[end] == b'\n' { Ok(end) } else { Err(Stop::TooLong) }
}

/// Finds a line's end in what was not seen.
fn find(text: &[u8], seen: &mut usize, end: impl Fn(&[u8]) -> Option<usize>) -> Result<usize, Stop> {
    let line = &text[..text.len().min(LONGEST)];
    if let Some(at) = end(&line[*seen..]) {
        *seen += at; // an LF may be missing: found again in no time
        return Ok(*seen);
    }
    *seen = line.len();
    if text.len() > LONGEST { Err(Stop::TooLong) } else { Err(Stop::Needs(1)) }
}
