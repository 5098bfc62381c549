//! Commands on parts of strings.

use std::ops::Range;

use super::{LONGEST, fits, held, peek, read};
use crate::error::Fault;
use crate::frame::{Args, Reply};
use crate::store::{Class, Kind, View};

pub(super) fn length(view: &mut View<'_>, args: Args<'_>, reply: &mut Reply<'_>) -> Result<(), Fault> {
    reply.int(read(view, args.at(1))?.map_or(0, <[u8]>::len) as i64);
    Ok(())
}

pub(super) fn append(view: &mut View<'_>, args: Args<'_>, reply: &mut Reply<'_>) -> Result<(), Fault> {
    let mut slot = view.open(args.at(1), Kind::Str)?;
    let (is_there, more) = (slot.kind().is_some(), args.at(2));
    let from = held(&slot).len();
    if is_there {
        fits(from + more.len())?;
        slot.resize(from + more.len());
        slot.bytes_mut().expect("a string is there")[from..].copy_from_slice(more);
    } else {
        slot.put(more);
    }
    slot.set_mark(is_there);
    slot.changed(Class::STRING, "append");
    reply.int((from + more.len()) as i64);
    Ok(())
}

/// The bytes from one to another, which count from the end when they are negative.
fn range(start: i64, end: i64, length: usize) -> Range<usize> {
    let length = length as i64;
    let place = |place: i64| if place < 0 { (length + place).max(0) } else { place };
    if (start < 0 && end < 0 && start > end) || length == 0 {
        return 0..0;
    }
    let (start, end) = (place(start), place(end).min(length - 1));
    if start > end { 0..0 } else { start as usize..end as usize + 1 }
}

pub(super) fn get(view: &mut View<'_>, args: Args<'_>, reply: &mut Reply<'_>) -> Result<(), Fault> {
    let (start, end) = (args.int(2)?, args.int(3)?);
    let text = read(view, args.at(1))?.unwrap_or_default();
    reply.bulk(&text[range(start, end, text.len())]);
    Ok(())
}

pub(super) fn get_cost(view: &View<'_>, args: Args<'_>) -> usize {
    let (Ok(start), Ok(end)) = (args.int(2), args.int(3)) else { return 0 };
    range(start, end, peek(view, args.at(1)).map_or(0, <[u8]>::len)).len() / 1024
}

pub(super) fn set(view: &mut View<'_>, args: Args<'_>, reply: &mut Reply<'_>) -> Result<(), Fault> {
    const OFFSET: Fault = Fault::fixed("ERR offset is out of range");
    let (offset, part) = (usize::try_from(args.int(2)?).map_err(|_| OFFSET)?, args.at(3));
    let mut slot = view.open(args.at(1), Kind::Str)?;
    let old = held(&slot).len();
    if part.is_empty() {
        reply.int(old as i64);
        return Ok(());
    }
    let end = offset.saturating_add(part.len());
    fits(end)?;
    if end > old {
        slot.resize(end);
    }
    slot.bytes_mut().expect("a string is there")[offset..end].copy_from_slice(part);
    slot.set_mark(true);
    slot.changed(Class::STRING, "setrange");
    reply.int(end.max(old) as i64);
    Ok(())
}

/// The zeros in front of the part.
pub(super) fn set_cost(view: &View<'_>, args: Args<'_>) -> usize {
    let offset = args.int(2).ok().and_then(|offset| usize::try_from(offset).ok()).filter(|offset| *offset <= LONGEST);
    offset.map_or(0, |offset| grow_cost(view, args.at(1), offset))
}

/// How many KB it takes to make the string of a key so long.
pub(in crate::command) fn grow_cost(view: &View<'_>, key: &[u8], length: usize) -> usize {
    if length >> 10 == 0 {
        return 0;
    }
    length.saturating_sub(peek(view, key).map_or(0, <[u8]>::len)) >> 10
}
