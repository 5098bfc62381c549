//! Hashes: a key holds fields, each with a value.

mod change;
mod ends;
mod expire;
mod pick;

use super::{Command, Flags, GROWS_FAST, Group, KeySpec, OnKeys, READS, READS_FAST, WRITES_FAST};
use crate::error::Fault;
use crate::frame::{Args, Reply};
use crate::store::hash::Hash;
use crate::store::{Kind, View};

pub(super) const COMMANDS: &[Command] = &[
    hash("hset", -4, GROWS_FAST, change::set).costs(by_words),
    hash("hmset", -4, GROWS_FAST, change::set_all).costs(by_words),
    hash("hsetnx", 4, GROWS_FAST, change::set_new),
    hash("hget", 3, READS_FAST, get),
    hash("hmget", -3, READS_FAST, get_many).costs(by_words),
    hash("hgetall", 2, READS, get_all).costs(whole),
    hash("hkeys", 2, READS, fields).costs(whole),
    hash("hvals", 2, READS, values).costs(whole),
    hash("hdel", -3, WRITES_FAST, change::delete).costs(by_words),
    hash("hlen", 2, READS_FAST, length),
    hash("hstrlen", 3, READS_FAST, value_length),
    hash("hexists", 3, READS_FAST, exists),
    hash("hincrby", 4, GROWS_FAST, change::add),
    hash("hincrbyfloat", 4, GROWS_FAST, change::add_float),
    hash("hrandfield", -2, READS, pick::random).costs(pick::cost),
    hash("hscan", -3, READS, pick::scan).costs(pick::scan_cost),
    hash("hexpire", -6, GROWS_FAST, expire::seconds).costs(by_words),
    hash("hpexpire", -6, GROWS_FAST, expire::milliseconds).costs(by_words),
    hash("hexpireat", -6, GROWS_FAST, expire::at_second).costs(by_words),
    hash("hpexpireat", -6, GROWS_FAST, expire::at_millisecond).costs(by_words),
    hash("hpersist", -5, WRITES_FAST, expire::never).costs(by_words),
    hash("httl", -5, READS_FAST, ends::seconds_left).costs(by_words),
    hash("hpttl", -5, READS_FAST, ends::milliseconds_left).costs(by_words),
    hash("hexpiretime", -5, READS_FAST, ends::second).costs(by_words),
    hash("hpexpiretime", -5, READS_FAST, ends::millisecond).costs(by_words),
];

const fn hash(name: &'static str, arity: i32, flags: Flags, run: OnKeys) -> Command {
    Command::on_keys(name, arity, flags, Group::Hash, KeySpec::ONE, run)
}

/// A word is about an element.
fn by_words(_: &View<'_>, args: Args<'_>) -> usize {
    args.len()
}

/// All that the key holds.
fn whole(view: &View<'_>, args: Args<'_>) -> usize {
    peek(view, args).map_or(0, Hash::weight)
}

/// The hash of the first key, while it is not decided who runs the command.
fn peek<'v>(view: &'v View<'_>, args: Args<'_>) -> Option<Hash<'v>> {
    view.peek(args.at(1), Kind::Hash).ok().flatten().map(Hash::of)
}

/// The hash of the first key.
fn read<'v>(view: &'v mut View<'_>, args: Args<'_>) -> Result<Option<Hash<'v>>, Fault> {
    Ok(view.read(args.at(1), Kind::Hash)?.map(Hash::of))
}

fn get(view: &mut View<'_>, args: Args<'_>, reply: &mut Reply<'_>) -> Result<(), Fault> {
    let hash = read(view, args)?;
    tell(hash, args.at(2), reply);
    Ok(())
}

fn get_many(view: &mut View<'_>, args: Args<'_>, reply: &mut Reply<'_>) -> Result<(), Fault> {
    let hash = read(view, args)?;
    reply.array(args.len() - 2);
    args.from(2).iter().for_each(|field| tell(hash, field, reply));
    Ok(())
}

fn tell(hash: Option<Hash<'_>>, field: &[u8], reply: &mut Reply<'_>) {
    match hash.and_then(|hash| hash.get(field)) {
        Some(value) => reply.bulk(value),
        None => reply.null(),
    }
}

fn get_all(view: &mut View<'_>, args: Args<'_>, reply: &mut Reply<'_>) -> Result<(), Fault> {
    let Some(hash) = read(view, args)? else {
        reply.map(0);
        return Ok(());
    };
    reply.map(hash.len());
    hash.each(|field, value| {
        reply.bulk(field);
        reply.bulk(value);
    });
    Ok(())
}

fn fields(view: &mut View<'_>, args: Args<'_>, reply: &mut Reply<'_>) -> Result<(), Fault> {
    let hash = read(view, args)?;
    reply.array(hash.map_or(0, Hash::len));
    if let Some(hash) = hash {
        hash.each(|field, _| reply.bulk(field));
    }
    Ok(())
}

fn values(view: &mut View<'_>, args: Args<'_>, reply: &mut Reply<'_>) -> Result<(), Fault> {
    let hash = read(view, args)?;
    reply.array(hash.map_or(0, Hash::len));
    if let Some(hash) = hash {
        hash.each(|_, value| reply.bulk(value));
    }
    Ok(())
}

fn length(view: &mut View<'_>, args: Args<'_>, reply: &mut Reply<'_>) -> Result<(), Fault> {
    reply.int(read(view, args)?.map_or(0, Hash::len) as i64);
    Ok(())
}

fn value_length(view: &mut View<'_>, args: Args<'_>, reply: &mut Reply<'_>) -> Result<(), Fault> {
    let value = read(view, args)?.and_then(|hash| hash.get(args.at(2)));
    reply.int(value.map_or(0, <[u8]>::len) as i64);
    Ok(())
}

fn exists(view: &mut View<'_>, args: Args<'_>, reply: &mut Reply<'_>) -> Result<(), Fault> {
    let is_there = read(view, args)?.is_some_and(|hash| hash.get(args.at(2)).is_some());
    reply.int(i64::from(is_there));
    Ok(())
}

#[cfg(test)]
mod tests;
