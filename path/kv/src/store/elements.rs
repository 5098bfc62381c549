//! elements: what a big hash or set consists of: blocks of bytes found by their names, in a table and an arena of their own.

use std::collections::HashSet;
use std::fmt;
use std::hash::{BuildHasher, RandomState};
use std::marker::PhantomData;

use super::arena::Handle;
use super::blocks::Blocks;
use super::entry::Ms;
use super::random::Random;
use super::table::{Names, Table};

/// Pages of one big value grow to so many bytes.
const PAGE: usize = 16 << 10;
/// How often one that is not chosen yet is looked for by chance.
const TRIES: usize = 32;
/// Blocks that are moved when one goes, while there are too many holes.
const MOVES: usize = 4;

/// Where the name is in a block.
pub(crate) trait Named {
    /// The name of a block.
    fn name(block: &[u8]) -> &[u8];
}

/// Blocks by name.
pub(crate) struct Elements<N> {
    table: Table,
    blocks: Blocks,
    hasher: RandomState,
    named: PhantomData<fn() -> N>,
}

/// How the blocks are named.
struct Lent<'a, N> {
    blocks: &'a Blocks,
    hasher: &'a RandomState,
    named: PhantomData<N>,
}

impl<N: Named> Names for Lent<'_, N> {
    fn hash(&self, at: Handle) -> u64 {
        self.hasher.hash_one(N::name(self.blocks.bytes(at)))
    }

    fn is(&self, at: Handle, key: &[u8]) -> bool {
        N::name(self.blocks.bytes(at)) == key
    }

    fn near(&self, at: Handle) -> u8 {
        self.blocks.bytes(at).first().copied().unwrap_or(0)
    }
}

macro_rules! lent {
    ($elements:expr) => {
        Lent::<N> { blocks: &$elements.blocks, hasher: &$elements.hasher, named: PhantomData }
    };
}

impl<N: Named> Elements<N> {
    /// None yet.
    pub(crate) fn new() -> Self {
        Elements { table: Table::new(0), blocks: Blocks::growing(PAGE), hasher: RandomState::new(), named: PhantomData }
    }

    /// How many there are.
    pub(crate) fn len(&self) -> usize {
        self.table.len()
    }

    /// Whether there are none.
    pub(crate) fn is_empty(&self) -> bool {
        self.table.is_empty()
    }

    /// Bytes held of the allocator.
    pub(crate) fn held(&self) -> usize {
        self.table.held() + self.blocks.held()
    }

    /// The block of that name.
    pub(crate) fn get(&self, name: &[u8]) -> Option<&[u8]> {
        let place = self.table.find(self.hasher.hash_one(name), name, &lent!(self))?;
        Some(self.blocks.bytes(self.table.at(place)))
    }

    /// Adds a block that is nothing but its name; whether there was none.
    pub(crate) fn add(&mut self, name: &[u8]) -> bool {
        let hash = self.hasher.hash_one(name);
        if self.table.find(hash, name, &lent!(self)).is_some() {
            return false;
        }
        self.insert(hash, name.len(), |block| block.copy_from_slice(name));
        true
    }

    /// Adds a block whose name, of that hash, is not there; moves none.
    pub(super) fn insert(&mut self, hash: u64, length: usize, write: impl FnOnce(&mut [u8])) -> Handle {
        let at = self.blocks.alloc(length);
        write(self.blocks.bytes_mut(at));
        self.table.insert(hash, at, &lent!(self));
        at
    }

    /// Makes the block of that name `length` bytes long and has all of it written; whether there was none.
    pub(crate) fn put(&mut self, name: &[u8], length: usize, write: impl FnOnce(&mut [u8])) -> bool {
        let hash = self.hasher.hash_one(name);
        let Some(place) = self.table.find(hash, name, &lent!(self)) else {
            self.insert(hash, length, write);
            return true;
        };
        let old = self.table.at(place);
        let new = self.blocks.resize(old, length);
        if new != old {
            self.table.set(place, new);
        }
        write(self.blocks.bytes_mut(new));
        self.tidy();
        false
    }

    /// The same blocks once more.
    pub(crate) fn copy(&self) -> Self {
        let mut copy = Elements::new();
        for block in self.iter() {
            copy.put(N::name(block), block.len(), |new| new.copy_from_slice(block));
        }
        copy
    }

    /// Takes the block of that name away; whether there was one.
    pub(crate) fn remove(&mut self, name: &[u8]) -> bool {
        let Some(place) = self.table.find(self.hasher.hash_one(name), name, &lent!(self)) else { return false };
        let at = self.table.remove(place);
        self.blocks.free(at);
        self.tidy();
        true
    }

    /// Says that the block of that name is overdue at `when`.
    pub(crate) fn falls_due(&mut self, name: &[u8], when: Ms) {
        if let Some(place) = self.table.find(self.hasher.hash_one(name), name, &lent!(self)) {
            self.table.falls_due(place, when);
        }
    }

    /// The names of `most` or a few more of the blocks that are overdue, as `when` says of each. They are to be taken away.
    pub(crate) fn due(&mut self, now: Ms, most: usize, when: impl Fn(&[u8]) -> Ms) -> Vec<Box<[u8]>> {
        let (blocks, mut names) = (&self.blocks, Vec::new());
        self.table.walk(0, u32::MAX as usize, now, |handles| {
            if names.len() >= most {
                return now;
            }
            let (due, later): (Vec<Handle>, Vec<Handle>) = handles.iter().partition(|at| when(blocks.bytes(**at)) <= now);
            names.extend(due.into_iter().map(|at| Box::from(N::name(blocks.bytes(at)))));
            later.into_iter().map(|at| when(blocks.bytes(at))).min().unwrap_or(Ms::MAX)
        });
        names
    }

