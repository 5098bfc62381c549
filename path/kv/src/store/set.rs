//! Sets: members, packed in their entry while they are few and short, else in a table of their own.
//!
//! The entry's mark says that Redis would have a table by now. Without it all members are integers, and those that are packed
//! are in ascending order.

mod edit;
mod loose;

pub(crate) use edit::SetEdit;
pub(crate) use loose::Loose;

use super::big::Big;
use super::elements::{Elements, Named};
use super::packed::{Edit, Row};
use super::random::Random;
use super::view::Value;
use crate::frame::parse_int;

/// Most integers that Redis keeps without a table (`set-max-intset-entries`).
const MOST_INTEGERS: usize = 512;

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
    Packed(Row<'a>),
    Big(&'a Members),
}

impl<'a> Set<'a> {
    /// Of what a key of that kind holds.
    pub(crate) fn of(value: Value<'a>) -> Set<'a> {
        match value {
            Value::Bytes(bytes) => Set::Packed(Row::of(bytes)),
            Value::Big(Big::Set(members)) => Set::Big(members),
            Value::Big(_) => unreachable!("a key of this kind holds a set"),
        }
    }

    /// How many members there are.
    pub(crate) fn len(self) -> usize {
        match self {
            Set::Packed(row) => row.len(),
            Set::Big(members) => members.len(),
        }
    }

    /// About how long it takes to read all of it, in elements or KB.
    pub(crate) fn weight(self) -> usize {
        match self {
            Set::Packed(_) => 0,
            Set::Big(members) => members.len() + members.held() / 1024,
        }
    }

    /// Whether it has a member.
    #[inline]
    pub(crate) fn has(self, member: &[u8]) -> bool {
        match self {
            Set::Packed(row) => row.find(member, 1).is_some(),
            Set::Big(members) => members.get(member).is_some(),
        }
    }

    /// All members.
    pub(crate) fn iter(self) -> Box<dyn Iterator<Item = &'a [u8]> + 'a> {
        match self {
            Set::Packed(row) => Box::new(row.iter()),
            Set::Big(members) => Box::new(members.iter()),
        }
    }

    /// About `most` members from `cursor` on, all of a packed one; gives the next cursor, 0 at the end.
    pub(crate) fn scan(self, cursor: u64, most: usize, each: impl FnMut(&'a [u8])) -> u64 {
        match self {
            Set::Packed(row) => {
                row.iter().for_each(each);
                0
            }
            Set::Big(members) => members.scan(cursor, most, each),
        }
    }

    /// One member by chance.
    pub(crate) fn pick(self, random: &mut Random) -> &'a [u8] {
        match self {
            Set::Packed(row) => row.get(row.nth(random.below(row.len()))),
            Set::Big(members) => members.pick(random).expect("a set is never empty"),
        }
    }

    /// `count` different members by chance, or all.
    pub(crate) fn choose(self, count: usize, random: &mut Random, mut each: impl FnMut(&'a [u8])) {
        match self {
            Set::Packed(row) => {
                let (mut members, mut next) = (row.iter(), 0);
                for number in random.choose(count, row.len()) {
                    each(members.nth(number - next).expect("there are so many"));
                    next = number + 1;
                }
            }
            Set::Big(members) => members.choose(count, random, each),
        }
    }
}

/// What `OBJECT ENCODING` says of one with that mark.
pub(crate) fn encoding(mark: bool) -> &'static str {
    if mark { "hashtable" } else { "intset" }
}

/// Whether Redis has a table of these, once `member` is there.
fn marks(member: &[u8], count: usize) -> bool {
    count > MOST_INTEGERS || parse_int(member).is_none()
}

/// Puts a member among those that are packed, unless it is there; integers into their order while nothing else is.
fn add_packed(bytes: &mut Vec<u8>, member: &[u8], mark: bool) -> bool {
    let mut edit = Edit::<false>::of(bytes);
    let row = edit.packed();
    if mark {
        let is_new = row.find(member, 1).is_none();
        if is_new {
            edit.push(member);
        }
        return is_new;
    }
    let number = parse_int(member);
    let next = row.placed().find(|(_, other)| parse_int(other) >= number);
    let at = next.map_or(row.end(), |(at, _)| at);
    let is_new = next.is_none_or(|(_, other)| other != member);
    if is_new {
        edit.insert(at, member);
    }
    is_new
}

fn remove_packed(bytes: &mut Vec<u8>, member: &[u8]) -> bool {
    let mut edit = Edit::<false>::of(bytes);
    let at = edit.packed().find(member, 1);
    if let Some(at) = at {
        edit.remove(at, 1);
    }
    at.is_some()
}

/// Those that are packed, in a table.
fn unpacked(row: Row<'_>) -> Members {
    let mut members = Members::new();
    row.iter().for_each(|member| {
        members.add(member);
    });
    members
}

#[cfg(test)]
mod tests;
