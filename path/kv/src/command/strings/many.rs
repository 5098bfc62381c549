//! Commands on many strings at once.

use super::whole::is_there;
use super::{peek, read};
use crate::command::find;
use crate::error::Fault;
use crate::frame::{Args, Reply};
use crate::store::{Class, Kind, View};

pub(super) fn get(view: &mut View<'_>, args: Args<'_>, reply: &mut Reply<'_>) -> Result<(), Fault> {
    reply.array(args.len() - 1);
    for key in args.from(1).iter() {
        match read(view, key) {
            Ok(Some(text)) => reply.bulk(text),
            // What is of another kind is not there for it.
            Ok(None) | Err(_) => reply.null(),
        }
    }
    Ok(())
}

pub(super) fn get_cost(view: &View<'_>, args: Args<'_>) -> usize {
    let few = args.len() < 16;
    let bytes = |key| if few { 0 } else { peek(view, key).map_or(0, <[u8]>::len) };
    args.len() + args.from(1).iter().map(bytes).sum::<usize>() / 1024
}

pub(super) fn set(view: &mut View<'_>, args: Args<'_>, reply: &mut Reply<'_>) -> Result<(), Fault> {
    check(args)?;
    put(view, args);
    reply.ok();
    Ok(())
}

pub(super) fn set_new(view: &mut View<'_>, args: Args<'_>, reply: &mut Reply<'_>) -> Result<(), Fault> {
    check(args)?;
    let is_new = !args.from(1).iter().step_by(2).any(|key| is_there(view, key));
    if is_new {
        put(view, args);
    }
    reply.int(i64::from(is_new));
    Ok(())
}

/// Each key must have a value.
fn check(args: Args<'_>) -> Result<(), Fault> {
    if args.len().is_multiple_of(2) { Err(find(args.at(0)).expect("it was found").wrong_count()) } else { Ok(()) }
}

fn put(view: &mut View<'_>, args: Args<'_>) {
    for at in (1..args.len()).step_by(2) {
        let mut slot = view.open_any(args.at(at), Kind::Str);
        slot.put_until(args.at(at + 1), None);
        slot.changed(Class::STRING, "set");
    }
}
