//! Sets: integers in order while there is nothing else, members packed in their entry while they are few and short, else in a table
//! of their own.
//!
//! The entry's mark says that Redis would have a table by now: that is when they are not integers in order.

mod edit;
mod integers;
mod loose;
mod small;
mod text;

pub(crate) use edit::SetEdit;
pub(crate) use integers::Integers;
pub(crate) use loose::Loose;
pub(crate) use text::Text;

use super::big::Big;
use super::elements::{Elements, Named};
use super::packed::Row;
use super::random::Random;
use super::view::Value;
use crate::frame::parse_int;

/// The members of a big set.
pub(crate) type Members = Elements<Member>;

/// A block is a member.
pub(crate) enum Member {}

impl Named for Member {
    #[inline]
    fn name(block: &[u8]) -> &[u8] {
        block
    }
}

/// A set that is read.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Set<'a> {
    Integers(Integers<'a>),
    Packed(Row<'a>),
    Big(&'a Members),
}

impl<'a> Set<'a> {
    /// Of what a key of that kind holds.
    pub(crate) fn of(value: Value<'a>) -> Set<'a> {
        match value {
            Value::Bytes(bytes) => Set::small(bytes),
            Value::Big(Big::Set(members)) => Set::Big(members),
            Value::Big(_) => unreachable!("a key of this kind holds a set"),
        }
    }

    /// Of the bytes of one that is not big.
    fn small(bytes: &'a [u8]) -> Set<'a> {
        Integers::of(bytes).map_or(Set::Packed(Row::of(bytes)), Set::Integers)
    }

    /// How many members there are.
    pub(crate) fn len(self) -> usize {
        match self {
            Set::Integers(all) => all.len(),
            Set::Packed(row) => row.len(),
            Set::Big(members) => members.len(),
        }
    }

    /// About how long it takes to read all of it, in elements or KB.
    pub(crate) fn weight(self) -> usize {
        match self {
            Set::Integers(_) | Set::Packed(_) => 0,
            Set::Big(members) => members.len() + members.held() / 1024,
        }
    }

    /// Whether it has a member.
    #[inline]
    pub(crate) fn has(self, member: &[u8]) -> bool {
        match self {
            Set::Integers(all) => parse_int(member).is_some_and(|number| all.find(number).is_ok()),
            Set::Packed(row) => row.find(member, 1).is_some(),
            Set::Big(members) => members.get(member).is_some(),
        }
    }

    /// All members.
    pub(crate) fn iter(self) -> Box<dyn Iterator<Item = Text<'a>> + 'a> {
        match self {
            Set::Integers(all) => Box::new(all.iter().map(Text::of)),
            Set::Packed(row) => Box::new(row.iter().map(Text::Lent)),
            Set::Big(members) => Box::new(members.iter().map(Text::Lent)),
        }
    }

    /// About `most` members from `cursor` on, all of one that is not big; gives the next cursor, 0 at the end.
    pub(crate) fn scan(self, cursor: u64, most: usize, mut each: impl FnMut(Text<'a>)) -> u64 {
        match self {
            Set::Big(members) => members.scan(cursor, most, |member| each(Text::Lent(member))),
            _ => {
                self.iter().for_each(each);
                0
            }
        }
    }

    /// One member by chance.
    pub(crate) fn pick(self, random: &mut Random) -> Text<'a> {
        match self {
            Set::Integers(all) => Text::of(all.get(random.below(all.len()))),
            Set::Packed(row) => Text::Lent(row.get(row.nth(random.below(row.len())))),
            Set::Big(members) => Text::Lent(members.pick(random).expect("a set is never empty")),
        }
    }

    /// `count` different members by chance, or all.
    pub(crate) fn choose(self, count: usize, random: &mut Random, mut each: impl FnMut(Text<'a>)) {
        if let Set::Big(members) = self {
            return members.choose(count, random, |member| each(Text::Lent(member)));
        }
        let (mut members, mut next) = (self.iter(), 0);
        for number in random.choose(count, self.len()) {
            each(members.nth(number - next).expect("there are so many"));
            next = number + 1;
        }
    }

    /// All members, in a table.
    fn unpacked(self) -> Members {
        let mut members = Members::new();
        self.iter().for_each(|member| {
            members.add(&member);
        });
        members
    }
}

/// What `OBJECT ENCODING` says of one with that mark.
pub(crate) fn encoding(mark: bool) -> &'static str {
    if mark { "hashtable" } else { "intset" }
}

#[cfg(test)]
mod tests;
