//! Commands on strings that are numbers.

use super::held;
use crate::error::Fault;
use crate::frame::{Args, Long, Reply, int_text, parse_int};
use crate::store::{Class, Kind, Slot, View};

pub(super) fn increment(view: &mut View<'_>, args: Args<'_>, reply: &mut Reply<'_>) -> Result<(), Fault> {
    change(view, args.at(1), 1, reply)
}

pub(super) fn decrement(view: &mut View<'_>, args: Args<'_>, reply: &mut Reply<'_>) -> Result<(), Fault> {
    change(view, args.at(1), -1, reply)
}

pub(super) fn add(view: &mut View<'_>, args: Args<'_>, reply: &mut Reply<'_>) -> Result<(), Fault> {
    change(view, args.at(1), args.int(2)?, reply)
}

pub(super) fn subtract(view: &mut View<'_>, args: Args<'_>, reply: &mut Reply<'_>) -> Result<(), Fault> {
    let by = args.int(2)?.checked_neg().ok_or(Fault::fixed("ERR decrement would overflow"))?;
    change(view, args.at(1), by, reply)
}

fn change(view: &mut View<'_>, key: &[u8], by: i64, reply: &mut Reply<'_>) -> Result<(), Fault> {
    let mut slot = view.open(key, Kind::Str)?;
    let old = slot.kind().map_or(Some(0), |_| parse_int(held(&slot))).ok_or(Fault::NOT_INTEGER)?;
    let sum = old.checked_add(by).ok_or(Fault::fixed("ERR increment or decrement would overflow"))?;
    write(&mut slot, int_text(sum, &mut [0; 20]));
    slot.changed(Class::STRING, "incrby");
    reply.int(sum);
    Ok(())
}

/// Puts a number there; where it lies, if it is as long as the last one.
fn write(slot: &mut Slot<'_>, text: &[u8]) {
    match slot.bytes_mut() {
        Some(bytes) if bytes.len() == text.len() => {
            bytes.copy_from_slice(text);
            slot.set_mark(false);
        }
        _ => slot.put(text),
    }
}

pub(super) fn add_float(view: &mut View<'_>, args: Args<'_>, reply: &mut Reply<'_>) -> Result<(), Fault> {
    let key = args.at(1);
    let mut slot = view.open(key, Kind::Str)?;
    let old = slot.kind().map_or_else(|| Long::parse(b"0"), |_| Long::parse(held(&slot))).ok_or(Fault::NOT_FLOAT)?;
    let by = Long::parse(args.at(2)).ok_or(Fault::NOT_FLOAT)?;
    let sum = old.plus(by).ok_or(Fault::fixed("ERR increment would produce NaN or Infinity"))?;
    let mut text = Vec::new();
    sum.write(&mut text);
    write(&mut slot, &text);
    slot.changed(Class::STRING, "incrbyfloat");
    // The sum is not the same on every machine.
    slot.outcome().effect(&[b"SET", key, &text, b"KEEPTTL"]);
    reply.bulk(&text);
    Ok(())
}
