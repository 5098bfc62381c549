//! A set that no key holds yet.

use super::super::big::Big;
use super::super::packed::{Edit, Row, is_small};
use super::super::slot::Slot;
use super::{Members, Set, add_packed, marks, unpacked};

/// Members that are collected for a key.
#[derive(Debug)]
pub(crate) struct Loose {
    form: Form,
    mark: bool,
}

#[derive(Debug)]
enum Form {
    Packed(Vec<u8>),
    Big(Box<Members>),
}

impl Loose {
    /// None yet.
    pub(crate) fn new() -> Loose {
        let mut bytes = Vec::new();
        Edit::<false>::of(&mut bytes);
        Loose { form: Form::Packed(bytes), mark: false }
    }

    /// What there is now.
    pub(crate) fn set(&self) -> Set<'_> {
        match &self.form {
            Form::Packed(bytes) => Set::Packed(Row::of(bytes)),
            Form::Big(members) => Set::Big(members),
        }
    }

    /// Adds a member; whether it is new.
    pub(crate) fn add(&mut self, member: &[u8]) -> bool {
        self.mark = self.mark || marks(member, self.set().len());
        let is_new = match &mut self.form {
            Form::Packed(bytes) => add_packed(bytes, member, self.mark),
            Form::Big(members) => members.add(member),
        };
        self.mark = self.mark || marks(member, self.set().len());
        if let Form::Packed(bytes) = &self.form
            && !is_small(Row::of(bytes).len(), bytes.len())
        {
            self.form = Form::Big(Box::new(unpacked(Row::of(bytes))));
        }
        is_new
    }

    /// Puts them, one at least, in a key in place of all that it held; it never expires then.
    pub(crate) fn put(self, slot: &mut Slot<'_>) {
        match self.form {
            Form::Packed(bytes) => slot.put_until(&bytes, None),
            Form::Big(members) => {
                slot.set_expiry(None);
                slot.put_big(Big::Set(*members));
            }
        }
        slot.set_mark(self.mark);
    }
}
