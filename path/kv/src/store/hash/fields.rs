//! The fields of a big hash.
//!
//! A block is `[length of the field, varint][field][value]`.

use super::super::elements::{Elements, Named};
use super::super::random::Random;
use super::super::varint::{LONGEST, read, write};

/// Fields by name.
#[derive(Debug)]
pub(crate) struct Fields(Elements<Field>);

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
    let (length, head) = read(block, 0);
    block[head..].split_at(length)
}

impl Fields {
    /// None yet.
    pub(crate) fn new() -> Fields {
        Fields(Elements::new())
    }

    /// How many there are.
    pub(crate) fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there are none.
    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Bytes held of the allocator.
    pub(crate) fn held(&self) -> usize {
        self.0.held()
    }

    /// The value of a field.
    pub(crate) fn get(&self, field: &[u8]) -> Option<&[u8]> {
        self.0.get(field).map(|block| split(block).1)
    }

    /// Gives a field a value; whether it is new.
    pub(crate) fn set(&mut self, field: &[u8], value: &[u8]) -> bool {
        let mut head = [0; LONGEST];
        let head = write(field.len(), &mut head);
        self.0.put(field, head.len() + field.len() + value.len(), |block| {
            let (start, rest) = block.split_at_mut(head.len());
            start.copy_from_slice(head);
            rest[..field.len()].copy_from_slice(field);
            rest[field.len()..].copy_from_slice(value);
        })
    }

    /// Takes a field away; whether it was there.
    pub(crate) fn remove(&mut self, field: &[u8]) -> bool {
        self.0.remove(field)
    }

    /// All of them, with their values.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (&[u8], &[u8])> {
        self.0.iter().map(split)
    }

    /// About `most` of them from `cursor` on; gives the next cursor, 0 at the end.
    pub(crate) fn scan<'a>(&'a self, cursor: u64, most: usize, each: &mut impl FnMut(&'a [u8], &'a [u8])) -> u64 {
        self.0.scan(cursor, most, told(each))
    }

    /// One of them by chance.
    pub(crate) fn pick(&self, random: &mut Random) -> (&[u8], &[u8]) {
        split(self.0.pick(random).expect("a hash is never empty"))
    }

    /// `count` different ones by chance, or all.
    pub(crate) fn choose<'a>(&'a self, count: usize, random: &mut Random, each: &mut impl FnMut(&'a [u8], &'a [u8])) {
        self.0.choose(count, random, told(each));
    }
}

/// Tells the field and the value of a block.
fn told<'a>(each: &mut impl FnMut(&'a [u8], &'a [u8])) -> impl FnMut(&'a [u8]) {
    move |block| {
        let (field, value) = split(block);
        each(field, value);
    }
}
