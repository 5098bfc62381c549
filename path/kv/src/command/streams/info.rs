//! `XINFO`: what a stream, its groups and their consumers are like.

use super::groups::no_group;
use super::range::entry;
use super::{info_full, look, misused, peek, tell_help};
use crate::error::Fault;
use crate::frame::{Args, Reply};
use crate::store::View;
use crate::store::stream::{Group, Id, Log, Stream};

/// The stream of the key, which must be there.
fn need<'v>(view: &'v mut View<'_>, args: Args<'_>) -> Result<&'v Stream, Fault> {
    look(view, args.at(2))?.ok_or(Fault::NO_SUCH_KEY)
}

/// Entries of each kind that `FULL` tells, if it is that; 0: all.
fn full(args: Args<'_>) -> Result<Option<usize>, Fault> {
    const FEW: usize = 10;
    match args.len() - 3 {
        0 => Ok(None),
        1 if args.is(3, "FULL") => Ok(Some(FEW)),
        3 if args.is(3, "FULL") && args.is(4, "COUNT") => Ok(Some(usize::try_from(args.int(5)?).unwrap_or(FEW))),
        _ => Err(misused(args)),
    }
}

pub(super) fn stream(view: &mut View<'_>, args: Args<'_>, reply: &mut Reply<'_>) -> Result<(), Fault> {
    let stream = need(view, args)?;
    match full(args)? {
        Some(count) => info_full::tell(stream, if count == 0 { usize::MAX } else { count }, reply),
        None => {
            head(&stream.log, 10, reply);
            number("groups", stream.groups.len(), reply);
            let (first, last) = (stream.log.range(Id::MIN, Id::MAX).next(), stream.log.range_back(Id::MIN, Id::MAX).next());
            for (name, end) in [("first-entry", first), ("last-entry", last)] {
                reply.bulk(name.as_bytes());
                match end {
                    Some(end) => entry(&end, reply),
                    None => reply.null(),
                }
            }
        }
    }
    Ok(())
}

/// The first pairs of a map of so many.
pub(super) fn head(log: &Log, pairs: usize, reply: &mut Reply<'_>) {
    reply.map(pairs);
    number("length", log.len(), reply);
    number("radix-tree-keys", log.nodes(), reply);
    number("radix-tree-nodes", log.tree(), reply);
    id("last-generated-id", log.last(), reply);
    id("max-deleted-entry-id", log.deleted(), reply);
    number("entries-added", log.added() as usize, reply);
    id("recorded-first-entry-id", log.first(), reply);
}

pub(super) fn number(name: &str, number: usize, reply: &mut Reply<'_>) {
    reply.bulk(name.as_bytes());
    reply.int(number as i64);
}

pub(super) fn id(name: &str, id: Id, reply: &mut Reply<'_>) {
    reply.bulk(name.as_bytes());
    reply.bulk(&id.text());
}

/// How far a group has read.
pub(super) fn progress(stream: &Stream, group: &Group, reply: &mut Reply<'_>) {
    id("last-delivered-id", group.last, reply);
    let read = Some(group.read).filter(|read| *read != Group::UNKNOWN);
    for (name, count) in [("entries-read", read), ("lag", stream.lag(group))] {
        reply.bulk(name.as_bytes());
        match count {
            Some(count) => reply.int(count),
            None => reply.null(),
        }
    }
}

pub(super) fn groups(view: &mut View<'_>, args: Args<'_>, reply: &mut Reply<'_>) -> Result<(), Fault> {
    let stream = need(view, args)?;
    reply.array(stream.groups.len());
    for (name, group) in stream.groups.iter() {
        reply.map(6);
        reply.bulk(b"name");
        reply.bulk(name);
        number("consumers", group.len(), reply);
        number("pending", group.pending_count(), reply);
        progress(stream, group, reply);
    }
    Ok(())
}

pub(super) fn consumers(view: &mut View<'_>, args: Args<'_>, reply: &mut Reply<'_>) -> Result<(), Fault> {
    let now = view.now();
    let group = need(view, args)?.groups.get(args.at(3)).ok_or_else(|| no_group(args.at(2), args.at(3)))?;
    reply.array(group.len());
    for consumer in group.consumers() {
        reply.map(3);
        reply.bulk(b"name");
        reply.bulk(&consumer.name);
        number("pending", consumer.pending_count(), reply);
        number("idle", now.saturating_sub(consumer.seen) as usize, reply);
    }
    Ok(())
}

pub(super) fn help(_: &mut View<'_>, _: Args<'_>, reply: &mut Reply<'_>) -> Result<(), Fault> {
    tell_help(
        "XINFO",
        &[
            "CONSUMERS <key> <groupname>",
            "    Show consumers of <groupname>.",
            "GROUPS <key>",
            "    Show the stream consumer groups.",
            "STREAM <key> [FULL [COUNT <count>]",
            "    Show information about the stream.",
        ],
        reply,
    );
    Ok(())
}

/// What is told, and the nodes that are counted.
pub(super) fn cost(view: &View<'_>, args: Args<'_>) -> usize {
    const NODES_AT_ONCE: usize = 16;
    let Some(stream) = peek(view, args.at(2)) else { return 0 };
    let counted = stream.log.nodes() / NODES_AT_ONCE;
    match full(args) {
        _ if args.is(1, "CONSUMERS") => args.get(3).and_then(|name| stream.groups.get(name)).map_or(0, Group::len),
        Ok(Some(count)) => {
            let most = if count == 0 { usize::MAX } else { count };
            let told = |group: &Group| {
                group.pending_count().min(most) + group.consumers().map(|each| 1 + each.pending_count().min(most)).sum::<usize>()
            };
            counted + stream.log.weight(Id::MIN, Id::MAX, most) + stream.groups.iter().map(|(_, group)| told(group)).sum::<usize>()
        }
        _ if args.is(1, "GROUPS") => stream.groups.len(),
        _ => counted,
    }
}
