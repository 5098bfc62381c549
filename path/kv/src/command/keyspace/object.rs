//! `OBJECT`: how a key is kept.

use super::dump;
use crate::command::{self, strings};
use crate::error::Fault;
use crate::frame::{Args, Reply};
use crate::store::{Kind, View, hash, set, sorted};

/// How often Redis counts an object that all have.
const SHARED: i64 = i32::MAX as i64;

pub(super) fn help(_: &mut View<'_>, _: Args<'_>, reply: &mut Reply<'_>) -> Result<(), Fault> {
    command::help(reply, "OBJECT", &["ENCODING key", "FREQ key", "IDLETIME key", "REFCOUNT key"])
}

/// Has `ask` answer for a key that is there, which is no use of it.
fn ask(
    view: &mut View<'_>,
    args: Args<'_>,
    reply: &mut Reply<'_>,
    ask: impl FnOnce(&View<'_>, &[u8], Kind, &mut Reply<'_>),
) -> Result<(), Fault> {
    let key = args.at(2);
    match view.is_there(key).then(|| view.kind(key)).flatten() {
        Some(kind) => ask(view, key, kind, reply),
        None => reply.null(),
    }
    Ok(())
}

/// The bytes of a string.
fn string<'v>(view: &'v View<'_>, key: &[u8]) -> &'v [u8] {
    strings::peek(view, key).unwrap_or_default()
}

pub(super) fn encoding(view: &mut View<'_>, args: Args<'_>, reply: &mut Reply<'_>) -> Result<(), Fault> {
    ask(view, args, reply, |view, key, kind, reply| reply.bulk(form(view, key, kind).as_bytes()))
}

/// What Redis would call the form of a key of this kind.
fn form(view: &View<'_>, key: &[u8], kind: Kind) -> &'static str {
    let mark = view.mark(key);
    match kind {
        Kind::Str => strings::encoding(string(view, key), mark),
        Kind::Hash => hash::encoding(mark),
        Kind::Set => set::encoding(mark),
        Kind::List => "quicklist",
        Kind::Sorted => sorted::encoding(mark),
        Kind::Stream => "stream",
    }
}

/// `DEBUG OBJECT`: all of it in one line; where it lies is nobody's business.
pub(in crate::command) fn debug(view: &mut View<'_>, args: Args<'_>, reply: &mut Reply<'_>) -> Result<(), Fault> {
    const NO_KEY: Fault = Fault::fixed("ERR no such key");
    let key = args.at(2);
    let kind = view.is_there(key).then(|| view.kind(key)).flatten().ok_or(NO_KEY)?;
    let (form, idle) = (form(view, key, kind), view.idle(key).unwrap_or_default() / 1000);
    let lru = (view.now() / 1000).saturating_sub(idle) & 0xff_ffff;
    let length = dump::body(view, key).map_or(0, |body| body.len());
    reply.simple(&format!("Value at:0x0 refcount:1 encoding:{form} serializedlength:{length} lru:{lru} lru_seconds_idle:{idle}"));
    Ok(())
}

/// It writes what the key holds to see how long that is.
pub(in crate::command) fn debug_cost(view: &View<'_>, args: Args<'_>) -> usize {
    dump::weight(view, args.at(2))
}

pub(super) fn holders(view: &mut View<'_>, args: Args<'_>, reply: &mut Reply<'_>) -> Result<(), Fault> {
    ask(view, args, reply, |view, key, kind, reply| {
        let is_shared = kind == Kind::Str && strings::is_shared(string(view, key), view.mark(key));
        reply.int(if is_shared { SHARED } else { 1 });
    })
}

pub(super) fn frequency(view: &mut View<'_>, args: Args<'_>, reply: &mut Reply<'_>) -> Result<(), Fault> {
    const NOT_COUNTED: Fault = Fault::fixed(
        "ERR An LFU maxmemory policy is not selected, access frequency not tracked. Please note that when switching between policies \
         at runtime LRU and LFU data will take some time to adjust.",
    );
    match view.frequency(args.at(2)) {
        Some(Some(count)) => reply.int(count.into()),
        Some(None) => return Err(NOT_COUNTED),
        None => reply.null(),
    }
    Ok(())
}

pub(super) fn idle(view: &mut View<'_>, args: Args<'_>, reply: &mut Reply<'_>) -> Result<(), Fault> {
    const NOT_KEPT: Fault = Fault::fixed(
        "ERR An LFU maxmemory policy is selected, idle time not tracked. Please note that when switching between policies at runtime LRU \
         and LFU data will take some time to adjust.",
    );
    match view.idle(args.at(2)) {
        Some(_) if view.frequency(args.at(2)).flatten().is_some() => return Err(NOT_KEPT),
        Some(idle) => reply.int((idle / 1000) as i64),
        None => reply.null(),
    }
    Ok(())
}
