//! A set that no key holds yet.

use super::super::big::Big;
use super::super::slot::Slot;
use super::{Members, Set, small};

/// Members that are collected for a key.
#[derive(Debug)]
pub(crate) enum Loose {
    Small(Vec<u8>),
    Big(Box<Members>),
}

impl Loose {
    /// None yet.
    pub(crate) fn new() -> Loose {
        let mut bytes = Vec::new();
        small::start(&mut bytes);
        Loose::Small(bytes)
    }

    /// What there is now.
    pub(crate) fn set(&self) -> Set<'_> {
        match self {
            Loose::Small(bytes) => Set::small(bytes),
            Loose::Big(members) => Set::Big(members),
        }
    }

    /// Adds a member; whether it is new.
    pub(crate) fn add(&mut self, member: &[u8]) -> bool {
        let is_new = match self {
            Loose::Small(bytes) => small::add(bytes, member),
            Loose::Big(members) => return members.add(member),
        };
        if let Loose::Small(bytes) = self
            && !small::fits(bytes)
        {
            *self = Loose::Big(Box::new(self.set().unpacked()));
        }
        is_new
    }

    /// Puts them, one at least, in a key in place of all that it held; it never expires then.
    pub(crate) fn put(self, slot: &mut Slot<'_>) {
        let mark = !matches!(self.set(), Set::Integers(_));
        match self {
            Loose::Small(bytes) => slot.put_until(&bytes, None),
            Loose::Big(members) => {
                slot.put_until(&[], None);
                slot.put_big(Big::Set(*members));
            }
        }
        slot.set_mark(mark);
    }
}
