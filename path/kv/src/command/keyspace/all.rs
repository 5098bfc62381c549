//! All keys: how many there are, one by chance, and which.

use crate::command::scan::{Scan, cursor, head};
use crate::error::Fault;
use crate::frame::{Args, Reply};
use crate::store::{Kind, View};

/// How often one is picked by chance that is overdue, before it is given up.
const TRIES: usize = 100;

pub(super) fn count(view: &mut View<'_>, _: Args<'_>, reply: &mut Reply<'_>) -> Result<(), Fault> {
    reply.int(view.count() as i64);
    Ok(())
}

/// `RANDOMKEY`.
pub(super) fn random(view: &mut View<'_>, _: Args<'_>, reply: &mut Reply<'_>) -> Result<(), Fault> {
    for _ in 0..TRIES {
        let Some(key) = view.pick() else { break };
        // One that is overdue goes.
        if view.open_any(&key, Kind::Str).kind().is_some() {
            reply.bulk(&key);
            return Ok(());
        }
    }
    reply.null();
    Ok(())
}

pub(super) fn keys(view: &mut View<'_>, args: Args<'_>, reply: &mut Reply<'_>) -> Result<(), Fault> {
    let scan = Scan::of(args.at(1));
    let (hole, mut count) = (reply.later(0), 0);
    view.scan(0, usize::MAX, |key, _| {
        if scan.wants(key) {
            reply.bulk(key);
            count += 1;
        }
    });
    reply.fill(hole, count);
    Ok(())
}

pub(super) fn scan(view: &mut View<'_>, args: Args<'_>, reply: &mut Reply<'_>) -> Result<(), Fault> {
    let cursor = cursor(args.at(1))?;
    let scan = Scan::read(args.from(2), true)?;
    let is_of = |kind: Kind| scan.kind.is_none_or(|name| kind.name().as_bytes().eq_ignore_ascii_case(name));
    let mut found = Vec::new();
    let next = view.scan(cursor, scan.count, |key, kind| {
        if scan.wants(key) && is_of(kind) {
            found.push(Box::<[u8]>::from(key));
        }
    });
    head(next, reply);
    reply.array(found.len());
    found.iter().for_each(|key| reply.bulk(key));
    Ok(())
}

pub(super) fn scan_cost(view: &View<'_>, args: Args<'_>) -> usize {
    Scan::cost(args.from(2), view.count())
}
