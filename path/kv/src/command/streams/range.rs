//! `XRANGE` and `XREVRANGE`.

use super::{ids, look, peek};
use crate::error::Fault;
use crate::frame::{Args, Reply};
use crate::store::View;
use crate::store::stream::{Entry, Id};

/// What is asked for.
struct Range {
    from: Id,
    to: Id,
    /// How many entries, if that is said.
    count: Option<usize>,
}

impl Range {
    fn read(args: Args<'_>, back: bool) -> Result<Range, Fault> {
        let (from, to) = if back { (args.at(3), args.at(2)) } else { (args.at(2), args.at(3)) };
        let mut range = Range { from: ids::start(from)?, to: ids::end(to)?, count: None };
        let mut at = 4;
        while at < args.len() {
            if !args.is(at, "COUNT") || at + 1 == args.len() {
                return Err(Fault::SYNTAX);
            }
            range.count = Some(args.int(at + 1)?.max(0) as usize);
            at += 2;
        }
        Ok(range)
    }

    fn most(&self) -> usize {
        self.count.unwrap_or(usize::MAX)
    }
}

pub(super) fn forward(view: &mut View<'_>, args: Args<'_>, reply: &mut Reply<'_>) -> Result<(), Fault> {
    tell(view, args, reply, false)
}

pub(super) fn backward(view: &mut View<'_>, args: Args<'_>, reply: &mut Reply<'_>) -> Result<(), Fault> {
    tell(view, args, reply, true)
}

fn tell(view: &mut View<'_>, args: Args<'_>, reply: &mut Reply<'_>, back: bool) -> Result<(), Fault> {
    let range = Range::read(args, back)?;
    let Some(stream) = look(view, args.at(1))? else {
        reply.array(0);
        return Ok(());
    };
    let (log, most) = (&stream.log, range.most());
    if range.count == Some(0) {
        reply.null_array();
    } else if back {
        entries(log.range_back(range.from, range.to).take(most), reply);
    } else {
        entries(log.range(range.from, range.to).take(most), reply);
    }
    Ok(())
}

/// Tells entries.
pub(super) fn entries<'a>(all: impl Iterator<Item = Entry<'a>>, reply: &mut Reply<'_>) {
    let hole = reply.later(1);
    let count = all.map(|each| entry(&each, reply)).count();
    reply.fill(hole, count);
}

/// Tells an entry.
pub(super) fn entry(entry: &Entry<'_>, reply: &mut Reply<'_>) {
    reply.array(2);
    reply.bulk(&entry.id.text());
    reply.array(entry.fields() * 2);
    entry.each(|field, value| {
        reply.bulk(field);
        reply.bulk(value);
    });
}

pub(super) fn cost(view: &View<'_>, args: Args<'_>) -> usize {
    let back = args.at(0).len() == "xrevrange".len();
    let Ok(range) = Range::read(args, back) else { return 0 };
    peek(view, args.at(1)).map_or(0, |stream| stream.log.weight(range.from, range.to, range.most()))
}
