//! One shard: its keys, and what they hold.
//!
//! Nobody but the shard's holder sees it; data types see a [`View`](super::view::View).

mod care;
mod evict;
mod fields;
mod queues;
mod save;
mod survey;
mod sweep;
mod tidy;

use std::hash::{BuildHasher, RandomState};
use std::sync::Arc;

use super::arena::Handle;
use super::big::{Big, Bigs, Number};
use super::blocks::Blocks;
use super::census::{CLASSES, Census, Sampler, Tally, What};
use super::class::{self, TtlClass};
use super::entry::{self, Head, Kind, Ms};
use super::outcome::{Class, Outcome};
use super::table::{Names, Place, Table};
use care::Care;
pub(crate) use evict::Went as Evicted;
use queues::Queues;
use save::Saving;
pub(crate) use save::{Kept, Record, Use};
pub(crate) use survey::Told;

/// Bits of a tag's number below the time, in milliseconds, when it was given at the soonest; below them is the shard.
const CAS_BITS: u32 = 12;
const SHARD_BITS: u32 = 8;

/// What is counted of a shard since the start.
#[derive(Debug, Default, Clone, Copy)]
pub(crate) struct Counts {
    pub(crate) expired: u64,
    /// Fields of hashes.
    pub(crate) expired_fields: u64,
    pub(crate) evicted: u64,
    pub(crate) hits: u64,
    pub(crate) misses: u64,
}

/// The keys of one shard.
#[derive(Debug)]
pub(crate) struct Keys {
    table: Table,
    blocks: Blocks,
    bigs: Bigs,
    /// Keys with an expiry.
    volatile: usize,
    queues: Queues,
    hasher: RandomState,
    pub(crate) counts: Counts,
    /// Which uses the census looks at.
    sampler: Sampler,
    census: Box<Census>,
    care: Care,
    /// None when there are none.
    classes: Option<Arc<[TtlClass]>>,
    /// The last number that a tag got, and the one of the shard.
    cas: u64,
    number: u64,
    saving: Saving,
    /// What is done to them is logged.
    pub(crate) logs: bool,
    /// Bytes of a small collection while it is edited.
    scratch: Vec<u8>,
}

/// How entries are named.
struct Entries<'a> {
    blocks: &'a Blocks,
    hasher: &'a RandomState,
}

impl Names for Entries<'_> {
    fn hash(&self, at: Handle) -> u64 {
        hash(self.hasher, entry::key(self.blocks.bytes(at)))
    }

    fn is(&self, at: Handle, key: &[u8]) -> bool {
        entry::key(self.blocks.bytes(at)) == key
    }

    fn near(&self, at: Handle) -> u8 {
        self.blocks.bytes(at).first().copied().unwrap_or(0)
    }
}

/// Of a key; the topmost bits say its shard.
pub(super) fn hash(hasher: &RandomState, key: &[u8]) -> u64 {
    hasher.hash_one(key)
}

macro_rules! entries {
    ($keys:expr) => {
        Entries { blocks: &$keys.blocks, hasher: &$keys.hasher }
    };
}

impl Keys {
    /// None yet; their hashes are equal in the first `shared` bits, and pages have `page` bytes.
    pub(crate) fn new(hasher: RandomState, shared: u32, page: usize) -> Keys {
        Keys {
            table: Table::new(shared),
            blocks: Blocks::growing(page),
            bigs: Bigs::default(),
            volatile: 0,
            queues: Queues::default(),
            hasher,
            counts: Counts::default(),
            sampler: Sampler::new(),
            census: Box::new(Census::new(Arc::new(Tally::new(CLASSES)), 0)),
            care: Care::default(),
            classes: None,
            cas: 0,
            number: 0,
            saving: Saving::default(),
            logs: false,
            scratch: Vec::new(),
        }
    }

    /// It is the shard of this number, of 256 at most.
    pub(super) fn with_number(self, number: usize) -> Keys {
        Keys { number: number as u64, ..self }
    }

    /// How many keys there are, those that are overdue among them.
    pub(crate) fn len(&self) -> usize {
        self.table.len()
    }

    /// How many of them have an expiry.
    pub(crate) fn volatile(&self) -> usize {
        self.volatile
    }

    /// Bytes held of the allocator.
    pub(crate) fn held(&self) -> usize {
        self.table.held() + self.blocks.held() + self.bigs.held() + self.care.held() + self.saving.held() + self.queues_held()
    }

    pub(super) fn find(&self, key: &[u8], hash: u64) -> Option<Place> {
        self.table.find(hash, key, &entries!(self))
    }

    pub(super) fn entry(&self, place: Place) -> &[u8] {
        self.blocks.bytes(self.table.at(place))
    }

