//! `XDEL`, and `XSETID`, which sets what is remembered of entries that are gone.

use super::{ids, noted};
use crate::error::Fault;
use crate::frame::{Args, Reply};
use crate::store::stream::{Id, Stream};
use crate::store::{Class, Kind, View};

pub(super) fn delete(view: &mut View<'_>, args: Args<'_>, reply: &mut Reply<'_>) -> Result<(), Fault> {
    let mut slot = view.open(args.at(1), Kind::Stream)?;
    let Some(stream) = Stream::in_slot(&mut slot) else {
        reply.int(0);
        return Ok(());
    };
    let count = ids::all(args.from(2))?.into_iter().filter(|id| stream.log.delete(*id)).count();
    reply.int(count as i64);
    if count > 0 {
        slot.changed(Class::STREAM, "xdel");
    }
    Ok(())
}

/// What `XSETID` sets.
struct Marks {
    last: Id,
    added: Option<u64>,
    deleted: Option<Id>,
}

impl Marks {
    fn read(args: Args<'_>) -> Result<Marks, Fault> {
        let mut marks = Marks { last: ids::strict(args.at(2))?, added: None, deleted: None };
        let mut at = 3;
        while at < args.len() {
            let has_more = at + 1 < args.len();
            if has_more && args.is(at, "ENTRIESADDED") {
                let added = u64::try_from(args.int(at + 1)?);
                marks.added = Some(added.map_err(|_| Fault::fixed("ERR entries_added must be positive"))?);
            } else if has_more && args.is(at, "MAXDELETEDID") {
                let deleted = ids::strict(args.at(at + 1))?;
                if marks.last < deleted {
                    return Err(Fault::fixed("ERR The ID specified in XSETID is smaller than the provided max_deleted_entry_id"));
                }
                marks.deleted = Some(deleted).filter(|id| *id != Id::MIN);
            } else {
                return Err(Fault::SYNTAX);
            }
            at += 2;
        }
        Ok(marks)
    }
}

pub(super) fn set_id(view: &mut View<'_>, args: Args<'_>, reply: &mut Reply<'_>) -> Result<(), Fault> {
    let marks = Marks::read(args)?;
    let mut slot = view.open(args.at(1), Kind::Stream)?;
    let Some(Stream { log, .. }) = Stream::in_slot(&mut slot) else { return Err(Fault::NO_SUCH_KEY) };
    if log.latest().is_some_and(|latest| marks.last < latest) {
        return Err(Fault::fixed("ERR The ID specified in XSETID is smaller than the target stream top item"));
    }
    if log.len() > 0 && marks.added.is_some_and(|added| added < log.len() as u64) {
        return Err(Fault::fixed("ERR The entries_added specified in XSETID is smaller than the target stream length"));
    }
    log.set(marks.last, marks.added, marks.deleted);
    noted(slot.outcome(), args.at(1), "xsetid");
    reply.ok();
    Ok(())
}
