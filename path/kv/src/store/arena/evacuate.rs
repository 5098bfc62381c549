//! Emptying a page into the holes of others.

use super::page::{Header, UNIT};
use super::{Arena, Handle, Spot};

/// A page is emptied when at least this part of it is free: to move all else would cost more than it wins.
const WORTH: usize = 32;

impl Arena {
    /// Moves at most `most` blocks out of the emptiest page, tells each move (its bytes, old and new place) and gives the page back
    /// when it is empty; a later call goes on. Says how many were moved: 0 when there is no page to be won.
    pub(crate) fn evacuate(&mut self, most: usize, mut moved: impl FnMut(&[u8], Handle, Handle)) -> usize {
        let Some(page) = self.leaving.or_else(|| self.leave()) else { return 0 };
        let (mut moves, mut unit) = (0, self.past_hole(page, 0));
        while moves < most && self.leaving == Some(page) {
            let old = Spot { page, unit };
            let header = self.pages[page].header(unit);
            let new = self.place(header.after_hole(false));
            self.copy(old, new);
            moved(self.pages[new.page].block(new.unit), self.handle(old), self.handle(new));
            unit = self.past_hole(page, unit + header.units());
            self.release(old, header.units());
            moves += 1;
        }
        moves
    }

    /// `unit`, or what follows the hole that is there.
    fn past_hole(&self, page: usize, unit: u32) -> u32 {
        let bytes = &self.pages[page];
        if bytes.header(unit).is_hole() { unit + bytes.hole(unit) } else { unit }
    }

    /// Chooses the page to empty and takes its holes out of the bins.
    fn leave(&mut self) -> Option<usize> {
        let whole = self.whole as usize;
        // all holes together are less than a page: none can be won
        if self.free_units < whole {
            return None;
        }
        let emptiest = (0..self.free.len()).filter(|page| *page != self.lately).max_by_key(|page| self.free[*page])?;
        if (self.free[emptiest] as usize) < whole / WORTH {
            return None;
        }
        let mut unit = 0;
        while !self.pages[emptiest].header(unit).is_end() {
            let header = self.pages[emptiest].header(unit);
            if header.is_hole() {
                self.unlink(Spot { page: emptiest, unit });
                unit = self.past_hole(emptiest, unit);
            } else {
                unit += header.units();
            }
        }
        self.leaving = Some(emptiest);
        self.leaving
    }

    /// Copies as much of a block as the other holds.
    pub(super) fn copy(&mut self, old: Spot, new: Spot) {
        let len = self.pages[old.page].block(old.unit).len().min(self.pages[new.page].block(new.unit).len());
        if old.page == new.page {
            let page = self.pages[old.page].bytes_mut();
            let start = |spot: Spot| spot.unit as usize * UNIT + Header::SIZE;
            return page.copy_within(start(old)..start(old) + len, start(new));
        }
        let pages = self.pages.get_disjoint_mut([old.page, new.page]).expect("two pages");
        let [from, to] = pages;
        to.block_mut(new.unit)[..len].copy_from_slice(&from.block(old.unit)[..len]);
    }
}
