//! Commands that take elements from the end of a list.

use super::peek;
use crate::command::find;
use crate::command::ranks::{NOT_POSITIVE, count, counted_keys, pop_count};
use crate::error::Fault;
use crate::frame::{Args, Reply};
use crate::store::list::{End, List, ListEdit};
use crate::store::{Class, Kind, Slot, View};

pub(super) fn left(view: &mut View<'_>, args: Args<'_>, reply: &mut Reply<'_>) -> Result<(), Fault> {
    pop_some(view, args, End::Left, reply)
}

pub(super) fn right(view: &mut View<'_>, args: Args<'_>, reply: &mut Reply<'_>) -> Result<(), Fault> {
    pop_some(view, args, End::Right, reply)
}

fn pop_some(view: &mut View<'_>, args: Args<'_>, end: End, reply: &mut Reply<'_>) -> Result<(), Fault> {
    let key = args.at(1);
    if args.len() == 2 {
        if pop(view, key, end, 1, reply, |_, _| {})? == 0 {
            reply.null();
        }
        return Ok(());
    }
    if args.len() > 3 {
        return Err(find(args.at(0)).expect("it was found").wrong_count());
    }
    let most = count(args, 2, 0, NOT_POSITIVE)?;
    match pop(view, key, end, most, reply, |reply, count| reply.array(count))? {
        0 if most > 0 || view.kind(key).is_none() => reply.null_array(),
        0 => reply.array(0),
        _ => {}
    }
    Ok(())
}

/// Takes up to `most` elements from an end and tells them behind what `head` says of their count; how many those were, and for none
/// nothing is told.
///
/// # Errors
/// `WRONGTYPE` when the key holds no list.
pub(in crate::command) fn pop(
    view: &mut View<'_>,
    key: &[u8],
    end: End,
    most: usize,
    reply: &mut Reply<'_>,
    head: impl FnOnce(&mut Reply<'_>, usize),
) -> Result<usize, Fault> {
    let mut slot = view.open(key, Kind::List)?;
    let Some(list) = slot.value().map(List::of).filter(|_| most > 0) else { return Ok(0) };
    let count = most.min(list.len());
    head(reply, count);
    list.iter(end, 0).take(count).for_each(|element| reply.bulk(element));
    let mut edit = ListEdit::open(&mut slot);
    edit.drop_some(end, count);
    let is_there = edit.close();
    tell(&mut slot, end, is_there);
    Ok(count)
}

/// Says that elements were taken from an end.
pub(super) fn tell(slot: &mut Slot<'_>, end: End, is_there: bool) {
    let event = match end {
        End::Left => "lpop",
        End::Right => "rpop",
    };
    slot.changed(Class::LIST, event);
    if !is_there {
        slot.changed(Class::GENERIC, "del");
    }
}

/// `LEFT` or `RIGHT` at a place.
pub(in crate::command) fn read_end(args: Args<'_>, at: usize) -> Result<End, Fault> {
    match () {
        () if args.is(at, "LEFT") => Ok(End::Left),
        () if args.is(at, "RIGHT") => Ok(End::Right),
        () => Err(Fault::SYNTAX),
    }
}

/// `LMPOP`.
pub(super) fn of_many(view: &mut View<'_>, args: Args<'_>, reply: &mut Reply<'_>) -> Result<(), Fault> {
    let (keys, behind) = counted_keys(args, 1)?;
    let (end, most) = (read_end(args, behind)?, pop_count(args, behind + 1)?);
    for key in keys.iter() {
        let count = pop(view, key, end, most, reply, |reply, count| {
            reply.array(2);
            reply.bulk(key);
            reply.array(count);
        })?;
        if count > 0 {
            let name: &[u8] = if end == End::Left { b"LPOP" } else { b"RPOP" };
            view.outcome.effect(&[name, key, count.to_string().as_bytes()]);
            return Ok(());
        }
    }
    reply.null_array();
    Ok(())
}

pub(super) fn cost(view: &View<'_>, args: Args<'_>) -> usize {
    let Some(list) = peek(view, args.at(1)).filter(|_| args.len() == 3) else { return 0 };
    count(args, 2, 0, NOT_POSITIVE).map_or(0, |most| list.weight(most))
}

pub(super) fn many_cost(view: &View<'_>, args: Args<'_>) -> usize {
    let Ok((keys, behind)) = counted_keys(args, 1) else { return 0 };
    let most = pop_count(args, behind + 1).unwrap_or(0);
    keys.iter().find_map(|key| peek(view, key)).map_or(0, |list| list.weight(most))
}
