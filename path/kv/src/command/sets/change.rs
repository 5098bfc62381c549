//! Commands that change a set.

use crate::error::Fault;
use crate::frame::{Args, Reply};
use crate::store::set::{Set, SetEdit};
use crate::store::{Class, Kind, Slot, View};

pub(super) fn add(view: &mut View<'_>, args: Args<'_>, reply: &mut Reply<'_>) -> Result<(), Fault> {
    let count = put(&mut view.open(args.at(1), Kind::Set)?, args.from(2).iter());
    reply.int(count as i64);
    Ok(())
}

/// Puts members in and says so; how many are new.
fn put<'m>(slot: &mut Slot<'_>, members: impl Iterator<Item = &'m [u8]>) -> usize {
    let mut edit = SetEdit::open(slot);
    let count = members.filter(|member| edit.add(member)).count();
    edit.close();
    if count > 0 {
        slot.changed(Class::SET, "sadd");
    }
    count
}

pub(super) fn remove(view: &mut View<'_>, args: Args<'_>, reply: &mut Reply<'_>) -> Result<(), Fault> {
    let mut slot = view.open(args.at(1), Kind::Set)?;
    let count = if slot.kind().is_some() { take(&mut slot, args.from(2).iter(), "srem") } else { 0 };
    reply.int(count as i64);
    Ok(())
}

/// Takes members out and says so; how many were there.
pub(super) fn take<'m>(slot: &mut Slot<'_>, members: impl Iterator<Item = &'m [u8]>, event: &'static str) -> usize {
    let mut edit = SetEdit::open(slot);
    let count = members.filter(|member| edit.remove(member)).count();
    let is_there = edit.close();
    if count > 0 {
        slot.changed(Class::SET, event);
    }
    if !is_there {
        slot.changed(Class::GENERIC, "del");
    }
    count
}

/// `SMOVE`.
pub(super) fn shift(view: &mut View<'_>, args: Args<'_>, reply: &mut Reply<'_>) -> Result<(), Fault> {
    let (from, to, member) = (args.at(1), args.at(2), args.at(3));
    // What is not there is not moved, whatever the other is.
    let has = view.open(from, Kind::Set)?.value().map(|value| Set::of(value).has(member));
    if has.is_some() {
        view.open(to, Kind::Set)?;
    }
    if has == Some(true) && from != to {
        take(&mut view.open(from, Kind::Set)?, std::iter::once(member), "srem");
        put(&mut view.open(to, Kind::Set)?, std::iter::once(member));
    }
    reply.int(i64::from(has == Some(true)));
    Ok(())
}
