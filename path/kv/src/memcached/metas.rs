//! The meta commands: what each does, and what it says. Answers have their words in the order of the flags that ask for them.

use super::answer::{Batch, Wait, say};
use super::item::{self, Change, Changed, Put, Until, Verdict, seconds_until};
use super::meta::write_key;
use super::request::{Meta, Mode, Which, words};
use super::text::{count_change, count_store};
use crate::frame::write_unsigned;
use crate::store::{Class, Kind, Ms, Slot, Tag, View};

const CANNOT_MAKE: &str = "SERVER_ERROR Out of memory allocating new item";

impl Meta<'_> {
    /// Whether an `mg` may change its key.
    pub(super) fn changes(&self) -> bool {
        self.flags.vivify.is_some() || self.flags.exptime.is_some() || self.flags.recache.is_some()
    }

    /// Writes the words that any answer gives back: opaque, and key.
    fn echo(&self, word: &[u8], out: &mut Vec<u8>) {
        match word[0] {
            b'O' => {
                out.push(b' ');
                out.extend_from_slice(word);
            }
            b'k' => {
                out.extend_from_slice(b" k");
                write_key(&self.key, self.flags.is_binary, out);
                if self.flags.is_binary {
                    out.extend_from_slice(b" b");
                }
            }
            _ => {}
        }
    }

    /// An answer that has nothing but what it gives back.
    fn say(&self, code: &str, out: &mut Vec<u8>) {
        out.extend_from_slice(code.as_bytes());
        words(self.words).for_each(|word| self.echo(word, out));
        out.extend_from_slice(b"\r\n");
    }
}

/// A word of a letter and a number.
fn write(letter: u8, number: u64, out: &mut Vec<u8>) {
    out.extend_from_slice(&[b' ', letter]);
    write_unsigned(number, out);
}

/// The seconds that are left.
fn write_left(expiry: Option<Ms>, now: Ms, out: &mut Vec<u8>) {
    match expiry {
        None => out.extend_from_slice(b" t-1"),
        Some(moment) => write(b't', seconds_until(moment, now), out),
    }
}

pub(super) fn answer(batch: &mut Batch<'_>, meta: &Meta<'_>, out: &mut Vec<u8>) -> Result<(), Wait> {
    batch.count(|tally| &tally.cmd_meta);
    match meta.which {
        Which::Get => get(batch, meta, out),
        Which::Set(mode) => set(batch, meta, mode, out),
        Which::Delete => delete(batch, meta, out),
        Which::Change { is_up } => change(batch, meta, is_up, out),
    }
}

/// `me`.
pub(super) fn debug(batch: &mut Batch<'_>, key: &[u8], is_binary: bool, out: &mut Vec<u8>) -> Result<(), Wait> {
    batch.count(|tally| &tally.cmd_meta);
    let now = batch.now;
    batch.on_key(key, |view| {
        let idle = view.idle(key).unwrap_or(0) / 1000;
        let (access, size) = (view.access(key), view.usage(key).unwrap_or(0));
        let Ok(Some(mut slot)) = item::open(view, key) else { return say(out, "EN") };
        slot.put_back_access(access);
        let (tag, left) = (slot.tag().unwrap_or_default(), slot.expiry().map_or(-1, |expiry| seconds_until(expiry, now) as i64));
        out.extend_from_slice(b"ME ");
        write_key(key, is_binary, out);
        let fetched = if tag.is_fetched { "yes" } else { "no" };
        say(out, &format!(" exp={left} la={idle} cas={} fetch={fetched} cls=1 size={size}", tag.cas));
    })
}

/// `mg`.
fn get(batch: &mut Batch<'_>, meta: &Meta<'_>, out: &mut Vec<u8>) -> Result<(), Wait> {
    let makes = meta.flags.vivify.is_some();
    if makes && let Err(why) = batch.room() {
        say(out, why);
        return Ok(());
    }
    let is_hit = batch.on_key(&meta.key, |view| get_one(view, meta, out))?;
    let is_touch = meta.flags.exptime.is_some();
    batch.count(|tally| if is_touch { &tally.cmd_touch } else { &tally.cmd_get });
    batch.count(|tally| match (is_hit, is_touch) {
        (true, true) => &tally.touch_hits,
        (false, true) => &tally.touch_misses,
        (true, false) => &tally.get_hits,
        (false, false) => &tally.get_misses,
    });
    Ok(())
}

