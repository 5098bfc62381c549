//! `SORT` and `SORT_RO`: the elements of a list, a set or a sorted set in order, or what other keys hold for them.

mod lookup;
mod options;
mod order;

use super::{Command, Flags, GROWS, Group, KeySpec, READS};
use crate::error::Fault;
use crate::frame::{Args, Reply};
use crate::store::list::{End, List, ListEdit};
use crate::store::set::Set;
use crate::store::sorted::{Sorted, Way};
use crate::store::{Class, Kind, Value, View};
use options::Options;
pub(super) use options::leading as leading_option;

pub(super) const COMMANDS: &[Command] = &[
    Command::on_keys("sort", -2, GROWS.and(LEADS), Group::Keyspace, keys(options::target), sort).costs(cost),
    Command::on_keys("sort_ro", -2, READS.and(LEADS), Group::Keyspace, keys(options::source), sort_only).costs(cost),
];

const LEADS: Flags = Flags::MOVABLE_KEYS.and(Flags::DANGEROUS);

/// Patterns lead to keys of any shard.
const fn keys(found: fn(Args<'_>) -> Vec<usize>) -> KeySpec {
    KeySpec::Reaching { found, reaches: options::reaches }
}

/// Elements as they are kept.
type Elements = Vec<Box<[u8]>>;

fn sort(view: &mut View<'_>, args: Args<'_>, reply: &mut Reply<'_>) -> Result<(), Fault> {
    let options = Options::read(args, true)?;
    let all = sorted(view, args.at(1), &options)?;
    match options.target {
        Some(target) => {
            let found = lookup::all(view, &options.told, all).into_iter().map(Option::unwrap_or_default).collect();
            store(view, target, found, reply);
        }
        None => tell(view, &options, all, reply),
    }
    Ok(())
}

fn sort_only(view: &mut View<'_>, args: Args<'_>, reply: &mut Reply<'_>) -> Result<(), Fault> {
    let options = Options::read(args, false)?;
    let all = sorted(view, args.at(1), &options)?;
    tell(view, &options, all, reply);
    Ok(())
}

/// The elements of a key in order, as many as are wanted.
fn sorted(view: &mut View<'_>, key: &[u8], options: &Options<'_>) -> Result<Elements, Fault> {
    view.touch(key);
    let kind = view.kind(key);
    let value = kind.and_then(|kind| view.peek(key, kind).ok().flatten().map(|value| (kind, value)));
    // A set has no order of its own, and a script or the log must find the same.
    let as_text = !options.sorts() && kind == Some(Kind::Set);
    let from_behind = !options.sorts() && options.descends;
    let mut all = match value {
        Some((kind, value)) => elements(kind, value, from_behind)?,
        None => Elements::new(),
    };
    if as_text {
        all.sort();
        if options.descends {
            all.reverse();
        }
    } else if options.sorts() {
        all = order::sort(view, all, options)?;
    }
    Ok(options.part(all))
}

fn elements(kind: Kind, value: Value<'_>, from_behind: bool) -> Result<Elements, Fault> {
    let (end, way) = if from_behind { (End::Right, Way::Down) } else { (End::Left, Way::Up) };
    match kind {
        Kind::List => Ok(List::of(value).iter(end, 0).map(Box::from).collect()),
        Kind::Set => Ok(Set::of(value).iter().map(|member| Box::from(&*member)).collect()),
        Kind::Sorted => Ok(Sorted::of(value).iter(way, 0).map(|(member, _)| Box::from(member)).collect()),
        Kind::Str | Kind::Hash | Kind::Stream => Err(Fault::WRONG_TYPE),
    }
}

fn tell(view: &mut View<'_>, options: &Options<'_>, all: Elements, reply: &mut Reply<'_>) {
    let found = lookup::all(view, &options.told, all);
    reply.array(found.len());
    found.into_iter().for_each(|text| match text {
        Some(text) => reply.bulk(&text),
        None => reply.null(),
    });
}

/// Makes a list of them.
fn store(view: &mut View<'_>, target: &[u8], found: Elements, reply: &mut Reply<'_>) {
    reply.int(found.len() as i64);
    if found.is_empty() {
        view.delete(target, Class::GENERIC, "del");
        return;
    }
    let mut slot = view.open_any(target, Kind::List);
    // In place of what was there: it is no new key.
    slot.put_until(&[], None);
    let mut edit = ListEdit::open(&mut slot);
    found.iter().for_each(|element| edit.push(End::Right, element));
    edit.close();
    slot.changed(Class::LIST, "sortstore");
    if slot.outcome().logs {
        // What is equal may come in another order the next time.
        let words = [&b"RPUSH"[..], target].into_iter().chain(found.iter().map(|element| &**element));
        slot.outcome().effect(&[b"DEL", target]);
        slot.outcome().effect(&words.collect::<Vec<_>>());
    }
}

/// How many elements there are, each with what is looked up for it.
fn cost(view: &View<'_>, args: Args<'_>) -> usize {
    let key = args.at(1);
    let Some((kind, bytes)) = view.weight(key) else { return 0 };
    let Ok(Some(value)) = view.peek(key, kind) else { return 0 };
    let count = match kind {
        Kind::List => List::of(value).len(),
        Kind::Set => Set::of(value).len(),
        Kind::Sorted => Sorted::of(value).len(),
        Kind::Str | Kind::Hash | Kind::Stream => return 0,
    };
    count * args.len() / 2 + bytes / 1024
}

#[cfg(test)]
mod tests;
