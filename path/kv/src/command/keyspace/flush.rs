//! All keys go.

use crate::error::Fault;
use crate::frame::{Args, Reply};
use crate::store::View;

/// `FLUSHDB` and `FLUSHALL`: there is one database. Whether the client waits for the end of it is the same: nobody else does.
pub(super) fn flush(view: &mut View<'_>, args: Args<'_>, reply: &mut Reply<'_>) -> Result<(), Fault> {
    let is_known = match args.len() {
        1 => true,
        2 => args.is(1, "SYNC") || args.is(1, "ASYNC"),
        _ => false,
    };
    if !is_known {
        return Err(Fault::SYNTAX);
    }
    clear(view);
    reply.ok();
    Ok(())
}

/// Takes away all keys that are locked.
pub(crate) fn clear(view: &mut View<'_>) {
    let count = view.count();
    let (all, outcome) = view.all_mut();
    all.into_iter().for_each(|keys| keys.clear(outcome));
    // It is written to the log, whatever was there.
    outcome.changes += (count as u64).max(1);
}
