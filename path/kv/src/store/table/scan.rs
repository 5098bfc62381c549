//! Going through a table: in the order of hashes, by what falls due, at random.

use super::segment::tag;
use super::segment::{SLOTS, Segment};
use super::{Handle, Names, Place, Table, bring_near};

/// Bits of a hash that a cursor leaves out.
const LEFT_OUT: u32 = 16;
/// Segments looked at by a scan that finds little.
const SEGMENTS: usize = 16;
/// Slots tried at random; all but an emptied table has a handle in every other slot.
const TRIES: usize = 128;

impl Table {
    /// Hands out handles in the order of their hashes from `cursor` on, `most` or so, and says where to go on; 0 is both the start and
    /// the end.
    ///
    /// The cursor is what follows the `shared` bits in the first 48 bits of a hash; all handles with the same are handed out together,
    /// even if they are more than `most`. A handle that stays from the first call to the last is handed out exactly once, whatever is
    /// put in and taken out meanwhile.
    pub(crate) fn scan(&self, cursor: u64, most: usize, names: &impl Names, mut each: impl FnMut(Handle)) -> u64 {
        let drop = LEFT_OUT + self.shared;
        if self.is_empty() || cursor >> (u64::BITS - drop) != 0 {
            return 0;
        }
        let (mut given, mut start, mut found) = (0, cursor << drop, Vec::with_capacity(SLOTS));
        for _ in 0..SEGMENTS.max(most) {
            let segment = self.segments.get(self.directory.segment(start));
            self.gather(segment, start >> drop, names, &mut found);
            let mut last = None;
            for (at, handle) in found.drain(..) {
                if given >= most.max(1) && last != Some(at) {
                    return at;
                }
                each(handle);
                (given, last) = (given + 1, Some(at));
            }
            let Some(end) = segment.end() else { return 0 };
            start = end;
        }
        start >> drop
    }

    /// The handles of a segment from a cursor on, in order.
    fn gather(&self, segment: &Segment, cursor: u64, names: &impl Names, found: &mut Vec<(u64, Handle)>) {
        let at = |hash: u64| (hash << self.shared) >> (LEFT_OUT + self.shared);
        bring_near(segment.handles(), names);
        found.extend(segment.handles().iter().map(|handle| (at(names.hash(*handle)), *handle)));
        if segment.is_spilled() {
            let spilled = self.crowd.iter().filter(|(hash, _)| segment.takes(hash << self.shared));
            found.extend(spilled.map(|(hash, handle)| (at(hash), handle)));
        }
        found.retain(|(at, _)| *at >= cursor);
        found.sort_unstable_by_key(|(at, _)| *at);
    }

    /// Hands out the handles of `most` segments from number `from` on, and says where to go on (0: all were handed out). What moves to
    /// another segment meanwhile may be handed out twice, or not at all.
    pub(crate) fn visit(&self, from: u32, most: usize, mut each: impl FnMut(Handle)) -> u32 {
        let end = (from as usize).saturating_add(most).min(self.segments.len());
        (from..end as u32).for_each(|number| self.segments.get(number).handles().iter().for_each(|at| each(*at)));
        if end < self.segments.len() {
            return end as u32;
        }
        self.crowd.iter().for_each(|(_, at)| each(at));
        0
    }

    /// All handles, in no order.
    pub(crate) fn iter(&self) -> impl Iterator<Item = Handle> {
        let spilled = self.crowd.iter().map(|(_, handle)| handle);
        self.segments.iter().flat_map(|segment| segment.handles().iter().copied()).chain(spilled)
    }

    /// One of the handles, each as likely as another, as `seed` falls.
    pub(crate) fn random(&self, mut seed: u64) -> Option<Handle> {
        let slots = self.segments.len() * SLOTS + self.crowd.len();
        for _ in 0..TRIES.min(slots) {
            seed = mixed(seed);
            // the product's top half is below `slots`, each as likely
            if let Some(handle) = self.slot(((u128::from(seed) * slots as u128) >> 64) as usize) {
                return Some(handle);
            }
        }
        self.iter().next()
    }

    fn slot(&self, number: usize) -> Option<Handle> {
        let segment = number / SLOTS;
        if segment < self.segments.len() {
            return self.segments.get(segment as u32).handles().get(number % SLOTS).copied();
        }
        Some(self.crowd.handle((number - self.segments.len() * SLOTS) as u32))
    }

    /// How many segments there are, by number; what has spilled out of them is in none.
    pub(crate) fn segments(&self) -> u32 {
        self.segments.len() as u32
    }

    /// The handles of a segment, and a time before which nothing in it falls due.
    #[inline]
    pub(crate) fn segment(&self, number: u32) -> (&[Handle], u64) {
        let segment = self.segments.get(number);
        (segment.handles(), segment.soonest)
    }

    /// Where the handle at `index` of a segment is.
    pub(crate) fn place(&self, number: u32, index: usize) -> Place {
        Place { segment: number, slot: index as u32 }
    }

    /// A hash without the bits that are equal for all; its last byte stays.
    #[inline]
    pub(crate) fn own(&self, hash: u64) -> u64 {
        hash << self.shared & !0xff | hash & 0xff
    }

    /// A handle that `is` says yes to, among those whose own hashes begin as this one does, as far as their segment tells, and end as
    /// it does.
    pub(crate) fn find_named(&self, own: u64, is: impl Fn(Handle) -> bool) -> Option<Place> {
        if self.segments.len() == 0 {
            return None;
        }
        let number = self.directory.segment(own);
        let segment = self.segments.get(number);
        let slot = segment.matches(tag(own)).find(|slot| is(segment.handle(*slot)))?;
        Some(Place { segment: number, slot })
    }

    /// Nothing falls due before this.
    pub(crate) fn soonest(&self) -> u64 {
        self.segments.iter().map(|segment| segment.soonest).fold(self.crowd.soonest, u64::min)
    }

    /// Looks at `most` segments from number `from` on, hands the handles of those in which something may be due by `now` to `each`,
    /// which says when the next of them falls due (`u64::MAX`: none does), and says where to go on (0: at the start again).
    pub(crate) fn walk(&mut self, from: u32, most: usize, now: u64, mut each: impl FnMut(&[Handle]) -> u64) -> u32 {
        let end = (from as usize + most).min(self.segments.len());
        for number in from..end as u32 {
            let segment = self.segments.get_mut(number);
            if segment.soonest <= now {
                segment.soonest = each(segment.handles());
            }
        }
        if end < self.segments.len() {
            return end as u32;
        }
        if self.crowd.soonest <= now {
            let spilled: Vec<Handle> = self.crowd.iter().map(|(_, handle)| handle).collect();
            self.crowd.soonest = each(&spilled);
        }
        0
    }
}

/// The next number of a sequence that looks random (splitmix64).
fn mixed(seed: u64) -> u64 {
    let mut next = seed.wrapping_add(0x9e37_79b9_7f4a_7c15);
    next = (next ^ next >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    next = (next ^ next >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
    next ^ next >> 31
}
