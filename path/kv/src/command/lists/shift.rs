//! Commands that move an element from one list to another, or from one end to the other.

use super::change::pushed;
use super::pop::{read_end, tell};
use crate::error::Fault;
use crate::frame::{Args, Reply};
use crate::store::list::{End, List, ListEdit};
use crate::store::{Class, Kind, View};

/// `LMOVE`.
pub(super) fn between_ends(view: &mut View<'_>, args: Args<'_>, reply: &mut Reply<'_>) -> Result<(), Fault> {
    let ends = (read_end(args, 3)?, read_end(args, 4)?);
    shift_or_null(view, args, ends, reply)
}

/// `RPOPLPUSH`.
pub(super) fn right_to_left(view: &mut View<'_>, args: Args<'_>, reply: &mut Reply<'_>) -> Result<(), Fault> {
    shift_or_null(view, args, (End::Right, End::Left), reply)
}

fn shift_or_null(view: &mut View<'_>, args: Args<'_>, ends: (End, End), reply: &mut Reply<'_>) -> Result<(), Fault> {
    if !shift(view, (args.at(1), args.at(2)), ends, reply)? {
        reply.null();
    }
    Ok(())
}

/// What is at an end of a list.
fn last(view: &mut View<'_>, key: &[u8], end: End) -> Result<Option<Box<[u8]>>, Fault> {
    let slot = view.open(key, Kind::List)?;
    Ok(slot.value().and_then(|value| List::of(value).iter(end, 0).next()).map(Box::from))
}

/// Moves an element from an end of the first key to an end of the second, and tells it; whether there was one.
///
/// # Errors
/// `WRONGTYPE` when a key holds no list; nothing is moved then.
pub(in crate::command) fn shift(
    view: &mut View<'_>,
    (from, to): (&[u8], &[u8]),
    (take, put): (End, End),
    reply: &mut Reply<'_>,
) -> Result<bool, Fault> {
    let Some(element) = last(view, from, take)? else { return Ok(false) };
    view.open(to, Kind::List)?;
    let is_there = {
        let mut slot = view.open(from, Kind::List)?;
        let mut edit = ListEdit::open(&mut slot);
        edit.drop_some(take, 1);
        if from == to {
            edit.push(put, &element);
        }
        edit.close()
    };
    let mut slot = view.open(to, Kind::List)?;
    if from != to {
        let mut edit = ListEdit::open(&mut slot);
        edit.push(put, &element);
        edit.close();
    }
    slot.changed(Class::LIST, pushed(put));
    drop(slot);
    reply.bulk(&element);
    tell(&mut view.open(from, Kind::List)?, take, is_there);
    Ok(true)
}
