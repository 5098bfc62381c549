//! IDs as commands are given them.

use crate::error::Fault;
use crate::frame::Args;
use crate::store::stream::Id;

pub(super) const INVALID: Fault = Fault::fixed("ERR Invalid stream ID specified as stream command argument");

/// An ID that is neither `-` nor `+`; without a number it has 0.
pub(super) fn strict(text: &[u8]) -> Result<Id, Fault> {
    Id::parse(text, 0).ok_or(INVALID)
}

/// As [`strict`], of all words.
pub(super) fn all(words: Args<'_>) -> Result<Vec<Id>, Fault> {
    words.iter().map(strict).collect()
}

/// An ID, `-` or `+`.
pub(super) fn loose(text: &[u8], missing: u64) -> Result<Id, Fault> {
    match text {
        b"-" => Ok(Id::MIN),
        b"+" => Ok(Id::MAX),
        _ => Id::parse(text, missing).ok_or(INVALID),
    }
}

/// The first ID of a range.
pub(super) fn start(text: &[u8]) -> Result<Id, Fault> {
    match text {
        [b'(', open @ ..] if !open.is_empty() => strict(open)?.next().ok_or(Fault::fixed("ERR invalid start ID for the interval")),
        _ => loose(text, 0),
    }
}

/// The last ID of a range.
pub(super) fn end(text: &[u8]) -> Result<Id, Fault> {
    match text {
        [b'(', open @ ..] if !open.is_empty() => {
            let id = Id::parse(open, u64::MAX).ok_or(INVALID)?;
            id.before().ok_or(Fault::fixed("ERR invalid end ID for the interval"))
        }
        _ => loose(text, u64::MAX),
    }
}
