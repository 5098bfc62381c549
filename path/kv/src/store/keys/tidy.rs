//! Keeps the pages full: while more than a part of them is holes, blocks of the emptiest move to the others, and pages are given back.

use super::super::entry;
use super::{Keys, hash};

/// The part of the pages that may be holes.
const HOLES: usize = 24;
/// Blocks that a write moves.
const MOVES: usize = 64;

impl Keys {
    /// Bytes of holes that nothing is done about, besides those of the page that is being filled.
    pub(super) fn holes_allowed(&self) -> usize {
        self.blocks.pages() / HOLES + self.blocks.page()
    }

    /// Whether more of the pages is holes than may be.
    pub(crate) fn is_holey(&self) -> bool {
        self.blocks.free_bytes() > self.holes_allowed()
    }

    /// Moves `most` blocks together, or fewer; gives how many.
    pub(crate) fn evacuate(&mut self, most: usize) -> usize {
        let Keys { table, blocks, hasher, .. } = self;
        blocks.evacuate(most, |bytes, old, new| table.replace(hash(hasher, entry::key(bytes)), old, new))
    }

    /// After something was put: a write that took another page while there are many holes starts to move blocks together, and those
    /// after it go on.
    #[inline]
    pub(super) fn tidy_as_it_grows(&mut self) {
        let pages = self.blocks.pages();
        if pages > self.care.pages && self.is_holey() {
            self.care.tidies = true;
        }
        if self.care.tidies {
            self.care.tidies = self.evacuate(MOVES) > 0 && self.is_holey();
        }
        self.care.pages = self.blocks.pages();
    }
}
