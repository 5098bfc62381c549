//! A piece of a stream: entries one after the other. The names of the fields of its first entry are written once, in front, for
//! most entries of a stream have the same.
//!
//! `[count][name]…` and then entries: `[ms - that of the node][seq][0, or count of fields][name if not 0, value]…` Numbers are
//! varints; a text has its length in front. `seq` counts from that of the node where the time is the same.

use std::ops::Range;

use super::super::varint::{LONGEST, read, write};
use super::id::Id;
use super::shape;
use crate::frame::Args;

/// Most entries of a node, those among them that are gone.
const MOST_ENTRIES: u16 = 100;
/// Most bytes of a node that has more than one entry.
const MOST_BYTES: usize = 4096;

/// Entries that lie together.
#[derive(Debug, Clone)]
pub(super) struct Node {
    /// Of the first entry that was ever in it.
    pub(super) first: Id,
    /// Of the last entry that was ever in it.
    pub(super) last: Id,
    live: u16,
    /// With those that are gone.
    ever: u16,
    /// Bytes that Redis would have here.
    size: u32,
    bytes: Vec<u8>,
}

/// An entry.
#[derive(Debug, Clone)]
pub(crate) struct Entry<'a> {
    pub(crate) id: Id,
    node: &'a [u8],
    /// The bytes of the entry.
    place: Range<usize>,
    fields: usize,
    /// Where the names are, if not before their values.
    names: Option<usize>,
    /// Where the values begin, or what has names and values.
    values: usize,
}

impl Node {
    /// One with an entry of these fields and values.
    pub(super) fn new(id: Id, pairs: Args<'_>) -> Node {
        let mut node = Node { first: id, last: id, live: 0, ever: 0, size: 0, bytes: Vec::new() };
        node.number((pairs.len() / 2) as u64);
        pairs.iter().step_by(2).for_each(|name| node.text(name));
        node.size = shape::head(pairs) as u32;
        node.push(id, pairs);
        node
    }

    /// Whether another entry of so many bytes belongs here.
    pub(super) fn takes(&self, length: usize) -> bool {
        self.size as usize + length < MOST_BYTES && self.ever < MOST_ENTRIES
    }

    /// Entries that are there.
    pub(super) fn live(&self) -> usize {
        usize::from(self.live)
    }

    /// Bytes held of the allocator.
    pub(super) fn held(&self) -> usize {
        self.bytes.capacity()
    }

    /// Gives back what is allocated and not needed.
    pub(super) fn shrink(&mut self) {
        self.bytes.shrink_to_fit();
    }

    /// Puts an entry behind all others.
    pub(super) fn push(&mut self, id: Id, pairs: Args<'_>) {
        let has_names = !self.has_names_of(pairs);
        let ms = id.ms - self.first.ms;
        self.number(ms);
        self.number(if ms == 0 { id.seq - self.first.seq } else { id.seq });
        self.number(if has_names { (pairs.len() / 2) as u64 } else { 0 });
        for (index, text) in pairs.iter().enumerate() {
            if has_names || index % 2 == 1 {
                self.text(text);
            }
        }
        self.size += shape::entry(id, self.first, has_names, pairs) as u32;
        self.last = id;
        self.live += 1;
        self.ever += 1;
    }

    fn has_names_of(&self, pairs: Args<'_>) -> bool {
        let (count, mut at) = read(&self.bytes, 0);
        if count != pairs.len() / 2 {
            return false;
        }
        pairs.iter().step_by(2).all(|name| {
            let place = text_at(&self.bytes, at);
            at = place.end;
            &self.bytes[place] == name
        })
    }

    fn number(&mut self, number: u64) {
        self.bytes.extend_from_slice(write(number as usize, &mut [0; LONGEST]));
    }

    fn text(&mut self, text: &[u8]) {
        self.number(text.len() as u64);
        self.bytes.extend_from_slice(text);
    }

    /// The entries in order.
    pub(super) fn entries(&self) -> Entries<'_> {
        let (count, head) = read(&self.bytes, 0);
        let start = (0..count).fold(head, |at, _| text_at(&self.bytes, at).end);
        Entries { node: self, at: start, names: head, count }
    }

    /// The entry of that ID.
    pub(super) fn get(&self, id: Id) -> Option<Entry<'_>> {
        self.entries().take_while(|entry| entry.id <= id).find(|entry| entry.id == id)
    }

    /// Takes an entry away; whether it was there.
    pub(super) fn remove(&mut self, id: Id) -> bool {
        let Some(place) = self.get(id).map(|entry| entry.place) else { return false };
        self.bytes.drain(place);
        self.live -= 1;
        true
    }

    /// Takes the first `many` entries away.
    pub(super) fn remove_first(&mut self, many: usize) {
        let mut all = self.entries();
        let from = all.at;
        let to = all.by_ref().take(many).last().map_or(from, |entry| entry.place.end);
        self.bytes.drain(from..to);
        self.live -= many as u16;
    }
}

/// See [`Node::entries`].
#[derive(Debug, Clone)]
pub(super) struct Entries<'a> {
    node: &'a Node,
    at: usize,
    names: usize,
    /// Of the names in front.
    count: usize,
}

impl<'a> Iterator for Entries<'a> {
    type Item = Entry<'a>;

    fn next(&mut self) -> Option<Entry<'a>> {
        let bytes = &self.node.bytes[..];
        if self.at >= bytes.len() {
            return None;
        }
        let (start, mut at) = (self.at, self.at);
        let mut number = || {
            let (number, size) = read(bytes, at);
            at += size;
            number
        };
        let (ms, seq, count) = (number(), number(), number());
        let (first, ms) = (self.node.first, ms as u64);
        let id = Id { ms: first.ms + ms, seq: if ms == 0 { first.seq + seq as u64 } else { seq as u64 } };
        let (fields, names, texts) = if count == 0 { (self.count, Some(self.names), self.count) } else { (count, None, count * 2) };
        self.at = (0..texts).fold(at, |at, _| text_at(bytes, at).end);
        Some(Entry { id, node: bytes, place: start..self.at, fields, names, values: at })
    }
}

impl<'a> Entry<'a> {
    /// How many fields it has.
    pub(crate) fn fields(&self) -> usize {
        self.fields
    }

    /// Every field with its value.
    pub(crate) fn each(&self, mut each: impl FnMut(&'a [u8], &'a [u8])) {
        let (mut names, mut at) = (self.names, self.values);
        let take = |at: &mut usize| {
            let place = text_at(self.node, *at);
            *at = place.end;
            &self.node[place]
        };
        for _ in 0..self.fields {
            let name = take(names.as_mut().unwrap_or(&mut at));
            each(name, take(&mut at));
        }
    }
}

/// Where the bytes of the text at a place lie.
fn text_at(bytes: &[u8], at: usize) -> Range<usize> {
    let (length, head) = read(bytes, at);
    at + head..at + head + length
}
