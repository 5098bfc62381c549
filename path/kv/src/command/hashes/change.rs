//! Commands that change a hash.

use crate::command::find;
use crate::error::Fault;
use crate::frame::{Args, Long, Reply, parse_int};
use crate::store::hash::{Hash, HashEdit, replace};
use crate::store::{Class, Kind, Slot, View};

/// `HSET` says how many fields are new.
pub(super) fn set(view: &mut View<'_>, args: Args<'_>, reply: &mut Reply<'_>) -> Result<(), Fault> {
    let added = set_pairs(view, args)?;
    reply.int(added as i64);
    Ok(())
}

/// `HMSET` says that it is done.
pub(super) fn set_all(view: &mut View<'_>, args: Args<'_>, reply: &mut Reply<'_>) -> Result<(), Fault> {
    set_pairs(view, args)?;
    reply.ok();
    Ok(())
}

fn set_pairs(view: &mut View<'_>, args: Args<'_>) -> Result<usize, Fault> {
    if !args.len().is_multiple_of(2) {
        return Err(find(args.at(0)).expect("it was found").wrong_count());
    }
    let mut slot = view.open(args.at(1), Kind::Hash)?;
    let added = if args.len() == 4 { usize::from(put(&mut slot, args.at(2), args.at(3))) } else { put_all(&mut slot, args.from(2)) };
    slot.changed(Class::HASH, "hset");
    Ok(added)
}

fn put_all(slot: &mut Slot<'_>, pairs: Args<'_>) -> usize {
    let mut edit = HashEdit::open(slot);
    let added = (0..pairs.len()).step_by(2).filter(|at| edit.set(pairs.at(*at), pairs.at(at + 1))).count();
    edit.close();
    added
}

/// Gives a field a value; whether it is new.
fn put(slot: &mut Slot<'_>, field: &[u8], value: &[u8]) -> bool {
    if replace(slot, field, value) {
        return false;
    }
    let mut edit = HashEdit::open(slot);
    let is_new = edit.set(field, value);
    edit.close();
    is_new
}

/// Gives a field a value; an expiry of the field stays.
fn update(slot: &mut Slot<'_>, field: &[u8], value: &[u8]) {
    if !replace(slot, field, value) {
        let mut edit = HashEdit::open(slot);
        edit.update(field, value);
        edit.close();
    }
}

pub(super) fn set_new(view: &mut View<'_>, args: Args<'_>, reply: &mut Reply<'_>) -> Result<(), Fault> {
    let mut slot = view.open(args.at(1), Kind::Hash)?;
    let is_new = held(&slot, args.at(2)).is_none();
    if is_new {
        put(&mut slot, args.at(2), args.at(3));
        slot.changed(Class::HASH, "hset");
    }
    reply.int(i64::from(is_new));
    Ok(())
}

/// What a field holds now.
fn held<'v>(slot: &'v Slot<'_>, field: &[u8]) -> Option<&'v [u8]> {
    slot.value().and_then(|value| Hash::of(value).get(field))
}

pub(super) fn delete(view: &mut View<'_>, args: Args<'_>, reply: &mut Reply<'_>) -> Result<(), Fault> {
    let mut slot = view.open(args.at(1), Kind::Hash)?;
    if slot.kind().is_none() {
        reply.int(0);
        return Ok(());
    }
    let mut edit = HashEdit::open(&mut slot);
    let count = args.from(2).iter().filter(|field| edit.remove(field)).count();
    let is_there = edit.close();
    if count > 0 {
        slot.changed(Class::HASH, "hdel");
    }
    if !is_there {
        slot.changed(Class::GENERIC, "del");
    }
    reply.int(count as i64);
    Ok(())
}

pub(super) fn add(view: &mut View<'_>, args: Args<'_>, reply: &mut Reply<'_>) -> Result<(), Fault> {
    let by = args.int(3)?;
    let mut slot = view.open(args.at(1), Kind::Hash)?;
    let old = held(&slot, args.at(2)).map_or(Some(0), parse_int);
    let old = old.ok_or(Fault::fixed("ERR hash value is not an integer"))?;
    let sum = old.checked_add(by).ok_or(Fault::fixed("ERR increment or decrement would overflow"))?;
    update(&mut slot, args.at(2), sum.to_string().as_bytes());
    slot.changed(Class::HASH, "hincrby");
    reply.int(sum);
    Ok(())
}

pub(super) fn add_float(view: &mut View<'_>, args: Args<'_>, reply: &mut Reply<'_>) -> Result<(), Fault> {
    let (key, field) = (args.at(1), args.at(2));
    let by = Long::parse(args.at(3)).ok_or(Fault::NOT_FLOAT)?;
    if !by.is_finite() {
        return Err(Fault::fixed("ERR value is NaN or Infinity"));
    }
    let mut slot = view.open(key, Kind::Hash)?;
    let old = held(&slot, field).map_or_else(|| Long::parse(b"0"), Long::parse);
    let old = old.ok_or(Fault::fixed("ERR hash value is not a float"))?;
    let sum = old.plus(by).ok_or(Fault::fixed("ERR increment would produce NaN or Infinity"))?;
    let mut text = Vec::new();
    sum.write(&mut text);
    update(&mut slot, field, &text);
    slot.changed(Class::HASH, "hincrbyfloat");
    // The sum is not the same on every machine.
    slot.outcome().effect(&[b"HSET", key, field, &text]);
    reply.bulk(&text);
    Ok(())
}
