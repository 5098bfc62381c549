//! Keys, whatever they hold.

mod all;
pub(super) mod dump;
mod expire;
mod flush;
pub(super) mod object;
mod shift;

use super::{Command, Flags, GROWS, Group, KeySpec, OnKeys, READS, READS_FAST, WRITES, WRITES_FAST};
use crate::error::Fault;
use crate::frame::{Args, Reply};
use crate::store::{Class, Kind, View};

pub(crate) use flush::clear;

pub(super) const COMMANDS: &[Command] = &[
    keys("del", -2, WRITES, KeySpec::REST, delete).costs(by_words),
    // What is big is dropped elsewhere in either case.
    keys("unlink", -2, WRITES_FAST, KeySpec::REST, delete).costs(by_words),
    keys("exists", -2, READS_FAST, KeySpec::REST, exists).costs(by_words),
    keys("touch", -2, READS_FAST, KeySpec::REST, touch).costs(by_words),
    key("type", 2, READS_FAST, kind),
    key("expire", -3, WRITES_FAST, expire::seconds),
    key("pexpire", -3, WRITES_FAST, expire::milliseconds),
    key("expireat", -3, WRITES_FAST, expire::at_second),
    key("pexpireat", -3, WRITES_FAST, expire::at_millisecond),
    key("ttl", 2, READS_FAST, expire::seconds_left),
    key("pttl", 2, READS_FAST, expire::milliseconds_left),
    key("expiretime", 2, READS_FAST, expire::second),
    key("pexpiretime", 2, READS_FAST, expire::millisecond),
    key("persist", 2, WRITES_FAST, expire::persist),
    keys("rename", 3, WRITES, KeySpec::TWO, shift::rename),
    keys("renamenx", 3, WRITES_FAST, KeySpec::TWO, shift::rename_new),
    keys("copy", -3, GROWS, KeySpec::TWO, shift::copy).costs(shift::copy_cost),
    key("move", 3, WRITES_FAST, shift::shift),
    keys("randomkey", 1, READS, KeySpec::All, all::random),
    keys("keys", 2, READS.and(Flags::DANGEROUS), KeySpec::All, all::keys).costs(every),
    keys("scan", -2, READS, KeySpec::All, all::scan).costs(all::scan_cost),
    keys("dbsize", 1, READS_FAST, KeySpec::All, all::count),
    keys("flushdb", -1, WRITES.and(Flags::DANGEROUS), KeySpec::All, flush::flush).costs(every),
    keys("flushall", -1, WRITES.and(Flags::DANGEROUS), KeySpec::All, flush::flush).costs(every),
    Command::container("object", Group::Keyspace),
    keys("object|encoding", 3, READS, SECOND, object::encoding),
    keys("object|freq", 3, READS, SECOND, object::frequency),
    keys("object|idletime", 3, READS, SECOND, object::idle),
    keys("object|refcount", 3, READS, SECOND, object::holders),
    keys("object|help", 2, Flags::LOADING.and(Flags::STALE), KeySpec::None, object::help),
    key("dump", 2, READS, dump::dump).costs(dump::cost),
    key("restore", -4, GROWS.and(Flags::DANGEROUS), dump::restore).costs(dump::restore_cost),
];

/// The word behind a subcommand.
const SECOND: KeySpec = KeySpec::Range { first: 2, last: 2, step: 1 };

const fn key(name: &'static str, arity: i32, flags: Flags, run: OnKeys) -> Command {
    keys(name, arity, flags, KeySpec::ONE, run)
}

const fn keys(name: &'static str, arity: i32, flags: Flags, keys: KeySpec, run: OnKeys) -> Command {
    Command::on_keys(name, arity, flags, Group::Keyspace, keys, run)
}

/// A word is about an element.
fn by_words(_: &View<'_>, args: Args<'_>) -> usize {
    args.len()
}

/// All keys.
fn every(view: &View<'_>, _: Args<'_>) -> usize {
    view.count()
}

fn delete(view: &mut View<'_>, args: Args<'_>, reply: &mut Reply<'_>) -> Result<(), Fault> {
    let count = args.from(1).iter().filter(|key| view.delete(key, Class::GENERIC, "del")).count();
    reply.int(count as i64);
    Ok(())
}

fn exists(view: &mut View<'_>, args: Args<'_>, reply: &mut Reply<'_>) -> Result<(), Fault> {
    let count = args.from(1).iter().filter(|key| view.look(key)).count();
    reply.int(count as i64);
    Ok(())
}

fn touch(view: &mut View<'_>, args: Args<'_>, reply: &mut Reply<'_>) -> Result<(), Fault> {
    let count = args.from(1).iter().filter(|key| view.touch(key)).count();
    reply.int(count as i64);
    Ok(())
}

fn kind(view: &mut View<'_>, args: Args<'_>, reply: &mut Reply<'_>) -> Result<(), Fault> {
    view.look(args.at(1));
    reply.simple(view.kind(args.at(1)).map_or("none", Kind::name));
    Ok(())
}

#[cfg(test)]
mod tests;
