//! Hashes: fields with values, packed in their entry while they are few and short, else in a table of their own.
//!
//! The entry's mark says that Redis would have a table by now.

mod edit;
mod fields;
mod rows;

pub(crate) use edit::{HashEdit, replace};
pub(crate) use fields::Fields;
pub(super) use rows::purge;

use super::big::Big;
use super::entry::Ms;
use super::packed::Row;
use super::random::Random;
use super::view::Value;

/// A hash that is read.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Hash<'a> {
    Packed(Row<'a>),
    Big(&'a Fields),
}

impl<'a> Hash<'a> {
    /// Of what a key of that kind holds.
    pub(crate) fn of(value: Value<'a>) -> Hash<'a> {
        match value {
            Value::Bytes(bytes) => Hash::Packed(Row::of(bytes)),
            Value::Big(Big::Hash(fields)) => Hash::Big(fields),
            Value::Big(_) => unreachable!("a key of this kind holds a hash"),
        }
    }

    /// How many fields there are.
    pub(crate) fn len(self) -> usize {
        match self {
            Hash::Packed(row) => row.len() / rows::step(row),
            Hash::Big(fields) => fields.len(),
        }
    }

    /// About how long it takes to read all of it, in elements or KB.
    pub(crate) fn weight(self) -> usize {
        match self {
            Hash::Packed(_) => 0,
            Hash::Big(fields) => fields.len() + fields.held() / 1024,
        }
    }

    /// No field is overdue before this.
    pub(crate) fn soonest(self) -> Ms {
        match self {
            Hash::Packed(row) => rows::soonest(row),
            Hash::Big(fields) => fields.soonest(),
        }
    }

    /// The value of a field.
    #[inline]
    pub(crate) fn get(self, field: &[u8]) -> Option<&'a [u8]> {
        match self {
            Hash::Packed(row) => rows::get(row, field),
            Hash::Big(fields) => fields.get(field),
        }
    }

    /// When a field is overdue, if it is there; the inner one is none when that is never.
    pub(crate) fn expiry(self, field: &[u8]) -> Option<Option<Ms>> {
        match self {
            Hash::Packed(row) => rows::expiry(row, field),
            Hash::Big(fields) => fields.expiry(field),
        }
    }

    /// Whether no field expires.
    pub(crate) fn never_expires(self) -> bool {
        match self {
            Hash::Packed(row) => !row.flag(),
            Hash::Big(fields) => fields.soonest() == Ms::MAX,
        }
    }

    /// Every field with its value.
    pub(crate) fn each(self, mut each: impl FnMut(&'a [u8], &'a [u8])) {
        match self {
            Hash::Packed(row) => rows::each(row).for_each(|(field, value, _)| each(field, value)),
            Hash::Big(fields) => fields.iter().for_each(|(field, value)| each(field, value)),
        }
    }

    /// About `most` fields from `cursor` on, all of a packed one; gives the next cursor, 0 at the end.
    pub(crate) fn scan(self, cursor: u64, most: usize, mut each: impl FnMut(&'a [u8], &'a [u8])) -> u64 {
        match self {
            Hash::Packed(_) => {
                self.each(each);
                0
            }
            Hash::Big(fields) => fields.scan(cursor, most, &mut each),
        }
    }

    /// One field by chance.
    pub(crate) fn pick(self, random: &mut Random) -> (&'a [u8], &'a [u8]) {
        match self {
            Hash::Packed(row) => {
                let at = row.nth(random.below(self.len()) * rows::step(row));
                (row.get(at), row.get(row.behind(at)))
            }
            Hash::Big(fields) => fields.pick(random),
        }
    }

    /// `count` different fields by chance, or all.
    pub(crate) fn choose(self, count: usize, random: &mut Random, mut each: impl FnMut(&'a [u8], &'a [u8])) {
        match self {
            Hash::Packed(row) => {
                let (mut fields, mut next) = (rows::each(row), 0);
                for number in random.choose(count, self.len()) {
                    let (field, value, _) = fields.nth(number - next).expect("there are so many");
                    each(field, value);
                    next = number + 1;
                }
            }
            Hash::Big(fields) => fields.choose(count, random, &mut each),
        }
    }
}

/// What `OBJECT ENCODING` says of one with that mark.
pub(crate) fn encoding(mark: bool) -> &'static str {
    if mark { "hashtable" } else { "listpack" }
}

#[cfg(test)]
mod tests;
