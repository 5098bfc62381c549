//! Commands that take elements from lists and sorted sets, and wait for them if there are none.

use std::ops::Range;

use super::ranks::{counted_keys, pop_count};
use super::sorted_sets::Form;
use super::{Command, Flags, Group, KeySpec, lists, sorted_sets};
use crate::error::Fault;
use crate::frame::{Args, Reply};
use crate::store::list::End;
use crate::store::sorted::Way;
use crate::store::{Kind, Turn, View, Wait, Went};

const TAKES: Flags = Flags::WRITE.and(Flags::BLOCKING);
const ALONE: Flags = TAKES.and(Flags::NO_SCRIPT);
const MOVES: Flags = ALONE.and(Flags::DENY_OOM);
/// All words but the last, which is the timeout.
const KEYS: KeySpec = KeySpec::Range { first: 1, last: -2, step: 1 };
const COUNTED: KeySpec = KeySpec::Counted { at: 2, target: None };

pub(super) const COMMANDS: &[Command] = &[
    Command::waits("blpop", -3, ALONE, Group::List, KEYS, |view, args, reply, turn| pop(view, args, reply, turn, End::Left)),
    Command::waits("brpop", -3, ALONE, Group::List, KEYS, |view, args, reply, turn| pop(view, args, reply, turn, End::Right)),
    Command::waits("blmpop", -5, TAKES, Group::List, COUNTED, pop_of_many),
    Command::waits("blmove", 6, MOVES, Group::List, KeySpec::TWO, shift),
    Command::waits("brpoplpush", 4, MOVES, Group::List, KeySpec::TWO, right_to_left),
    Command::waits("bzpopmin", -3, ALONE.and(Flags::FAST), Group::Sorted, KEYS, |view, args, reply, turn| {
        pop_ranked(view, args, reply, turn, Way::Up)
    }),
    Command::waits("bzpopmax", -3, ALONE.and(Flags::FAST), Group::Sorted, KEYS, |view, args, reply, turn| {
        pop_ranked(view, args, reply, turn, Way::Down)
    }),
    Command::waits("bzmpop", -5, TAKES, Group::Sorted, COUNTED, pop_ranked_of_many),
];

/// The timeout at a place: seconds, of which there may be parts; in milliseconds.
pub(super) fn timeout(args: Args<'_>, at: usize) -> Result<u64, Fault> {
    let seconds = args.float(at).map_err(|_| Fault::fixed("ERR timeout is not a float or out of range"))?;
    let milliseconds = (seconds * 1000.0).ceil();
    if milliseconds < 0.0 { Err(Fault::fixed("ERR timeout is negative")) } else { Ok(milliseconds as u64) }
}

/// Takes from the first of some keys that has something, or from the one that has become ready; otherwise it waits for them.
fn first_of(
    view: &mut View<'_>,
    args: Args<'_>,
    reply: &mut Reply<'_>,
    turn: Turn<'_>,
    wait: Wait,
    mut take: impl FnMut(&mut View<'_>, &[u8], &mut Reply<'_>) -> Result<bool, Fault>,
) -> Result<Went, Fault> {
    if let Turn::Ready(key) = turn {
        return Ok(if take(view, key, reply)? { Went::Done } else { Went::Wait(wait) });
    }
    for place in wait.keys.clone() {
        if take(view, args.at(place), reply)? {
            return Ok(Went::Done);
        }
    }
    match turn {
        Turn::Only => {
            reply.null_array();
            Ok(Went::Done)
        }
        _ => Ok(Went::Wait(wait)),
    }
}

fn waits(keys: Range<usize>, kind: Kind, timeout: u64) -> Wait {
    Wait { keys, kind, timeout, instead: None }
}

/// `BLPOP` and `BRPOP`.
fn pop(view: &mut View<'_>, args: Args<'_>, reply: &mut Reply<'_>, turn: Turn<'_>, end: End) -> Result<Went, Fault> {
    let wait = waits(1..args.len() - 1, Kind::List, timeout(args, args.len() - 1)?);
    first_of(view, args, reply, turn, wait, |view, key, reply| {
        let head = |reply: &mut Reply<'_>, _| {
            reply.array(2);
            reply.bulk(key);
        };
        let count = lists::pop(view, key, end, 1, reply, head)?;
        if count > 0 {
            view.outcome.effect(&[end_name(end), key]);
        }
        Ok(count > 0)
    })
}

