//! packed: the form of small collections, and of the pieces of long lists and streams: elements one after the other.
//!
//! `[flag, count u15][length varint][element]…` In a [`TwoWay`] one each element is followed by its length once more, written so that
//! it is read backwards. Elements are texts; a place is the number of the byte where one begins. What they mean, and the order
//! they are in, is up to the type.

mod edit;
mod node;

pub(crate) use edit::Edit;
pub(crate) use node::{MOST as NODE, Node};

use super::varint::{read, read_back};

/// Most members, or pairs, of a small collection.
pub(crate) const MOST_ENTRIES: usize = 128;
/// Most bytes of a small collection.
pub(crate) const MOST_BYTES: usize = 2 << 10;
/// Longest element with which Redis keeps its own packed form (`hash-max-listpack-value` and others).
pub(crate) const SHORT: usize = 64;

/// Bytes of the count.
const HEAD: usize = 2;
/// The bit of the count that is a flag.
const FLAG: u16 = 1 << 15;

/// Elements that are read one after the other.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Packed<'a, const TWO_WAY: bool> {
    bytes: &'a [u8],
}

/// Read from the first on.
pub(crate) type Row<'a> = Packed<'a, false>;
/// Read from the last on, too, for a byte more an element.
pub(crate) type TwoWay<'a> = Packed<'a, true>;

/// Whether so many entries in so many bytes are a small collection.
pub(crate) fn is_small(entries: usize, bytes: usize) -> bool {
    entries <= MOST_ENTRIES && bytes <= MOST_BYTES
}

impl<'a, const TWO_WAY: bool> Packed<'a, TWO_WAY> {
    /// Those that an [`Edit`] has written.
    pub(crate) fn of(bytes: &'a [u8]) -> Self {
        debug_assert!(bytes.len() >= HEAD, "there is always a count");
        Packed { bytes }
    }

    /// How many elements there are.
    #[inline]
    pub(crate) fn len(self) -> usize {
        usize::from(self.count() & !FLAG)
    }

    /// A flag that the type gives a meaning.
    #[inline]
    pub(crate) fn flag(self) -> bool {
        self.count() & FLAG != 0
    }

    #[inline]
    fn count(self) -> u16 {
        u16::from_le_bytes([self.bytes[0], self.bytes[1]])
    }

    /// Whether there are none.
    pub(crate) fn is_empty(self) -> bool {
        self.len() == 0
    }

    /// The place of the first.
    pub(crate) const fn start() -> usize {
        HEAD
    }

    /// The place behind the last.
    pub(crate) fn end(self) -> usize {
        self.bytes.len()
    }

    /// The element at a place.
    #[inline]
    pub(crate) fn get(self, at: usize) -> &'a [u8] {
        &self.bytes[self.range(at)]
    }

    /// Where the bytes of the element at a place lie.
    #[inline]
    pub(crate) fn range(self, at: usize) -> std::ops::Range<usize> {
        let (length, head) = read(self.bytes, at);
        at + head..at + head + length
    }

    /// The place behind the element at a place.
    #[inline]
    pub(crate) fn behind(self, at: usize) -> usize {
        let (length, head) = read(self.bytes, at);
        at + size::<TWO_WAY>(length, head)
    }

    /// The place of the element number `index`, or the end.
    pub(crate) fn nth(self, index: usize) -> usize {
        (0..index.min(self.len())).fold(HEAD, |at, _| self.behind(at))
    }

    /// The place of `element`, looked for among the first of each `step` elements: those of a hash have two.
    #[inline]
    pub(crate) fn find(self, element: &[u8], step: usize) -> Option<usize> {
        let mut at = HEAD;
        while at < self.bytes.len() {
            let (length, head) = read(self.bytes, at);
            if length == element.len() && &self.bytes[at + head..at + head + length] == element {
                return Some(at);
            }
            at += size::<TWO_WAY>(length, head);
            for _ in 1..step {
                at = self.behind(at);
            }
        }
        None
    }

    /// The elements.
    pub(crate) fn iter(self) -> impl ExactSizeIterator<Item = &'a [u8]> + Clone {
        self.placed().map(|(_, element)| element)
    }

    /// The elements two by two, as a hash has them.
    pub(crate) fn pairs(self) -> impl ExactSizeIterator<Item = (&'a [u8], &'a [u8])> + Clone {
        Pairs(self.placed())
    }

    /// The elements, each with its place.
    pub(crate) fn placed(self) -> Placed<'a, TWO_WAY> {
        Placed { packed: self, from: HEAD, to: self.end(), left: self.len() }
    }
}

impl<'a> TwoWay<'a> {
    /// The place of the element that ends where `at` is.
    #[inline]
    pub(crate) fn before(self, at: usize) -> usize {
        let (length, head) = read_back(self.bytes, at);
        at - size::<true>(length, head)
    }
}

/// See [`Packed::placed`].
#[derive(Debug, Clone)]
pub(crate) struct Placed<'a, const TWO_WAY: bool> {
    packed: Packed<'a, TWO_WAY>,
    from: usize,
    to: usize,
    left: usize,
}

impl<'a, const TWO_WAY: bool> Iterator for Placed<'a, TWO_WAY> {
    type Item = (usize, &'a [u8]);

    #[inline]
    fn next(&mut self) -> Option<Self::Item> {
        self.left = self.left.checked_sub(1)?;
        let at = self.from;
        self.from = self.packed.behind(at);
        Some((at, self.packed.get(at)))
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        (self.left, Some(self.left))
    }
}

impl<const TWO_WAY: bool> ExactSizeIterator for Placed<'_, TWO_WAY> {}

impl DoubleEndedIterator for Placed<'_, true> {
    #[inline]
    fn next_back(&mut self) -> Option<Self::Item> {
        self.left = self.left.checked_sub(1)?;
        self.to = self.packed.before(self.to);
        Some((self.to, self.packed.get(self.to)))
    }
}

#[derive(Debug, Clone)]
struct Pairs<'a, const TWO_WAY: bool>(Placed<'a, TWO_WAY>);

impl<'a, const TWO_WAY: bool> Iterator for Pairs<'a, TWO_WAY> {
    type Item = (&'a [u8], &'a [u8]);

    #[inline]
    fn next(&mut self) -> Option<Self::Item> {
        let ((_, first), (_, second)) = (self.0.next()?, self.0.next()?);
        Some((first, second))
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        (self.0.left / 2, Some(self.0.left / 2))
    }
}

impl<const TWO_WAY: bool> ExactSizeIterator for Pairs<'_, TWO_WAY> {}

/// Bytes of an element of `length` bytes, whose length takes `head`.
#[inline]
const fn size<const TWO_WAY: bool>(length: usize, head: usize) -> usize {
    head + length + if TWO_WAY { head } else { 0 }
}

#[cfg(test)]
mod tests;
