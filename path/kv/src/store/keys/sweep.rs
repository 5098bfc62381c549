//! What nobody asks for any more and is overdue: keys, and fields of hashes.
//!
//! A sweep goes through the segments of the table in turn. A segment says when something in it may be overdue at the soonest
//! (`Table::falls_due`), so that most are passed by.

use super::super::entry::{self, Ms};
use super::super::outcome::Outcome;
use super::{Keys, fields, hash};

/// Fields of one hash that are taken away at once.
const FIELDS: usize = 1000;

impl Keys {
    /// Takes away what is overdue in `most` segments from number `from` on, and says where to go on; 0 at the end.
    pub(crate) fn sweep(&mut self, from: u32, most: usize, now: Ms, outcome: &mut Outcome) -> u32 {
        let (mut due, blocks, bigs) = (Vec::<Box<[u8]>>::new(), &self.blocks, &self.bigs);
        let next = self.table.walk(from, most, now, |handles| {
            let mut soonest = Ms::MAX;
            for entry in handles.iter().map(|at| blocks.bytes(*at)) {
                match entry::expiry(entry).unwrap_or(Ms::MAX).min(fields::due(entry, bigs)) {
                    when if when <= now => due.push(entry::key(entry).into()),
                    when => soonest = soonest.min(when),
                }
            }
            soonest
        });
        due.iter().for_each(|key| self.sweep_key(key, now, outcome));
        next
    }

    /// Takes away a key that is overdue, or some of its fields that are.
    fn sweep_key(&mut self, key: &[u8], now: Ms, outcome: &mut Outcome) {
        let Some(place) = self.find(key, hash(&self.hasher, key)) else { return };
        if entry::expiry(self.entry(place)).is_some_and(|expiry| expiry <= now) {
            return self.expire(place, key, outcome);
        }
        if let Some(place) = self.purge(place, key, now, FIELDS, outcome) {
            let expiry = entry::expiry(self.entry(place)).unwrap_or(Ms::MAX);
            self.table.falls_due(place, expiry.min(self.fields_due(place)));
        }
    }
}
