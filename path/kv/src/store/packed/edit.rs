//! How packed elements are changed: in a `Vec`, which is put back into an entry or is a node of its own.

use super::super::varint::{LONGEST, write};
use super::{FLAG, HEAD, Packed, size};

/// Elements that are changed.
#[derive(Debug)]
pub(crate) struct Edit<'e, const TWO_WAY: bool> {
    bytes: &'e mut Vec<u8>,
}

impl<'e, const TWO_WAY: bool> Edit<'e, TWO_WAY> {
    /// Those in `bytes`; when there are no bytes, none yet.
    pub(crate) fn of(bytes: &'e mut Vec<u8>) -> Self {
        if bytes.is_empty() {
            bytes.extend_from_slice(&[0; HEAD]);
        }
        Edit { bytes }
    }

    /// What there is now.
    #[inline]
    pub(crate) fn packed(&self) -> Packed<'_, TWO_WAY> {
        Packed::of(self.bytes)
    }

    /// Puts an element in front of what is at a place, and gives the place behind it.
    pub(crate) fn insert(&mut self, at: usize, element: &[u8]) -> usize {
        let (mut head, length) = ([0; LONGEST], element.len());
        let head = write(length, &mut head);
        let behind = at + size::<TWO_WAY>(length, head.len());
        self.make_room(at, behind - at, 0);
        self.lay(at, head, element);
        self.count(|count| count + 1);
        behind
    }

    /// Puts an element behind all others.
    pub(crate) fn push(&mut self, element: &[u8]) {
        self.insert(self.bytes.len(), element);
    }

    /// Puts an element where another is, and gives the place behind it.
    pub(crate) fn replace(&mut self, at: usize, element: &[u8]) -> usize {
        let (mut head, length) = ([0; LONGEST], element.len());
        let head = write(length, &mut head);
        let behind = at + size::<TWO_WAY>(length, head.len());
        let old = self.packed().behind(at) - at;
        self.make_room(at, behind - at, old);
        self.lay(at, head, element);
        behind
    }

    /// Takes `many` elements out, from a place on.
    pub(crate) fn remove(&mut self, at: usize, many: usize) {
        let behind = (0..many).fold(at, |behind, _| self.packed().behind(behind));
        self.remove_between(at, behind, many);
    }

    /// Takes out what lies from a place to another, which is `many` elements.
    pub(crate) fn remove_between(&mut self, from: usize, to: usize, many: usize) {
        self.bytes.drain(from..to);
        self.count(|count| count - many);
    }

    /// Sets the flag.
    pub(crate) fn set_flag(&mut self, flag: bool) {
        let count = self.packed().count() & !FLAG | if flag { FLAG } else { 0 };
        self.bytes[..HEAD].copy_from_slice(&count.to_le_bytes());
    }

    /// Makes the `old` bytes at a place `new` ones, of any content.
    fn make_room(&mut self, at: usize, new: usize, old: usize) {
        let end = self.bytes.len();
        if new >= old {
            self.bytes.resize(end + new - old, 0);
            self.bytes.copy_within(at + old..end, at + new);
        } else {
            self.bytes.copy_within(at + old..end, at + new);
            self.bytes.truncate(end + new - old);
        }
    }

    fn lay(&mut self, at: usize, head: &[u8], element: &[u8]) {
        let (from, to) = (at + head.len(), at + head.len() + element.len());
        self.bytes[at..from].copy_from_slice(head);
        self.bytes[from..to].copy_from_slice(element);
        if TWO_WAY {
            let back = self.bytes[to..to + head.len()].iter_mut().rev();
            back.zip(head).for_each(|(byte, head)| *byte = *head);
        }
    }

    fn count(&mut self, change: impl FnOnce(usize) -> usize) {
        let (flag, count) = (self.packed().count() & FLAG, change(self.packed().len()));
        let count = u16::try_from(count).ok().filter(|count| count & FLAG == 0).expect("no more elements are packed together");
        self.bytes[..HEAD].copy_from_slice(&(flag | count).to_le_bytes());
    }
}
