//! Commands that put elements in a list, or take some out of its midst.

use super::place;
use crate::command::ranks::{ranks, read_ranks};
use crate::error::Fault;
use crate::frame::{Args, Reply};
use crate::store::list::{End, List, ListEdit};
use crate::store::{Class, Kind, Slot, View};

pub(super) fn push_left(view: &mut View<'_>, args: Args<'_>, reply: &mut Reply<'_>) -> Result<(), Fault> {
    push(view, args, End::Left, false, reply)
}

pub(super) fn push_right(view: &mut View<'_>, args: Args<'_>, reply: &mut Reply<'_>) -> Result<(), Fault> {
    push(view, args, End::Right, false, reply)
}

pub(super) fn push_left_there(view: &mut View<'_>, args: Args<'_>, reply: &mut Reply<'_>) -> Result<(), Fault> {
    push(view, args, End::Left, true, reply)
}

pub(super) fn push_right_there(view: &mut View<'_>, args: Args<'_>, reply: &mut Reply<'_>) -> Result<(), Fault> {
    push(view, args, End::Right, true, reply)
}

fn push(view: &mut View<'_>, args: Args<'_>, end: End, if_there: bool, reply: &mut Reply<'_>) -> Result<(), Fault> {
    let mut slot = view.open(args.at(1), Kind::List)?;
    if if_there && slot.kind().is_none() {
        reply.int(0);
        return Ok(());
    }
    let len = put(&mut slot, end, args.from(2).iter());
    reply.int(len as i64);
    Ok(())
}

/// Puts elements at an end, one after the other, and says so; how many there are then.
pub(super) fn put<'e>(slot: &mut Slot<'_>, end: End, elements: impl Iterator<Item = &'e [u8]>) -> usize {
    let mut edit = ListEdit::open(slot);
    elements.for_each(|element| edit.push(end, element));
    let len = edit.list().len();
    edit.close();
    slot.changed(Class::LIST, pushed(end));
    len
}

/// The event of a push.
pub(super) fn pushed(end: End) -> &'static str {
    match end {
        End::Left => "lpush",
        End::Right => "rpush",
    }
}

pub(super) fn set(view: &mut View<'_>, args: Args<'_>, reply: &mut Reply<'_>) -> Result<(), Fault> {
    let mut slot = view.open(args.at(1), Kind::List)?;
    let len = slot.value().map(|value| List::of(value).len()).ok_or(Fault::NO_SUCH_KEY)?;
    let index = place(args.int(2)?, len).ok_or(Fault::OUT_OF_RANGE)?;
    let mut edit = ListEdit::open(&mut slot);
    edit.set(index, args.at(3));
    edit.close();
    slot.changed(Class::LIST, "lset");
    reply.ok();
    Ok(())
}

pub(super) fn insert(view: &mut View<'_>, args: Args<'_>, reply: &mut Reply<'_>) -> Result<(), Fault> {
    let behind = match () {
        () if args.is(2, "AFTER") => 1,
        () if args.is(2, "BEFORE") => 0,
        () => return Err(Fault::SYNTAX),
    };
    let mut slot = view.open(args.at(1), Kind::List)?;
    let Some(list) = slot.value().map(List::of) else {
        reply.int(0);
        return Ok(());
    };
    let Some(index) = list.iter(End::Left, 0).position(|element| element == args.at(3)) else {
        reply.int(-1);
        return Ok(());
    };
    let len = list.len() + 1;
    let mut edit = ListEdit::open(&mut slot);
    edit.insert(index + behind, args.at(4));
    edit.close();
    slot.changed(Class::LIST, "linsert");
    reply.int(len as i64);
    Ok(())
}

pub(super) fn remove(view: &mut View<'_>, args: Args<'_>, reply: &mut Reply<'_>) -> Result<(), Fault> {
    let most = args.int(2)?;
    let mut slot = view.open(args.at(1), Kind::List)?;
    if slot.kind().is_none() {
        reply.int(0);
        return Ok(());
    }
    let from = if most < 0 { End::Right } else { End::Left };
    let most = if most == 0 { usize::MAX } else { most.unsigned_abs() as usize };
    let mut edit = ListEdit::open(&mut slot);
    let count = edit.remove_equal(args.at(3), most, from);
    let is_there = edit.close();
    if count > 0 {
        slot.changed(Class::LIST, "lrem");
    }
    if !is_there {
        slot.changed(Class::GENERIC, "del");
    }
    reply.int(count as i64);
    Ok(())
}

pub(super) fn trim(view: &mut View<'_>, args: Args<'_>, reply: &mut Reply<'_>) -> Result<(), Fault> {
    let (start, end) = read_ranks(args, 2)?;
    let mut slot = view.open(args.at(1), Kind::List)?;
    reply.ok();
    let Some(len) = slot.value().map(|value| List::of(value).len()) else { return Ok(()) };
    let kept = ranks(start, end, len);
    let mut edit = ListEdit::open(&mut slot);
    edit.drop_some(End::Right, len - kept.end);
    edit.drop_some(End::Left, kept.start);
    let is_there = edit.close();
    slot.changed(Class::LIST, "ltrim");
    if !is_there {
        slot.changed(Class::GENERIC, "del");
    }
    Ok(())
}
