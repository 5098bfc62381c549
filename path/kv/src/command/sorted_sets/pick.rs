//! Commands that hand out some members: by chance, or in turn.

use super::{Form, peek, read};
use crate::command::chance::Chance;
use crate::command::scan::{self, Scan};
use crate::error::Fault;
use crate::frame::{Args, Reply, write_double, write_score};
use crate::store::View;
use crate::store::sorted::Sorted;

/// `ZSCAN`.
pub(super) fn scan(view: &mut View<'_>, args: Args<'_>, reply: &mut Reply<'_>) -> Result<(), Fault> {
    let cursor = scan::cursor(args.at(2))?;
    let Some(sorted) = read(view, args.at(1))? else {
        scan::nothing(reply);
        return Ok(());
    };
    let options = Scan::read(args.from(3), false)?;
    let mut found = Vec::new();
    let next = sorted.scan(cursor, options.count, |member, score| {
        if options.wants(member) {
            found.push((member, score));
        }
    });
    // Redis prints those of its packed form as they lie there.
    let write = if matches!(sorted, Sorted::Packed(_)) { write_score } else { write_double };
    scan::head(next, reply);
    reply.array(found.len() * 2);
    let mut text = Vec::new();
    for (member, score) in found {
        text.clear();
        write(score, &mut text);
        reply.bulk(member);
        reply.bulk(&text);
    }
    Ok(())
}

pub(super) fn scan_cost(view: &View<'_>, args: Args<'_>) -> usize {
    peek(view, args.at(1)).map_or(0, |sorted| Scan::cost(args.from(3), sorted.len()))
}

/// Which members `ZRANDMEMBER` is to give, and whether with their scores.
fn wanted(args: Args<'_>) -> Result<(Chance, bool), Fault> {
    let chance = Chance::read(args, 2)?;
    let with_scores = args.is(3, "WITHSCORES");
    if args.len() > 4 || (args.len() == 4 && !with_scores) {
        return Err(Fault::SYNTAX);
    }
    Ok((if with_scores { chance.in_pairs()? } else { chance }, with_scores))
}

/// `ZRANDMEMBER`.
pub(super) fn random(view: &mut View<'_>, args: Args<'_>, reply: &mut Reply<'_>) -> Result<(), Fault> {
    let mut random = view.random().split();
    if args.len() == 2 {
        match read(view, args.at(1))? {
            Some(sorted) => reply.bulk(sorted.pick(&mut random).0),
            None => reply.null(),
        }
        return Ok(());
    }
    let (chance, with_scores) = wanted(args)?;
    let form = Form::of(with_scores, reply);
    let Some(sorted) = read(view, args.at(1))? else {
        reply.array(0);
        return Ok(());
    };
    if chance.repeats() {
        form.head(chance.count(), reply);
        return chance.repeat(reply, |reply| {
            let (member, score) = sorted.pick(&mut random);
            form.tell(member, score, reply);
        });
    }
    form.head(chance.count().min(sorted.len()), reply);
    sorted.choose(chance.count(), &mut random, |member, score| form.tell(member, score, reply));
    Ok(())
}

pub(super) fn cost(view: &View<'_>, args: Args<'_>) -> usize {
    let Some(sorted) = peek(view, args.at(1)).filter(|_| args.len() > 2) else { return 0 };
    wanted(args).map_or(0, |(chance, _)| chance.cost(sorted.len()))
}
