//! What a save needs of a shard: all that was there when it began, whatever becomes of it meanwhile.
//!
//! Each entry has a bit that says whether the save has it. Whoever changes one that it does not have puts a copy aside first; the save
//! takes those copies, and walks through the rest. So it is of one moment, without a copy of all, and ends in one walk.

use super::super::arena::Handle;
use super::super::big::Number;
use super::super::entry::{self, Kind, Ms};
use super::super::slot::{Form, Whole};
use super::super::table::Place;
use super::super::tag::Tag;
use super::super::view::Value;
use super::{Keys, hash};

#[derive(Debug, Default)]
pub(super) struct Saving {
    /// What the bit of an entry says that was saved, or came later.
    pub(super) turn: bool,
    /// Entries may not be saved yet.
    goes_on: bool,
    kept: Vec<Kept>,
    /// Bytes that those hold.
    held: usize,
    /// All keys went before all were saved.
    cleared: bool,
    /// Of the moment that is saved.
    now: Ms,
}

/// A key as it was when a save began, because it changed before it was saved.
#[derive(Debug)]
pub(crate) struct Kept {
    key: Box<[u8]>,
    used: Use,
    whole: Whole,
}

/// How a key was used, as the policy of eviction counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Use {
    /// Milliseconds since the last one.
    Idle(Ms),
    /// How often.
    Often(u8),
}

/// A key and all that is saved of it.
#[derive(Debug)]
pub(crate) struct Record<'r> {
    pub(crate) key: &'r [u8],
    pub(crate) kind: Kind,
    pub(crate) expiry: Option<Ms>,
    pub(crate) used: Use,
    pub(crate) tag: Option<Tag>,
    pub(crate) value: Value<'r>,
}

impl Kept {
    pub(crate) fn record(&self) -> Record<'_> {
        let value = match &self.whole.form {
            Form::Bytes(bytes) => Value::Bytes(bytes),
            Form::Big(big) => Value::Big(big),
        };
        let Whole { kind, expiry, tag, .. } = self.whole;
        Record { key: &self.key, kind, expiry, used: self.used, tag, value }
    }

    fn held(&self) -> usize {
        let value = match &self.whole.form {
            Form::Bytes(bytes) => bytes.capacity(),
            Form::Big(big) => big.held(),
        };
        size_of::<Kept>() + self.key.len() + value
    }
}

impl Saving {
    /// Bytes of the copies that were put aside.
    pub(super) fn held(&self) -> usize {
        self.held
    }

    /// All keys are gone.
    pub(super) fn clear(&mut self) {
        self.cleared |= self.goes_on;
        (self.kept, self.held) = (Vec::new(), 0);
    }
}

impl Keys {
    /// A save begins: what is there at this moment is what it is of. None goes on.
    pub(crate) fn begin_save(&mut self, now: Ms) {
        if self.saving.goes_on {
            // The last one broke off: what it does not have must not look as if this one had it.
            self.table.iter().for_each(|at| entry::set_saved(self.blocks.bytes_mut(at), self.saving.turn));
        }
        self.saving = Saving { turn: !self.saving.turn, goes_on: true, now, ..Saving::default() };
    }

    /// Whether a save goes on that may not have all entries yet.
    #[inline]
    pub(crate) fn is_saving(&self) -> bool {
        self.saving.goes_on
    }

    /// An entry is about to change: what it is goes to the save first.
    #[inline]
    pub(super) fn keep(&mut self, place: Place) {
        if self.saving.goes_on && entry::saved(self.entry(place)) != self.saving.turn {
            self.put_aside(place);
        }
    }

    #[cold]
    fn put_aside(&mut self, place: Place) {
        let at = self.table.at(place);
        let kept = Kept { key: entry::key(self.blocks.bytes(at)).into(), used: self.use_of(at), whole: self.copy_of(place) };
        self.saving.held += kept.held();
        self.saving.kept.push(kept);
        self.set_saved(at);
    }

    fn set_saved(&mut self, at: Handle) {
        entry::set_saved(self.blocks.bytes_mut(at), self.saving.turn);
    }

