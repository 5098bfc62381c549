//! Handles by the hash of their names, in segments that split one at a time.
//!
//! The names stay where the handles lead: the caller lends `Names` to each call that needs them.

use std::collections::BTreeMap;

use super::arena::Handle;

/// What the handles of a table are called.
pub(crate) trait Names {
    /// The hash of the name of what is at `at`.
    fn hash(&self, at: Handle) -> u64;
    /// Whether what is at `at` is called `key`.
    fn is(&self, at: Handle, key: &[u8]) -> bool;
}

/// Where a handle is in a table, until the next insert or remove.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Place {
    hash: u64,
    slot: usize,
}

/// A table of handles.
#[derive(Debug)]
pub(crate) struct Table {
    shared: u32,
    slots: BTreeMap<u64, Vec<Handle>>,
    len: usize,
    soonest: u64,
}

impl Table {
    /// An empty table, which has allocated nothing, for hashes that are equal in their first `shared` bits (16 at most).
    pub(crate) fn new(shared: u32) -> Self {
        Self { shared, slots: BTreeMap::new(), len: 0, soonest: u64::MAX }
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
        self.len * 8
    }

    /// The place of what is called `key`.
    pub(crate) fn find(&self, hash: u64, key: &[u8], names: &impl Names) -> Option<Place> {
        let slot = self.slots.get(&hash)?.iter().position(|at| names.is(*at, key))?;
        Some(Place { hash, slot })
    }

    /// The handle at a place.
    pub(crate) fn at(&self, place: Place) -> Handle {
        self.slots[&place.hash][place.slot]
    }

    /// Puts in a handle whose name is not here yet.
    pub(crate) fn insert(&mut self, hash: u64, handle: Handle, _names: &impl Names) -> Place {
        let handles = self.slots.entry(hash).or_default();
        handles.push(handle);
        self.len += 1;
        Place { hash, slot: handles.len() - 1 }
    }

    /// Puts another handle of the same name at a place, as when its block has moved.
    pub(crate) fn set(&mut self, place: Place, handle: Handle) {
        self.slots.get_mut(&place.hash).expect("a place has its slot")[place.slot] = handle;
    }

    /// Puts `new` where `old` is; `hash` is that of their name.
    pub(crate) fn replace(&mut self, hash: u64, old: Handle, new: Handle) {
        let mut handles = self.slots.get_mut(&hash).expect("the old handle is here").iter_mut();
        *handles.find(|at| **at == old).expect("the old handle is here") = new;
    }

    /// Takes the handle at a place out.
    pub(crate) fn remove(&mut self, place: Place) -> Handle {
        let handles = self.slots.get_mut(&place.hash).expect("a place has its slot");
        let handle = handles.swap_remove(place.slot);
        if handles.is_empty() {
            self.slots.remove(&place.hash);
        }
        self.len -= 1;
        handle
    }

    /// One of the handles, each as likely as another, as `seed` falls.
    pub(crate) fn random(&self, seed: u64) -> Option<Handle> {
        self.iter().nth((seed % self.len.max(1) as u64) as usize)
    }

    /// Hands out handles in the order of their hashes from `cursor` on, `most` or a few more, and says where to go on; 0 is both the
    /// start and the end.
    ///
    /// The cursor is what follows the `shared` bits in the first 48 bits of a hash: a handle that stays from the first call to the
    /// last is handed out exactly once, whatever is put in and taken out meanwhile.
    pub(crate) fn scan(&self, cursor: u64, most: usize, _names: &impl Names, mut each: impl FnMut(Handle)) -> u64 {
        let (mut given, mut last) = (0, None);
        for (hash, handles) in &self.slots {
            let at = (hash << self.shared) >> (16 + self.shared);
            if at < cursor {
                continue;
            }
            if given >= most.max(1) && last != Some(at) {
                return at;
            }
            last = Some(at);
            given += handles.len();
            handles.iter().for_each(|at| each(*at));
        }
        0
    }

    /// All handles, in no order.
    pub(crate) fn iter(&self) -> impl Iterator<Item = Handle> {
        self.slots.values().flatten().copied()
    }

    /// Says that what is at a place falls due at `when`: `walk` will find it then.
    pub(crate) fn falls_due(&mut self, _place: Place, when: u64) {
        self.soonest = self.soonest.min(when);
    }

    /// Looks at `most` segments from number `from` on, hands the handles of those in which something may be due by `now` to `each`,
    /// which says when the next of them falls due (`u64::MAX`: none does), and says where to go on (0: at the start again).
    pub(crate) fn walk(&mut self, _from: u32, _most: usize, now: u64, mut each: impl FnMut(&[Handle]) -> u64) -> u32 {
        if self.soonest <= now {
            let handles: Vec<Handle> = self.iter().collect();
            self.soonest = each(&handles);
        }
        0
    }

    /// Gives everything back.
    pub(crate) fn clear(&mut self) {
        *self = Self::new(self.shared);
    }
}
