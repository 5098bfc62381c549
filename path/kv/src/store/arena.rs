//! Memory in pages, cut into blocks that can be moved.
//!
//! A block is a run of bytes found by its handle; what it holds is not known here. Blocks are fitted by the two-level segregated
//! method: a free list for each length, so that taking and giving back cost the same however full the pages are. `evacuate` moves
//! the blocks of a sparse page into the holes of others and gives the page back.

mod bins;
#[cfg(test)]
mod churn;
mod evacuate;
mod holes;
mod page;
#[cfg(test)]
mod tests;

use std::num::NonZeroU32;

use bins::Bins;
use page::{Header, Page, UNIT};

/// Units of the first page of an arena that grows.
const FIRST: u32 = 512 / UNIT as u32;
/// An arena keeps one page for the next use, and one more for so many pages.
const PAGES_PER_SPARE: usize = 128;
/// An arena that grows and has fewer pages keeps none.
const PAGES_OF_A_SMALL: usize = 8;
/// The most pages kept for the next use.
const SPARES: usize = 4;

/// Where a block is.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
pub(crate) struct Handle(NonZeroU32);

impl Handle {
    /// No block of any arena.
    pub(crate) const NOWHERE: Self = Self(NonZeroU32::MAX);

    /// The handle as a number that is never 0.
    pub(crate) fn number(self) -> u32 {
        self.0.get()
    }

    /// The handle of a number that `number` gave.
    pub(crate) fn of(number: u32) -> Option<Self> {
        NonZeroU32::new(number).map(Self)
    }
}

/// A unit of a page.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
struct Spot {
    page: usize,
    unit: u32,
}

/// Blocks of bytes in pages.
#[derive(Debug)]
pub(crate) struct Arena {
    /// Units of a whole page.
    whole: u32,
    /// Of which power of two they are: bits of a handle for the unit; the others are for the page.
    bits: u32,
    /// Units that a new page may be smaller than; `whole` when pages do not grow.
    first: u32,
    pages: Vec<Page>,
    /// Free units of each page.
    free: Vec<u32>,
    /// Numbers of no page.
    vacant: Vec<u32>,
    spare: Vec<Page>,
    bins: Bins,
    /// The page that is not whole yet.
    growing: Option<usize>,
    /// The page that is being emptied; its holes are in no bin.
    leaving: Option<usize>,
    /// The page opened last, which is not worth emptying: it is being filled.
    lately: usize,
    held: usize,
    free_units: usize,
}

impl Arena {
    /// An arena whose pages are `page` bytes from the first on: for a keyspace.
    ///
    /// `page` is a power of two from 4 KB to 256 KB. A page of 32 KB or more is a mapping of its own, of which a system has about
    /// 65,000 to give: choose pages so that there are some 10,000 of them.
    #[cfg(test)]
    pub(crate) fn of_pages(page: usize) -> Self {
        let whole = (page / UNIT) as u32;
        Self::starting_at(whole, whole)
    }

    /// An arena whose last page begins small and grows to `page` bytes while there are few: for one big value, or for a keyspace that
    /// may stay small.
    pub(crate) fn growing(page: usize) -> Self {
        Self::starting_at((page / UNIT) as u32, FIRST)
    }

    fn starting_at(whole: u32, first: u32) -> Self {
        assert!(whole.is_power_of_two() && (512..=32_768).contains(&whole), "pages are 4 KB to 256 KB");
        Self {
            whole,
            bits: whole.ilog2(),
            first,
            pages: Vec::new(),
            free: Vec::new(),
            vacant: Vec::new(),
            spare: Vec::new(),
            bins: Bins::default(),
            growing: None,
            leaving: None,
            lately: 0,
            held: 0,
            free_units: 0,
        }
    }

    /// The most bytes a block may hold: about a quarter of a page, 16 KB at most.
    pub(crate) const fn largest(page: usize) -> usize {
        let quarter = page / 4;
        let most = Header::MOST as usize * UNIT;
        (if quarter < most { quarter } else { most }) - Header::SIZE
    }

    /// A block of `len` bytes of any content.
    ///
    /// `len` is at most `largest` of the page size. An arena holds 32 GB.
    pub(crate) fn alloc(&mut self, len: usize) -> Handle {
        assert!(len <= Self::largest(self.whole as usize * UNIT), "longer things are kept elsewhere");
        let spot = self.place(Header::of(len));
        self.handle(spot)
    }

    /// Gives a block back.
    pub(crate) fn free(&mut self, at: Handle) {
        let spot = self.spot(at.number());
        let header = self.pages[spot.page].header(spot.unit);
        debug_assert!(!header.is_hole(), "a block is freed once");
        self.release(spot, header.units());
    }

    /// What a block holds.
    #[inline]
    pub(crate) fn bytes(&self, at: Handle) -> &[u8] {
        let spot = self.spot(at.number());
        self.pages[spot.page].block(spot.unit)
    }

    /// What a block holds, to be written.
    #[inline]
    pub(crate) fn bytes_mut(&mut self, at: Handle) -> &mut [u8] {
        let spot = self.spot(at.number());
        self.pages[spot.page].block_mut(spot.unit)
    }

