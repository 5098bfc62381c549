//! Bitmaps: the bits of strings, the highest of each byte first.

mod combine;
mod count;
mod field;
mod range;

use super::strings::{self, LONGEST, grow_cost, peek};
use super::{Command, Flags, GROWS, Group, KeySpec, OnKeys, READS, READS_FAST};
use crate::error::Fault;
use crate::frame::{Args, Reply, parse_int};
use crate::store::{Class, Kind, Slot, View};

pub(super) const COMMANDS: &[Command] = &[
    bits("setbit", 4, GROWS, KeySpec::ONE, set).costs(set_cost),
    bits("getbit", 3, READS_FAST, KeySpec::ONE, get),
    bits("bitcount", -2, READS, KeySpec::ONE, count::count).costs(whole),
    bits("bitpos", -3, READS, KeySpec::ONE, count::find).costs(whole),
    bits("bitop", -4, GROWS, COMBINED, combine::combine).costs(combine::cost),
    bits("bitfield", -2, GROWS, KeySpec::ONE, field::any).costs(field::cost),
    bits("bitfield_ro", -2, READS_FAST, KeySpec::ONE, field::read_only),
];

/// The target and the sources of `BITOP`.
const COMBINED: KeySpec = KeySpec::Range { first: 2, last: -1, step: 1 };

const fn bits(name: &'static str, arity: i32, flags: Flags, keys: KeySpec, run: OnKeys) -> Command {
    Command::on_keys(name, arity, flags, Group::Bitmap, keys, run)
}

/// All that the key holds.
fn whole(view: &View<'_>, args: Args<'_>) -> usize {
    peek(view, args.at(1)).map_or(0, <[u8]>::len) / 1024
}

/// The place of a bit; of an integer of so many bits when `#` stands before its number.
fn place(word: &[u8], bits: Option<usize>) -> Result<usize, Fault> {
    const NO_PLACE: Fault = Fault::fixed("ERR bit offset is not an integer or out of range");
    let place = match (word, bits) {
        ([b'#', number @ ..], Some(bits)) => parse_int(number).and_then(|number| number.checked_mul(bits as i64)),
        _ => parse_int(word),
    };
    let place = place.and_then(|place| usize::try_from(place).ok());
    place.filter(|place| place >> 3 < LONGEST).ok_or(NO_PLACE)
}

/// The byte of a bit, and the bit there.
fn bit(place: usize) -> (usize, u8) {
    (place >> 3, 0x80 >> (place & 7))
}

/// Makes a string at least `length` bytes long, and whole; whether it was shorter.
fn grow(slot: &mut Slot<'_>, length: usize) -> bool {
    let is_short = strings::held(slot).len() < length;
    if is_short {
        slot.resize(length);
    }
    slot.set_mark(true);
    is_short
}

fn set(view: &mut View<'_>, args: Args<'_>, reply: &mut Reply<'_>) -> Result<(), Fault> {
    const NO_BIT: Fault = Fault::fixed("ERR bit is not an integer or out of range");
    let place = place(args.at(2), None)?;
    let is_one = match args.at(3) {
        b"0" => false,
        b"1" => true,
        _ => return Err(NO_BIT),
    };
    let mut slot = view.open(args.at(1), Kind::Str)?;
    let (at, bit) = bit(place);
    let is_longer = grow(&mut slot, at + 1);
    let byte = &mut slot.bytes_mut().expect("a string is there")[at];
    let was_one = *byte & bit != 0;
    if was_one != is_one {
        *byte ^= bit;
    }
    if is_longer || was_one != is_one {
        slot.changed(Class::STRING, "setbit");
    }
    reply.int(i64::from(was_one));
    Ok(())
}

fn set_cost(view: &View<'_>, args: Args<'_>) -> usize {
    place(args.at(2), None).map_or(0, |place| grow_cost(view, args.at(1), place >> 3))
}

fn get(view: &mut View<'_>, args: Args<'_>, reply: &mut Reply<'_>) -> Result<(), Fault> {
    let (at, bit) = bit(place(args.at(2), None)?);
    let text = strings::read(view, args.at(1))?.unwrap_or_default();
    reply.int(i64::from(text.get(at).is_some_and(|byte| byte & bit != 0)));
    Ok(())
}

#[cfg(test)]
mod tests;
