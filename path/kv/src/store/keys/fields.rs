//! Fields of hashes that are overdue: they go when their key is used, before the command sees it; those that nobody asks for go in
//! a sweep, which finds their key as whoever gives a field an expiry says so to the table of keys (`Slot::falls_due`). Within a big
//! hash its own table finds them.

use super::super::big::{Big, Bigs, Number};
use super::super::entry::{self, Head, Kind, Ms};
use super::super::hash::{self, Hash};
use super::super::outcome::{Class, Outcome};
use super::super::packed::Row;
use super::super::table::Place;
use super::super::view::Value;
use super::Keys;

/// When something in an entry is overdue, besides the key: never, if it is no hash with fields that expire.
#[inline]
pub(super) fn due(entry: &[u8], bigs: &Bigs) -> Ms {
    if entry::kind(entry) != Kind::Hash {
        return Ms::MAX;
    }
    let value = entry::value(entry);
    let value = if entry::is_big(entry) { Value::Big(bigs.get(Number::of(value))) } else { Value::Bytes(value) };
    Hash::of(value).soonest()
}

impl Keys {
    /// When something in a key is overdue, besides the key.
    #[inline]
    pub(in super::super) fn fields_due(&self, place: Place) -> Ms {
        due(self.entry(place), &self.bigs)
    }

    /// Takes away what is overdue of a hash, `most` fields or so, and says so; gives its place, unless nothing is left of it.
    pub(super) fn purge(&mut self, place: Place, key: &[u8], now: Ms, most: usize, outcome: &mut Outcome) -> Option<Place> {
        let is_big = entry::is_big(self.entry(place));
        let (gone, is_empty) = if is_big { self.purge_big(place, now, most) } else { self.purge_packed(place, key, now) };
        if gone.is_empty() {
            return Some(place);
        }
        self.counts.expired_fields += gone.len() as u64;
        self.touched(key, outcome);
        outcome.happened(Class::HASH, "hexpired", key);
        if self.logs {
            outcome.gone_fields(key, &gone);
        }
        if is_empty {
            outcome.drops(self.remove(place));
            outcome.happened(Class::GENERIC, "del", key);
        }
        (!is_empty).then_some(place)
    }

    /// The fields that are gone, and whether none is left.
    fn purge_big(&mut self, place: Place, now: Ms, most: usize) -> (Vec<Box<[u8]>>, bool) {
        let before = self.big(place).held();
        let Big::Hash(fields) = self.big_mut(place) else { unreachable!("only fields of hashes fall due") };
        let done = (fields.purge(now, most), fields.is_empty());
        self.big_changed(place, before);
        done
    }

    /// As [`Keys::purge_big`].
    fn purge_packed(&mut self, place: Place, key: &[u8], now: Ms) -> (Vec<Box<[u8]>>, bool) {
        let mut bytes = self.scratch_of(place);
        let gone = hash::purge(&mut bytes, now);
        if !gone.is_empty() {
            let head = Head::read(self.entry(place));
            // Where it lies is known, so no hash is asked for.
            self.put(Some(place), key, 0, head, &bytes);
        }
        let is_empty = Row::of(&bytes).is_empty();
        self.keep_scratch(bytes);
        (gone, is_empty)
    }
}
