//! Items: what clients of memcached see of the keys. An item is a string; a key of another type is not seen, and not touched.

use super::request::{Mode, fits};
use crate::command::TAG;
use crate::store::{Class, Kind, Ms, Slot, Tag, Value, View};

/// Seconds above which a time is one since 1970.
const LONGEST: i32 = 30 * 24 * 60 * 60;

/// It is of another type.
pub(super) const OTHER_TYPE: &str = "SERVER_ERROR the key holds a value of another type";
pub(super) const NO_NUMBER: &str = "CLIENT_ERROR cannot increment or decrement non-numeric value";

/// How long an item is there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Until {
    Never,
    At(Ms),
    Past,
}

/// How storing went.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Verdict {
    Stored,
    NotStored,
    Exists,
    NotFound,
}

/// What is to be stored.
#[derive(Debug, Clone, Copy)]
pub(super) struct Put<'b> {
    pub(super) mode: Mode,
    pub(super) data: &'b [u8],
    pub(super) flags: u32,
    pub(super) until: Until,
    /// It must be this one; 0 in a text command: any.
    pub(super) cas: Option<u64>,
    /// It is this one from now on.
    pub(super) new_cas: Option<u64>,
    /// One that is older is stored, but as stale.
    pub(super) is_invalidating: bool,
}

/// What becomes of a number.
#[derive(Debug, Clone, Copy)]
pub(super) struct Change {
    pub(super) by: u64,
    pub(super) is_up: bool,
    pub(super) cas: Option<u64>,
    pub(super) new_cas: Option<u64>,
}

/// How a change of a number went.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Changed {
    To(u64),
    NotFound,
    Exists,
}

impl Until {
    /// Of seconds from now on, or since 1970 when they are many.
    pub(super) fn new(exptime: i32, now: Ms) -> Until {
        let moment = match exptime {
            0 => return Until::Never,
            ..0 => 0,
            1..=LONGEST => now + exptime as Ms * 1000,
            _ => exptime as Ms * 1000,
        };
        if moment <= now { Until::Past } else { Until::At(moment) }
    }

    /// As the store has it; what is past is no expiry.
    fn expiry(self) -> Option<Ms> {
        match self {
            Until::At(moment) => Some(moment),
            Until::Never | Until::Past => None,
        }
    }
}

/// Whole seconds from `now` to a moment, as far as one is begun.
pub(super) fn seconds_until(moment: Ms, now: Ms) -> u64 {
    moment.saturating_sub(now).div_ceil(1000)
}

/// The bytes of a slot that has a string.
pub(super) fn text<'s>(slot: &'s Slot<'_>) -> &'s [u8] {
    match slot.value() {
        Some(Value::Bytes(bytes)) => bytes,
        _ => &[],
    }
}

/// The key for a command that may change it; none if it is not there.
///
/// # Errors
/// It is of another type.
pub(super) fn open<'s>(view: &'s mut View<'_>, key: &'s [u8]) -> Result<Option<Slot<'s>>, &'static str> {
    let slot = view.open_any(key, Kind::Str);
    match slot.kind() {
        None => Ok(None),
        Some(Kind::Str) => Ok(Some(slot)),
        Some(_) => Err(OTHER_TYPE),
    }
}

/// Tells the log what was done to a key, before which there were `before` changes. What somebody only asked for is not told.
pub(super) fn tell(view: &mut View<'_>, key: &[u8], before: u64) {
    if view.outcome.logs
        && view.outcome.changes > before
        && let Some(tag) = view.tag(key)
    {
        view.outcome.effect(&[TAG, key, &tag.bytes()]);
    }
    view.outcome.tell_all();
}

/// The log is to say what the slot holds now.
pub(super) fn log(slot: &mut Slot<'_>, key: &[u8]) {
    if !slot.outcome().logs {
        return;
    }
    let (value, expiry) = (text(slot).to_vec(), slot.expiry().map(|expiry| expiry.to_string()));
    match expiry {
        Some(expiry) => slot.outcome().effect(&[b"SET", key, &value, b"PXAT", expiry.as_bytes()]),
        None => slot.outcome().effect(&[b"SET", key, &value]),
    }
}

/// It goes.
pub(super) fn remove(mut slot: Slot<'_>, key: &[u8]) {
    slot.remove();
    slot.changed(Class::GENERIC, "del");
    slot.outcome().effect(&[b"DEL", key]);
}

/// It is there until then.
pub(super) fn set_until(mut slot: Slot<'_>, key: &[u8], until: Until) {
    let event = match until {
        Until::Past => return remove(slot, key),
        Until::At(_) => "expire",
        Until::Never => "persist",
    };
    if slot.expiry() == until.expiry() {
        return;
    }
    let tag = slot.tag();
    slot.set_expiry(until.expiry());
    slot.changed(Class::GENERIC, event);
    // It is still the same.
    keep(&mut slot, tag);
    match until.expiry() {
        Some(moment) => slot.outcome().effect(&[b"PEXPIREAT", key, moment.to_string().as_bytes()]),
        None => slot.outcome().effect(&[b"PERSIST", key]),
    }
}

/// The tag is as it was.
pub(super) fn keep(slot: &mut Slot<'_>, tag: Option<Tag>) {
    if let Some(tag) = tag {
        slot.set_tag(tag);
    }
}

/// It was asked for.
pub(super) fn note_fetched(slot: &mut Slot<'_>) {
    if let Some(tag) = slot.tag().filter(|tag| !tag.is_fetched) {
        slot.set_tag(Tag { is_fetched: true, ..tag });
    }
}

