//! Holes: taken, split, given back, joined with their neighbours.

use super::bins::{bin_of, is_exact};
use super::page::{Header, Page};
use super::{Arena, Spot};

/// Holes of a bin that are looked at for one that is long enough, before the next bin is taken.
const LOOKS: usize = 4;

impl Arena {
    /// Takes a block with this header out of the holes.
    pub(super) fn take(&mut self, header: Header) -> Option<Spot> {
        let units = header.units();
        let spot = self.hole_for(units)?;
        self.unlink(spot);
        let length = self.pages[spot.page].hole(spot.unit);
        self.cut(spot, length, header);
        Some(spot)
    }

    /// A hole of at least `units`.
    fn hole_for(&self, units: u32) -> Option<Spot> {
        let bin = bin_of(units);
        if is_exact(units) {
            return self.bins.filled_from(bin).map(|bin| self.spot(self.bins.first(bin)));
        }
        let mut number = self.bins.first(bin);
        for _ in 0..LOOKS {
            if number == 0 {
                break;
            }
            let spot = self.spot(number);
            if self.pages[spot.page].hole(spot.unit) >= units {
                return Some(spot);
            }
            number = self.pages[spot.page].links(spot.unit).0;
        }
        self.bins.filled_from(bin + 1).map(|bin| self.spot(self.bins.first(bin)))
    }

    /// Makes the first part of `length` unlinked free units a block, the rest a hole.
    pub(super) fn cut(&mut self, spot: Spot, length: u32, header: Header) {
        let page = &mut self.pages[spot.page];
        let units = header.units();
        page.set_header(spot.unit, header);
        if length == units {
            page.tell(spot.unit + units, false);
        } else {
            page.set_hole(spot.unit + units, length - units);
            self.link(Spot { unit: spot.unit + units, ..spot });
        }
        self.free[spot.page] -= units;
        self.free_units -= units as usize;
    }

    /// Makes `units` of a block a hole, joined with the holes beside it; gives the page back when nothing else is in it.
    ///
    /// The header at `spot` says whether a hole is before it.
    pub(super) fn release(&mut self, spot: Spot, units: u32) {
        self.free[spot.page] += units;
        self.free_units += units as usize;
        if self.free[spot.page] + 1 == self.pages[spot.page].units() {
            return self.give_page_back(spot, units);
        }
        let hole = self.join(spot, units);
        self.link(hole);
    }

    pub(super) fn join(&mut self, spot: Spot, units: u32) -> Spot {
        let (mut start, mut end) = (spot.unit, spot.unit + units);
        if self.pages[spot.page].header(start).is_after_hole() {
            start -= self.pages[spot.page].hole_before(start);
            self.unlink(Spot { unit: start, ..spot });
        }
        if self.pages[spot.page].header(end).is_hole() {
            self.unlink(Spot { unit: end, ..spot });
            end += self.pages[spot.page].hole(end);
        }
        self.pages[spot.page].set_hole(start, end - start);
        Spot { unit: start, ..spot }
    }

    fn give_page_back(&mut self, spot: Spot, units: u32) {
        self.join(spot, units);
        let page = std::mem::replace(&mut self.pages[spot.page], Page::none());
        self.free_units -= self.free[spot.page] as usize;
        self.free[spot.page] = 0;
        self.vacant.push(spot.page as u32);
        self.leaving = self.leaving.filter(|leaving| *leaving != spot.page);
        self.growing = self.growing.filter(|growing| *growing != spot.page);
        self.retire(page);
    }

    /// Puts a hole in its bin; one of a single unit has no room for links and waits for a neighbour, those of a page that is being
    /// left are not to be filled.
    pub(super) fn link(&mut self, spot: Spot) {
        let units = self.pages[spot.page].hole(spot.unit);
        if units < 2 || self.leaving == Some(spot.page) {
            return;
        }
        let bin = bin_of(units);
        let (first, number) = (self.bins.first(bin), self.number(spot));
        let page = &mut self.pages[spot.page];
        page.set_next(spot.unit, first);
        page.set_previous(spot.unit, 0);
        self.set_previous(first, number);
        self.bins.set_first(bin, number);
    }

    /// Takes a hole out of its bin.
    pub(super) fn unlink(&mut self, spot: Spot) {
        let units = self.pages[spot.page].hole(spot.unit);
        if units < 2 || self.leaving == Some(spot.page) {
            return;
        }
        let (next, previous) = self.pages[spot.page].links(spot.unit);
        self.set_previous(next, previous);
        if previous == 0 {
            self.bins.set_first(bin_of(units), next);
        } else {
            let before = self.spot(previous);
            self.pages[before.page].set_next(before.unit, next);
        }
    }

    fn set_previous(&mut self, number: u32, previous: u32) {
        if number != 0 {
            let spot = self.spot(number);
            self.pages[spot.page].set_previous(spot.unit, previous);
        }
    }
}
