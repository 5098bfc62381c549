//! `PFADD`, `PFCOUNT` and `PFMERGE`.

use super::{
    DENSE, Encoding, REGISTERS, STALE, encoding, estimate, make_dense, make_stale, merge as merge_into, new, peek, raise, read, see,
};
use crate::command::strings::held;
use crate::error::Fault;
use crate::frame::{Args, Reply};
use crate::store::{Class, Kind, Slot, View};

/// Elements that take as long as all registers.
const ALL: usize = 400;
/// Where the count that was estimated last lies.
const COUNT: std::ops::Range<usize> = 8..16;

pub(super) fn add(view: &mut View<'_>, args: Args<'_>, reply: &mut Reply<'_>) -> Result<(), Fault> {
    let mut slot = view.open(args.at(1), Kind::Str)?;
    let is_new = slot.kind().is_none();
    let mut bytes = if is_new { new() } else { checked(&slot)?.to_vec() };
    let mut is_other = is_new;
    for text in args.from(2).iter() {
        is_other |= see(&mut bytes, text)?;
    }
    if is_other {
        make_stale(&mut bytes);
        slot.put(&bytes);
        slot.changed(Class::STRING, "pfadd");
    }
    slot.set_mark(true);
    reply.int(i64::from(is_other));
    Ok(())
}

/// The bytes of a slot that has one.
fn checked<'v>(slot: &'v Slot<'_>) -> Result<&'v [u8], Fault> {
    encoding(held(slot)).map(|_| held(slot))
}

pub(super) fn add_cost(view: &View<'_>, args: Args<'_>) -> usize {
    let few = args.len() < 64;
    if few {
        0
    } else {
        args.len() * (1 + peek(view, args.at(1)).map_or(0, |bytes| if bytes.len() == DENSE { 0 } else { bytes.len() / 64 }))
    }
}

/// `PFCOUNT`.
pub(super) fn count(view: &mut View<'_>, args: Args<'_>, reply: &mut Reply<'_>) -> Result<(), Fault> {
    let count = if args.len() == 2 { count_one(view, args.at(1))? } else { estimate::of_registers(&union(view, args)?) };
    reply.int(count as i64);
    Ok(())
}

/// The registers of all.
fn union(view: &mut View<'_>, args: Args<'_>) -> Result<Vec<u8>, Fault> {
    let mut all = vec![0; REGISTERS];
    for key in args.from(1).iter() {
        if let Some(bytes) = read(view, key)? {
            merge_into(&mut all, bytes)?;
        }
    }
    Ok(all)
}

/// The count of one, which is kept in it.
fn count_one(view: &mut View<'_>, key: &[u8]) -> Result<u64, Fault> {
    if read(view, key)?.is_none() {
        return Ok(0);
    }
    let mut slot = view.open(key, Kind::Str)?;
    let bytes = checked(&slot)?;
    let kept = u64::from_le_bytes(bytes[COUNT].try_into().expect("it has eight bytes"));
    if bytes[STALE.0] & STALE.1 == 0 {
        return Ok(kept);
    }
    let count = estimate::of_bytes(bytes)?;
    slot.bytes_mut().expect("a string is there")[COUNT].copy_from_slice(&count.to_le_bytes());
    slot.set_mark(true);
    // The string is another, and that is no event.
    slot.changed(Class::default(), "");
    Ok(count)
}

pub(super) fn count_cost(_: &View<'_>, args: Args<'_>) -> usize {
    args.len() * ALL
}

/// `PFMERGE`.
pub(super) fn merge(view: &mut View<'_>, args: Args<'_>, reply: &mut Reply<'_>) -> Result<(), Fault> {
    let all = union(view, args)?;
    let is_dense = args.from(1).iter().any(|key| peek(view, key).is_some_and(|bytes| encoding(bytes) == Ok(Encoding::Dense)));
    let mut slot = view.open(args.at(1), Kind::Str)?;
    let mut bytes = if slot.kind().is_none() { new() } else { held(&slot).to_vec() };
    if is_dense {
        make_dense(&mut bytes)?;
    }
    for (register, count) in all.into_iter().enumerate().filter(|(_, count)| *count > 0) {
        raise(&mut bytes, register, count)?;
    }
    make_stale(&mut bytes);
    slot.put(&bytes);
    slot.set_mark(true);
    slot.changed(Class::STRING, "pfadd");
    reply.ok();
    Ok(())
}

pub(super) fn merge_cost(view: &View<'_>, args: Args<'_>) -> usize {
    let bytes: usize = args.from(1).iter().map(|key| peek(view, key).map_or(0, |bytes| bytes.len().min(DENSE / 4))).sum();
    args.len() * ALL + bytes
}
