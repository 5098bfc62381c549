//! What SCAN, HSCAN, SSCAN and ZSCAN have in common: a cursor, options, and which names are wanted.

use crate::error::Fault;
use crate::frame::{Args, Reply};
use crate::glob;

/// How many are handed out when it is not said.
const COUNT: usize = 10;

/// The options of a scan.
#[derive(Debug, Clone, Copy)]
pub(super) struct Scan<'a> {
    /// About how many are to be handed out.
    pub(super) count: usize,
    pattern: Option<&'a [u8]>,
    /// The type of the keys that are wanted.
    pub(super) kind: Option<&'a [u8]>,
}

impl<'a> Scan<'a> {
    /// Reads what is behind the cursor; `of_keys` knows `TYPE`.
    pub(super) fn read(args: Args<'a>, of_keys: bool) -> Result<Scan<'a>, Fault> {
        let mut scan = Scan { count: COUNT, pattern: None, kind: None };
        let mut at = 0;
        while at < args.len() {
            let Some(value) = args.get(at + 1) else { return Err(Fault::SYNTAX) };
            if args.is(at, "COUNT") {
                scan.count = usize::try_from(args.int(at + 1)?).ok().filter(|count| *count > 0).ok_or(Fault::SYNTAX)?;
            } else if args.is(at, "MATCH") {
                scan.pattern = Some(value).filter(|pattern| *pattern != b"*");
            } else if of_keys && args.is(at, "TYPE") {
                scan.kind = Some(value);
            } else {
                return Err(Fault::SYNTAX);
            }
            at += 2;
        }
        Ok(scan)
    }

    /// One that looks at all.
    pub(super) fn of(pattern: &'a [u8]) -> Scan<'a> {
        Scan { count: usize::MAX, pattern: Some(pattern).filter(|pattern| *pattern != b"*"), kind: None }
    }

    /// How many a scan with these arguments is about to look at.
    pub(super) fn cost(args: Args<'_>, there: usize) -> usize {
        Scan::read(args, true).map_or(0, |scan| scan.count.min(there))
    }

    /// Whether what is called so is wanted.
    pub(super) fn wants(&self, name: &[u8]) -> bool {
        self.pattern.is_none_or(|pattern| glob::matches(pattern, name, false))
    }
}

/// A cursor, as C's `strtoul` reads it.
pub(super) fn cursor(word: &[u8]) -> Result<u64, Fault> {
    const INVALID: Fault = Fault::fixed("ERR invalid cursor");
    let word = word.split(|byte| *byte == 0).next().unwrap_or_default();
    let (negative, digits) = match word {
        [] => return Ok(0),
        [b'-', digits @ ..] => (true, digits),
        [b'+', digits @ ..] => (false, digits),
        digits => (false, digits),
    };
    let add = |number: u64, byte: &u8| {
        let digit = u64::from(*byte).checked_sub(u64::from(b'0')).filter(|digit| *digit < 10)?;
        number.checked_mul(10)?.checked_add(digit)
    };
    let number = if digits.is_empty() { None } else { digits.iter().try_fold(0, add) };
    number.map(|number| if negative { number.wrapping_neg() } else { number }).ok_or(INVALID)
}

/// The answer of a scan of what is not there.
pub(super) fn nothing(reply: &mut Reply<'_>) {
    head(0, reply);
    reply.array(0);
}

/// The answer up to its list.
pub(super) fn head(next: u64, reply: &mut Reply<'_>) {
    reply.array(2);
    let mut text = Vec::with_capacity(20);
    crate::frame::write_unsigned(next, &mut text);
    reply.bulk(&text);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::frame::Owned;

    #[test]
    fn cursors_are_read_as_strtoul_reads_them() {
        let good: [(&[u8], u64); 6] =
            [(b"", 0), (b"0", 0), (b"+07", 7), (b"18446744073709551615", u64::MAX), (b"-1", u64::MAX), (b"5\0x", 5)];
        for (word, number) in good {
            assert_eq!(cursor(word), Ok(number), "{}", word.escape_ascii());
        }
        for word in [&b" 1"[..], b"1 ", b"-", b"x", b"18446744073709551616", b"--1"] {
            assert!(cursor(word).is_err(), "{}", word.escape_ascii());
        }
    }

    #[test]
    fn options_are_read_in_any_order_and_the_last_one_counts() {
        let read = |line: &str, of_keys: bool| {
            let owned: Owned = line.split_whitespace().map(str::as_bytes).collect();
            Scan::read(owned.args(), of_keys).map(|scan| (scan.count, scan.pattern.map(<[u8]>::to_vec), scan.kind.is_some()))
        };
        assert_eq!(read("", false), Ok((10, None, false)));
        assert_eq!(read("match a* count 5 COUNT 7", false), Ok((7, Some(b"a*".to_vec()), false)));
        assert_eq!(read("MATCH *", false), Ok((10, None, false)));
        assert_eq!(read("TYPE string", true), Ok((10, None, true)));
        assert_eq!(read("COUNT x", false), Err(Fault::NOT_INTEGER));
        for line in ["TYPE string", "COUNT 0", "COUNT", "COUNT 5 MATCH", "NOVALUES x"] {
            assert_eq!(read(line, false), Err(Fault::SYNTAX), "{line}");
        }
    }
}