/// What an `mg` finds out of its key while it answers.
struct Found {
    tag: Option<Tag>,
    expiry: Option<Ms>,
    /// It is to go once it is answered.
    is_past: bool,
    is_new: bool,
    is_won: bool,
    idle: Ms,
}

fn get_one(view: &mut View<'_>, meta: &Meta<'_>, out: &mut Vec<u8>) -> bool {
    let (flags, key, now) = (&meta.flags, &*meta.key, view.now());
    let idle = if flags.last_use { view.idle(key).unwrap_or(0) } else { 0 };
    let access = if flags.is_no_use { view.access(key) } else { None };
    let mut slot = view.find(key, Kind::Str);
    let is_new = slot.kind().is_none() && flags.vivify.is_some();
    if slot.kind().is_some_and(|kind| kind != Kind::Str) && flags.vivify.is_some() {
        say(out, item::OTHER_TYPE);
        return false;
    }
    if slot.kind() != Some(Kind::Str) && !is_new {
        if !flags.is_quiet {
            meta.say("EN", out);
        }
        return false;
    }
    if is_new {
        slot.put_tagged(b"", None, Tag::default());
        slot.changed(Class::STRING, "set");
        item::number(&mut slot, flags.new_cas);
    }
    slot.put_back_access(access);
    let needs_tag = words(meta.words).any(|word| word[0] == b'c');
    let tag = if needs_tag { slot.tag_or_new() } else { slot.tag() };
    let mut found = Found { tag, expiry: slot.expiry(), is_past: false, is_new, is_won: false, idle };
    let before = (found.expiry, found.tag);
    write_found(meta, &slot, &mut found, now, out);
    if !flags.is_no_use {
        found.tag = found.tag.map(|tag| Tag { is_fetched: true, ..tag });
    }
    finish(slot, meta, &found, before, is_new);
    true
}

/// The answer to an `mg` that found something, in which a flag may change what later ones tell.
fn write_found(meta: &Meta<'_>, slot: &Slot<'_>, found: &mut Found, now: Ms, out: &mut Vec<u8>) {
    let value = item::text(slot);
    if meta.flags.value {
        out.reserve(value.len() + 64);
        out.extend_from_slice(b"VA ");
        write_unsigned(value.len() as u64, out);
    } else {
        out.extend_from_slice(b"HD");
    }
    for word in words(meta.words) {
        let tag = found.tag.unwrap_or_default();
        match word[0] {
            b'T' => found.set_until(meta.flags.exptime, now),
            b'N' if found.is_new => {
                found.make_until(meta.flags.vivify, now);
                found.is_won = true;
            }
            b'R' => {
                let limit = match Until::new(meta.flags.recache.unwrap_or(0), now) {
                    Until::At(moment) => seconds_until(moment, now),
                    Until::Never | Until::Past => 0,
                };
                let is_low = found.expiry.is_some_and(|expiry| seconds_until(expiry, now) < limit);
                found.is_won |= is_low && !tag.is_won && !found.is_new;
            }
            b's' => write(b's', value.len() as u64, out),
            b't' => write_left(found.expiry, now, out),
            b'c' => write(b'c', tag.cas, out),
            b'f' => write(b'f', u64::from(tag.flags), out),
            b'l' => write(b'l', found.idle / 1000, out),
            b'h' => write(b'h', u64::from(tag.is_fetched), out),
            _ => meta.echo(word, out),
        }
    }
    let tag = found.tag.unwrap_or_default();
    if tag.is_won {
        out.extend_from_slice(b" Z");
    }
    if tag.is_stale {
        out.extend_from_slice(b" X");
        found.is_won |= !tag.is_won;
    }
    if found.is_won {
        out.extend_from_slice(b" W");
    }
    out.extend_from_slice(b"\r\n");
    if meta.flags.value {
        out.extend_from_slice(value);
        out.extend_from_slice(b"\r\n");
    }
}