/// Stores an item as its mode says.
///
/// # Errors
/// The key is of another type.
pub(super) fn store(view: &mut View<'_>, key: &[u8], put: &Put<'_>) -> Result<(Verdict, u64), &'static str> {
    let mut slot = view.open_any(key, Kind::Str);
    let is_there = match slot.kind() {
        None => false,
        Some(Kind::Str) => true,
        Some(_) => return Err(OTHER_TYPE),
    };
    if !is_there {
        return Ok(match put.mode {
            Mode::Set | Mode::Add => write(slot, key, put, Tag::default()),
            Mode::Cas => (Verdict::NotFound, 0),
            Mode::Replace | Mode::Append | Mode::Prepend => (Verdict::NotStored, 0),
        });
    }
    let there = slot.tag();
    let is_same = put.cas.is_some_and(|cas| cas != 0 && there.is_some_and(|tag| tag.cas == cas));
    Ok(match put.mode {
        Mode::Add => (Verdict::NotStored, 0),
        Mode::Set | Mode::Replace => write(slot, key, put, Tag::default()),
        Mode::Cas if is_same => write(slot, key, put, Tag::default()),
        Mode::Cas => match (put.cas, there) {
            (Some(cas), Some(tag)) if put.is_invalidating && cas != 0 && cas < tag.cas => {
                let until = slot.expiry().map_or(Until::Never, Until::At);
                let stale = Tag { is_stale: true, is_won: tag.is_won, ..Tag::default() };
                write(slot, key, &Put { until, ..*put }, stale)
            }
            _ => (Verdict::Exists, 0),
        },
        Mode::Append | Mode::Prepend if !is_same && put.cas.is_some_and(|cas| cas != 0) => (Verdict::Exists, 0),
        Mode::Append | Mode::Prepend => extend(&mut slot, key, put),
    })
}

fn write(mut slot: Slot<'_>, key: &[u8], put: &Put<'_>, tag: Tag) -> (Verdict, u64) {
    slot.put_tagged(put.data, put.until.expiry(), Tag { flags: put.flags, ..tag });
    if put.until == Until::Past {
        // It is not seen any more, but its number is another one.
        let cas = number(&mut slot, put.new_cas);
        remove(slot, key);
        return (Verdict::Stored, cas);
    }
    slot.changed(Class::STRING, "set");
    if put.until != Until::Never {
        slot.outcome().happened(Class::GENERIC, "expire", key);
    }
    log(&mut slot, key);
    (Verdict::Stored, number(&mut slot, put.new_cas))
}

/// The `cas` of an item that was changed, if that was asked for the one that it is to have.
pub(super) fn number(slot: &mut Slot<'_>, new_cas: Option<u64>) -> u64 {
    let tag = if new_cas.is_some() { slot.tag_or_new() } else { slot.tag() };
    let Some(tag) = tag else { return 0 };
    let cas = new_cas.unwrap_or(tag.cas);
    slot.set_tag(Tag { cas, ..tag });
    cas
}

/// Adds to what is there, in front of it or behind it.
fn extend(slot: &mut Slot<'_>, key: &[u8], put: &Put<'_>) -> (Verdict, u64) {
    let (old, more) = (text(slot).len(), put.data.len());
    let flags = slot.tag().map_or(0, |tag| tag.flags);
    if !fits(key.len(), flags, old + more) {
        return (Verdict::NotStored, 0);
    }
    slot.resize(old + more);
    let bytes = slot.bytes_mut().expect("a string is there");
    if put.mode == Mode::Append {
        bytes[old..].copy_from_slice(put.data);
    } else {
        bytes.copy_within(..old, more);
        bytes[..more].copy_from_slice(put.data);
    }
    slot.set_mark(true);
    // Redis has no name for what puts bytes in front.
    slot.changed(Class::STRING, if put.mode == Mode::Append { "append" } else { "setrange" });
    if let Some(tag) = slot.tag_or_new() {
        slot.set_tag(Tag { is_fetched: false, is_stale: false, is_won: false, ..tag });
    }
    log(slot, key);
    (Verdict::Stored, number(slot, put.new_cas))
}

/// Adds to a number, or takes from it.
///
/// # Errors
/// It is no number, or of another type.
pub(super) fn change(view: &mut View<'_>, key: &[u8], change: &Change) -> Result<Changed, &'static str> {
    let Some(mut slot) = open(view, key)? else { return Ok(Changed::NotFound) };
    if text(&slot).is_empty() {
        return Err(NO_NUMBER);
    }
    if change.cas.is_some_and(|cas| cas != 0 && slot.tag().is_none_or(|tag| tag.cas != cas)) {
        return Ok(Changed::Exists);
    }
    let old = super::number::unsigned(text(&slot)).ok_or(NO_NUMBER)?;
    let new = if change.is_up { old.wrapping_add(change.by) } else { old.saturating_sub(change.by) };
    let digits = new.to_string();
    match slot.bytes_mut() {
        Some(bytes) if bytes.len() == digits.len() => bytes.copy_from_slice(digits.as_bytes()),
        _ => slot.put(digits.as_bytes()),
    }
    slot.set_mark(false);
    slot.changed(Class::STRING, "incrby");
    number(&mut slot, change.new_cas);
    log(&mut slot, key);
    Ok(Changed::To(new))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_from_now_on_or_since_1970() {
        let now = 1_790_000_000_500;
        assert_eq!((Until::new(0, now), Until::new(-1, now), Until::new(100, now)), (Until::Never, Until::Past, Until::At(now + 100_000)));
        assert_eq!((Until::new(LONGEST, now), Until::new(LONGEST + 1, now)), (Until::At(now + LONGEST as Ms * 1000), Until::Past));
        assert_eq!(Until::new(1_790_000_001, now), Until::At(1_790_000_001_000));
        assert_eq!((seconds_until(now + 1, now), seconds_until(now + 1000, now), seconds_until(now, now)), (1, 1, 0));
    }
}