    /// All that a place holds, once more.
    pub(in super::super) fn copy_of(&self, place: Place) -> Whole {
        let bytes = self.entry(place);
        let form = if entry::is_big(bytes) { Form::Big(self.big(place).copy()) } else { Form::Bytes(entry::value(bytes).into()) };
        Whole { kind: entry::kind(bytes), mark: entry::mark(bytes), expiry: entry::expiry(bytes), tag: entry::tag(bytes), form }
    }

    fn use_of(&self, at: Handle) -> Use {
        let (policy, access, now) = (self.care.eviction.policy, entry::access(self.blocks.bytes(at)), self.saving.now);
        match policy.frequency(access, now) {
            Some(often) => Use::Often(often as u8),
            None => Use::Idle(policy.idle(access, now)),
        }
    }

    fn value_at(&self, at: Handle) -> Value<'_> {
        let bytes = self.blocks.bytes(at);
        let value = entry::value(bytes);
        if entry::is_big(bytes) { Value::Big(self.bigs.get(Number::of(value))) } else { Value::Bytes(value) }
    }

    fn record(&self, at: Handle) -> Record<'_> {
        let bytes = self.blocks.bytes(at);
        let (key, kind, expiry) = (entry::key(bytes), entry::kind(bytes), entry::expiry(bytes));
        Record { key, kind, expiry, used: self.use_of(at), tag: entry::tag(bytes), value: self.value_at(at) }
    }

    /// Bytes that a value holds.
    fn weight(&self, at: Handle) -> usize {
        match self.value_at(at) {
            Value::Bytes(bytes) => bytes.len(),
            Value::Big(big) => big.held(),
        }
    }

    /// Where `key` is, if it is there and not saved yet.
    fn find_unsaved(&self, key: &[u8]) -> Option<Handle> {
        let at = self.table.at(self.find(key, hash(&self.hasher, key))?);
        (entry::saved(self.blocks.bytes(at)) != self.saving.turn).then_some(at)
    }

    /// Hands out about `most` of the keys that are not saved yet, from `cursor` on, and gives the next cursor, 0 at the end. Of those
    /// whose value holds more than `big` bytes only the names are given, in `later`, for [`Keys::save_one`].
    pub(crate) fn save(
        &mut self,
        cursor: u64,
        most: usize,
        big: usize,
        later: &mut Vec<Box<[u8]>>,
        mut each: impl FnMut(Record<'_>),
    ) -> u64 {
        let mut found = Vec::with_capacity(most + most / 2);
        let names = super::Entries { blocks: &self.blocks, hasher: &self.hasher };
        let next = self.table.scan(cursor, most, &names, |at| found.push(at));
        for at in found {
            let bytes = self.blocks.bytes(at);
            if entry::saved(bytes) == self.saving.turn {
                continue;
            }
            if self.weight(at) > big {
                later.push(entry::key(bytes).into());
                continue;
            }
            each(self.record(at));
            self.set_saved(at);
        }
        next
    }

    /// Bytes that `key` holds and that a save does not have yet.
    pub(crate) fn unsaved(&self, key: &[u8]) -> usize {
        self.find_unsaved(key).map_or(0, |at| self.weight(at))
    }

    /// As if `key` were about to change.
    pub(crate) fn keep_one(&mut self, key: &[u8]) {
        if let Some(place) = self.find(key, hash(&self.hasher, key)) {
            self.keep(place);
        }
    }

    /// Hands out one key, if it is not saved yet.
    pub(crate) fn save_one(&mut self, key: &[u8], each: impl FnOnce(Record<'_>)) {
        if let Some(at) = self.find_unsaved(key) {
            each(self.record(at));
            self.set_saved(at);
        }
    }

    /// What changed before it was saved, since this was asked last.
    pub(crate) fn take_kept(&mut self) -> Vec<Kept> {
        self.saving.held = 0;
        std::mem::take(&mut self.saving.kept)
    }

    /// All was handed out, and what was kept was taken. Whether nothing is missing: all keys may have gone in between.
    pub(crate) fn end_save(&mut self) -> bool {
        debug_assert!(self.saving.kept.is_empty(), "they were taken");
        self.saving.goes_on = false;
        !std::mem::take(&mut self.saving.cleared)
    }
}
