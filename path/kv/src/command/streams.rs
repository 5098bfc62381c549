//! Streams: entries that are read again and again, or once by a group of consumers.

mod acknowledge;
mod add;
mod claim;
mod groups;
mod ids;
mod info;
mod info_full;
mod pending;
mod range;
mod read;
mod remove;
mod serve;
mod trim;

use super::{Command, Flags, GROWS, GROWS_FAST, Group, KeySpec, OnKeys, READS, READS_FAST, WRITES, WRITES_FAST};
use crate::error::Fault;
use crate::frame::{Args, Reply};
use crate::store::stream::{Id, Stream};
use crate::store::{Class, Kind, Outcome, View};

pub(super) const COMMANDS: &[Command] = &[
    stream("xadd", -5, GROWS_FAST, add::add).costs(add::cost),
    stream("xlen", 2, READS_FAST, count),
    stream("xrange", -4, READS, range::forward).costs(range::cost),
    stream("xrevrange", -4, READS, range::backward).costs(range::cost),
    stream("xdel", -3, WRITES_FAST, remove::delete).costs(by_words),
    stream("xtrim", -4, WRITES, trim::trim).costs(trim::cost),
    stream("xsetid", -3, GROWS_FAST, remove::set_id),
    reads("xread", -4, READS.and(Flags::BLOCKING)),
    reads("xreadgroup", -7, WRITES.and(Flags::BLOCKING)),
    stream("xack", -4, WRITES_FAST, acknowledge::acknowledge).costs(by_words),
    stream("xpending", -3, READS, pending::pending).costs(pending::cost),
    stream("xclaim", -6, WRITES_FAST, claim::claim).costs(by_words),
    stream("xautoclaim", -6, WRITES_FAST, claim::claim_idle).costs(claim::idle_cost),
    Command::container("xgroup", Group::Stream),
    streams("xgroup|create", -5, GROWS, SECOND, groups::create),
    streams("xgroup|setid", -5, WRITES, SECOND, groups::set_id),
    streams("xgroup|destroy", 4, WRITES, SECOND, groups::destroy).costs(groups::cost),
    streams("xgroup|createconsumer", 5, GROWS, SECOND, groups::create_consumer),
    streams("xgroup|delconsumer", 5, WRITES, SECOND, groups::delete_consumer).costs(groups::cost),
    streams("xgroup|help", 2, Flags::LOADING.and(Flags::STALE), KeySpec::None, groups::help),
    Command::container("xinfo", Group::Stream),
    streams("xinfo|stream", -3, READS, SECOND, info::stream).costs(info::cost),
    streams("xinfo|groups", 3, READS, SECOND, info::groups).costs(info::cost),
    streams("xinfo|consumers", 4, READS, SECOND, info::consumers).costs(info::cost),
    streams("xinfo|help", 2, Flags::LOADING.and(Flags::STALE), KeySpec::None, info::help),
];

/// The key is behind two words.
const SECOND: KeySpec = KeySpec::Range { first: 2, last: 2, step: 1 };

const fn stream(name: &'static str, arity: i32, flags: Flags, run: OnKeys) -> Command {
    streams(name, arity, flags, KeySpec::ONE, run)
}

const fn streams(name: &'static str, arity: i32, flags: Flags, keys: KeySpec, run: OnKeys) -> Command {
    Command::on_keys(name, arity, flags, Group::Stream, keys, run)
}

const fn reads(name: &'static str, arity: i32, flags: Flags) -> Command {
    Command::waits(name, arity, flags, Group::Stream, read::KEYS, read::read).costs(read::cost)
}

/// What a command of two words says when its words are not as it takes them.
fn misused(args: Args<'_>) -> Fault {
    let (container, sub) = (args.at(0).to_ascii_uppercase(), &args.at(1)[..args.at(1).len().min(128)]);
    let (container, sub) = (String::from_utf8_lossy(&container), String::from_utf8_lossy(sub));
    Fault::made(format!("ERR unknown subcommand or wrong number of arguments for '{sub}'. Try {container} HELP."))
}

/// The text of `HELP`.
fn tell_help(container: &str, lines: &[&str], reply: &mut Reply<'_>) {
    reply.array(lines.len() + 3);
    reply.simple(&format!("{container} <subcommand> [<arg> [value] [opt] ...]. Subcommands are:"));
    lines.iter().for_each(|line| reply.simple(line));
    reply.simple("HELP");
    reply.simple("    Prints this help.");
}

/// A word is about an entry.
fn by_words(_: &View<'_>, args: Args<'_>) -> usize {
    args.len()
}

/// The stream of a key, while it is not decided who runs the command.
fn peek<'v>(view: &'v View<'_>, key: &[u8]) -> Option<&'v Stream> {
    view.peek(key, Kind::Stream).ok().flatten().map(Stream::of)
}

/// The stream of a key.
fn look<'v>(view: &'v mut View<'_>, key: &[u8]) -> Result<Option<&'v Stream>, Fault> {
    Ok(view.read(key, Kind::Stream)?.map(Stream::of))
}

fn count(view: &mut View<'_>, args: Args<'_>, reply: &mut Reply<'_>) -> Result<(), Fault> {
    reply.int(look(view, args.at(1))?.map_or(0, |stream| stream.log.len()) as i64);
    Ok(())
}

/// A key or its group is not there.
fn no_group(key: &[u8], group: &[u8], more: &str) -> Fault {
    let (key, group) = (String::from_utf8_lossy(key), String::from_utf8_lossy(group));
    Fault::made(format!("NOGROUP No such key '{key}' or consumer group '{group}'{more}"))
}

/// Something changed that does not change what a stream holds: nobody who watches the key is told.
fn noted(outcome: &mut Outcome, key: &[u8], event: &'static str) {
    outcome.changes += 1;
    outcome.happened(Class::STREAM, event, key);
}

/// Has the log say how far a group has read.
fn log_group(outcome: &mut Outcome, key: &[u8], group: &[u8], last: Id, read: i64) {
    let read = read.to_string();
    outcome.effect(&[b"XGROUP", b"SETID", key, group, &last.text(), b"ENTRIESREAD", read.as_bytes()]);
}

#[cfg(test)]
mod tests;
