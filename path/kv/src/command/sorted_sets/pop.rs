//! Commands that take the lowest or the highest members.

use super::remove::tell;
use super::{Form, peek};
use crate::command::ranks::{NOT_POSITIVE, count, counted_keys, pop_count};
use crate::error::Fault;
use crate::frame::{Args, Protocol, Reply};
use crate::store::sorted::{Sorted, SortedEdit, Way};
use crate::store::{Kind, View};

/// `ZPOPMIN`.
pub(super) fn lowest(view: &mut View<'_>, args: Args<'_>, reply: &mut Reply<'_>) -> Result<(), Fault> {
    pop_some(view, args, Way::Up, reply)
}

/// `ZPOPMAX`.
pub(super) fn highest(view: &mut View<'_>, args: Args<'_>, reply: &mut Reply<'_>) -> Result<(), Fault> {
    pop_some(view, args, Way::Down, reply)
}

fn pop_some(view: &mut View<'_>, args: Args<'_>, way: Way, reply: &mut Reply<'_>) -> Result<(), Fault> {
    let most = match args.len() {
        2 => 1,
        3 => count(args, 2, 0, NOT_POSITIVE)?,
        _ => return Err(Fault::SYNTAX),
    };
    let form = if args.len() == 3 && reply.protocol() == Protocol::Resp3 { Form::Pairs } else { Form::Flat };
    if pop(view, args.at(1), way, most, form, reply, |reply, count| form.head(count, reply))? == 0 {
        reply.array(0);
    }
    Ok(())
}

/// Takes up to `most` members from an end and tells them behind what `head` says of their count; how many those were, and for none
/// nothing is told.
///
/// # Errors
/// `WRONGTYPE` when the key holds no sorted set.
pub(in crate::command) fn pop(
    view: &mut View<'_>,
    key: &[u8],
    way: Way,
    most: usize,
    form: Form,
    reply: &mut Reply<'_>,
    head: impl FnOnce(&mut Reply<'_>, usize),
) -> Result<usize, Fault> {
    let mut slot = view.open(key, Kind::Sorted)?;
    let Some(sorted) = slot.value().map(Sorted::of).filter(|_| most > 0) else { return Ok(0) };
    let (len, count) = (sorted.len(), most.min(sorted.len()));
    head(reply, count);
    sorted.iter(way, 0).take(count).for_each(|(member, score)| form.tell(member, score, reply));
    let mut edit = SortedEdit::open(&mut slot);
    edit.remove_ranks(if way == Way::Up { 0..count } else { len - count..len });
    let is_there = edit.close();
    tell(&mut slot, if way == Way::Up { "zpopmin" } else { "zpopmax" }, is_there);
    Ok(count)
}

/// `MIN` or `MAX` at a place.
pub(in crate::command) fn read_way(args: Args<'_>, at: usize) -> Result<Way, Fault> {
    match () {
        () if args.is(at, "MIN") => Ok(Way::Up),
        () if args.is(at, "MAX") => Ok(Way::Down),
        () => Err(Fault::SYNTAX),
    }
}

/// `ZMPOP`.
pub(super) fn of_many(view: &mut View<'_>, args: Args<'_>, reply: &mut Reply<'_>) -> Result<(), Fault> {
    let (keys, behind) = counted_keys(args, 1)?;
    let (way, most) = (read_way(args, behind)?, pop_count(args, behind + 1)?);
    for key in keys.iter() {
        let count = pop(view, key, way, most, Form::Pairs, reply, |reply, count| {
            reply.array(2);
            reply.bulk(key);
            reply.array(count);
        })?;
        if count > 0 {
            let name: &[u8] = if way == Way::Up { b"ZPOPMIN" } else { b"ZPOPMAX" };
            view.outcome.effect(&[name, key, count.to_string().as_bytes()]);
            return Ok(());
        }
    }
    reply.null_array();
    Ok(())
}

pub(super) fn cost(view: &View<'_>, args: Args<'_>) -> usize {
    let Some(sorted) = peek(view, args.at(1)).filter(|_| args.len() == 3) else { return 0 };
    count(args, 2, 0, NOT_POSITIVE).map_or(0, |most| sorted.weight(most.saturating_mul(4)))
}

pub(super) fn many_cost(view: &View<'_>, args: Args<'_>) -> usize {
    let Ok((keys, behind)) = counted_keys(args, 1) else { return 0 };
    let most = pop_count(args, behind + 1).unwrap_or(0).saturating_mul(4);
    keys.iter().find_map(|key| peek(view, key)).map_or(0, |sorted| sorted.weight(most))
}
