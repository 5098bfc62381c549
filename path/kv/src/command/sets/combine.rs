//! Commands that make one set of several: what is in all, in any, or in the first alone.

use std::cmp::Reverse;
use std::collections::HashSet;

use super::peek;
use crate::error::Fault;
use crate::frame::{Args, Reply};
use crate::store::set::{Loose, Set, Text};
use crate::store::{Class, Kind, View};

/// Sets of a union in which a member is looked up rather than remembered.
const FEW: usize = 3;

/// What becomes of several sets.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Combine {
    Inter,
    Union,
    Diff,
}

pub(super) fn inter(view: &mut View<'_>, args: Args<'_>, reply: &mut Reply<'_>) -> Result<(), Fault> {
    answer(Combine::Inter, view, args, reply)
}

pub(super) fn union(view: &mut View<'_>, args: Args<'_>, reply: &mut Reply<'_>) -> Result<(), Fault> {
    answer(Combine::Union, view, args, reply)
}

pub(super) fn diff(view: &mut View<'_>, args: Args<'_>, reply: &mut Reply<'_>) -> Result<(), Fault> {
    answer(Combine::Diff, view, args, reply)
}

pub(super) fn inter_store(view: &mut View<'_>, args: Args<'_>, reply: &mut Reply<'_>) -> Result<(), Fault> {
    store(Combine::Inter, "sinterstore", view, args, reply)
}

pub(super) fn union_store(view: &mut View<'_>, args: Args<'_>, reply: &mut Reply<'_>) -> Result<(), Fault> {
    store(Combine::Union, "sunionstore", view, args, reply)
}

pub(super) fn diff_store(view: &mut View<'_>, args: Args<'_>, reply: &mut Reply<'_>) -> Result<(), Fault> {
    store(Combine::Diff, "sdiffstore", view, args, reply)
}

fn answer(combine: Combine, view: &mut View<'_>, args: Args<'_>, reply: &mut Reply<'_>) -> Result<(), Fault> {
    let sets = read_all(view, args.from(1))?;
    let (hole, mut count) = (reply.later(0), 0);
    combine.each(sets, |member| {
        reply.bulk(&member);
        count += 1;
        true
    });
    reply.fill_set(hole, count);
    Ok(())
}

fn store(combine: Combine, event: &'static str, view: &mut View<'_>, args: Args<'_>, reply: &mut Reply<'_>) -> Result<(), Fault> {
    let mut all = Loose::new();
    combine.each(read_all(view, args.from(2))?, |member| {
        all.add(&member);
        true
    });
    let count = all.set().len();
    if count == 0 {
        view.delete(args.at(1), Class::GENERIC, "del");
    } else {
        let mut slot = view.open_any(args.at(1), Kind::Set);
        all.put(&mut slot);
        slot.changed(Class::SET, event);
    }
    reply.int(count as i64);
    Ok(())
}

/// `SINTERCARD`.
pub(super) fn inter_count(view: &mut View<'_>, args: Args<'_>, reply: &mut Reply<'_>) -> Result<(), Fault> {
    let (keys, most) = counted(args)?;
    let mut count = 0;
    Combine::Inter.each(read_all(view, keys)?, |_| {
        count += 1;
        count != most
    });
    reply.int(count);
    Ok(())
}

/// The keys that are counted, and how many members are enough; 0: none are.
fn counted(args: Args<'_>) -> Result<(Args<'_>, i64), Fault> {
    const NO_KEYS: Fault = Fault::fixed("ERR numkeys should be greater than 0");
    const TOO_FEW: Fault = Fault::fixed("ERR Number of keys can't be greater than number of args");
    const NEGATIVE: Fault = Fault::fixed("ERR LIMIT can't be negative");
    let count = args.int(1).ok().and_then(|count| usize::try_from(count).ok()).filter(|count| *count > 0).ok_or(NO_KEYS)?;
    if count > args.len() - 2 {
        return Err(TOO_FEW);
    }
    let (mut most, options) = (0, args.from(2 + count));
    for at in (0..options.len()).step_by(2) {
        if !options.is(at, "LIMIT") || at + 1 == options.len() {
            return Err(Fault::SYNTAX);
        }
        most = options.int(at + 1).ok().filter(|most| *most >= 0).ok_or(NEGATIVE)?;
    }
    Ok((args.from(2).before(count), most))
}

