//! Segments that split when they are full and join when they thin out.

use super::directory::{Directory, bit};
use super::segment::{SLOTS, Segment, tag};
use super::{Handle, Names, Place, Table, bring_near};

/// The most bits that segments are told apart by.
const DEEPEST: u32 = 32;
/// Segments are joined when they have at most so many handles together: half of what splits them.
const JOINED: usize = SLOTS / 2;

impl Table {
    /// Puts in a handle whose name is not here yet.
    pub(crate) fn insert(&mut self, hash: u64, handle: Handle, names: &impl Names) -> Place {
        if self.segments.len() == 0 {
            self.directory = Directory::to(self.segments.push(Segment::new(0, 0)));
        }
        self.len += 1;
        // handles of equal hashes must not make a directory that is large for their number
        let deepest = (self.len as u64).ilog2().min(DEEPEST);
        loop {
            let number = self.directory.segment(hash << self.shared);
            let segment = self.segments.get_mut(number);
            if !segment.is_full() {
                return Place { segment: number, slot: segment.push(tag(hash), handle) as u32 };
            }
            if segment.depth() >= deepest {
                segment.set_spilled(true);
                return self.crowd.push(hash, handle);
            }
            self.split(number, names);
        }
    }

    /// Takes the handle at a place out.
    pub(crate) fn remove(&mut self, place: Place) -> Handle {
        self.len -= 1;
        if self.len == 0 {
            let handle = self.at(place);
            self.clear();
            return handle;
        }
        let Some(segment) = place.segment() else { return self.remove_spilled(place) };
        let handle = self.segments.get_mut(segment).remove(place.slot as usize);
        let left = self.segments.get(segment);
        if left.is_spilled() {
            self.refill(segment);
        } else if left.count() <= JOINED / 2 && left.count().is_multiple_of(4) {
            // not each time: to look at the neighbour costs a line of the cache
            self.join(segment);
        }
        handle
    }

    fn split(&mut self, number: u32, names: &impl Names) {
        let old = self.segments.get_mut(number);
        let (hash, depth) = (old.least(), old.depth());
        let differs = bit(depth);
        let mut added = Segment::new(hash | differs, depth + 1);
        added.soonest = old.soonest;
        old.set_depth(depth + 1);
        bring_near(old.handles(), names);
        let shared = self.shared;
        let leaves = |handle: &Handle| u64::from(names.hash(*handle) << shared & differs != 0);
        let leaving = old.handles().iter().enumerate().fold(0, |bits, (slot, handle)| bits | leaves(handle) << slot);
        old.part(leaving, &mut added);
        while !self.directory.reaches(hash, depth + 1) {
            self.directory.deepen(hash);
        }
        let spilled = self.segments.get(number).is_spilled();
        let second = self.segments.push(added);
        self.directory.lead(hash | differs, depth + 1, second);
        if spilled {
            self.refill(number);
            self.refill(second);
        }
    }

    /// Joins a segment with its neighbour while both are thin.
    fn join(&mut self, mut number: u32) {
        while let Some((left, right)) = self.thin(number) {
            number = self.merge(left, right);
        }
    }

    /// A segment and its neighbour in their order, if they have room in one.
    fn thin(&self, number: u32) -> Option<(u32, u32)> {
        let segment = self.segments.get(number);
        let (hash, depth) = (segment.least(), segment.depth());
        if depth == 0 || !self.directory.joins(hash, depth) {
            return None;
        }
        let other = self.directory.segment(hash ^ bit(depth - 1));
        let neighbour = self.segments.get(other);
        let spilled = segment.is_spilled() || neighbour.is_spilled();
        if spilled || neighbour.depth() != depth || segment.count() + neighbour.count() > JOINED {
            return None;
        }
        Some(if segment.least() < neighbour.least() { (number, other) } else { (other, number) })
    }

    /// Moves what `right` has to `left` and says its number, for the last segment takes the number of `right`.
    fn merge(&mut self, left: u32, right: u32) -> u32 {
        let gone = self.segments.get(right).clone();
        let kept = self.segments.get_mut(left);
        gone.entries().for_each(|(tag, handle)| _ = kept.push(tag, handle));
        kept.soonest = kept.soonest.min(gone.soonest);
        let (hash, depth) = (kept.least(), kept.depth() - 1);
        kept.set_depth(depth);
        self.directory.lead(hash, depth, left);
        let last = self.segments.remove(right);
        if last.is_some() {
            let moved = self.segments.get(right);
            self.directory.lead(moved.least(), moved.depth(), right);
        }
        self.directory.fold(hash);
        if last == Some(left) { right } else { left }
    }
}
