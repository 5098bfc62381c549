//! Handles by the hash of their names, in segments that split one at a time (extendible hashing).
//!
//! No insert waits for a table to grow, and the order of hashes is the order of segments, so that a cursor is a hash. The names stay
//! where the handles lead: the caller lends `Names` to each call that needs them.

mod crowd;
mod directory;
mod grow;
mod pool;
mod scan;
mod segment;
mod tags;
#[cfg(test)]
mod tests;

use super::arena::Handle;
use crowd::Crowd;
use directory::Directory;
use pool::Pool;
use segment::tag;

/// What the handles of a table are called.
pub(crate) trait Names {
    /// The hash of the name of what is at `at`.
    fn hash(&self, at: Handle) -> u64;
    /// Whether what is at `at` is called `key`.
    fn is(&self, at: Handle, key: &[u8]) -> bool;
    /// Some byte that `hash` will read: it is asked for all handles of a segment before the first hash.
    fn near(&self, at: Handle) -> u8;
}

/// Has the names of handles in the cache. These loads do not wait for each other as those between hashes do: it halves the time of
/// inserts.
fn bring_near(handles: &[Handle], names: &impl Names) {
    std::hint::black_box(handles.iter().fold(0, |all, at| all ^ names.near(*at)));
}

/// Where a handle is in a table, until the next insert or remove.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Place {
    segment: u32,
    slot: u32,
}

impl Place {
    /// The number of no segment: the place is in the crowd.
    const CROWD: u32 = u32::MAX;

    fn segment(self) -> Option<u32> {
        (self.segment != Self::CROWD).then_some(self.segment)
    }
}

/// A table of handles.
#[derive(Debug)]
pub(crate) struct Table {
    /// The first bits of a hash, which are equal for all.
    shared: u32,
    directory: Directory,
    segments: Pool,
    crowd: Crowd,
    len: usize,
}

impl Table {
    /// An empty table, which has allocated nothing, for hashes that are equal in their first `shared` bits (16 at most).
    pub(crate) fn new(shared: u32) -> Self {
        assert!(shared <= 16, "a cursor has 48 bits, segments are told apart by 32");
        Self { shared, directory: Directory::default(), segments: Pool::default(), crowd: Crowd::new(), len: 0 }
    }

    /// How many handles there are.
    pub(crate) fn len(&self) -> usize {
        self.len
    }

    /// Whether there are none.
    pub(crate) fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// Bytes held.
    pub(crate) fn held(&self) -> usize {
        self.directory.held() + self.segments.held() + self.crowd.held()
    }

    /// The place of what is called `key`.
    #[inline]
    pub(crate) fn find(&self, hash: u64, key: &[u8], names: &impl Names) -> Option<Place> {
        if self.len == 0 {
            return None;
        }
        let number = self.directory.segment(hash << self.shared);
        let segment = self.segments.get(number);
        let slot = segment.matches(tag(hash)).find(|slot| names.is(segment.handle(*slot), key));
        if let Some(slot) = slot {
            return Some(Place { segment: number, slot });
        }
        if segment.is_spilled() { self.find_spilled(hash, key, names) } else { None }
    }

    /// The handle at a place.
    #[inline]
    pub(crate) fn at(&self, place: Place) -> Handle {
        match place.segment() {
            Some(segment) => self.segments.get(segment).handle(place.slot),
            None => self.crowd.handle(place.slot),
        }
    }

    /// Puts another handle of the same name at a place, as when its block has moved.
    pub(crate) fn set(&mut self, place: Place, handle: Handle) {
        match place.segment() {
            Some(segment) => self.segments.get_mut(segment).set(place.slot, handle),
            None => self.crowd.set(place.slot, handle),
        }
    }

    /// Puts `new` where `old` is; `hash` is that of their name.
    pub(crate) fn replace(&mut self, hash: u64, old: Handle, new: Handle) {
        let number = self.directory.segment(hash << self.shared);
        let slot = self.segments.get(number).handles().iter().position(|at| *at == old);
        let place = slot.map(|slot| Place { segment: number, slot: slot as u32 });
        let place = place.or_else(|| self.crowd.find(hash, |at| at == old));
        self.set(place.expect("the old handle is here"), new);
    }

    /// Says that what is at a place falls due at `when`: `walk` will find it then.
    pub(crate) fn falls_due(&mut self, place: Place, when: u64) {
        let soonest = match place.segment() {
            Some(segment) => &mut self.segments.get_mut(segment).soonest,
            None => &mut self.crowd.soonest,
        };
        *soonest = when.min(*soonest);
    }

    /// Gives everything back.
    pub(crate) fn clear(&mut self) {
        *self = Self::new(self.shared);
    }
}