/// The sets of keys; none for a key that is not there.
fn read_all<'v>(view: &'v mut View<'_>, keys: Args<'_>) -> Result<Vec<Option<Set<'v>>>, Fault> {
    for key in keys.iter() {
        view.touch(key);
        view.peek(key, Kind::Set)?;
    }
    let view = &*view;
    keys.iter().map(|key| Ok(view.peek(key, Kind::Set)?.map(Set::of))).collect()
}

impl Combine {
    /// Every member of what becomes of `sets`, once, until `each` wants no more.
    fn each<'v>(self, sets: Vec<Option<Set<'v>>>, mut each: impl FnMut(Text<'v>) -> bool) {
        match self {
            Combine::Inter => {
                let Some(mut sets) = sets.into_iter().collect::<Option<Vec<Set<'v>>>>() else { return };
                sets.sort_by_key(|set| set.len());
                sets[0].iter().filter(|member| sets[1..].iter().all(|set| set.has(member))).all(&mut each);
            }
            Combine::Union => {
                let sets: Vec<Set<'v>> = sets.into_iter().flatten().collect();
                let all = sets.iter().enumerate().flat_map(|(at, set)| set.iter().map(move |member| (at, member)));
                if sets.len() <= FEW {
                    let is_new = |at: usize, member: &[u8]| !sets[..at].iter().any(|set| set.has(member));
                    all.filter(|(at, member)| is_new(*at, member)).all(|(_, member)| each(member));
                } else {
                    let mut seen = HashSet::new();
                    all.filter(|(_, member)| seen.insert(*member)).all(|(_, member)| each(member));
                }
            }
            Combine::Diff => {
                let (Some(first), others) = (sets[0], sets[1..].iter().flatten().copied().collect()) else { return };
                rest(first, others).into_iter().all(&mut each);
            }
        }
    }
}

/// The members of the first set that the others have not.
fn rest<'v>(first: Set<'v>, mut others: Vec<Set<'v>>) -> Vec<Text<'v>> {
    let lengths: Vec<usize> = [first].iter().chain(&others).map(|set| set.len()).collect();
    if diff_by_first(&lengths) {
        others.sort_by_key(|set| Reverse(set.len()));
        return first.iter().filter(|member| !others.iter().any(|set| set.has(member))).collect();
    }
    let mut left: HashSet<Text<'v>> = first.iter().collect();
    others.into_iter().flat_map(Set::iter).for_each(|member| {
        left.remove(&*member);
    });
    left.into_iter().collect()
}

/// Whether it is less work to look every member of the first set up in all others than to go through all sets.
fn diff_by_first(lengths: &[usize]) -> bool {
    lengths[0].saturating_mul(lengths.len() - 1) / 2 <= lengths.iter().sum()
}

/// About how many members are looked at, by the name of the command.
fn looks(view: &View<'_>, keys: Args<'_>, name: &[u8]) -> usize {
    let lengths: Vec<usize> = keys.iter().map(|key| peek(view, key).map_or(0, Set::len)).collect();
    let all = lengths.iter().sum();
    match name[1].to_ascii_lowercase() {
        b'i' => lengths.iter().min().map_or(0, |least| least.saturating_mul(lengths.len())),
        b'd' if diff_by_first(&lengths) => lengths[0].saturating_mul(lengths.len()),
        _ => all,
    }
}

pub(super) fn cost(view: &View<'_>, args: Args<'_>) -> usize {
    looks(view, args.from(1), args.at(0))
}

pub(super) fn store_cost(view: &View<'_>, args: Args<'_>) -> usize {
    looks(view, args.from(2), args.at(0))
}

pub(super) fn count_cost(view: &View<'_>, args: Args<'_>) -> usize {
    counted(args).map_or(0, |(keys, _)| looks(view, keys, args.at(0)))
}
