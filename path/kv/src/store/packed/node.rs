//! A piece of a long list: packed elements that grow and shrink at both ends without being moved.

use super::super::varint::{LONGEST, write};
use super::{Edit, HEAD, TwoWay, size};

/// Most bytes of a node that has more than one element.
pub(crate) const MOST: usize = 8 << 10;
/// Fewest bytes that are allocated.
const LEAST: usize = 64;

/// Elements that lie at the end of what is allocated, or from its start on.
#[derive(Debug, Clone)]
pub(crate) struct Node {
    /// Any bytes, and from `start` on the elements.
    bytes: Vec<u8>,
    start: u32,
    /// As the packed form has it: it is asked for more often than the elements.
    count: u32,
}

/// Bytes that an element takes.
fn room(element: &[u8]) -> usize {
    let mut head = [0; LONGEST];
    size::<true>(element.len(), write(element.len(), &mut head).len())
}

impl Node {
    /// One with these elements, as an [`Edit`] has written them.
    pub(crate) fn of(bytes: Vec<u8>) -> Node {
        let count = TwoWay::of(&bytes).len() as u32;
        Node { bytes, start: 0, count }
    }

    /// One with no elements.
    pub(crate) fn new() -> Node {
        Node::of(vec![0; HEAD])
    }

    pub(crate) fn packed(&self) -> TwoWay<'_> {
        TwoWay::of(&self.bytes[self.start as usize..])
    }

    /// How many elements there are.
    pub(crate) fn len(&self) -> usize {
        self.count as usize
    }

    /// Bytes of the elements.
    pub(crate) fn size(&self) -> usize {
        self.bytes.len() - self.start as usize
    }

    /// Bytes held of the allocator.
    pub(crate) fn held(&self) -> usize {
        self.bytes.capacity()
    }

    /// Whether another element may be put here.
    pub(crate) fn fits(&self, element: &[u8]) -> bool {
        self.count == 0 || self.size() + room(element) <= MOST
    }

    /// Whether another element may be put in front, and that again and again without the others being moved each time.
    pub(crate) fn fits_in_front(&self, element: &[u8]) -> bool {
        let has_room = self.start as usize >= room(element) || self.bytes.capacity() < MOST || self.size() <= MOST / 2;
        self.fits(element) && has_room
    }

    /// As [`Node::fits_in_front`], behind all others.
    pub(crate) fn fits_behind(&self, element: &[u8]) -> bool {
        let free = self.bytes.capacity() - self.bytes.len();
        let has_room = free >= room(element) || self.bytes.capacity() < MOST || self.size() <= self.start as usize;
        self.fits(element) && has_room
    }

    /// Puts an element in front.
    pub(crate) fn push_front(&mut self, element: &[u8]) {
        let room = room(element);
        if (self.start as usize) < room {
            self.grow_front(room);
        }
        self.start -= room as u32;
        let at = self.start as usize + HEAD;
        let mut head = [0; LONGEST];
        let head = write(element.len(), &mut head);
        let (from, to) = (at + head.len(), at + head.len() + element.len());
        self.bytes[at..from].copy_from_slice(head);
        self.bytes[from..to].copy_from_slice(element);
        self.bytes[to..to + head.len()].copy_from_slice(head);
        self.bytes[to..to + head.len()].reverse();
        self.set_count(self.count + 1);
    }

    /// Puts an element behind the others.
    pub(crate) fn push_back(&mut self, element: &[u8]) {
        let needed = self.bytes.len() + room(element);
        if needed > self.bytes.capacity() {
            self.compact();
            self.bytes.reserve_exact(allocated(self.bytes.len() + room(element)) - self.bytes.len());
        }
        let mut head = [0; LONGEST];
        let head = write(element.len(), &mut head);
        self.bytes.extend_from_slice(head);
        self.bytes.extend_from_slice(element);
        self.bytes.extend(head.iter().rev());
        self.set_count(self.count + 1);
    }

    /// Takes the first `many` elements away, of more.
    pub(crate) fn drop_front(&mut self, many: usize) {
        self.start += (self.packed().nth(many) - HEAD) as u32;
        self.set_count(self.count - many as u32);
    }

    /// Takes the last `many` elements away, of more.
    pub(crate) fn drop_back(&mut self, many: usize) {
        let packed = self.packed();
        let at =
            if many * 2 > self.len() { packed.nth(self.len() - many) } else { (0..many).fold(packed.end(), |at, _| packed.before(at)) };
        self.bytes.truncate(self.start as usize + at);
        self.set_count(self.count - many as u32);
    }

    /// The place of the element number `index`.
    pub(crate) fn nth(&self, index: usize) -> usize {
        let packed = self.packed();
        if index * 2 <= self.len() {
            return packed.nth(index);
        }
        (index..self.len()).fold(packed.end(), |at, _| packed.before(at))
    }

    /// Changes elements anywhere.
    pub(crate) fn edit<T>(&mut self, change: impl FnOnce(&mut Edit<'_, true>) -> T) -> T {
        self.compact();
        let changed = change(&mut Edit::of(&mut self.bytes));
        self.count = self.packed().len() as u32;
        changed
    }

    /// Splits off what is from the element number `index` on.
    pub(crate) fn split_off(&mut self, index: usize) -> Node {
        let (at, many) = (self.nth(index), self.len() - index);
        let mut bytes = vec![0; HEAD];
        bytes.extend_from_slice(&self.bytes[self.start as usize + at..]);
        bytes[..HEAD].copy_from_slice(&(many as u16).to_le_bytes());
        self.bytes.truncate(self.start as usize + at);
        self.set_count(index as u32);
        Node::of(bytes)
    }

    /// Puts the elements of another behind these.
    pub(crate) fn append(&mut self, other: &Node) {
        self.compact();
        self.bytes.extend_from_slice(&other.bytes[other.start as usize + HEAD..]);
        self.set_count(self.count + other.count);
    }

    /// Gives back what is allocated and not needed.
    pub(crate) fn shrink(&mut self) {
        self.compact();
        self.bytes.shrink_to_fit();
    }

    fn set_count(&mut self, count: u32) {
        self.count = count;
        let count = u16::try_from(count).expect("no more elements fit");
        let start = self.start as usize;
        self.bytes[start..start + HEAD].copy_from_slice(&count.to_le_bytes());
    }

    /// Has the elements begin where the bytes begin.
    fn compact(&mut self) {
        self.bytes.drain(..self.start as usize);
        self.start = 0;
    }

    /// Moves the elements to the end of twice as many bytes.
    fn grow_front(&mut self, room: usize) {
        let elements = self.start as usize..self.bytes.len();
        let all = allocated(elements.len() + room);
        let mut bytes = vec![0; all];
        bytes[all - elements.len()..].copy_from_slice(&self.bytes[elements.clone()]);
        self.start = (all - elements.len()) as u32;
        self.bytes = bytes;
    }
}

/// What is allocated for so many bytes: twice as many, as long as that is no more than a node has.
fn allocated(needed: usize) -> usize {
    needed.max((needed * 2).clamp(LEAST, MOST))
}
