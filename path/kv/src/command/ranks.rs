//! Numbers that clients give: places counted from either end, and counts.

use std::ops::Range;

use crate::error::Fault;
use crate::frame::Args;

/// What is said of a count that is none, where nothing else is.
pub(super) const NOT_POSITIVE: Fault = Fault::fixed("ERR value is out of range, must be positive");

/// The places from `start` to `end` of `len`; a negative one counts from the end, where -1 is the last.
pub(super) fn ranks(start: i64, end: i64, len: usize) -> Range<usize> {
    let len = len as i64;
    let from = |place: i64| if place < 0 { len.saturating_add(place) } else { place };
    let (start, end) = (from(start).max(0), from(end).min(len - 1));
    if start > end { 0..0 } else { start as usize..end as usize + 1 }
}

/// The places that the words at `at` and behind it say.
pub(super) fn read_ranks(args: Args<'_>, at: usize) -> Result<(i64, i64), Fault> {
    Ok((args.int(at)?, args.int(at + 1)?))
}

/// The word at `at` as a count of at least `least`.
pub(super) fn count(args: Args<'_>, at: usize, least: usize, fault: Fault) -> Result<usize, Fault> {
    args.int(at).ok().and_then(|count| usize::try_from(count).ok()).filter(|count| *count >= least).ok_or(fault)
}

/// The keys of `numkeys key …` at `at`, and the place behind them.
pub(super) fn counted_keys(args: Args<'_>, at: usize) -> Result<(Args<'_>, usize), Fault> {
    let many = count(args, at, 1, Fault::fixed("ERR numkeys should be greater than 0"))?;
    let behind = at.saturating_add(many).saturating_add(1);
    if behind >= args.len() { Err(Fault::SYNTAX) } else { Ok((args.before(behind).from(at + 1), behind)) }
}

/// `[COUNT count]` and nothing else, from `at` on.
pub(super) fn pop_count(args: Args<'_>, at: usize) -> Result<usize, Fault> {
    match args.len() - at {
        0 => Ok(1),
        _ if !args.is(at, "COUNT") || args.len() == at + 1 => Err(Fault::SYNTAX),
        more => {
            let many = count(args, at + 1, 1, Fault::fixed("ERR count should be greater than 0"))?;
            if more > 2 { Err(Fault::SYNTAX) } else { Ok(many) }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_are_counted_from_either_end() {
        for (start, end, places) in [(0, -1, 0..5), (-3, 9, 2..5), (3, 2, 0..0), (-9, 0, 0..1), (5, 5, 0..0), (0, -6, 0..0), (1, -2, 1..4)]
        {
            assert_eq!(ranks(start, end, 5), places, "{start} {end}");
        }
        assert_eq!(ranks(i64::MIN, i64::MAX, 5), 0..5);
        assert_eq!(ranks(0, -1, 0), 0..0);
    }
}
