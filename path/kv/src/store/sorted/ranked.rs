//! The members of a big sorted set, by name and by rank.
//!
//! A block is `[score, 8 bytes][member]`.

use super::super::arena::Handle;
use super::super::elements::{Elements, Named};
use super::super::random::Random;
use super::Way;
use super::tree::{Sought, Texts, Tree};

/// Bytes of a score.
const SCORE: usize = 8;
/// Blocks that are moved when one goes, while there are too many holes.
const MOVES: usize = 4;

/// Members with their scores.
#[derive(Debug)]
pub(crate) struct Ranked {
    members: Elements<Member>,
    tree: Tree,
}

/// How a block says its name.
enum Member {}

impl Named for Member {
    #[inline]
    fn name(block: &[u8]) -> &[u8] {
        &block[SCORE..]
    }
}

impl Texts for Elements<Member> {
    #[inline]
    fn text(&self, at: Handle) -> &[u8] {
        &self.block(at)[SCORE..]
    }
}

/// The members, one of which is not where the tree thinks it is.
struct Moved<'a> {
    members: &'a Elements<Member>,
    old: Handle,
    new: Handle,
}

impl Texts for Moved<'_> {
    fn text(&self, at: Handle) -> &[u8] {
        self.members.text(if at == self.old { self.new } else { at })
    }
}

/// The member of a block, and its score.
#[inline]
fn split(block: &[u8]) -> (&[u8], f64) {
    let (score, member) = block.split_first_chunk().expect("a block begins with a score");
    (member, f64::from_le_bytes(*score))
}

impl Ranked {
    /// None yet.
    pub(crate) fn new() -> Ranked {
        Ranked { members: Elements::new(), tree: Tree::new() }
    }

    pub(crate) fn len(&self) -> usize {
        self.tree.len()
    }

    /// Bytes held of the allocator.
    pub(crate) fn held(&self) -> usize {
        self.members.held() + self.tree.held()
    }

    /// The same members once more.
    pub(crate) fn copy(&self) -> Ranked {
        let mut copy = Ranked::new();
        self.iter(Way::Up, 0).for_each(|(member, score)| copy.set(member, score));
        copy
    }

    pub(crate) fn score(&self, member: &[u8]) -> Option<f64> {
        self.members.get(member).map(|block| split(block).1)
    }

    /// Gives a member a score, if `decide` has one for it when it knows the old one; whether it has another then.
    pub(crate) fn update(&mut self, member: &[u8], decide: impl FnOnce(Option<f64>) -> Option<f64>) -> bool {
        let (hash, at) = self.members.seek(member);
        let old = at.map(|at| split(self.members.block(at)).1);
        let Some(score) = decide(old).filter(|score| old != Some(*score)) else { return false };
        let at = match (at, old) {
            (Some(at), Some(old)) => {
                self.tree.remove(&Sought { score: old, text: member, texts: &self.members });
                self.members.block_mut(at)[..SCORE].copy_from_slice(&score.to_le_bytes());
                at
            }
            _ => self.members.insert(hash, SCORE + member.len(), |block| {
                block[..SCORE].copy_from_slice(&score.to_le_bytes());
                block[SCORE..].copy_from_slice(member);
            }),
        };
        self.tree.insert(&Sought { score, text: member, texts: &self.members }, at);
        true
    }

    /// Gives a member a score.
    pub(crate) fn set(&mut self, member: &[u8], score: f64) {
        self.update(member, |_| Some(score));
    }

    /// Takes a member away; whether it was there.
    pub(crate) fn remove(&mut self, member: &[u8]) -> bool {
        let Some(score) = self.score(member) else { return false };
        self.tree.remove(&Sought { score, text: member, texts: &self.members });
        self.members.take(member);
        self.tidy();
        true
    }

    /// Moves a few blocks together, if there are many holes.
    fn tidy(&mut self) {
        for _ in 0..MOVES {
            let Some((old, new)) = self.members.tidy_one() else { return };
            let texts = Moved { members: &self.members, old, new };
            let (text, score) = split(self.members.block(new));
            self.tree.relocate(&Sought { score, text, texts: &texts }, old, new);
        }
    }

    /// How many members are in front of one.
    pub(crate) fn rank(&self, member: &[u8]) -> Option<usize> {
        let score = self.score(member)?;
        Some(self.tree.rank(&Sought { score, text: member, texts: &self.members }))
    }

    /// How many members there are in front of the first that is not `before`.
    pub(crate) fn count_before(&self, before: impl Fn(f64, &[u8]) -> bool) -> usize {
        self.tree.count_before(|item| before(item.score(), self.members.text(item.at)))
    }

    /// Members in order, without the first `skip`.
    pub(crate) fn iter(&self, way: Way, skip: usize) -> impl Iterator<Item = (&[u8], f64)> {
        self.tree.iter(way, skip).map(|item| (self.members.text(item.at), item.score()))
    }

    /// About `most` members from `cursor` on; gives the next cursor, 0 at the end.
    pub(crate) fn scan<'a>(&'a self, cursor: u64, most: usize, mut each: impl FnMut(&'a [u8], f64)) -> u64 {
        self.members.scan(cursor, most, |block| {
            let (member, score) = split(block);
            each(member, score);
        })
    }

    /// One of them by chance.
    pub(crate) fn pick(&self, random: &mut Random) -> (&[u8], f64) {
        split(self.members.pick(random).expect("a sorted set is never empty"))
    }

    /// `count` different ones by chance, or all.
    pub(crate) fn choose<'a>(&'a self, count: usize, random: &mut Random, mut each: impl FnMut(&'a [u8], f64)) {
        self.members.choose(count, random, |block| {
            let (member, score) = split(block);
            each(member, score);
        });
    }

    #[cfg(test)]
    pub(super) fn verify(&self) -> usize {
        assert_eq!(self.tree.len(), self.members.len());
        self.tree.verify(&self.members)
    }
}
