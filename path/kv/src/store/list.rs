//! Lists: elements in order, packed in their entry while they are few and short, else in a deque of packed nodes.

mod edit;
mod items;

pub(crate) use edit::ListEdit;
pub(crate) use items::Items;

use super::big::Big;
use super::packed::TwoWay;
use super::view::Value;

/// An end of a list.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum End {
    Left,
    Right,
}

/// A list that is read.
#[derive(Debug, Clone, Copy)]
pub(crate) enum List<'a> {
    Packed(TwoWay<'a>),
    Big(&'a Items),
}

/// Elements one after the other.
type Elements<'a> = Box<dyn Iterator<Item = &'a [u8]> + 'a>;

impl<'a> List<'a> {
    /// Of what a key of that kind holds.
    pub(crate) fn of(value: Value<'a>) -> List<'a> {
        match value {
            Value::Bytes(bytes) => List::Packed(TwoWay::of(bytes)),
            Value::Big(Big::List(items)) => List::Big(items),
            Value::Big(_) => unreachable!("a key of this kind holds a list"),
        }
    }

    /// How many elements there are.
    pub(crate) fn len(self) -> usize {
        match self {
            List::Packed(packed) => packed.len(),
            List::Big(items) => items.len(),
        }
    }

    /// About how long it takes to read `many` of its elements, in elements or KB.
    pub(crate) fn weight(self, many: usize) -> usize {
        match self {
            List::Packed(_) => 0,
            List::Big(items) => {
                let many = many.min(items.len());
                many + items.held() / 1024 * many / items.len()
            }
        }
    }

    /// About how long it takes to find an element in the middle.
    pub(crate) fn depth(self) -> usize {
        match self {
            List::Packed(_) => 0,
            List::Big(items) => items.nodes() / 32,
        }
    }

    /// The element number `index`.
    pub(crate) fn get(self, index: usize) -> Option<&'a [u8]> {
        (index < self.len()).then(|| match self {
            List::Packed(packed) => packed.get(packed.nth(index)),
            List::Big(items) => items.get(index),
        })
    }

    /// The elements from one end to the other, without the first `skip` of them.
    pub(crate) fn iter(self, from: End, skip: usize) -> Elements<'a> {
        match (self, from) {
            (List::Packed(packed), End::Left) => Box::new(packed.iter().skip(skip)),
            (List::Packed(packed), End::Right) => Box::new(packed.placed().rev().skip(skip).map(|(_, element)| element)),
            (List::Big(items), End::Left) => Box::new(items.forward(skip)),
            (List::Big(items), End::Right) => Box::new(items.backward(skip)),
        }
    }
}

#[cfg(test)]
mod tests;
