//! Handles that found no room in their segment, for too many hashes begin alike.
//!
//! With keyed hashes that does not happen; it must only work, in one list for the whole table.

use super::segment::tag;
use super::{Handle, Names, Place, Table};

#[derive(Debug)]
pub(super) struct Crowd {
    spilled: Vec<(u64, Handle)>,
    /// Nothing here falls due before this.
    pub(super) soonest: u64,
}

impl Crowd {
    pub(super) fn new() -> Self {
        Self { spilled: Vec::new(), soonest: u64::MAX }
    }

    pub(super) fn len(&self) -> usize {
        self.spilled.len()
    }

    pub(super) fn push(&mut self, hash: u64, handle: Handle) -> Place {
        self.spilled.push((hash, handle));
        Place { segment: Place::CROWD, slot: self.spilled.len() as u32 - 1 }
    }

    pub(super) fn handle(&self, slot: u32) -> Handle {
        self.spilled[slot as usize].1
    }

    pub(super) fn set(&mut self, slot: u32, handle: Handle) {
        self.spilled[slot as usize].1 = handle;
    }

    /// The place of the handle that `is` says yes to.
    pub(super) fn find(&self, hash: u64, is: impl Fn(Handle) -> bool) -> Option<Place> {
        let slot = self.spilled.iter().position(|(other, at)| *other == hash && is(*at))?;
        Some(Place { segment: Place::CROWD, slot: slot as u32 })
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = (u64, Handle)> {
        self.spilled.iter().copied()
    }

    /// Bytes held.
    pub(super) fn held(&self) -> usize {
        self.spilled.capacity() * size_of::<(u64, Handle)>()
    }
}

impl Table {
    /// The place of what is called `key`, when its segment has spilled.
    pub(super) fn find_spilled(&self, hash: u64, key: &[u8], names: &impl Names) -> Option<Place> {
        self.crowd.find(hash, |at| names.is(at, key))
    }

    pub(super) fn remove_spilled(&mut self, place: Place) -> Handle {
        let (hash, handle) = self.crowd.spilled.swap_remove(place.slot as usize);
        self.refill(self.directory.segment(hash << self.shared));
        handle
    }

    /// Puts handles of the crowd in their segment while it has room, and notes whether there are more.
    pub(super) fn refill(&mut self, number: u32) {
        let segment = self.segments.get_mut(number);
        segment.set_spilled(false);
        let mut slot = 0;
        while let Some((hash, handle)) = self.crowd.spilled.get(slot).copied() {
            if !segment.takes(hash << self.shared) {
                slot += 1;
            } else if segment.is_full() {
                return segment.set_spilled(true);
            } else {
                self.crowd.spilled.swap_remove(slot);
                segment.push(tag(hash), handle);
                segment.soonest = segment.soonest.min(self.crowd.soonest);
            }
        }
        if self.crowd.len() == 0 {
            self.crowd = Crowd::new();
        }
    }
}
