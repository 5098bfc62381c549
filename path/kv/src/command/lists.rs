//! Lists: a key holds elements in order, reached from both ends.

mod change;
mod pop;
mod seek;
mod shift;

use super::ranks::{ranks, read_ranks};
use super::{Command, Flags, GROWS, GROWS_FAST, Group, KeySpec, OnKeys, READS, READS_FAST, WRITES, WRITES_FAST};
use crate::error::Fault;
use crate::frame::{Args, Reply};
use crate::store::list::{End, List};
use crate::store::{Kind, View};

pub(super) use pop::{pop, read_end};
pub(super) use shift::shift;

pub(super) const COMMANDS: &[Command] = &[
    list("lpush", -3, GROWS_FAST, change::push_left).costs(by_words),
    list("rpush", -3, GROWS_FAST, change::push_right).costs(by_words),
    list("lpushx", -3, GROWS_FAST, change::push_left_there).costs(by_words),
    list("rpushx", -3, GROWS_FAST, change::push_right_there).costs(by_words),
    list("lpop", -2, WRITES_FAST, pop::left).costs(pop::cost),
    list("rpop", -2, WRITES_FAST, pop::right).costs(pop::cost),
    lists("lmpop", -4, WRITES, KeySpec::Counted { at: 1, target: None }, pop::of_many).costs(pop::many_cost),
    list("llen", 2, READS_FAST, length),
    list("lindex", 3, READS, index).costs(depth),
    list("lrange", 4, READS, range).costs(range_cost),
    list("lpos", -3, READS, seek::positions).costs(seek::cost),
    list("lset", 4, GROWS, change::set).costs(depth),
    list("linsert", 5, GROWS, change::insert).costs(whole),
    list("lrem", 4, WRITES, change::remove).costs(whole),
    list("ltrim", 4, WRITES, change::trim).costs(depth),
    lists("lmove", 5, GROWS, KeySpec::TWO, shift::between_ends),
    lists("rpoplpush", 3, GROWS, KeySpec::TWO, shift::right_to_left),
];

const fn list(name: &'static str, arity: i32, flags: Flags, run: OnKeys) -> Command {
    lists(name, arity, flags, KeySpec::ONE, run)
}

const fn lists(name: &'static str, arity: i32, flags: Flags, keys: KeySpec, run: OnKeys) -> Command {
    Command::on_keys(name, arity, flags, Group::List, keys, run)
}

/// A word is about an element.
fn by_words(_: &View<'_>, args: Args<'_>) -> usize {
    args.len()
}

/// All that the key holds.
fn whole(view: &View<'_>, args: Args<'_>) -> usize {
    peek(view, args.at(1)).map_or(0, |list| list.weight(list.len()))
}

/// The way to an element.
fn depth(view: &View<'_>, args: Args<'_>) -> usize {
    peek(view, args.at(1)).map_or(0, List::depth)
}

/// The list of a key, while it is not decided who runs the command.
fn peek<'v>(view: &'v View<'_>, key: &[u8]) -> Option<List<'v>> {
    view.peek(key, Kind::List).ok().flatten().map(List::of)
}

/// The list of the first key.
fn read<'v>(view: &'v mut View<'_>, args: Args<'_>) -> Result<Option<List<'v>>, Fault> {
    Ok(view.read(args.at(1), Kind::List)?.map(List::of))
}

fn length(view: &mut View<'_>, args: Args<'_>, reply: &mut Reply<'_>) -> Result<(), Fault> {
    reply.int(read(view, args)?.map_or(0, List::len) as i64);
    Ok(())
}

/// The place that a number says, which may count from the end.
fn place(index: i64, len: usize) -> Option<usize> {
    let index = if index < 0 { index.checked_add_unsigned(len as u64)? } else { index };
    usize::try_from(index).ok().filter(|index| *index < len)
}

fn index(view: &mut View<'_>, args: Args<'_>, reply: &mut Reply<'_>) -> Result<(), Fault> {
    let Some(list) = read(view, args)? else {
        reply.null();
        return Ok(());
    };
    match place(args.int(2)?, list.len()).and_then(|index| list.get(index)) {
        Some(element) => reply.bulk(element),
        None => reply.null(),
    }
    Ok(())
}

fn range(view: &mut View<'_>, args: Args<'_>, reply: &mut Reply<'_>) -> Result<(), Fault> {
    let (start, end) = read_ranks(args, 2)?;
    let Some(list) = read(view, args)? else {
        reply.array(0);
        return Ok(());
    };
    let places = ranks(start, end, list.len());
    reply.array(places.len());
    list.iter(End::Left, places.start).take(places.len()).for_each(|element| reply.bulk(element));
    Ok(())
}

fn range_cost(view: &View<'_>, args: Args<'_>) -> usize {
    let (Some(list), Ok((start, end))) = (peek(view, args.at(1)), read_ranks(args, 2)) else { return 0 };
    list.weight(ranks(start, end, list.len()).len())
}

#[cfg(test)]
mod tests;
