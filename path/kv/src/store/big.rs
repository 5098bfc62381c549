//! Values too big for their entry: each type has a form of its own, kept by number.

use super::hash::Fields;
use super::list::Items;
use super::set::Members;
use super::sorted::Ranked;
use super::stream::Stream;

/// A value that does not lie in its entry.
#[derive(Debug)]
#[allow(clippy::large_enum_variant)] // what is big lies in a box, and has some KB besides
pub(crate) enum Big {
    Hash(Fields),
    Set(Members),
    List(Items),
    Sorted(Ranked),
    Stream(Stream),
}

/// Its place among those of a shard.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Number(u32);

/// All big values of a shard.
#[derive(Debug, Default)]
pub(super) struct Bigs {
    all: Vec<Option<Box<Big>>>,
    free: Vec<Number>,
    held: usize,
}

impl Big {
    /// Bytes that it holds of the allocator, itself included; in constant time.
    pub(crate) fn held(&self) -> usize {
        size_of::<Big>()
            + match self {
                Big::Hash(fields) => fields.held(),
                Big::Set(members) => members.held(),
                Big::List(items) => items.held(),
                Big::Sorted(ranked) => ranked.held(),
                Big::Stream(stream) => stream.held(),
            }
    }

    /// The same once more, as `COPY` wants it.
    pub(crate) fn copy(&self) -> Big {
        match self {
            Big::Hash(fields) => Big::Hash(fields.copy()),
            Big::Set(members) => Big::Set(members.copy()),
            Big::List(items) => Big::List(items.copy()),
            Big::Sorted(ranked) => Big::Sorted(ranked.copy()),
            Big::Stream(stream) => Big::Stream(stream.copy()),
        }
    }
}

impl Number {
    pub(super) fn to_bytes(self) -> [u8; 4] {
        self.0.to_le_bytes()
    }

    /// Of the value of an entry that says it has a big one.
    pub(super) fn of(value: &[u8]) -> Number {
        Number(u32::from_le_bytes(value.try_into().expect("a number was written")))
    }
}

impl Bigs {
    pub(super) fn add(&mut self, big: Box<Big>) -> Number {
        self.held += big.held();
        let number = self.free.pop().unwrap_or_else(|| {
            self.all.push(None);
            Number(u32::try_from(self.all.len() - 1).expect("a shard has fewer keys"))
        });
        self.all[number.0 as usize] = Some(big);
        number
    }

    pub(super) fn get(&self, number: Number) -> &Big {
        self.all[number.0 as usize].as_ref().expect("an entry has its number")
    }

    /// What it holds is counted when [`Bigs::changed`] says what it held before.
    pub(super) fn get_mut(&mut self, number: Number) -> &mut Big {
        self.all[number.0 as usize].as_mut().expect("an entry has its number")
    }

    pub(super) fn changed(&mut self, number: Number, before: usize) {
        self.held = self.held + self.get(number).held() - before;
    }

    pub(super) fn remove(&mut self, number: Number) -> Box<Big> {
        let big = self.all[number.0 as usize].take().expect("an entry has its number");
        self.held -= big.held();
        self.free.push(number);
        big
    }

    /// Bytes held of the allocator.
    pub(super) fn held(&self) -> usize {
        self.held + self.all.capacity() * size_of::<Option<Box<Big>>>() + self.free.capacity() * size_of::<Number>()
    }

    pub(super) fn clear(&mut self) -> Vec<Option<Box<Big>>> {
        std::mem::take(self).all
    }
}
