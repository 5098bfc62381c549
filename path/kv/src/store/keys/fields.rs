//! Fields of hashes that are overdue: they go when their key is used, before the command sees it.
//!
//! For those that nobody asks for a walk through the table of keys (`Table::walk`) finds the segment, as whoever gives a field an
//! expiry has said so there (`Slot::falls_due`). For each key the walk takes away what is overdue (`Keys::purge`, `Keys::expire`)
//! and says when it is due again: at its expiry or at `fields_due`, whatever is sooner. Within a big hash the same is done with
//! the segments of its own table.

use super::super::big::Big;
use super::super::entry::{self, Kind, Ms};
use super::super::hash::Fields;
use super::super::outcome::{Class, Outcome};
use super::super::table::Place;
use super::Keys;

impl Keys {
    /// When something in a key is overdue, besides the key: never, if it is no hash with fields that expire.
    pub(in super::super) fn fields_due(&self, place: Place) -> Ms {
        self.fields(place).map_or(Ms::MAX, Fields::soonest)
    }

    /// Takes away what is overdue of a hash, and says so; gives its place, unless nothing is left of it.
    pub(in super::super) fn purge(&mut self, place: Place, key: &[u8], now: Ms, outcome: &mut Outcome) -> Option<Place> {
        let before = self.big(place).held();
        let Big::Hash(fields) = self.big_mut(place) else { unreachable!("only fields of hashes fall due") };
        let (gone, is_empty) = (fields.purge(now), fields.is_empty());
        self.big_changed(place, before);
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

    /// The fields of a big hash.
    fn fields(&self, place: Place) -> Option<&Fields> {
        let entry = self.entry(place);
        if entry::kind(entry) != Kind::Hash || !entry::is_big(entry) {
            return None;
        }
        match self.big(place) {
            Big::Hash(fields) => Some(fields),
            _ => unreachable!("a key of this kind holds a hash"),
        }
    }
}
