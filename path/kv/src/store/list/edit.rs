//! A list that is changed.

use super::super::big::Big;
use super::super::packed::{Edit, MOST_BYTES, TwoWay, is_small};
use super::super::slot::Slot;
use super::items::remove_equal;
use super::{End, Items, List};

/// A list in the hands of a command; [`ListEdit::close`] puts it back.
pub(crate) struct ListEdit<'e, 's> {
    slot: &'e mut Slot<'s>,
    /// The packed form while it is edited; none when it is big.
    packed: Option<Vec<u8>>,
    is_changed: bool,
}

impl<'e, 's> ListEdit<'e, 's> {
    /// The list of a slot that has one, or nothing.
    #[must_use = "what was changed must be put back"]
    pub(crate) fn open(slot: &'e mut Slot<'s>) -> ListEdit<'e, 's> {
        let mut packed = slot.edit_or_start();
        packed.as_mut().map(Edit::<true>::of);
        ListEdit { slot, packed, is_changed: false }
    }

    /// What it is now.
    pub(crate) fn list(&self) -> List<'_> {
        match &self.packed {
            Some(bytes) => List::Packed(TwoWay::of(bytes)),
            None => List::of(self.slot.value().expect("a big one is there")),
        }
    }

    /// Puts an element at an end.
    pub(crate) fn push(&mut self, end: End, element: &[u8]) {
        self.make_room(element);
        match (&mut self.packed, end) {
            (Some(bytes), End::Left) => {
                Edit::<true>::of(bytes).insert(TwoWay::start(), element);
            }
            (Some(bytes), End::Right) => Edit::<true>::of(bytes).push(element),
            (None, _) => items(self.slot).push(end, element),
        }
        self.unpack_large();
    }

    /// Takes `many` elements away at an end.
    pub(crate) fn drop_some(&mut self, end: End, many: usize) {
        self.is_changed |= many > 0;
        let Some(bytes) = &mut self.packed else { return items(self.slot).drop_some(end, many) };
        let mut edit = Edit::<true>::of(bytes);
        let (packed, many) = (edit.packed(), many.min(edit.packed().len()));
        match end {
            End::Left => edit.remove(TwoWay::start(), many),
            End::Right => edit.remove(packed.nth(packed.len() - many), many),
        }
    }

    /// Puts another element in the place of the one number `index`.
    pub(crate) fn set(&mut self, index: usize, element: &[u8]) {
        self.make_room(element);
        match &mut self.packed {
            Some(bytes) => {
                let mut edit = Edit::<true>::of(bytes);
                edit.replace(edit.packed().nth(index), element);
            }
            None => items(self.slot).set(index, element),
        }
        self.unpack_large();
    }

    /// Puts an element in front of the one number `index`, or behind all.
    pub(crate) fn insert(&mut self, index: usize, element: &[u8]) {
        self.make_room(element);
        match &mut self.packed {
            Some(bytes) => {
                let mut edit = Edit::<true>::of(bytes);
                edit.insert(edit.packed().nth(index), element);
            }
            None => items(self.slot).insert(index, element),
        }
        self.unpack_large();
    }

    /// Takes away what is equal to `element`, `most` of it from one end on; how many those were.
    pub(crate) fn remove_equal(&mut self, element: &[u8], most: usize, from: End) -> usize {
        let count = match &mut self.packed {
            Some(bytes) => remove_equal(&mut Edit::of(bytes), element, most, from),
            None => items(self.slot).remove_equal(element, most, from),
        };
        self.is_changed |= count > 0;
        count
    }

    /// Puts it back, or takes the key away when no element is left; whether one is.
    pub(crate) fn close(self) -> bool {
        let is_there = self.list().len() > 0;
        self.slot.close_edited(self.packed, self.is_changed, is_there);
        is_there
    }

    /// Another element is about to come; a long one is not copied to be packed.
    fn make_room(&mut self, element: &[u8]) {
        self.is_changed = true;
        if element.len() > MOST_BYTES {
            self.unpack();
        }
    }

    /// Makes it a big one when it is not small any more.
    fn unpack_large(&mut self) {
        let packed = self.packed.as_deref().map(TwoWay::of);
        if packed.is_some_and(|packed| !is_small(packed.len(), packed.end())) {
            self.unpack();
        }
    }

    fn unpack(&mut self) {
        if let Some(bytes) = self.packed.take() {
            self.slot.put_big(Big::List(Items::of(&bytes)));
        }
    }
}

fn items<'i>(slot: &'i mut Slot<'_>) -> &'i mut Items {
    match slot.big() {
        Some(Big::List(items)) => items,
        _ => unreachable!("what is not packed is a big list"),
    }
}
