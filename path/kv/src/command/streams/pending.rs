//! `XPENDING`.

use super::{ids, look, no_group, peek};
use crate::error::Fault;
use crate::frame::{Args, Reply};
use crate::store::stream::{Group, Id, Pending};
use crate::store::{Ms, View};

/// The entries that are asked for.
struct Which<'a> {
    from: Id,
    to: Id,
    count: usize,
    /// Only those that were given so many milliseconds ago.
    idle: i64,
    consumer: Option<&'a [u8]>,
}

impl<'a> Which<'a> {
    /// `[[IDLE ms] start end count [consumer]]`.
    fn read(args: Args<'a>) -> Result<Option<Which<'a>>, Fault> {
        if args.len() == 3 {
            return Ok(None);
        }
        if !(6..=9).contains(&args.len()) {
            return Err(Fault::SYNTAX);
        }
        let (mut at, mut idle) = (3, 0);
        if args.is(3, "IDLE") {
            (at, idle) = (5, args.int(4)?);
            if args.len() < 8 {
                return Err(Fault::SYNTAX);
            }
        }
        let count = args.int(at + 2)?.max(0) as usize;
        let (from, to) = (ids::start(args.at(at))?, ids::end(args.at(at + 1))?);
        Ok(Some(Which { from, to, count, idle, consumer: args.get(at + 3) }))
    }

    fn wants(&self, pending: Pending, now: Ms) -> bool {
        self.idle == 0 || now as i64 - pending.time as i64 >= self.idle
    }
}

pub(super) fn pending(view: &mut View<'_>, args: Args<'_>, reply: &mut Reply<'_>) -> Result<(), Fault> {
    let (which, now) = (Which::read(args)?, view.now());
    let group = look(view, args.at(1))?.and_then(|stream| stream.groups.get(args.at(2)));
    let group = group.ok_or_else(|| no_group(args.at(1), args.at(2), ""))?;
    match which {
        None => tell_all(group, reply),
        Some(which) => tell_each(group, &which, now, reply),
    }
    Ok(())
}

/// How many there are, from where to where, and of whom.
fn tell_all(group: &Group, reply: &mut Reply<'_>) {
    reply.array(4);
    reply.int(group.pending_count() as i64);
    let Some((first, last)) = group.pending_ends() else {
        reply.null();
        reply.null();
        return reply.null_array();
    };
    reply.bulk(&first.text());
    reply.bulk(&last.text());
    let hole = reply.later(1);
    let busy = group.consumers().filter(|consumer| consumer.pending_count() > 0);
    let count = busy.map(|consumer| {
        reply.array(2);
        reply.bulk(&consumer.name);
        reply.bulk_int(consumer.pending_count() as i64);
    });
    let count = count.count();
    reply.fill(hole, count);
}

fn tell_each(group: &Group, which: &Which<'_>, now: Ms, reply: &mut Reply<'_>) {
    let all: Box<dyn Iterator<Item = (Id, Pending)>> = match which.consumer {
        None => Box::new(group.pending_between(which.from, which.to)),
        Some(name) => {
            let ids = group.consumer(name).map(|consumer| consumer.pending_between(which.from, which.to));
            Box::new(ids.into_iter().flatten().filter_map(|id| Some((id, group.pending(id)?))))
        }
    };
    let hole = reply.later(1);
    let wanted = all.filter(|(_, pending)| which.wants(*pending, now)).take(which.count);
    let count = wanted.map(|(id, pending)| {
        reply.array(4);
        reply.bulk(&id.text());
        reply.bulk(&group.owner(pending).name);
        reply.int(now.saturating_sub(pending.time) as i64);
        reply.int(pending.count as i64);
    });
    let count = count.count();
    reply.fill(hole, count);
}

pub(super) fn cost(view: &View<'_>, args: Args<'_>) -> usize {
    let Some(group) = peek(view, args.at(1)).and_then(|stream| stream.groups.get(args.at(2))) else { return 0 };
    match Which::read(args) {
        Ok(Some(which)) if which.idle == 0 => which.count.min(group.pending_count()),
        Ok(Some(_)) => group.pending_count(),
        _ => group.len(),
    }
}
