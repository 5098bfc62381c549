//! Sets: a key holds members, each once.

mod change;
mod combine;
mod pick;

use super::{Command, Flags, GROWS, GROWS_FAST, Group, KeySpec, OnKeys, READS, READS_FAST, WRITES_FAST};
use crate::error::Fault;
use crate::frame::{Args, Reply};
use crate::store::set::Set;
use crate::store::{Kind, View};

pub(super) const COMMANDS: &[Command] = &[
    set("sadd", -3, GROWS_FAST, change::add).costs(by_words),
    set("srem", -3, WRITES_FAST, change::remove).costs(by_words),
    sets("smove", 4, WRITES_FAST, KeySpec::TWO, change::shift),
    set("scard", 2, READS_FAST, count),
    set("sismember", 3, READS_FAST, has),
    set("smismember", -3, READS_FAST, has_many).costs(by_words),
    set("smembers", 2, READS, members).costs(whole),
    set("spop", -2, WRITES_FAST, pick::pop).costs(pick::pop_cost),
    set("srandmember", -2, READS, pick::random).costs(pick::random_cost),
    set("sscan", -3, READS, pick::scan).costs(pick::scan_cost),
    sets("sinter", -2, READS, KeySpec::REST, combine::inter).costs(combine::cost),
    sets("sinterstore", -3, GROWS, KeySpec::REST, combine::inter_store).costs(combine::store_cost),
    sets("sintercard", -3, READS, KeySpec::Counted { at: 1, target: None }, combine::inter_count).costs(combine::count_cost),
    sets("sunion", -2, READS, KeySpec::REST, combine::union).costs(combine::cost),
    sets("sunionstore", -3, GROWS, KeySpec::REST, combine::union_store).costs(combine::store_cost),
    sets("sdiff", -2, READS, KeySpec::REST, combine::diff).costs(combine::cost),
    sets("sdiffstore", -3, GROWS, KeySpec::REST, combine::diff_store).costs(combine::store_cost),
];

const fn set(name: &'static str, arity: i32, flags: Flags, run: OnKeys) -> Command {
    sets(name, arity, flags, KeySpec::ONE, run)
}

const fn sets(name: &'static str, arity: i32, flags: Flags, keys: KeySpec, run: OnKeys) -> Command {
    Command::on_keys(name, arity, flags, Group::Set, keys, run)
}

/// A word is about an element.
fn by_words(_: &View<'_>, args: Args<'_>) -> usize {
    args.len()
}

/// All that the key holds.
fn whole(view: &View<'_>, args: Args<'_>) -> usize {
    peek(view, args.at(1)).map_or(0, Set::weight)
}

/// The set of a key, while it is not decided who runs the command.
fn peek<'v>(view: &'v View<'_>, key: &[u8]) -> Option<Set<'v>> {
    view.peek(key, Kind::Set).ok().flatten().map(Set::of)
}

/// The set of the first key.
fn read<'v>(view: &'v mut View<'_>, args: Args<'_>) -> Result<Option<Set<'v>>, Fault> {
    Ok(view.read(args.at(1), Kind::Set)?.map(Set::of))
}

fn count(view: &mut View<'_>, args: Args<'_>, reply: &mut Reply<'_>) -> Result<(), Fault> {
    reply.int(read(view, args)?.map_or(0, Set::len) as i64);
    Ok(())
}

fn has(view: &mut View<'_>, args: Args<'_>, reply: &mut Reply<'_>) -> Result<(), Fault> {
    let has = read(view, args)?.is_some_and(|set| set.has(args.at(2)));
    reply.int(i64::from(has));
    Ok(())
}

fn has_many(view: &mut View<'_>, args: Args<'_>, reply: &mut Reply<'_>) -> Result<(), Fault> {
    let set = read(view, args)?;
    reply.array(args.len() - 2);
    args.from(2).iter().for_each(|member| reply.int(i64::from(set.is_some_and(|set| set.has(member)))));
    Ok(())
}

fn members(view: &mut View<'_>, args: Args<'_>, reply: &mut Reply<'_>) -> Result<(), Fault> {
    let set = read(view, args)?;
    reply.set(set.map_or(0, Set::len));
    set.into_iter().flat_map(Set::iter).for_each(|member| reply.bulk(&member));
    Ok(())
}

#[cfg(test)]
mod tests;
