//! Commands that hand out some of a set: by chance, or in turn.

use super::change::take;
use super::{peek, read};
use crate::command::chance::Chance;
use crate::command::scan::{self, Scan};
use crate::error::Fault;
use crate::frame::{Args, Reply};
use crate::store::set::{Set, SetEdit};
use crate::store::{Class, Kind, Slot, View};

pub(super) fn scan(view: &mut View<'_>, args: Args<'_>, reply: &mut Reply<'_>) -> Result<(), Fault> {
    let cursor = scan::cursor(args.at(2))?;
    let Some(set) = read(view, args)? else {
        scan::nothing(reply);
        return Ok(());
    };
    let options = Scan::read(args.from(3), false)?;
    let mut found = Vec::new();
    let next = set.scan(cursor, options.count, |member| {
        if options.wants(&member) {
            found.push(member);
        }
    });
    scan::head(next, reply);
    reply.array(found.len());
    found.into_iter().for_each(|member| reply.bulk(&member));
    Ok(())
}

pub(super) fn scan_cost(view: &View<'_>, args: Args<'_>) -> usize {
    peek(view, args.at(1)).map_or(0, |set| Scan::cost(args.from(3), set.len()))
}

pub(super) fn random(view: &mut View<'_>, args: Args<'_>, reply: &mut Reply<'_>) -> Result<(), Fault> {
    let chance = match args.len() {
        2 => None,
        3 => Some(Chance::read(args, 2)?),
        _ => return Err(Fault::SYNTAX),
    };
    let mut random = view.random().split();
    match (read(view, args)?, chance) {
        (None, None) => reply.null(),
        (None, Some(_)) => reply.array(0),
        (Some(set), None) => reply.bulk(&set.pick(&mut random)),
        (Some(set), Some(chance)) if chance.repeats() => {
            reply.array(chance.count());
            return chance.repeat(reply, |reply| reply.bulk(&set.pick(&mut random)));
        }
        (Some(set), Some(chance)) => {
            reply.array(chance.count().min(set.len()));
            set.choose(chance.count(), &mut random, |member| reply.bulk(&member));
        }
    }
    Ok(())
}

pub(super) fn random_cost(view: &View<'_>, args: Args<'_>) -> usize {
    let Some(set) = peek(view, args.at(1)).filter(|_| args.len() == 3) else { return 0 };
    Chance::read(args, 2).map_or(0, |chance| chance.cost(set.len()))
}

pub(super) fn pop(view: &mut View<'_>, args: Args<'_>, reply: &mut Reply<'_>) -> Result<(), Fault> {
    let key = args.at(1);
    let count = match args.len() {
        2 => None,
        3 => Some(pop_count(args)?),
        _ => return Err(Fault::SYNTAX),
    };
    let mut random = view.random().split();
    let mut slot = view.open(key, Kind::Set)?;
    let Some(value) = slot.value() else {
        if count.is_some() {
            reply.set(0)
        } else {
            reply.null()
        }
        return Ok(());
    };
    let set = Set::of(value);
    let Some(count) = count else {
        let member: Box<[u8]> = (*set.pick(&mut random)).into();
        reply.bulk(&member);
        slot.outcome().effect(&[b"SREM", key, &member]);
        take(&mut slot, std::iter::once(&*member), "spop");
        return Ok(());
    };
    reply.set(count.min(set.len()));
    if count > 0 && count >= set.len() {
        set.iter().for_each(|member| reply.bulk(&member));
        pop_all(&mut slot, key);
    } else if count > 0 {
        let mut chosen: Vec<Box<[u8]>> = Vec::with_capacity(count);
        set.choose(count, &mut random, |member| chosen.push((*member).into()));
        chosen.iter().for_each(|member| reply.bulk(member));
        pop_some(&mut slot, key, &chosen);
    }
    Ok(())
}

fn pop_count(args: Args<'_>) -> Result<usize, Fault> {
    const NEGATIVE: Fault = Fault::fixed("ERR value is out of range, must be positive");
    args.int(2).ok().and_then(|count| usize::try_from(count).ok()).ok_or(NEGATIVE)
}

fn pop_all(slot: &mut Slot<'_>, key: &[u8]) {
    slot.remove();
    slot.changed(Class::SET, "spop");
    slot.changed(Class::GENERIC, "del");
    slot.outcome().effect(&[b"DEL", key]);
}

fn pop_some(slot: &mut Slot<'_>, key: &[u8], chosen: &[Box<[u8]>]) {
    take(slot, chosen.iter().map(|member| &**member), "spop");
    // When most of a set goes, Redis makes a new one of the rest.
    if slot.value().is_some_and(|value| Set::of(value).len() * 5 <= chosen.len()) {
        let mut edit = SetEdit::open(slot);
        edit.settle();
        edit.close();
    }
    let words: Vec<&[u8]> = [&b"SREM"[..], key].into_iter().chain(chosen.iter().map(|member| &**member)).collect();
    slot.outcome().effect(&words);
}

pub(super) fn pop_cost(view: &View<'_>, args: Args<'_>) -> usize {
    let Some(set) = peek(view, args.at(1)).filter(|_| args.len() == 3) else { return 0 };
    match pop_count(args) {
        Ok(count) if count.saturating_mul(3) >= set.len() => set.weight(),
        Ok(count) => count,
        Err(_) => 0,
    }
}
