//! Keys that get another name, and copies of them.

use crate::error::Fault;
use crate::frame::{Args, Reply};
use crate::store::{Class, Kind, View};

const SAME: Fault = Fault::fixed("ERR source and destination objects are the same");
/// Bytes of a big value that it takes as long to copy as an element.
const BYTES: usize = 64;

pub(super) fn rename(view: &mut View<'_>, args: Args<'_>, reply: &mut Reply<'_>) -> Result<(), Fault> {
    shift_to(view, args, true)?;
    reply.ok();
    Ok(())
}

pub(super) fn rename_new(view: &mut View<'_>, args: Args<'_>, reply: &mut Reply<'_>) -> Result<(), Fault> {
    let is_done = shift_to(view, args, false)?;
    reply.int(i64::from(is_done));
    Ok(())
}

/// Gives a key another name; whether that was done.
fn shift_to(view: &mut View<'_>, args: Args<'_>, replaces: bool) -> Result<bool, Fault> {
    let (from, to) = (args.at(1), args.at(2));
    if view.open_any(from, Kind::Str).kind().is_none() {
        return Err(Fault::NO_SUCH_KEY);
    }
    if from == to || (!replaces && view.open_any(to, Kind::Str).kind().is_some()) {
        return Ok(false);
    }
    let whole = view.open_any(from, Kind::Str).take().expect("it is there");
    view.open_any(to, whole.kind).give(whole);
    view.open_any(from, Kind::Str).changed(Class::GENERIC, "rename_from");
    view.open_any(to, Kind::Str).changed(Class::GENERIC, "rename_to");
    Ok(true)
}

pub(super) fn copy(view: &mut View<'_>, args: Args<'_>, reply: &mut Reply<'_>) -> Result<(), Fault> {
    let (from, to) = (args.at(1), args.at(2));
    let replaces = copies_over(args)?;
    if from == to {
        return Err(SAME);
    }
    view.touch(from);
    let copy = if view.kind(from).is_some() { view.open_any(from, Kind::Str).copy() } else { None };
    let Some(copy) = copy.filter(|_| replaces || view.open_any(to, Kind::Str).kind().is_none()) else {
        reply.int(0);
        return Ok(());
    };
    let mut target = view.open_any(to, copy.kind);
    target.give(copy);
    target.changed(Class::GENERIC, "copy_to");
    reply.int(1);
    Ok(())
}

/// Reads the options: whether a key that is there is replaced.
fn copies_over(args: Args<'_>) -> Result<bool, Fault> {
    let (mut replaces, mut at) = (false, 3);
    while at < args.len() {
        if args.is(at, "REPLACE") {
            replaces = true;
        } else if args.is(at, "DB") && at + 1 < args.len() {
            at += 1;
            database(args, at)?;
        } else {
            return Err(Fault::SYNTAX);
        }
        at += 1;
    }
    Ok(replaces)
}

/// The number of a database: there is one.
fn database(args: Args<'_>, at: usize) -> Result<(), Fault> {
    const OUTSIDE: Fault = Fault::fixed("ERR value is out of range, value must between -2147483648 and 2147483647");
    const NONE: Fault = Fault::fixed("ERR DB index is out of range");
    match i32::try_from(args.int(at)?) {
        Ok(0) => Ok(()),
        Ok(_) => Err(NONE),
        Err(_) => Err(OUTSIDE),
    }
}

/// `MOVE`: to another database, and there is none.
pub(super) fn shift(_: &mut View<'_>, args: Args<'_>, _: &mut Reply<'_>) -> Result<(), Fault> {
    database(args, 2)?;
    Err(SAME)
}

pub(super) fn copy_cost(view: &View<'_>, args: Args<'_>) -> usize {
    let Some(held) = view.weight(args.at(1)) else { return 0 };
    match held {
        (Kind::Str, bytes) => bytes / 1024,
        (_, bytes) => bytes / BYTES,
    }
}
