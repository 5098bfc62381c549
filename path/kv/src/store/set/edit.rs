//! A set that is changed.

use super::super::big::Big;
use super::super::packed::{Edit, Row, is_small};
use super::super::slot::Slot;
use super::{Members, Set, add_packed, marks, remove_packed, unpacked};

/// A set in the hands of a command; [`SetEdit::close`] puts it back.
pub(crate) struct SetEdit<'e, 's> {
    slot: &'e mut Slot<'s>,
    /// The packed form while it is edited; none when it is big.
    packed: Option<Vec<u8>>,
    mark: bool,
}

impl<'e, 's> SetEdit<'e, 's> {
    /// The set of a slot that has one, or nothing.
    #[must_use = "what was changed must be put back"]
    pub(crate) fn open(slot: &'e mut Slot<'s>) -> SetEdit<'e, 's> {
        let (mut packed, mark) = (slot.edit_or_start(), slot.mark());
        packed.as_mut().map(Edit::<false>::of);
        SetEdit { slot, packed, mark }
    }

    /// What it is now.
    pub(crate) fn set(&self) -> Set<'_> {
        match &self.packed {
            Some(bytes) => Set::Packed(Row::of(bytes)),
            None => Set::of(self.slot.value().expect("a big one is there")),
        }
    }

    /// Adds a member; whether it is new.
    pub(crate) fn add(&mut self, member: &[u8]) -> bool {
        self.mark = self.mark || marks(member, self.set().len());
        let is_new = match &mut self.packed {
            Some(bytes) => add_packed(bytes, member, self.mark),
            None => members(self.slot).add(member),
        };
        self.mark = self.mark || marks(member, self.set().len());
        self.unpack();
        is_new
    }

    /// Takes a member away; whether it was there.
    pub(crate) fn remove(&mut self, member: &[u8]) -> bool {
        match &mut self.packed {
            Some(bytes) => remove_packed(bytes, member),
            None => members(self.slot).remove(member),
        }
    }

    /// Has Redis choose its form again, as for a new set.
    pub(crate) fn mark_anew(&mut self) {
        let set = self.set();
        let mark = set.iter().any(|member| marks(member, set.len()));
        if let Some(bytes) = &mut self.packed
            && self.mark
            && !mark
        {
            let mut sorted = Vec::with_capacity(bytes.len());
            Row::of(bytes).iter().for_each(|member| {
                add_packed(&mut sorted, member, false);
            });
            *bytes = sorted;
        }
        self.mark = mark;
    }

    /// Puts it back, or takes the key away when no member is left; whether one is.
    pub(crate) fn close(self) -> bool {
        let is_there = self.set().len() > 0;
        match self.packed {
            Some(bytes) if is_there => self.slot.put_edited(bytes),
            None if is_there => {}
            _ => self.slot.remove(),
        }
        self.slot.set_mark(self.mark);
        is_there
    }

    /// Makes it a big one when it is not small any more.
    fn unpack(&mut self) {
        let Some(row) = self.packed.as_deref().map(Row::of) else { return };
        if !is_small(row.len(), row.end()) {
            self.slot.put_big(Big::Set(unpacked(row)));
            self.packed = None;
        }
    }
}

fn members<'m>(slot: &'m mut Slot<'_>) -> &'m mut Members {
    match slot.big() {
        Some(Big::Set(members)) => members,
        _ => unreachable!("what is not packed is a big set"),
    }
}
