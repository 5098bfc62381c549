//! Commands that tell when fields expire: -2 of a field that is not there, -1 of one that never does.

use super::read;
use crate::error::Fault;
use crate::frame::{Args, Reply};
use crate::store::{Ms, View};

pub(super) fn seconds_left(view: &mut View<'_>, args: Args<'_>, reply: &mut Reply<'_>) -> Result<(), Fault> {
    let now = view.now();
    tell(view, args, reply, |until| (until - now).div_ceil(1000))
}

pub(super) fn milliseconds_left(view: &mut View<'_>, args: Args<'_>, reply: &mut Reply<'_>) -> Result<(), Fault> {
    let now = view.now();
    tell(view, args, reply, |until| until - now)
}

pub(super) fn second(view: &mut View<'_>, args: Args<'_>, reply: &mut Reply<'_>) -> Result<(), Fault> {
    tell(view, args, reply, |until| until.div_ceil(1000))
}

pub(super) fn millisecond(view: &mut View<'_>, args: Args<'_>, reply: &mut Reply<'_>) -> Result<(), Fault> {
    tell(view, args, reply, |until| until)
}

fn tell(view: &mut View<'_>, args: Args<'_>, reply: &mut Reply<'_>, says: impl Fn(Ms) -> u64) -> Result<(), Fault> {
    let hash = read(view, args)?;
    let fields = named(args, 2, "ERR Number of fields must be a positive integer")?;
    reply.array(fields.len());
    for field in fields.iter() {
        reply.int(match hash.and_then(|hash| hash.expiry(field)) {
            None => -2,
            Some(None) => -1,
            Some(Some(until)) => says(until) as i64,
        });
    }
    Ok(())
}

/// The fields of `FIELDS numfields field …` at a place.
pub(super) fn named<'a>(args: Args<'a>, at: usize, no_count: &'static str) -> Result<Args<'a>, Fault> {
    const MISSING: Fault = Fault::fixed("ERR Mandatory argument FIELDS is missing or not at the right position");
    const MISMATCH: Fault = Fault::fixed("ERR The `numfields` parameter must match the number of arguments");
    if !args.is(at, "FIELDS") {
        return Err(MISSING);
    }
    let count = args.int(at + 1).ok().and_then(|count| usize::try_from(count).ok()).filter(|count| *count > 0);
    let fields = args.from(at + 2);
    match count.ok_or(Fault::fixed(no_count))? {
        count if count == fields.len() => Ok(fields),
        _ => Err(MISMATCH),
    }
}
