//! A set that is changed.

use super::super::big::Big;
use super::super::slot::Slot;
use super::{Members, Set, small};

/// A set in the hands of a command; [`SetEdit::close`] puts it back.
pub(crate) struct SetEdit<'e, 's> {
    slot: &'e mut Slot<'s>,
    /// The bytes of a small one while they are edited; none when it is big.
    small: Option<Vec<u8>>,
    is_changed: bool,
}

impl<'e, 's> SetEdit<'e, 's> {
    /// The set of a slot that has one, or nothing.
    #[must_use = "what was changed must be put back"]
    pub(crate) fn open(slot: &'e mut Slot<'s>) -> SetEdit<'e, 's> {
        let mut small = slot.edit_or_start();
        small.as_mut().map(small::start);
        SetEdit { slot, small, is_changed: false }
    }

    /// What it is now.
    pub(crate) fn set(&self) -> Set<'_> {
        match &self.small {
            Some(bytes) => Set::small(bytes),
            None => Set::of(self.slot.value().expect("a big one is there")),
        }
    }

    /// Adds a member; whether it is new.
    pub(crate) fn add(&mut self, member: &[u8]) -> bool {
        if !small::takes(member) {
            self.unpack();
        }
        let Some(bytes) = &mut self.small else { return members(self.slot).add(member) };
        let is_new = small::add(bytes, member);
        self.is_changed |= is_new;
        if !small::fits(bytes) {
            self.unpack();
        }
        is_new
    }

    /// Takes a member away; whether it was there.
    pub(crate) fn remove(&mut self, member: &[u8]) -> bool {
        let Some(bytes) = &mut self.small else { return members(self.slot).remove(member) };
        let was_there = small::remove(bytes, member);
        self.is_changed |= was_there;
        was_there
    }

    /// Chooses its form anew, as Redis does when most of a set is gone.
    pub(crate) fn settle(&mut self) {
        if let Some(bytes) = small::in_order(self.set()) {
            (self.small, self.is_changed) = (Some(bytes), true);
        }
    }

    /// Puts it back, or takes the key away when no member is left; whether one is.
    pub(crate) fn close(self) -> bool {
        let (is_there, mark) = (self.set().len() > 0, !matches!(self.set(), Set::Integers(_)));
        self.slot.close_edited(self.small, self.is_changed, is_there);
        self.slot.set_mark(mark);
        is_there
    }

    /// Makes it a big one.
    fn unpack(&mut self) {
        if let Some(bytes) = self.small.take() {
            self.slot.put_big(Big::Set(Set::small(&bytes).unpacked()));
        }
    }
}

fn members<'m>(slot: &'m mut Slot<'_>) -> &'m mut Members {
    match slot.big() {
        Some(Big::Set(members)) => members,
        _ => unreachable!("what is not small is a big set"),
    }
}