    /// No block is overdue before this.
    pub(crate) fn soonest(&self) -> Ms {
        self.table.soonest()
    }

    /// The hash of a name, and where its block is, until a block is moved.
    pub(super) fn seek(&self, name: &[u8]) -> (u64, Option<Handle>) {
        let hash = self.hasher.hash_one(name);
        let place = self.table.find(hash, name, &lent!(self));
        (hash, place.map(|place| self.table.at(place)))
    }

    /// The block at a handle.
    #[inline]
    pub(super) fn block(&self, at: Handle) -> &[u8] {
        self.blocks.bytes(at)
    }

    /// As [`Elements::block`]; its name must stay.
    pub(super) fn block_mut(&mut self, at: Handle) -> &mut [u8] {
        self.blocks.bytes_mut(at)
    }

    /// Takes the block of that name away, if there is one, and moves none.
    pub(super) fn take(&mut self, name: &[u8]) {
        if let Some(place) = self.table.find(self.hasher.hash_one(name), name, &lent!(self)) {
            let at = self.table.remove(place);
            self.blocks.free(at);
        }
    }

    /// Moves one block while an eighth of the memory is holes, and says from where to where.
    pub(super) fn tidy_one(&mut self) -> Option<(Handle, Handle)> {
        let mut moved = None;
        if self.has_holes() {
            let (table, hasher) = (&mut self.table, &self.hasher);
            self.blocks.evacuate(1, |bytes, old, new| {
                table.replace(hasher.hash_one(N::name(bytes)), old, new);
                moved = Some((old, new));
            });
        }
        moved
    }

    fn has_holes(&self) -> bool {
        let holes = self.blocks.free_bytes();
        holes > PAGE && holes * 8 > self.blocks.held()
    }

    /// Moves a few blocks together while an eighth of the memory is holes.
    fn tidy(&mut self) {
        if self.has_holes() {
            let (table, hasher) = (&mut self.table, &self.hasher);
            self.blocks.evacuate(MOVES, |bytes, old, new| table.replace(hasher.hash_one(N::name(bytes)), old, new));
        }
    }

    /// All blocks, in no order.
    pub(crate) fn iter(&self) -> impl Iterator<Item = &[u8]> {
        self.table.iter().map(|at| self.blocks.bytes(at))
    }

    /// Blocks in the order of their hashes from `cursor` on, about `most`; gives the next cursor, 0 at the end.
    pub(crate) fn scan<'a>(&'a self, cursor: u64, most: usize, mut each: impl FnMut(&'a [u8])) -> u64 {
        self.table.scan(cursor, most, &lent!(self), |at| each(self.blocks.bytes(at)))
    }

    /// One by chance, each as likely as another.
    pub(crate) fn pick(&self, random: &mut Random) -> Option<&[u8]> {
        self.table.random(random.next()).map(|at| self.blocks.bytes(at))
    }

    /// `count` different ones by chance, or all.
    pub(crate) fn choose<'a>(&'a self, count: usize, random: &mut Random, mut each: impl FnMut(&'a [u8])) {
        if count.saturating_mul(3) < self.len() {
            return self.choose_few(count, random, each);
        }
        let mut all = self.iter();
        let mut next = 0;
        for number in random.choose(count, self.len()) {
            each(all.nth(number - next).expect("there are so many"));
            next = number + 1;
        }
    }

    /// As [`Elements::choose`], when there are many more.
    fn choose_few<'a>(&'a self, count: usize, random: &mut Random, mut each: impl FnMut(&'a [u8])) {
        let mut chosen = HashSet::with_capacity(count);
        let tried = (0..TRIES * count).map_while(|_| self.table.random(random.next()));
        // In a table that lost most of what it had, chance may always find the same.
        for at in tried.chain(self.table.iter()) {
            if chosen.len() == count {
                break;
            }
            if chosen.insert(at) {
                each(self.blocks.bytes(at));
            }
        }
    }
}

impl<N: Named> fmt::Debug for Elements<N> {
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        to.debug_list().entries(self.iter().map(N::name)).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    enum Whole {}

    impl Named for Whole {
        fn name(block: &[u8]) -> &[u8] {
            block
        }
    }

    fn name(number: usize) -> Vec<u8> {
        let mut name = format!("{number} ").into_bytes();
        name.resize(20 + number % 80, b'x');
        name
    }

    #[test]
    fn what_is_left_of_many_is_found_and_moves_together() {
        const COUNT: usize = 20_000;
        let mut all = Elements::<Whole>::new();
        assert!((0..COUNT).all(|number| all.add(&name(number))));
        let before = all.held();
        let stays = |number: &usize| number.is_multiple_of(10);
        assert!((0..COUNT).filter(|number| !stays(number)).all(|number| all.remove(&name(number))));
        assert!((0..COUNT).all(|number| all.get(&name(number)).is_some() == stays(&number)));
        assert_eq!(all.iter().count(), COUNT / 10);
        assert!(all.held() < before / 4, "{} of {before}", all.held());
    }

    #[test]
    fn few_are_chosen_from_a_table_that_lost_most() {
        let mut all = Elements::<Whole>::new();
        assert!((0..5000).all(|number| all.add(&name(number))));
        assert!((10..5000).all(|number| all.remove(&name(number))));
        let mut chosen = HashSet::new();
        all.choose(3, &mut Random::seeded(1), |block| assert!(chosen.insert(block)));
        assert_eq!(chosen.len(), 3);
    }
}