    pub(super) fn entry_mut(&mut self, place: Place) -> &mut [u8] {
        self.keep(place);
        self.blocks.bytes_mut(self.table.at(place))
    }

    /// Bytes that a key and what it holds take.
    pub(super) fn usage(&self, place: Place) -> usize {
        entry::usage(self.entry(place), &self.bigs)
    }

    /// The big value of an entry that says it has one.
    pub(super) fn big(&self, place: Place) -> &Big {
        self.bigs.get(Number::of(entry::value(self.entry(place))))
    }

    /// As [`Keys::big`]; what it held before is given too, for [`Keys::big_changed`].
    pub(super) fn big_mut(&mut self, place: Place) -> &mut Big {
        self.keep(place);
        let number = Number::of(entry::value(self.entry(place)));
        self.bigs.get_mut(number)
    }

    pub(super) fn big_changed(&mut self, place: Place, before: usize) {
        let number = Number::of(entry::value(self.entry(place)));
        self.bigs.changed(number, before);
    }

    pub(super) fn add_big(&mut self, big: Box<Big>) -> [u8; 4] {
        self.bigs.add(big).to_bytes()
    }

    /// Writes an entry, in the place of the one that is there. A big value of the old one stays where it is.
    pub(super) fn put(&mut self, place: Option<Place>, key: &[u8], hash: u64, head: Head, value: &[u8]) -> Place {
        let length = head.length(key.len(), value.len());
        let place = match place {
            Some(place) => {
                self.keep(place);
                self.volatile -= usize::from(entry::expiry(self.entry(place)).is_some());
                let old = self.table.at(place);
                let new = self.blocks.resize(old, length);
                if new != old {
                    self.table.set(place, new);
                }
                self.write(new, key, head, value);
                place
            }
            None => {
                let new = self.blocks.alloc(length);
                self.write(new, key, Head { access: self.care.first(), ..head }, value);
                self.table.insert(hash, new, &entries!(self))
            }
        };
        self.note_expiry(place, head.expiry);
        self.stands(place, hash);
        self.tidy_as_it_grows();
        place
    }

    /// Makes the value that lies in an entry `length` bytes long; what is new are zeros.
    pub(super) fn resize(&mut self, place: Place, length: usize) {
        self.keep(place);
        let old = self.table.at(place);
        let (from, end) = (entry::key_range(self.blocks.bytes(old)).end, self.blocks.bytes(old).len());
        let new = self.blocks.resize(old, from + length);
        if new != old {
            self.table.set(place, new);
        }
        if end < from + length {
            self.blocks.bytes_mut(new)[end..].fill(0);
        }
    }

    fn write(&mut self, at: Handle, key: &[u8], head: Head, value: &[u8]) {
        let entry = self.blocks.bytes_mut(at);
        let from = head.write(key, entry);
        entry[from..].copy_from_slice(value);
        entry::set_saved(entry, self.saving.turn);
    }

    fn note_expiry(&mut self, place: Place, expiry: Option<Ms>) {
        if let Some(expiry) = expiry {
            self.volatile += 1;
            self.table.falls_due(place, expiry);
        }
    }

    /// Gives an entry another expiry, or none.
    pub(super) fn set_expiry(&mut self, place: Place, key: &[u8], hash: u64, expiry: Option<Ms>) -> Place {
        let entry = self.entry_mut(place);
        if let (Some(_), Some(expiry)) = (entry::expiry(entry), expiry) {
            entry::set_expiry(entry, expiry);
            self.table.falls_due(place, expiry);
            return place;
        }
        let head = Head { expiry, ..Head::read(entry) };
        let value = self.scratch_of(place);
        let place = self.put(Some(place), key, hash, head, &value);
        self.keep_scratch(value);
        place
    }

    /// Something in an entry is overdue at `when`.
    pub(super) fn falls_due(&mut self, place: Place, when: Ms) {
        self.table.falls_due(place, when);
    }

    /// A copy of what an entry holds in itself, in memory that [`Keys::keep_scratch`] takes back.
    pub(super) fn scratch_of(&mut self, place: Place) -> Vec<u8> {
        let mut scratch = self.scratch();
        scratch.extend_from_slice(entry::value(self.entry(place)));
        scratch
    }

    /// That memory, with no bytes in it.
    pub(super) fn scratch(&mut self) -> Vec<u8> {
        let mut scratch = std::mem::take(&mut self.scratch);
        scratch.clear();
        scratch
    }

    pub(super) fn keep_scratch(&mut self, scratch: Vec<u8>) {
        // One that grew with a long string is not kept.
        if scratch.capacity() <= 64 << 10 {
            self.scratch = scratch;
        }
    }

