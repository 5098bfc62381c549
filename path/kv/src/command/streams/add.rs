//! `XADD`.

use super::trim::{self, New, Options, exactly};
use crate::error::Fault;
use crate::frame::{Args, Reply};
use crate::store::stream::{Id, Log, Stream};
use crate::store::{Class, Kind, Ms, View};

/// Most bytes of the fields and values of an entry.
const LONGEST: usize = 1 << 30;

pub(super) fn add(view: &mut View<'_>, args: Args<'_>, reply: &mut Reply<'_>) -> Result<(), Fault> {
    let options = Options::read(args, true)?;
    let (key, pairs, now) = (args.at(1), args.from(options.at + 1), view.now());
    if pairs.is_empty() || !pairs.len().is_multiple_of(2) {
        return Err(Fault::fixed("ERR wrong number of arguments for 'xadd' command"));
    }
    if options.id == New::Id(Id::MIN) {
        return Err(Fault::fixed("ERR The ID specified in XADD must be greater than 0-0"));
    }
    let mut slot = view.open(key, Kind::Stream)?;
    if options.only_there && slot.kind().is_none() {
        reply.null();
        return Ok(());
    }
    let id = match slot.value() {
        Some(value) => new_id(options.id, &Stream::of(value).log, now)?,
        None => new_id(options.id, &Log::default(), now)?,
    };
    if pairs.iter().map(<[u8]>::len).sum::<usize>() > LONGEST {
        return Err(Fault::fixed("ERR Elements are too large to be stored"));
    }
    let log = &mut Stream::in_slot_or_new(&mut slot).log;
    log.push(id, pairs);
    let gone = options.trim.map_or(0, |trim| log.trim(trim));
    let exact = options.trim.map(|trim| exactly(trim, log));
    reply.bulk(&id.text());
    slot.changed(Class::STREAM, "xadd");
    if gone > 0 {
        slot.outcome().happened(Class::STREAM, "xtrim", key);
    }
    if slot.outcome().logs && (!matches!(options.id, New::Id(_)) || options.trim.is_some_and(|trim| trim.roughly)) {
        let text = id.text();
        let trim = exact.iter().flat_map(|(how, what)| [how, &b"="[..], what]);
        let words: Vec<&[u8]> = [&b"XADD"[..], key].into_iter().chain(trim).chain([&*text]).chain(pairs.iter()).collect();
        slot.outcome().effect(&words);
    }
    Ok(())
}

/// The ID that a new entry gets.
fn new_id(new: New, log: &Log, now: Ms) -> Result<Id, Fault> {
    if log.last() == Id::MAX {
        return Err(Fault::fixed("ERR The stream has exhausted the last possible ID, unable to add more items"));
    }
    let id = match new {
        New::Now => log.next(now),
        New::At(ms) => log.next_at(ms),
        New::Id(id) => Some(id),
    };
    id.filter(|id| *id > log.last()).ok_or(Fault::fixed("ERR The ID specified in XADD is equal or smaller than the target stream top item"))
}

pub(super) fn cost(view: &View<'_>, args: Args<'_>) -> usize {
    // Without options there is nothing to trim.
    if args.at(2) == b"*" { 0 } else { trim::weight(view, args, Options::read(args, true).ok().and_then(|options| options.trim)) }
}