impl Found {
    /// As [`Found::set_until`] for a key that was made: without a time it has that of its class.
    fn make_until(&mut self, exptime: Option<i32>, now: Ms) {
        if exptime != Some(0) {
            self.set_until(exptime, now);
        }
    }

    fn set_until(&mut self, exptime: Option<i32>, now: Ms) {
        let until = Until::new(exptime.unwrap_or(0), now);
        self.is_past = until == Until::Past;
        self.expiry = match until {
            Until::At(moment) => Some(moment),
            Until::Never => None,
            Until::Past => Some(now),
        };
    }
}

/// The key is as its `mg` has found, or made it.
fn finish(mut slot: Slot<'_>, meta: &Meta<'_>, found: &Found, before: (Option<Ms>, Option<Tag>), is_new: bool) {
    let (tag, key) = (found.tag, &*meta.key);
    if found.is_won {
        let tag = tag.or_else(|| slot.tag_or_new());
        item::keep(&mut slot, tag.map(|tag| Tag { is_won: true, ..tag }));
    } else if tag != before.1 {
        item::keep(&mut slot, tag);
    }
    if is_new {
        item::log(&mut slot, key);
    }
    if found.expiry != before.0 {
        let until = if found.is_past { Until::Past } else { found.expiry.map_or(Until::Never, Until::At) };
        item::set_until(slot, key, until);
    }
}

/// `ms`.
fn set(batch: &mut Batch<'_>, meta: &Meta<'_>, mode: Mode, out: &mut Vec<u8>) -> Result<(), Wait> {
    let flags = &meta.flags;
    if let Err(why) = batch.room() {
        say(out, why);
        return Ok(());
    }
    let until = Until::new(flags.exptime.unwrap_or(0), batch.now);
    let made_until = flags.vivify.map(|exptime| Until::new(exptime, batch.now));
    let put = Put {
        mode,
        data: meta.data,
        flags: flags.flags,
        until,
        cas: flags.cas,
        new_cas: flags.new_cas,
        is_invalidating: flags.is_invalidating,
    };
    let done = batch.on_key(&meta.key, |view| {
        let stored = item::store(view, &meta.key, &put)?;
        // What is not there to be added to is made, if that was asked for.
        match made_until.filter(|_| matches!(mode, Mode::Append | Mode::Prepend) && view.kind(&meta.key).is_none()) {
            Some(until) => item::store(view, &meta.key, &Put { mode: Mode::Add, until, ..put }),
            None => Ok(stored),
        }
        .map(|stored| (stored, view.weight(&meta.key).map_or(0, |(_, bytes)| bytes)))
    })?;
    let ((stored, cas), size) = match done {
        Ok(done) => done,
        Err(why) => {
            say(out, why);
            return Ok(());
        }
    };
    count_store(batch, mode, stored);
    let code = match stored {
        Verdict::Stored if flags.is_quiet => return Ok(()),
        Verdict::Stored => "HD",
        Verdict::NotStored => "NS",
        Verdict::Exists => "EX",
        Verdict::NotFound => "NF",
    };
    out.extend_from_slice(code.as_bytes());
    for word in words(meta.words) {
        match word[0] {
            b'c' => write(b'c', cas, out),
            b's' if stored == Verdict::Stored => write(b's', size as u64, out),
            _ => meta.echo(word, out),
        }
    }
    out.extend_from_slice(b"\r\n");
    Ok(())
}

/// `md`.
fn delete(batch: &mut Batch<'_>, meta: &Meta<'_>, out: &mut Vec<u8>) -> Result<(), Wait> {
    let now = batch.now;
    let code = batch.on_key(&meta.key, |view| delete_one(view, meta, now))?;
    match code {
        Ok(code) => {
            batch.count(|tally| if code == "HD" { &tally.delete_hits } else { &tally.delete_misses });
            if !(code == "HD" && meta.flags.is_quiet) {
                meta.say(code, out);
            }
        }
        Err(why) => say(out, why),
    }
    Ok(())
}

