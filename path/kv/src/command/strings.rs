//! Strings: one value, read and written whole or in part.
//!
//! The mark of an entry says that Redis would keep the string as it came (`raw`), because a part of it was changed.

mod lcs;
mod many;
mod number;
mod options;
mod part;
mod whole;

use super::{Command, Flags, GROWS, GROWS_FAST, Group, KeySpec, OnKeys, READS, READS_FAST, WRITES_FAST};
use crate::error::Fault;
use crate::frame::{Args, parse_int};
use crate::store::{Kind, Slot, Value, View};

pub(super) use options::{LAST, expiry, no_expiry};
pub(super) use part::grow_cost;

pub(super) const COMMANDS: &[Command] = &[
    string("get", 2, READS_FAST, whole::get),
    string("set", -3, GROWS, whole::set),
    string("getset", 3, GROWS_FAST, whole::get_set),
    string("getdel", 2, WRITES_FAST, whole::get_delete),
    string("getex", -2, WRITES_FAST, whole::get_expire),
    string("setnx", 3, GROWS_FAST, whole::set_new),
    string("setex", 4, GROWS, whole::set_for_seconds),
    string("psetex", 4, GROWS, whole::set_for_milliseconds),
    string("append", 3, GROWS_FAST, part::append),
    string("strlen", 2, READS_FAST, part::length),
    string("getrange", 4, READS, part::get).costs(part::get_cost),
    string("substr", 4, READS, part::get).costs(part::get_cost),
    string("setrange", 4, GROWS, part::set).costs(part::set_cost),
    string("incr", 2, GROWS_FAST, number::increment),
    string("decr", 2, GROWS_FAST, number::decrement),
    string("incrby", 3, GROWS_FAST, number::add),
    string("decrby", 3, GROWS_FAST, number::subtract),
    string("incrbyfloat", 3, GROWS_FAST, number::add_float),
    strings("mget", -2, READS_FAST, KeySpec::REST, many::get).costs(many::get_cost),
    strings("mset", -3, GROWS, PAIRS, many::set).costs(by_words),
    strings("msetnx", -3, GROWS, PAIRS, many::set_new).costs(by_words),
    strings("lcs", -3, READS, KeySpec::TWO, lcs::lcs).costs(lcs::cost),
];

/// Keys with a value behind each.
const PAIRS: KeySpec = KeySpec::Range { first: 1, last: -1, step: 2 };
/// Longest string, bytes (`proto-max-bulk-len`).
pub(crate) const LONGEST: usize = 512 << 20;
/// Longest string that Redis keeps in one piece with its object.
const SHORT: usize = 44;
/// Integers below are shared by all who hold them.
const SHARED: i64 = 10_000;

const fn string(name: &'static str, arity: i32, flags: Flags, run: OnKeys) -> Command {
    strings(name, arity, flags, KeySpec::ONE, run)
}

const fn strings(name: &'static str, arity: i32, flags: Flags, keys: KeySpec, run: OnKeys) -> Command {
    Command::on_keys(name, arity, flags, Group::String, keys, run)
}

/// A word is about an element.
fn by_words(_: &View<'_>, args: Args<'_>) -> usize {
    args.len()
}

/// The bytes of a string.
pub(super) fn text<'v>(value: Value<'v>) -> &'v [u8] {
    value.text()
}

/// The string of a key.
pub(super) fn read<'v>(view: &'v mut View<'_>, key: &[u8]) -> Result<Option<&'v [u8]>, Fault> {
    Ok(view.read(key, Kind::Str)?.map(text))
}

/// The string of a key, beside others, or while it is not decided who runs the command.
pub(super) fn peek<'v>(view: &'v View<'_>, key: &[u8]) -> Option<&'v [u8]> {
    view.peek(key, Kind::Str).ok().flatten().map(text)
}

/// The string of a slot that has one, or no bytes.
pub(super) fn held<'v>(slot: &'v Slot<'_>) -> &'v [u8] {
    slot.value().map_or(&[], text)
}

/// Whether a string may have so many bytes.
///
/// # Errors
/// It may not.
pub(super) fn fits(length: usize) -> Result<(), Fault> {
    const TOO_LONG: Fault = Fault::fixed("ERR string exceeds maximum allowed size (proto-max-bulk-len)");
    if length > LONGEST { Err(TOO_LONG) } else { Ok(()) }
}

/// What `OBJECT ENCODING` says of one with that mark.
pub(super) fn encoding(text: &[u8], mark: bool) -> &'static str {
    match text.len() {
        _ if mark => "raw",
        ..=20 if parse_int(text).is_some() => "int",
        ..=SHORT => "embstr",
        _ => "raw",
    }
}

/// Whether Redis has one object for all strings that say this.
pub(super) fn is_shared(text: &[u8], mark: bool) -> bool {
    !mark && parse_int(text).is_some_and(|number| (0..SHARED).contains(&number))
}

#[cfg(test)]
mod tests;
