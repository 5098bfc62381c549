//! The fields of a big hash, some of which may expire.
//!
//! A block is `[twice the length of the field, one more if it expires; varint][expiry u48 if it does][field][value]`.

use super::super::elements::{Elements, Named};
use super::super::entry::Ms;
use super::super::random::Random;
use super::super::varint::{LONGEST, read, write};
use super::rows::{self, EXPIRY, stored};

/// Fields by name.
#[derive(Debug)]
pub(crate) struct Fields {
    all: Elements<Field>,
    /// How many expire.
    volatile: usize,
    /// None expires before this.
    soonest: Ms,
}

/// How a block says its name.
enum Field {}

impl Named for Field {
    #[inline]
    fn name(block: &[u8]) -> &[u8] {
        split(block).0
    }
}

/// The field of a block, and its value.
#[inline]
fn split(block: &[u8]) -> (&[u8], &[u8]) {
    let (number, head) = read(block, 0);
    let from = head + if number & 1 == 0 { 0 } else { EXPIRY };
    block[from..].split_at(number >> 1)
}

/// When a block is overdue.
fn expiry(block: &[u8]) -> Option<Ms> {
    let (number, head) = read(block, 0);
    if number & 1 == 0 { None } else { rows::read(&block[head..head + EXPIRY]) }
}

impl Fields {
    /// None yet.
    pub(crate) fn new() -> Fields {
        Fields { all: Elements::new(), volatile: 0, soonest: Ms::MAX }
    }

    /// How many there are, those that are overdue among them.
    pub(crate) fn len(&self) -> usize {
        self.all.len()
    }

    /// Whether there are none.
    pub(crate) fn is_empty(&self) -> bool {
        self.all.is_empty()
    }

    /// Bytes held of the allocator.
    pub(crate) fn held(&self) -> usize {
        self.all.held()
    }

    /// The value of a field.
    pub(crate) fn get(&self, field: &[u8]) -> Option<&[u8]> {
        self.all.get(field).map(|block| split(block).1)
    }

    /// When a field is overdue, if it is there; the inner one is none when that is never.
    pub(crate) fn expiry(&self, field: &[u8]) -> Option<Option<Ms>> {
        self.all.get(field).map(expiry)
    }

    /// No field is overdue before this.
    pub(crate) fn soonest(&self) -> Ms {
        self.soonest
    }

    /// Gives a field a value, and an expiry or none; whether it is new.
    pub(crate) fn set(&mut self, field: &[u8], value: &[u8], until: Option<Ms>) -> bool {
        self.count(field, until);
        let mut head = [0; LONGEST];
        let head = write(field.len() << 1 | usize::from(until.is_some()), &mut head);
        let (stored, size) = stored(until);
        let parts = [head, &stored[..size], field, value];
        let is_new = self.all.put(field, parts.iter().map(|part| part.len()).sum(), |mut block| {
            for part in parts {
                let (start, rest) = block.split_at_mut(part.len());
                start.copy_from_slice(part);
                block = rest;
            }
        });
        if let Some(until) = until {
            self.all.falls_due(field, until);
        }
        is_new
    }

    /// Gives a field that is there an expiry, or none.
    pub(crate) fn set_expiry(&mut self, field: &[u8], until: Option<Ms>) {
        let value: Box<[u8]> = self.get(field).expect("it is there").into();
        self.set(field, &value, until);
    }

    /// Takes a field away; whether it was there.
    pub(crate) fn remove(&mut self, field: &[u8]) -> bool {
        self.count(field, None);
        self.all.remove(field)
    }

    /// Counts a field that is about to expire then, or never.
    fn count(&mut self, field: &[u8], until: Option<Ms>) {
        if self.volatile > 0 && self.expiry(field).flatten().is_some() {
            self.volatile -= 1;
        }
        if let Some(until) = until {
            self.volatile += 1;
            self.soonest = self.soonest.min(until);
        }
        if self.volatile == 0 {
            self.soonest = Ms::MAX;
        }
    }

    /// The same fields once more.
    pub(crate) fn copy(&self) -> Fields {
        let mut copy = Fields::new();
        self.all.iter().for_each(|block| {
            let (field, value) = split(block);
            copy.set(field, value, expiry(block));
        });
        copy
    }

    /// Takes away what is overdue, `most` or a few more, and says which fields those were.
    pub(crate) fn purge(&mut self, now: Ms, most: usize) -> Vec<Box<[u8]>> {
        let gone = self.all.due(now, most, |block| expiry(block).unwrap_or(Ms::MAX));
        gone.iter().for_each(|field| {
            self.remove(field);
        });
        self.soonest = if self.volatile == 0 { Ms::MAX } else { self.all.soonest() };
        gone
    }

    /// All of them, with their values.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (&[u8], &[u8])> {
        self.all.iter().map(split)
    }

    /// About `most` of them from `cursor` on; gives the next cursor, 0 at the end.
    pub(crate) fn scan<'a>(&'a self, cursor: u64, most: usize, each: &mut impl FnMut(&'a [u8], &'a [u8])) -> u64 {
        self.all.scan(cursor, most, told(each))
    }

    /// One of them by chance.
    pub(crate) fn pick(&self, random: &mut Random) -> (&[u8], &[u8]) {
        split(self.all.pick(random).expect("a hash is never empty"))
    }

    /// `count` different ones by chance, or all.
    pub(crate) fn choose<'a>(&'a self, count: usize, random: &mut Random, each: &mut impl FnMut(&'a [u8], &'a [u8])) {
        self.all.choose(count, random, told(each));
    }
}

/// Tells the field and the value of a block.
fn told<'a>(each: &mut impl FnMut(&'a [u8], &'a [u8])) -> impl FnMut(&'a [u8]) {
    move |block| {
        let (field, value) = split(block);
        each(field, value);
    }
}
