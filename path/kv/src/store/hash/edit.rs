//! A hash that is changed.

use super::super::big::Big;
use super::super::entry::Ms;
use super::super::packed::{Edit, MOST_BYTES, Row, SHORT, is_small};
use super::super::slot::Slot;
use super::{Fields, Hash, rows};

/// Most fields with which Redis keeps its packed form (`hash-max-listpack-entries`).
const MOST_PACKED: usize = 512;

/// A hash in the hands of a command; [`HashEdit::close`] puts it back.
pub(crate) struct HashEdit<'e, 's> {
    slot: &'e mut Slot<'s>,
    /// The packed form while it is edited; none when it is big.
    packed: Option<Vec<u8>>,
    is_changed: bool,
    mark: bool,
}

impl<'e, 's> HashEdit<'e, 's> {
    /// The hash of a slot that has one, or nothing.
    #[must_use = "what was changed must be put back"]
    pub(crate) fn open(slot: &'e mut Slot<'s>) -> HashEdit<'e, 's> {
        let (mut packed, mark) = (slot.edit_or_start(), slot.mark());
        packed.as_mut().map(Edit::<false>::of);
        HashEdit { slot, packed, is_changed: false, mark }
    }

    /// What it is now.
    pub(crate) fn hash(&self) -> Hash<'_> {
        match &self.packed {
            Some(bytes) => Hash::Packed(Row::of(bytes)),
            None => Hash::of(self.slot.value().expect("a big one is there")),
        }
    }

    /// Gives a field a value, and no expiry; whether it is new.
    pub(crate) fn set(&mut self, field: &[u8], value: &[u8]) -> bool {
        self.put(field, value, None)
    }

    /// Gives a field a value; an expiry stays.
    pub(crate) fn update(&mut self, field: &[u8], value: &[u8]) {
        let until = if self.hash().never_expires() { None } else { self.hash().expiry(field).flatten() };
        self.put(field, value, until);
    }

    /// Gives a field that is there an expiry, or none.
    pub(crate) fn set_expiry(&mut self, field: &[u8], until: Option<Ms>) {
        self.is_changed = true;
        match &mut self.packed {
            Some(bytes) => {
                rows::set_expiry(bytes, field, until);
                self.unpack_large();
            }
            None => fields(self.slot).set_expiry(field, until),
        }
        if let Some(until) = until {
            self.slot.falls_due(until);
        }
    }

    fn put(&mut self, field: &[u8], value: &[u8], until: Option<Ms>) -> bool {
        self.is_changed = true;
        if field.len() + value.len() > MOST_BYTES {
            self.unpack();
        }
        let is_new = match &mut self.packed {
            Some(bytes) => {
                let is_new = rows::put(bytes, field, value, until);
                self.unpack_large();
                is_new
            }
            None => fields(self.slot).set(field, value, until),
        };
        self.mark = self.mark || field.len().max(value.len()) > SHORT || self.hash().len() > MOST_PACKED;
        is_new
    }

    /// Takes a field away; whether it was there.
    pub(crate) fn remove(&mut self, field: &[u8]) -> bool {
        let was_there = match &mut self.packed {
            Some(bytes) => rows::remove(bytes, field),
            None => fields(self.slot).remove(field),
        };
        self.is_changed |= was_there;
        was_there
    }

    /// Puts it back, or takes the key away when no field is left; whether one is.
    pub(crate) fn close(self) -> bool {
        let is_there = self.hash().len() > 0;
        self.slot.close_edited(self.packed, self.is_changed, is_there);
        self.slot.set_mark(self.mark);
        is_there
    }

    /// Makes it a big one when it is not small any more.
    fn unpack_large(&mut self) {
        if let Some(bytes) = &self.packed
            && !is_small(self.hash().len(), bytes.len())
        {
            self.unpack();
        }
    }

    /// Makes it a big one.
    fn unpack(&mut self) {
        let Some(bytes) = self.packed.take() else { return };
        let mut all = Fields::new();
        rows::each(Row::of(&bytes)).for_each(|(field, value, until)| {
            all.set(field, value, until);
        });
        self.slot.put_big(Big::Hash(all));
    }
}

fn fields<'f>(slot: &'f mut Slot<'_>) -> &'f mut Fields {
    match slot.big() {
        Some(Big::Hash(fields)) => fields,
        _ => unreachable!("what is not packed is a big hash"),
    }
}

/// Writes the value of a field over an old one that is as long and lies in the entry; whether there is such a one.
pub(crate) fn replace(slot: &mut Slot<'_>, field: &[u8], value: &[u8]) -> bool {
    let Some(bytes) = slot.bytes_mut() else { return false };
    let row = Row::of(bytes);
    // Where fields expire it is not the value alone that changes.
    if row.flag() {
        return false;
    }
    let Some(at) = row.find(field, rows::step(row)).map(|at| row.behind(at)) else { return false };
    let same = row.range(at);
    if same.len() != value.len() {
        return false;
    }
    bytes[same].copy_from_slice(value);
    true
}
