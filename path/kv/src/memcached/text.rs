//! The text protocol: what each command does, and what it says.

use super::answer::{Batch, Wait, is_full, say};
use super::item::{self, Change, Changed, Put, Until, Verdict};
use super::request::{Mode, Store};
use crate::frame::write_unsigned;
use crate::store::{Kind, View};

/// `get` and its like: each key is looked up by itself; `done` bytes of them are answered already.
pub(super) fn get(
    batch: &mut Batch<'_>,
    keys: &[u8],
    gives_cas: bool,
    exptime: Option<i32>,
    done: &mut usize,
    out: &mut Vec<u8>,
) -> Result<(), Wait> {
    let until = exptime.map(|exptime| Until::new(exptime, batch.now));
    while let Some((start, end)) = next_word(keys, *done) {
        if is_full(out) {
            return Err(Wait::Full);
        }
        let key = &keys[start..end];
        let is_hit = batch.on_key(key, |view| get_one(view, key, gives_cas, until, out))?;
        match (until, is_hit) {
            (None, true) => batch.count(|tally| &tally.get_hits),
            (None, false) => batch.count(|tally| &tally.get_misses),
            (Some(_), true) => batch.count(|tally| &tally.touch_hits),
            (Some(_), false) => batch.count(|tally| &tally.touch_misses),
        }
        batch.count(|tally| if until.is_some() { &tally.cmd_touch } else { &tally.cmd_get });
        *done = end;
    }
    say(out, "END");
    Ok(())
}

/// Where the next word begins and ends.
fn next_word(text: &[u8], from: usize) -> Option<(usize, usize)> {
    let start = from + text[from..].iter().position(|byte| *byte != b' ')?;
    let end = text[start..].iter().position(|byte| *byte == b' ').map_or(text.len(), |length| start + length);
    Some((start, end))
}

fn get_one(view: &mut View<'_>, key: &[u8], gives_cas: bool, until: Option<Until>, out: &mut Vec<u8>) -> bool {
    let mut slot = view.find(key, Kind::Str);
    if slot.kind() != Some(Kind::Str) {
        return false;
    }
    let tag = if gives_cas { slot.tag_or_new() } else { slot.tag() };
    let value = item::text(&slot);
    out.reserve(key.len() + value.len() + 64);
    out.extend_from_slice(b"VALUE ");
    out.extend_from_slice(key);
    let numbers = [tag.map_or(0, |tag| u64::from(tag.flags)), value.len() as u64, tag.map_or(0, |tag| tag.cas)];
    for number in &numbers[..if gives_cas { 3 } else { 2 }] {
        out.push(b' ');
        write_unsigned(*number, out);
    }
    out.extend_from_slice(b"\r\n");
    out.extend_from_slice(value);
    out.extend_from_slice(b"\r\n");
    item::note_fetched(&mut slot);
    if let Some(until) = until {
        item::set_until(slot, key, until);
    }
    true
}

/// `set` and its like.
pub(super) fn store(batch: &mut Batch<'_>, store: &Store<'_>, out: &mut Vec<u8>) -> Result<(), Wait> {
    let until = Until::new(store.exptime, batch.now);
    let cas = (store.mode == Mode::Cas).then_some(store.cas);
    let put = Put { mode: store.mode, data: store.data, flags: store.flags, until, cas, new_cas: None, is_invalidating: false };
    let said = match batch.room() {
        Ok(()) => match batch.on_key(store.key, |view| item::store(view, store.key, &put))? {
            Ok((stored, _)) => {
                count_store(batch, put.mode, stored);
                said(stored)
            }
            Err(why) => why,
        },
        Err(why) => why,
    };
    say(out, if store.is_quiet { "" } else { said });
    Ok(())
}

/// Counts what was stored, or not.
pub(super) fn count_store(batch: &Batch<'_>, mode: Mode, stored: Verdict) {
    batch.count(|tally| &tally.cmd_set);
    match (mode, stored) {
        (Mode::Cas, Verdict::Stored) => batch.count(|tally| &tally.cas_hits),
        (Mode::Cas, Verdict::NotFound) => batch.count(|tally| &tally.cas_misses),
        (Mode::Cas, _) => batch.count(|tally| &tally.cas_badval),
        _ => {}
    }
}

fn said(stored: Verdict) -> &'static str {
    match stored {
        Verdict::Stored => "STORED",
        Verdict::NotStored => "NOT_STORED",
        Verdict::Exists => "EXISTS",
        Verdict::NotFound => "NOT_FOUND",
    }
}

/// `incr` and `decr`.
pub(super) fn change(batch: &mut Batch<'_>, key: &[u8], by: u64, is_up: bool, is_quiet: bool, out: &mut Vec<u8>) -> Result<(), Wait> {
    let changed = batch.on_key(key, |view| item::change(view, key, &Change { by, is_up, cas: None, new_cas: None }))?;
    count_change(batch, is_up, changed);
    match changed {
        _ if is_quiet => {}
        Ok(Changed::To(number)) => {
            write_unsigned(number, out);
            out.extend_from_slice(b"\r\n");
        }
        Ok(Changed::NotFound | Changed::Exists) => say(out, "NOT_FOUND"),
        Err(why) => say(out, why),
    }
    Ok(())
}

/// Counts a change of a number.
pub(super) fn count_change(batch: &Batch<'_>, is_up: bool, changed: Result<Changed, &str>) {
    match (changed, is_up) {
        (Ok(Changed::To(_)), true) => batch.count(|tally| &tally.incr_hits),
        (Ok(Changed::To(_)), false) => batch.count(|tally| &tally.decr_hits),
        (Ok(Changed::NotFound), true) => batch.count(|tally| &tally.incr_misses),
        (Ok(Changed::NotFound), false) => batch.count(|tally| &tally.decr_misses),
        (Ok(Changed::Exists) | Err(_), _) => {}
    }
}

/// `touch`.
pub(super) fn touch(batch: &mut Batch<'_>, key: &[u8], exptime: i32, is_quiet: bool, out: &mut Vec<u8>) -> Result<(), Wait> {
    let until = Until::new(exptime, batch.now);
    let is_hit = batch.on_key(key, |view| match item::open(view, key) {
        Ok(Some(mut slot)) => {
            item::note_fetched(&mut slot);
            item::set_until(slot, key, until);
            true
        }
        _ => false,
    })?;
    batch.count(|tally| &tally.cmd_touch);
    batch.count(|tally| if is_hit { &tally.touch_hits } else { &tally.touch_misses });
    let said = if is_hit { "TOUCHED" } else { "NOT_FOUND" };
    say(out, if is_quiet { "" } else { said });
    Ok(())
}

/// `delete`.
pub(super) fn delete(batch: &mut Batch<'_>, key: &[u8], is_quiet: bool, out: &mut Vec<u8>) -> Result<(), Wait> {
    let said = batch.on_key(key, |view| match item::open(view, key) {
        Ok(Some(slot)) => {
            item::remove(slot, key);
            "DELETED"
        }
        Ok(None) => "NOT_FOUND",
        Err(why) => why,
    })?;
    batch.count(|tally| if said == "DELETED" { &tally.delete_hits } else { &tally.delete_misses });
    say(out, if is_quiet { "" } else { said });
    Ok(())
}