fn delete_one(view: &mut View<'_>, meta: &Meta<'_>, now: Ms) -> Result<&'static str, &'static str> {
    let (flags, key) = (&meta.flags, &*meta.key);
    let Some(mut slot) = item::open(view, key)? else { return Ok("NF") };
    let there = slot.tag();
    if flags.cas.is_some_and(|cas| there.is_none_or(|tag| tag.cas != cas)) {
        return Ok("EX");
    }
    if !flags.is_invalidating && !flags.empties {
        item::remove(slot, key);
        return Ok("HD");
    }
    if flags.empties {
        slot.put_tagged(b"", slot.expiry(), Tag { flags: 0, ..there.unwrap_or_default() });
    }
    let tag = slot.tag_or_new().unwrap_or_default();
    if flags.is_invalidating {
        // Whoever asks first may put it anew.
        slot.set_tag(Tag { is_stale: true, is_won: false, ..tag });
    }
    slot.changed(Class::STRING, "set");
    item::number(&mut slot, flags.new_cas);
    item::log(&mut slot, key);
    if let Some(exptime) = flags.exptime.filter(|_| flags.is_invalidating) {
        item::set_until(slot, key, Until::new(exptime, now));
    }
    Ok("HD")
}

/// `ma`.
fn change(batch: &mut Batch<'_>, meta: &Meta<'_>, is_up: bool, out: &mut Vec<u8>) -> Result<(), Wait> {
    let flags = &meta.flags;
    if flags.vivify.is_some() && batch.room().is_err() {
        say(out, CANNOT_MAKE);
        return Ok(());
    }
    let change = Change { by: flags.by.unwrap_or(1), is_up, cas: flags.cas, new_cas: flags.new_cas };
    let now = batch.now;
    let changed = batch.on_key(&meta.key, |view| {
        let mut changed = item::change(view, &meta.key, &change);
        let is_new = changed == Ok(Changed::NotFound) && flags.vivify.is_some();
        if is_new {
            let mut slot = view.open_any(&meta.key, Kind::Str);
            slot.put_tagged(flags.initial.to_string().as_bytes(), None, Tag::default());
            slot.changed(Class::STRING, "set");
            item::number(&mut slot, flags.new_cas);
            item::log(&mut slot, &meta.key);
            changed = Ok(Changed::To(flags.initial));
        }
        match changed {
            Ok(Changed::To(number)) if is_new || !flags.is_quiet => write_changed(view, meta, number, is_new, now, out),
            Ok(Changed::To(_)) => write_changed(view, meta, 0, is_new, now, &mut Vec::new()),
            Ok(Changed::NotFound) => meta.say("NF", out),
            Ok(Changed::Exists) => meta.say("EX", out),
            Err(why) => say(out, why),
        }
        changed
    })?;
    count_change(batch, is_up, changed);
    Ok(())
}

fn write_changed(view: &mut View<'_>, meta: &Meta<'_>, number: u64, is_new: bool, now: Ms, out: &mut Vec<u8>) {
    let flags = &meta.flags;
    let digits = number.to_string();
    if flags.value {
        out.extend_from_slice(b"VA ");
        write_unsigned(digits.len() as u64, out);
    } else {
        out.extend_from_slice(b"HD");
    }
    let mut slot = view.open_any(&meta.key, Kind::Str);
    let mut found = Found { tag: None, expiry: slot.expiry(), is_past: false, is_new, is_won: false, idle: 0 };
    let before = found.expiry;
    for word in words(meta.words) {
        match word[0] {
            b'c' => write(b'c', slot.tag_or_new().map_or(0, |tag| tag.cas), out),
            b't' => write_left(found.expiry, now, out),
            b'T' => found.set_until(flags.exptime, now),
            b'N' if is_new => found.make_until(flags.vivify, now),
            _ => meta.echo(word, out),
        }
    }
    out.extend_from_slice(b"\r\n");
    if flags.value {
        say(out, &digits);
    }
    if found.expiry != before {
        let until = if found.is_past { Until::Past } else { found.expiry.map_or(Until::Never, Until::At) };
        item::set_until(slot, &meta.key, until);
    }
}
