//! A segment: up to 60 handles whose hashes begin with the same bits, in no order; five cache lines.

use super::tags::equals;
use crate::store::arena::Handle;

/// Handles of a segment: with the tags and the notes beside them they fill five cache lines.
pub(super) const SLOTS: usize = 60;

/// Where the count, the depth and the mark of a segment that has spilled are, behind the tags.
const COUNT: usize = SLOTS;
const DEPTH: usize = SLOTS + 1;
const SPILLED: usize = SLOTS + 2;

#[derive(Clone, Debug)]
#[repr(C)]
pub(super) struct Segment {
    /// The tag of each handle, then the count and two marks: all that a search needs, in one cache line.
    lead: [u8; 64],
    handles: [Handle; SLOTS],
    /// Nothing here falls due before this.
    pub(super) soonest: u64,
    /// The first `depth` bits of the hashes, at the top.
    prefix: u32,
    _rest: u32,
}

const _: () = assert!(size_of::<Segment>() == 320);

/// What of a hash is compared before the name: bits that no directory looks at.
pub(super) fn tag(hash: u64) -> u8 {
    hash as u8
}

impl Segment {
    /// An empty segment for the hashes that share their first `depth` bits with `hash`.
    pub(super) fn new(hash: u64, depth: u32) -> Self {
        let mut lead = [0; 64];
        lead[DEPTH] = depth as u8;
        Self { lead, handles: [Handle::NOWHERE; SLOTS], soonest: u64::MAX, prefix: (hash >> 32) as u32, _rest: 0 }
    }

    /// The least hash that begins with the bits of this segment.
    pub(super) fn least(&self) -> u64 {
        u64::from(self.prefix) << 32
    }

    /// The least hash that is greater than all of this segment, if there is one.
    pub(super) fn end(&self) -> Option<u64> {
        let many = 1_u64.checked_shl(64 - self.depth())?;
        self.least().checked_add(many)
    }

    /// Whether a hash begins with the bits of this segment.
    pub(super) fn takes(&self, hash: u64) -> bool {
        (hash ^ self.least()).checked_shr(64 - self.depth()).unwrap_or(0) == 0
    }

    #[inline]
    pub(super) fn count(&self) -> usize {
        usize::from(self.lead[COUNT]).min(SLOTS)
    }

    pub(super) fn is_full(&self) -> bool {
        self.count() == SLOTS
    }

    /// How many of the first bits the hashes share.
    pub(super) fn depth(&self) -> u32 {
        u32::from(self.lead[DEPTH])
    }

    /// Sets how many of the first bits the hashes share: one more when half of them leaves, one less when the other half comes.
    pub(super) fn set_depth(&mut self, depth: u32) {
        self.lead[DEPTH] = depth as u8;
    }

    pub(super) fn handles(&self) -> &[Handle] {
        &self.handles[..self.count()]
    }

    #[inline]
    pub(super) fn handle(&self, slot: u32) -> Handle {
        self.handles[slot as usize]
    }

    pub(super) fn set(&mut self, slot: u32, handle: Handle) {
        self.handles[slot as usize] = handle;
    }

    /// Whether there are more of these hashes in the crowd.
    #[inline]
    pub(super) fn is_spilled(&self) -> bool {
        self.lead[SPILLED] != 0
    }

    pub(super) fn set_spilled(&mut self, spilled: bool) {
        self.lead[SPILLED] = spilled.into();
    }

    /// Tags and handles.
    pub(super) fn entries(&self) -> impl Iterator<Item = (u8, Handle)> {
        self.lead.iter().copied().zip(self.handles().iter().copied())
    }

    /// The slots whose tag is `tag`.
    #[inline]
    pub(super) fn matches(&self, tag: u8) -> impl Iterator<Item = u32> {
        let count = u32::from(self.lead[COUNT]);
        equals(&self.lead, tag).filter(move |slot| *slot < count)
    }

    /// Puts a handle in; there is room.
    pub(super) fn push(&mut self, tag: u8, handle: Handle) -> usize {
        let slot = self.count();
        self.lead[slot] = tag;
        self.handles[slot] = handle;
        self.lead[COUNT] += 1;
        slot
    }

    /// Takes the handle of a slot out; the last one takes the slot.
    pub(super) fn remove(&mut self, slot: usize) -> Handle {
        let last = self.count() - 1;
        let handle = self.handles[slot];
        self.lead[slot] = self.lead[last];
        self.handles[slot] = self.handles[last];
        self.lead[COUNT] -= 1;
        handle
    }

    /// Moves the handles of the slots in `leaving` to another segment.
    pub(super) fn part(&mut self, leaving: u64, other: &mut Self) {
        // from the last on, so that what takes a freed slot stays
        for slot in (0..self.count()).rev().filter(|slot| leaving >> slot & 1 == 1) {
            let tag = self.lead[slot];
            let handle = self.remove(slot);
            other.push(tag, handle);
        }
    }
}
