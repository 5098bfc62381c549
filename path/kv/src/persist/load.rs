//! Reads a base. What is not whole is refused: it was whole when it was put in place.

use std::io::Read;
use std::sync::Arc;

use super::block::{self, Blocks, Head, Holds, Kind, Next, NoHead};
use super::record;
use crate::form::Reader;
use crate::store::{Ms, Outcome, Store, View};

/// What was read of a base.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Loaded {
    pub(super) head: Head,
    pub(super) keys: u64,
    /// Keys that were overdue, and were left out.
    pub(super) overdue: u64,
}

/// Reads a file of `length` bytes into a store that is empty and that nobody else uses. Keys that are overdue at `now` are left out
/// if no log follows, which may still speak of them. `each` is called now and then, when memory may be full.
///
/// # Errors
/// Why the file is refused; part of it may be in the store then.
pub(super) fn base(
    mut from: impl Read,
    length: u64,
    store: &Arc<Store>,
    now: Ms,
    leaves_out: bool,
    mut each: impl FnMut(),
) -> Result<Loaded, String> {
    let head = read_head(&mut from, Kind::Base)?;
    let mut blocks = Blocks::new(from, head.generation, length);
    let mut loaded = Loaded { head, keys: 0, overdue: 0 };
    let mut outcome = Outcome::default();
    loop {
        let at = blocks.at;
        match blocks.next().map_err(|error| format!("cannot be read at byte {at}: {error}"))? {
            Next::Block(Holds::Keys, bytes) => {
                let Ok(mut guards) = store.lock_many(0..store.count()) else { return Err("is read while a worker has keys".into()) };
                let locked = guards.iter_mut().map(|(number, keys)| (*number, &mut **keys));
                let mut view = store.view_many(locked, now, &mut outcome);
                let done = keys(&mut Reader::new(bytes), &mut view, leaves_out.then_some(now));
                let (put, overdue) = done.ok_or_else(|| format!("makes no sense at byte {at}"))?;
                (loaded.keys, loaded.overdue) = (loaded.keys + put, loaded.overdue + overdue);
                drop(guards);
                each();
            }
            Next::Block(Holds::End, bytes) => {
                let all = loaded.keys + loaded.overdue;
                let is_whole = bytes == all.to_le_bytes() && matches!(blocks.next(), Ok(Next::End));
                return if is_whole { Ok(loaded) } else { Err(format!("ends wrongly at byte {at}, after {all} keys")) };
            }
            Next::Unknown(number) => return Err(unknown(at, number)),
            Next::End | Next::Torn => return Err(format!("was cut off: it ends at byte {at}, and its end is missing")),
            Next::Block(Holds::Commands, _) | Next::Garbled => return Err(format!("is damaged at byte {at}: its checksum is wrong")),
        }
    }
}

pub(super) fn unknown(at: u64, number: u8) -> String {
    format!("was written by a newer Plimsoll: at byte {at} it holds what is not known here ({number})")
}

/// The head of a file of this kind.
///
/// # Errors
/// Why the file is refused.
pub(super) fn read_head(from: &mut impl Read, kind: Kind) -> Result<Head, String> {
    let mut bytes = Vec::new();
    from.by_ref().take(block::HEAD as u64).read_to_end(&mut bytes).map_err(|error| format!("cannot be read: {error}"))?;
    match Head::of(&bytes) {
        Ok(head) if head.kind == kind => Ok(head),
        Ok(_) => Err("is of another kind than its name says".into()),
        Err(NoHead::Version(version)) => {
            Err(format!("was written by a newer Plimsoll: its form is version {version}, the newest known here is {}", block::VERSION))
        }
        Err(NoHead::Short) => Err(format!("was cut off: it has only {} bytes", bytes.len())),
        Err(NoHead::Foreign) => Err("is no file of Plimsoll's keys".into()),
        Err(NoHead::Garbled) => Err("is damaged: the checksum of its head is wrong".into()),
    }
}

/// Puts the keys of a block in their places, but for those that are overdue at `unless`; gives how many were, and how many were not.
/// None if it makes no sense.
pub(super) fn keys(from: &mut Reader<'_>, view: &mut View<'_>, unless: Option<Ms>) -> Option<(u64, u64)> {
    let (mut put, mut overdue) = (0, 0);
    while !from.is_empty() {
        let read = record::read(from)?;
        if read.expiry.zip(unless).is_some_and(|(expiry, now)| expiry <= now) {
            overdue += 1;
            continue;
        }
        if !read.put(view) {
            return None;
        }
        put += 1;
    }
    view.outcome.clear();
    Some((put, overdue))
}
