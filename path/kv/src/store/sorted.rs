//! Sorted sets: members with scores, in their order, packed in their entry while they are few and short, else found by name in a
//! table and by rank in a tree.
//!
//! Packed, a member is followed by its score, whose last bytes are left out as far as they are zero. The entry's mark says that Redis
//! would have a skip list by now.

mod edit;
mod ranked;
mod tree;

pub(crate) use edit::SortedEdit;
pub(crate) use ranked::Ranked;

use std::cmp::Ordering;

use super::big::Big;
use super::packed::Row;
use super::random::Random;
use super::view::Value;

/// Elements of a member.
const STEP: usize = 2;

/// The direction of a walk.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Way {
    /// From the lowest on.
    Up,
    /// From the highest on.
    Down,
}

/// A sorted set that is read.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Sorted<'a> {
    Packed(Row<'a>),
    Big(&'a Ranked),
}

/// Members with their scores, one after the other.
type Members<'a> = Box<dyn Iterator<Item = (&'a [u8], f64)> + 'a>;

impl<'a> Sorted<'a> {
    /// Of what a key of that kind holds.
    pub(crate) fn of(value: Value<'a>) -> Sorted<'a> {
        match value {
            Value::Bytes(bytes) => Sorted::Packed(Row::of(bytes)),
            Value::Big(Big::Sorted(ranked)) => Sorted::Big(ranked),
            Value::Big(_) => unreachable!("a key of this kind holds a sorted set"),
        }
    }

    /// How many members there are.
    pub(crate) fn len(self) -> usize {
        match self {
            Sorted::Packed(row) => row.len() / STEP,
            Sorted::Big(ranked) => ranked.len(),
        }
    }

    /// About how long it takes to read `many` of its members, in elements or KB.
    pub(crate) fn weight(self, many: usize) -> usize {
        match self {
            Sorted::Packed(_) => 0,
            Sorted::Big(ranked) => {
                let many = many.min(ranked.len());
                many + ranked.held() / 1024 * many / ranked.len()
            }
        }
    }

    /// The score of a member.
    #[inline]
    pub(crate) fn score(self, member: &[u8]) -> Option<f64> {
        match self {
            Sorted::Packed(row) => row.find(member, STEP).map(|at| read_score(row.get(row.behind(at)))),
            Sorted::Big(ranked) => ranked.score(member),
        }
    }

    /// How many members are in front of one.
    pub(crate) fn rank(self, member: &[u8]) -> Option<usize> {
        match self {
            Sorted::Packed(row) => row.pairs().position(|(other, _)| other == member),
            Sorted::Big(ranked) => ranked.rank(member),
        }
    }

    /// How many members there are in front of the first that is not `before`, as none behind that is.
    pub(crate) fn count_before(self, before: impl Fn(f64, &[u8]) -> bool) -> usize {
        match self {
            Sorted::Packed(row) => row.pairs().take_while(|(member, score)| before(read_score(score), member)).count(),
            Sorted::Big(ranked) => ranked.count_before(before),
        }
    }

    /// Members in order, without the first `skip` of them.
    pub(crate) fn iter(self, way: Way, skip: usize) -> Members<'a> {
        match (self, way) {
            (Sorted::Packed(row), Way::Up) => Box::new(scored(row).skip(skip)),
            (Sorted::Packed(row), Way::Down) => {
                let all: Vec<_> = scored(row).collect();
                Box::new(all.into_iter().rev().skip(skip))
            }
            (Sorted::Big(ranked), way) => Box::new(ranked.iter(way, skip)),
        }
    }

    /// About `most` members from `cursor` on, all of a packed one; gives the next cursor, 0 at the end.
    pub(crate) fn scan(self, cursor: u64, most: usize, mut each: impl FnMut(&'a [u8], f64)) -> u64 {
        match self {
            Sorted::Packed(row) => {
                scored(row).for_each(|(member, score)| each(member, score));
                0
            }
            Sorted::Big(ranked) => ranked.scan(cursor, most, each),
        }
    }

    /// One member by chance.
    pub(crate) fn pick(self, random: &mut Random) -> (&'a [u8], f64) {
        match self {
            Sorted::Packed(row) => {
                let at = row.nth(random.below(self.len()) * STEP);
                (row.get(at), read_score(row.get(row.behind(at))))
            }
            Sorted::Big(ranked) => ranked.pick(random),
        }
    }

    /// `count` different members by chance, or all.
    pub(crate) fn choose(self, count: usize, random: &mut Random, mut each: impl FnMut(&'a [u8], f64)) {
        match self {
            Sorted::Packed(row) => {
                let (mut pairs, mut next) = (scored(row), 0);
                for number in random.choose(count, self.len()) {
                    let (member, score) = pairs.nth(number - next).expect("there are so many");
                    each(member, score);
                    next = number + 1;
                }
            }
            Sorted::Big(ranked) => ranked.choose(count, random, each),
        }
    }
}

/// What `OBJECT ENCODING` says of one with that mark.
pub(crate) fn encoding(mark: bool) -> &'static str {
    if mark { "skiplist" } else { "listpack" }
}

/// The order of scores; none of them is NaN.
#[inline]
pub(crate) fn compare(score: f64, other: f64) -> Ordering {
    score.partial_cmp(&other).unwrap_or(Ordering::Equal)
}

fn scored(row: Row<'_>) -> impl ExactSizeIterator<Item = (&[u8], f64)> {
    row.pairs().map(|(member, score)| (member, read_score(score)))
}

/// A score as it is packed.
fn write_score(score: f64, bytes: &mut [u8; 8]) -> &[u8] {
    *bytes = score.to_bits().to_be_bytes();
    let length = bytes.iter().rposition(|byte| *byte != 0).map_or(0, |last| last + 1);
    &bytes[..length]
}

#[inline]
fn read_score(packed: &[u8]) -> f64 {
    let mut bytes = [0; 8];
    bytes[..packed.len()].copy_from_slice(packed);
    f64::from_bits(u64::from_be_bytes(bytes))
}

#[cfg(test)]
mod tests;