    /// Keys are there so long from now on that are made without an expiry.
    pub(super) fn set_classes(&mut self, classes: Option<Arc<[TtlClass]>>) {
        self.classes = classes;
    }

    /// When a key is overdue that is made now, without an expiry.
    #[inline]
    pub(super) fn class_expiry(&self, key: &[u8]) -> Option<Ms> {
        match &self.classes {
            None => None,
            Some(classes) => class::expiry(classes, key, self.care.now),
        }
    }

    /// Tags get other numbers than those that were given before `now`, also when it is earlier for a while.
    pub(crate) fn numbers_from(&mut self, now: Ms) {
        self.cas = self.cas.max(now << CAS_BITS);
    }

    /// A number that no tag had before, in this run or in one that was saved.
    pub(super) fn next_cas(&mut self) -> u64 {
        // A shard makes fewer changes in a millisecond, on average.
        self.cas = (self.cas + 1).max(self.care.now << CAS_BITS);
        self.cas << SHARD_BITS | self.number
    }

    /// Takes an entry away; a big value is given to whoever drops it.
    pub(super) fn remove(&mut self, place: Place) -> Option<Box<Big>> {
        self.keep(place);
        let entry = self.entry(place);
        let number = entry::is_big(entry).then(|| Number::of(entry::value(entry)));
        self.volatile -= usize::from(entry::expiry(entry).is_some());
        self.stands_no_more(place);
        let at = self.table.remove(place);
        self.blocks.free(at);
        number.map(|number| self.bigs.remove(number))
    }

    /// Takes the big value of an entry out, before another is put there.
    pub(super) fn take_big(&mut self, place: Place) -> Option<Box<Big>> {
        self.keep(place);
        let entry = self.entry(place);
        let number = entry::is_big(entry).then(|| Number::of(entry::value(entry)))?;
        Some(self.bigs.remove(number))
    }

    /// The place of a key that is not overdue; one that is goes.
    pub(super) fn live(&mut self, key: &[u8], hash: u64, now: Ms, outcome: &mut Outcome) -> Option<Place> {
        self.care.now = now;
        let place = self.find(key, hash)?;
        if self.volatile > 0 && entry::expiry(self.entry(place)).is_some_and(|expiry| expiry <= now) {
            self.expire(place, key, outcome);
            return None;
        }
        self.used(place);
        if self.fields_due(place) > now { Some(place) } else { self.purge(place, key, now, usize::MAX, outcome) }
    }

    /// Takes away a key that is overdue, and says so.
    pub(super) fn expire(&mut self, place: Place, key: &[u8], outcome: &mut Outcome) {
        outcome.drops(self.remove(place));
        self.counts.expired += 1;
        self.departed(key, What::Expired);
        self.touched(key, outcome);
        outcome.happened(Class::EXPIRED, "expired", key);
        self.says_gone(key, outcome);
    }

    /// A key went without a command that says so.
    pub(super) fn says_gone(&self, key: &[u8], outcome: &mut Outcome) {
        if self.logs {
            outcome.gone(key);
        }
    }

    /// Everything goes; what is big is given to whoever drops it.
    pub(crate) fn clear(&mut self, outcome: &mut Outcome) {
        let attended = self.attended();
        let there = attended.iter().filter(|key| self.find(key, hash(&self.hasher, key)).is_some()).collect::<Vec<_>>();
        there.into_iter().for_each(|key| self.touched(key, outcome));
        self.table.clear();
        self.blocks.clear();
        self.care.clear();
        self.census.clear();
        self.saving.clear();
        self.volatile = 0;
        self.bigs.clear().into_iter().flatten().for_each(|big| outcome.drops(Some(big)));
    }

    /// Notes how a key was used, which changes nothing of what it holds.
    pub(super) fn set_access(&mut self, place: Place, access: u32) {
        entry::set_access(self.blocks.bytes_mut(self.table.at(place)), access);
    }

    /// A key by chance.
    pub(crate) fn random(&self, seed: u64) -> Option<&[u8]> {
        self.table.random(seed).map(|at| entry::key(self.blocks.bytes(at)))
    }

    /// Keys in the order of their hashes from `cursor` on, about `most`; gives the next cursor, 0 at the end.
    pub(crate) fn scan(&self, cursor: u64, most: usize, now: Ms, mut each: impl FnMut(&[u8], Kind)) -> u64 {
        self.table.scan(cursor, most, &entries!(self), |at| {
            let entry = self.blocks.bytes(at);
            if entry::expiry(entry).is_none_or(|expiry| expiry > now) {
                each(entry::key(entry), entry::kind(entry));
            }
        })
    }
}
