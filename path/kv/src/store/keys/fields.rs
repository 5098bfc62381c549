//! Fields of hashes that are overdue: they go when their key is used, before the command sees it.
//!
//! For those that nobody asks for a walk through the table of keys (`Table::walk`) finds the segment, as whoever gives a field an
//! expiry has said so there (`Slot::falls_due`). For each key the walk takes away what is overdue (`Keys::purge`, `Keys::expire`)
//! and says when it is due again: at its expiry or at `fields_due`, whatever is sooner. Within a big hash the same is done with
//! the segments of its own table.

use super::super::big::Big;
use super::super::entry::{self, Head, Kind, Ms};
use super::super::hash::{self, Hash};
use super::super::outcome::{Class, Outcome};
use super::super::packed::Row;
use super::super::table::Place;
use super::super::view::Value;
use super::Keys;

impl Keys {
    /// When something in a key is overdue, besides the key: never, if it is no hash with fields that expire.
    #[inline]
    pub(in super::super) fn fields_due(&self, place: Place) -> Ms {
        let entry = self.entry(place);
        if entry::kind(entry) != Kind::Hash {
            return Ms::MAX;
        }
        let value = if entry::is_big(entry) { Value::Big(self.big(place)) } else { Value::Bytes(entry::value(entry)) };
        Hash::of(value).soonest()
    }

    /// Takes away what is overdue of a hash, and says so; gives its place, unless nothing is left of it.
    pub(in super::super) fn purge(&mut self, place: Place, key: &[u8], now: Ms, outcome: &mut Outcome) -> Option<Place> {
        let is_big = entry::is_big(self.entry(place));
        let (gone, is_empty) = if is_big { self.purge_big(place, now) } else { self.purge_packed(place, key, now) };
        if gone.is_empty() {
            return Some(place);
        }
        self.counts.expired_fields += gone.len() as u64;
        self.touched(key, outcome);
        outcome.happened(Class::HASH, "hexpired", key);
        outcome.gone_fields(key, &gone);
        if is_empty {
            outcome.drops(self.remove(place));
            outcome.happened(Class::GENERIC, "del", key);
        }
        (!is_empty).then_some(place)
    }

    /// The fields that are gone, and whether none is left.
    fn purge_big(&mut self, place: Place, now: Ms) -> (Vec<Box<[u8]>>, bool) {
        let before = self.big(place).held();
        let Big::Hash(fields) = self.big_mut(place) else { unreachable!("only fields of hashes fall due") };
        let done = (fields.purge(now), fields.is_empty());
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