    /// Makes a block `len` bytes long and says where it is now; what it held stays, up to `len`.
    pub(crate) fn resize(&mut self, at: Handle, len: usize) -> Handle {
        assert!(len <= Self::largest(self.whole as usize * UNIT), "longer things are kept elsewhere");
        let spot = self.spot(at.number());
        let old = self.pages[spot.page].header(spot.unit);
        let new = Header::of(len).after_hole(old.is_after_hole());
        if new.units() <= old.units() {
            self.shrink(spot, old.units(), new);
            return at;
        }
        if self.stretch(spot, old.units(), new) {
            return at;
        }
        let moved = self.place(new.after_hole(false));
        self.copy(spot, moved);
        self.release(spot, old.units());
        self.handle(moved)
    }

    /// Bytes of the pages held, and of what is noted about them.
    pub(crate) fn held(&self) -> usize {
        let noted = self.pages.capacity() * size_of::<Page>() + self.free.capacity() * size_of::<u32>();
        self.held + noted + self.bins.held()
    }

    /// Bytes in pages that no block has; a page kept for the next use is not counted.
    pub(crate) fn free_bytes(&self) -> usize {
        self.free_units * UNIT
    }

    /// Gives everything back.
    pub(crate) fn clear(&mut self) {
        *self = Self::starting_at(self.whole, self.first);
    }

    fn shrink(&mut self, spot: Spot, units: u32, new: Header) {
        let page = &mut self.pages[spot.page];
        page.set_header(spot.unit, new);
        if new.units() < units {
            let rest = Spot { unit: spot.unit + new.units(), ..spot };
            page.set_header(rest.unit, Header::END);
            self.release(rest, units - new.units());
        }
    }

    /// Grows a block into the hole after it.
    fn stretch(&mut self, spot: Spot, units: u32, new: Header) -> bool {
        let page = &self.pages[spot.page];
        let after = Spot { unit: spot.unit + units, ..spot };
        let room = if page.header(after.unit).is_hole() { page.hole(after.unit) } else { 0 };
        if units + room < new.units() {
            return false;
        }
        self.unlink(after);
        // as if the block were free too, so that what is cut off is counted right
        self.free[spot.page] += units;
        self.free_units += units as usize;
        self.cut(spot, units + room, new);
        true
    }

    /// A block with this header, in a hole if one fits.
    fn place(&mut self, header: Header) -> Spot {
        loop {
            if let Some(spot) = self.take(header) {
                return spot;
            }
            self.open(header.units());
        }
    }

    /// Makes a hole of `units`: more of the page that grows, or a page.
    fn open(&mut self, units: u32) {
        match self.growing.filter(|page| self.leaving != Some(*page)) {
            Some(page) => self.grow(page, units),
            None => self.open_page(units),
        }
    }

    fn open_page(&mut self, units: u32) {
        let eighth = (self.held / UNIT / 8) as u32;
        let size = self.rounded(self.first.max(eighth).max(units + 1));
        let number = self.vacant.pop().map_or(self.pages.len(), |number| number as usize);
        assert!(number >> (u32::BITS - self.bits) == 0, "an arena holds 32 GB");
        if number == self.pages.len() {
            self.pages.push(Page::none());
            self.free.push(0);
        }
        self.pages[number] = self.fresh(size);
        self.growing = if size < self.whole { Some(number) } else { self.growing };
        self.lately = number;
        self.begin(Spot { page: number, unit: 0 }, size - 1);
    }

    /// Some more of a page, and `units` at least unless it is whole then.
    fn grow(&mut self, number: usize, units: u32) {
        let old = self.pages[number].units();
        let size = self.rounded(old + units);
        let mut page = self.fresh(size);
        page.bytes_mut()[..old as usize * UNIT].copy_from_slice(self.pages[number].bytes());
        let old_page = std::mem::replace(&mut self.pages[number], page);
        self.held -= old_page.bytes().len();
        if size == self.whole {
            self.growing = None;
        }
        // the old end becomes the start of the hole
        self.begin(Spot { page: number, unit: old - 1 }, size - old);
    }

    /// Makes the end of a page a hole with an end behind it.
    fn begin(&mut self, spot: Spot, units: u32) {
        self.pages[spot.page].set_header(spot.unit + units, Header::END);
        let hole = self.join(spot, units);
        self.free[spot.page] += units;
        self.free_units += units as usize;
        self.link(hole);
    }

    /// The next size of a page: four for each doubling, as allocators have them.
    fn rounded(&self, units: u32) -> u32 {
        units.next_multiple_of(1 << units.ilog2().saturating_sub(2)).min(self.whole)
    }

    fn fresh(&mut self, size: u32) -> Page {
        let bytes = size as usize * UNIT;
        if size < self.whole {
            self.held += bytes;
            return Page::small(bytes);
        }
        self.spare.pop().unwrap_or_else(|| {
            self.held += bytes;
            Page::whole(bytes)
        })
    }

    /// Keeps a page for the next use, or gives it back.
    fn retire(&mut self, page: Page) {
        let pages = self.pages.len() - self.vacant.len();
        let keeps = if self.first < self.whole && pages < PAGES_OF_A_SMALL { 0 } else { (1 + pages / PAGES_PER_SPARE).min(SPARES) };
        if page.units() == self.whole && self.spare.len() < keeps {
            self.spare.push(page);
        } else {
            self.held -= page.bytes().len();
        }
    }

    #[inline]
    fn spot(&self, number: u32) -> Spot {
        let at = number - 1;
        Spot { page: (at >> self.bits) as usize, unit: at & (self.whole - 1) }
    }

    fn number(&self, spot: Spot) -> u32 {
        ((spot.page as u32) << self.bits | spot.unit) + 1
    }

    fn handle(&self, spot: Spot) -> Handle {
        Handle::of(self.number(spot)).expect("one more than a number")
    }
}
