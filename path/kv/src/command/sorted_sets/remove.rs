//! Commands that take members away.

use std::ops::Range;

use super::bounds::{Scores, Texts};
use super::peek;
use crate::command::ranks::{ranks, read_ranks};
use crate::error::Fault;
use crate::frame::{Args, Reply};
use crate::store::sorted::{Sorted, SortedEdit};
use crate::store::{Class, Kind, Slot, View};

/// `ZREM`.
pub(super) fn members(view: &mut View<'_>, args: Args<'_>, reply: &mut Reply<'_>) -> Result<(), Fault> {
    let mut slot = view.open(args.at(1), Kind::Sorted)?;
    if slot.kind().is_none() {
        reply.int(0);
        return Ok(());
    }
    let mut edit = SortedEdit::open(&mut slot);
    let count = args.from(2).iter().filter(|member| edit.remove(member)).count();
    let is_there = edit.close();
    if count > 0 {
        tell(&mut slot, "zrem", is_there);
    }
    reply.int(count as i64);
    Ok(())
}

/// Says that members went.
pub(super) fn tell(slot: &mut Slot<'_>, event: &'static str, is_there: bool) {
    slot.changed(Class::SORTED, event);
    if !is_there {
        slot.changed(Class::GENERIC, "del");
    }
}

fn range(
    view: &mut View<'_>,
    args: Args<'_>,
    reply: &mut Reply<'_>,
    event: &'static str,
    within: impl Fn(Sorted<'_>) -> Range<usize>,
) -> Result<(), Fault> {
    let mut slot = view.open(args.at(1), Kind::Sorted)?;
    let gone = slot.value().map_or(0..0, |value| within(Sorted::of(value)));
    if !gone.is_empty() {
        let mut edit = SortedEdit::open(&mut slot);
        edit.remove_ranks(gone.clone());
        let is_there = edit.close();
        tell(&mut slot, event, is_there);
    }
    reply.int(gone.len() as i64);
    Ok(())
}

/// `ZREMRANGEBYRANK`.
pub(super) fn by_rank(view: &mut View<'_>, args: Args<'_>, reply: &mut Reply<'_>) -> Result<(), Fault> {
    let (start, end) = read_ranks(args, 2)?;
    range(view, args, reply, "zremrangebyrank", |sorted| ranks(start, end, sorted.len()))
}

/// `ZREMRANGEBYSCORE`.
pub(super) fn by_score(view: &mut View<'_>, args: Args<'_>, reply: &mut Reply<'_>) -> Result<(), Fault> {
    let scores = Scores::read(args, 2, 3)?;
    range(view, args, reply, "zremrangebyscore", |sorted| scores.within(sorted))
}

/// `ZREMRANGEBYLEX`.
pub(super) fn by_text(view: &mut View<'_>, args: Args<'_>, reply: &mut Reply<'_>) -> Result<(), Fault> {
    let texts = Texts::read(args, 2, 3)?;
    range(view, args, reply, "zremrangebylex", |sorted| texts.within(sorted))
}

fn cost(view: &View<'_>, args: Args<'_>, within: impl Fn(Sorted<'_>) -> Range<usize>) -> usize {
    // To find one and take it away is more than to read it.
    peek(view, args.at(1)).map_or(0, |sorted| sorted.weight(within(sorted).len() * 4))
}

pub(super) fn by_rank_cost(view: &View<'_>, args: Args<'_>) -> usize {
    let Ok((start, end)) = read_ranks(args, 2) else { return 0 };
    cost(view, args, |sorted| ranks(start, end, sorted.len()))
}

pub(super) fn by_score_cost(view: &View<'_>, args: Args<'_>) -> usize {
    Scores::read(args, 2, 3).map_or(0, |scores| cost(view, args, |sorted| scores.within(sorted)))
}

pub(super) fn by_text_cost(view: &View<'_>, args: Args<'_>) -> usize {
    Texts::read(args, 2, 3).map_or(0, |texts| cost(view, args, |sorted| texts.within(sorted)))
}