fn end_name(end: End) -> &'static [u8] {
    if end == End::Left { b"LPOP" } else { b"RPOP" }
}

/// `BLMPOP`.
fn pop_of_many(view: &mut View<'_>, args: Args<'_>, reply: &mut Reply<'_>, turn: Turn<'_>) -> Result<Went, Fault> {
    let (_, behind) = counted_keys(args, 2)?;
    let (end, most) = (lists::read_end(args, behind)?, pop_count(args, behind + 1)?);
    let wait = waits(3..behind, Kind::List, timeout(args, 1)?);
    first_of(view, args, reply, turn, wait, |view, key, reply| {
        let head = |reply: &mut Reply<'_>, count| {
            reply.array(2);
            reply.bulk(key);
            reply.array(count);
        };
        let count = lists::pop(view, key, end, most, reply, head)?;
        if count > 0 {
            view.outcome.effect(&[end_name(end), key, count.to_string().as_bytes()]);
        }
        Ok(count > 0)
    })
}

/// `BLMOVE`.
fn shift(view: &mut View<'_>, args: Args<'_>, reply: &mut Reply<'_>, turn: Turn<'_>) -> Result<Went, Fault> {
    let ends = (lists::read_end(args, 3)?, lists::read_end(args, 4)?);
    shift_or_wait(view, args, reply, turn, ends, timeout(args, 5)?)
}

/// `BRPOPLPUSH`.
fn right_to_left(view: &mut View<'_>, args: Args<'_>, reply: &mut Reply<'_>, turn: Turn<'_>) -> Result<Went, Fault> {
    shift_or_wait(view, args, reply, turn, (End::Right, End::Left), timeout(args, 3)?)
}

fn shift_or_wait(
    view: &mut View<'_>,
    args: Args<'_>,
    reply: &mut Reply<'_>,
    turn: Turn<'_>,
    ends: (End, End),
    timeout: u64,
) -> Result<Went, Fault> {
    if lists::shift(view, (args.at(1), args.at(2)), ends, reply)? {
        let word = |end: End| if end == End::Left { &b"LEFT"[..] } else { b"RIGHT" };
        view.outcome.effect(&[b"LMOVE", args.at(1), args.at(2), word(ends.0), word(ends.1)]);
        return Ok(Went::Done);
    }
    match turn {
        Turn::Only => {
            reply.null();
            Ok(Went::Done)
        }
        _ => Ok(Went::Wait(waits(1..2, Kind::List, timeout))),
    }
}

/// `BZPOPMIN` and `BZPOPMAX`.
fn pop_ranked(view: &mut View<'_>, args: Args<'_>, reply: &mut Reply<'_>, turn: Turn<'_>, way: Way) -> Result<Went, Fault> {
    let wait = waits(1..args.len() - 1, Kind::Sorted, timeout(args, args.len() - 1)?);
    first_of(view, args, reply, turn, wait, |view, key, reply| {
        let head = |reply: &mut Reply<'_>, _| {
            reply.array(3);
            reply.bulk(key);
        };
        let count = sorted_sets::pop(view, key, way, 1, Form::Flat, reply, head)?;
        if count > 0 {
            view.outcome.effect(&[way_name(way), key]);
        }
        Ok(count > 0)
    })
}

fn way_name(way: Way) -> &'static [u8] {
    if way == Way::Up { b"ZPOPMIN" } else { b"ZPOPMAX" }
}

/// `BZMPOP`.
fn pop_ranked_of_many(view: &mut View<'_>, args: Args<'_>, reply: &mut Reply<'_>, turn: Turn<'_>) -> Result<Went, Fault> {
    let (_, behind) = counted_keys(args, 2)?;
    let (way, most) = (sorted_sets::read_way(args, behind)?, pop_count(args, behind + 1)?);
    let wait = waits(3..behind, Kind::Sorted, timeout(args, 1)?);
    first_of(view, args, reply, turn, wait, |view, key, reply| {
        let head = |reply: &mut Reply<'_>, count| {
            reply.array(2);
            reply.bulk(key);
            reply.array(count);
        };
        let count = sorted_sets::pop(view, key, way, most, Form::Pairs, reply, head)?;
        if count > 0 {
            view.outcome.effect(&[way_name(way), key, count.to_string().as_bytes()]);
        }
        Ok(count > 0)
    })
}
