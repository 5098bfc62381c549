//! Commands that hand out some of a hash: by chance, or in turn.

use super::{peek, read};
use crate::command::chance::Chance;
use crate::command::scan::{self, Scan};
use crate::error::Fault;
use crate::frame::{Args, Protocol, Reply};
use crate::store::View;

pub(super) fn scan(view: &mut View<'_>, args: Args<'_>, reply: &mut Reply<'_>) -> Result<(), Fault> {
    let cursor = scan::cursor(args.at(2))?;
    let Some(hash) = read(view, args)? else {
        scan::nothing(reply);
        return Ok(());
    };
    let options = Scan::read(args.from(3), false)?;
    let mut found = Vec::new();
    let next = hash.scan(cursor, options.count, |field, value| {
        if options.wants(field) {
            found.push((field, value));
        }
    });
    scan::head(next, reply);
    reply.array(found.len() * 2);
    found.into_iter().for_each(|(field, value)| {
        reply.bulk(field);
        reply.bulk(value);
    });
    Ok(())
}

pub(super) fn scan_cost(view: &View<'_>, args: Args<'_>) -> usize {
    peek(view, args).map_or(0, |hash| Scan::cost(args.from(3), hash.len()))
}

/// Which fields `HRANDFIELD` is to give.
struct Wanted {
    chance: Chance,
    with_values: bool,
}

impl Wanted {
    fn read(args: Args<'_>) -> Result<Wanted, Fault> {
        let chance = Chance::read(args, 2)?;
        let with_values = args.is(3, "WITHVALUES");
        if args.len() > 4 || (args.len() == 4 && !with_values) {
            return Err(Fault::SYNTAX);
        }
        Ok(Wanted { chance: if with_values { chance.in_pairs()? } else { chance }, with_values })
    }

    fn head(&self, count: usize, reply: &mut Reply<'_>) {
        let is_flat = self.with_values && reply.protocol() == Protocol::Resp2;
        reply.array(if is_flat { count * 2 } else { count });
    }

    fn tell(&self, field: &[u8], value: &[u8], reply: &mut Reply<'_>) {
        if self.with_values && reply.protocol() == Protocol::Resp3 {
            reply.array(2);
        }
        reply.bulk(field);
        if self.with_values {
            reply.bulk(value);
        }
    }
}

pub(super) fn random(view: &mut View<'_>, args: Args<'_>, reply: &mut Reply<'_>) -> Result<(), Fault> {
    if args.len() == 2 {
        return one(view, args, reply);
    }
    let wanted = Wanted::read(args)?;
    let mut random = view.random().split();
    let Some(hash) = read(view, args)? else {
        reply.array(0);
        return Ok(());
    };
    let count = wanted.chance.count();
    if wanted.chance.repeats() {
        wanted.head(count, reply);
        return wanted.chance.repeat(reply, |reply| {
            let (field, value) = hash.pick(&mut random);
            wanted.tell(field, value, reply);
        });
    }
    wanted.head(count.min(hash.len()), reply);
    hash.choose(count, &mut random, |field, value| wanted.tell(field, value, reply));
    Ok(())
}

fn one(view: &mut View<'_>, args: Args<'_>, reply: &mut Reply<'_>) -> Result<(), Fault> {
    let mut random = view.random().split();
    match read(view, args)? {
        Some(hash) => reply.bulk(hash.pick(&mut random).0),
        None => reply.null(),
    }
    Ok(())
}

pub(super) fn cost(view: &View<'_>, args: Args<'_>) -> usize {
    let Some(hash) = peek(view, args).filter(|_| args.len() > 2) else { return 0 };
    Wanted::read(args).map_or(0, |wanted| wanted.chance.cost(hash.len()))
}
