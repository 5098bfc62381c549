//! Sorted sets: a key holds members in the order of their scores.

mod bounds;
mod change;
mod combine;
mod form;
mod pick;
mod pop;
mod range;
mod remove;

use super::{Command, Flags, GROWS, GROWS_FAST, Group, KeySpec, OnKeys, READS, READS_FAST, WRITES, WRITES_FAST};
use crate::error::Fault;
use crate::frame::{Args, Reply};
use crate::store::sorted::Sorted;
use crate::store::{Kind, View};

pub(super) use change::add_scored;
pub(super) use form::Form;
pub(super) use pop::{pop, read_way};
pub(super) use range::put;

/// The keys of `ZUNION` and its like, and of what stores them.
const INPUTS: KeySpec = KeySpec::Counted { at: 1, target: None };
const STORED: KeySpec = KeySpec::Counted { at: 2, target: Some(1) };

pub(super) const COMMANDS: &[Command] = &[
    sorted("zadd", -4, GROWS_FAST, change::add).costs(by_words),
    sorted("zincrby", 4, GROWS_FAST, change::increment),
    sorted("zrem", -3, WRITES_FAST, remove::members).costs(by_words),
    sorted("zremrangebyrank", 4, WRITES, remove::by_rank).costs(remove::by_rank_cost),
    sorted("zremrangebyscore", 4, WRITES, remove::by_score).costs(remove::by_score_cost),
    sorted("zremrangebylex", 4, WRITES, remove::by_text).costs(remove::by_text_cost),
    sorted("zscore", 3, READS_FAST, score),
    sorted("zmscore", -3, READS_FAST, scores).costs(by_words),
    sorted("zcard", 2, READS_FAST, length),
    sorted("zrank", 3, READS_FAST, rank),
    sorted("zrevrank", 3, READS_FAST, rank_from_highest),
    sorted("zcount", 4, READS_FAST, range::count_scores),
    sorted("zlexcount", 4, READS_FAST, range::count_texts),
    sorted("zrange", -4, READS, range::any).costs(range::any_cost),
    sorted("zrevrange", -4, READS, range::by_rank_down).costs(range::by_rank_down_cost),
    sorted("zrangebyscore", -4, READS, range::by_score).costs(range::by_score_cost),
    sorted("zrevrangebyscore", -4, READS, range::by_score_down).costs(range::by_score_down_cost),
    sorted("zrangebylex", -4, READS, range::by_text).costs(range::by_text_cost),
    sorted("zrevrangebylex", -4, READS, range::by_text_down).costs(range::by_text_down_cost),
    many("zrangestore", -5, GROWS, KeySpec::TWO, range::store).costs(range::store_cost),
    sorted("zpopmin", -2, WRITES_FAST, pop::lowest).costs(pop::cost),
    sorted("zpopmax", -2, WRITES_FAST, pop::highest).costs(pop::cost),
    many("zmpop", -4, WRITES, INPUTS, pop::of_many).costs(pop::many_cost),
    sorted("zrandmember", -2, READS, pick::random).costs(pick::cost),
    sorted("zscan", -3, READS, pick::scan).costs(pick::scan_cost),
    many("zunion", -3, READS, INPUTS, combine::union).costs(combine::cost),
    many("zinter", -3, READS, INPUTS, combine::inter).costs(combine::cost),
    many("zdiff", -3, READS, INPUTS, combine::diff).costs(combine::cost),
    many("zintercard", -3, READS, INPUTS, combine::inter_count).costs(combine::cost),
    many("zunionstore", -4, GROWS, STORED, combine::union_store).costs(combine::store_cost),
    many("zinterstore", -4, GROWS, STORED, combine::inter_store).costs(combine::store_cost),
    many("zdiffstore", -4, GROWS, STORED, combine::diff_store).costs(combine::store_cost),
];

const fn sorted(name: &'static str, arity: i32, flags: Flags, run: OnKeys) -> Command {
    many(name, arity, flags, KeySpec::ONE, run)
}

const fn many(name: &'static str, arity: i32, flags: Flags, keys: KeySpec, run: OnKeys) -> Command {
    Command::on_keys(name, arity, flags, Group::Sorted, keys, run)
}

/// A word is about an element.
fn by_words(_: &View<'_>, args: Args<'_>) -> usize {
    args.len()
}

/// The sorted set of a key, while it is not decided who runs the command.
pub(super) fn peek<'v>(view: &'v View<'_>, key: &[u8]) -> Option<Sorted<'v>> {
    view.peek(key, Kind::Sorted).ok().flatten().map(Sorted::of)
}

/// The sorted set of a key.
pub(super) fn read<'v>(view: &'v mut View<'_>, key: &[u8]) -> Result<Option<Sorted<'v>>, Fault> {
    Ok(view.read(key, Kind::Sorted)?.map(Sorted::of))
}

fn tell_score(score: Option<f64>, reply: &mut Reply<'_>) {
    match score {
        Some(score) => reply.double(score),
        None => reply.null(),
    }
}

fn score(view: &mut View<'_>, args: Args<'_>, reply: &mut Reply<'_>) -> Result<(), Fault> {
    let sorted = read(view, args.at(1))?;
    tell_score(sorted.and_then(|sorted| sorted.score(args.at(2))), reply);
    Ok(())
}

fn scores(view: &mut View<'_>, args: Args<'_>, reply: &mut Reply<'_>) -> Result<(), Fault> {
    let sorted = read(view, args.at(1))?;
    reply.array(args.len() - 2);
    args.from(2).iter().for_each(|member| tell_score(sorted.and_then(|sorted| sorted.score(member)), reply));
    Ok(())
}

fn length(view: &mut View<'_>, args: Args<'_>, reply: &mut Reply<'_>) -> Result<(), Fault> {
    reply.int(read(view, args.at(1))?.map_or(0, Sorted::len) as i64);
    Ok(())
}

fn rank(view: &mut View<'_>, args: Args<'_>, reply: &mut Reply<'_>) -> Result<(), Fault> {
    tell_rank(view, args, reply, |rank, _| rank)
}

fn rank_from_highest(view: &mut View<'_>, args: Args<'_>, reply: &mut Reply<'_>) -> Result<(), Fault> {
    tell_rank(view, args, reply, |rank, len| len - 1 - rank)
}

fn tell_rank(view: &mut View<'_>, args: Args<'_>, reply: &mut Reply<'_>, says: impl Fn(usize, usize) -> usize) -> Result<(), Fault> {
    let ranked = read(view, args.at(1))?.and_then(|sorted| Some((sorted.rank(args.at(2))?, sorted.len())));
    match ranked {
        Some((rank, len)) => reply.int(says(rank, len) as i64),
        None => reply.null(),
    }
    Ok(())
}

#[cfg(test)]
mod tests;
