//! The entries of a stream, and what is remembered of those that are gone.

use std::collections::VecDeque;

use super::id::Id;
use super::node::{Entry, Node};
use super::shape;
use crate::frame::Args;
use crate::store::Ms;

/// Entries in order.
#[derive(Debug, Default)]
pub(crate) struct Log {
    pub(super) nodes: VecDeque<Node>,
    pub(super) len: usize,
    /// Bytes that the nodes hold.
    pub(super) held: usize,
    pub(super) first: Id,
    last: Id,
    deleted: Id,
    added: u64,
}

impl Log {
    /// How many entries there are.
    pub(crate) fn len(&self) -> usize {
        self.len
    }

    /// The ID of the first entry; the smallest there is if there is none.
    pub(crate) fn first(&self) -> Id {
        self.first
    }

    /// The greatest ID that was ever given.
    pub(crate) fn last(&self) -> Id {
        self.last
    }

    /// The greatest ID of an entry that was deleted.
    pub(crate) fn deleted(&self) -> Id {
        self.deleted
    }

    /// How many entries were ever added.
    pub(crate) fn added(&self) -> u64 {
        self.added
    }

    /// What `XSETID` sets.
    pub(crate) fn set(&mut self, last: Id, added: Option<u64>, deleted: Option<Id>) {
        self.last = last;
        self.added = added.unwrap_or(self.added);
        self.deleted = deleted.unwrap_or(self.deleted);
    }

    /// How many nodes there are.
    pub(crate) fn nodes(&self) -> usize {
        self.nodes.len()
    }

    /// How many nodes the tree above them would have in Redis.
    pub(crate) fn tree(&self) -> usize {
        shape::nodes(self.nodes.iter().map(|node| node.first))
    }

    /// Bytes held of the allocator.
    pub(crate) fn held(&self) -> usize {
        self.held + self.nodes.capacity() * size_of::<Node>()
    }

    pub(super) fn copy(&self) -> Log {
        let nodes: VecDeque<Node> = self.nodes.iter().cloned().collect();
        let held = nodes.iter().map(Node::held).sum();
        Log { nodes, held, ..*self }
    }

    /// The ID of an entry that is added now, if one is left.
    pub(crate) fn next(&self, now: Ms) -> Option<Id> {
        if now > self.last.ms { Some(Id { ms: now, seq: 0 }) } else { self.last.next() }
    }

    /// The ID of an entry that is added at a time; none if that is over.
    pub(crate) fn next_at(&self, ms: u64) -> Option<Id> {
        if ms == self.last.ms { Some(Id { ms, seq: self.last.seq.checked_add(1)? }) } else { Some(Id { ms, seq: 0 }) }
    }

    /// Adds an entry of these fields and values, whose ID is greater than all.
    pub(crate) fn push(&mut self, id: Id, pairs: Args<'_>) {
        debug_assert!(id > self.last, "IDs grow");
        let length = pairs.iter().map(<[u8]>::len).sum();
        match self.nodes.back_mut() {
            Some(node) if node.takes(length) => {
                let before = node.held();
                node.push(id, pairs);
                self.held = self.held + node.held() - before;
            }
            full => {
                if let Some(node) = full {
                    let before = node.held();
                    node.shrink();
                    self.held = self.held + node.held() - before;
                }
                let node = Node::new(id, pairs);
                self.held += node.held();
                self.nodes.push_back(node);
            }
        }
        self.len += 1;
        self.added = self.added.wrapping_add(1);
        self.last = id;
        if self.len == 1 {
            self.first = id;
        }
    }

    /// Deletes an entry; whether it was there.
    pub(crate) fn delete(&mut self, id: Id) -> bool {
        let Some(number) = self.number(id) else { return false };
        let node = &mut self.nodes[number];
        if !node.remove(id) {
            return false;
        }
        if node.live() == 0 {
            self.held -= node.held();
            self.nodes.remove(number);
        }
        self.len -= 1;
        self.deleted = self.deleted.max(id);
        if id == self.first {
            self.find_first();
        }
        true
    }

    pub(super) fn find_first(&mut self) {
        let first = self.range(Id::MIN, Id::MAX).next().map(|entry| entry.id);
        self.first = first.unwrap_or(Id::MIN);
    }

    /// The entry of that ID.
    pub(crate) fn get(&self, id: Id) -> Option<Entry<'_>> {
        self.nodes[self.number(id)?].get(id)
    }

    /// The number of the node that an ID would be in.
    fn number(&self, id: Id) -> Option<usize> {
        self.nodes.partition_point(|node| node.first <= id).checked_sub(1)
    }

    /// The entries from one ID to another, both included.
    pub(crate) fn range(&self, from: Id, to: Id) -> impl Iterator<Item = Entry<'_>> {
        let nodes = self.nodes.range(self.number(from).unwrap_or(0)..);
        nodes.flat_map(Node::entries).skip_while(move |entry| entry.id < from).take_while(move |entry| entry.id <= to)
    }

    /// As [`Log::range`], from the last to the first.
    pub(crate) fn range_back(&self, from: Id, to: Id) -> impl Iterator<Item = Entry<'_>> {
        let nodes = self.nodes.range(..self.number(to).map_or(0, |number| number + 1)).rev();
        let entries = nodes.flat_map(|node| node.entries().collect::<Vec<_>>().into_iter().rev());
        entries.skip_while(move |entry| entry.id > to).take_while(move |entry| entry.id >= from)
    }

    /// The last entry that is there.
    pub(crate) fn latest(&self) -> Option<Id> {
        self.range_back(Id::MIN, Id::MAX).next().map(|entry| entry.id)
    }

    /// Whether there is an entry behind an ID.
    pub(crate) fn has_behind(&self, id: Id) -> bool {
        id < self.last && id.next().is_some_and(|from| self.range(from, Id::MAX).next().is_some())
    }

    /// About how long it takes to read `most` of the entries from one ID to another, in elements or KB.
    pub(crate) fn weight(&self, from: Id, to: Id, most: usize) -> usize {
        let (Some(end), start) = (self.number(to), self.number(from).unwrap_or(0)) else { return 0 };
        if end < start {
            return 0;
        }
        let each = self.len / self.nodes.len() + 1;
        let count = ((end + 1 - start) * each).min(most).min(self.len);
        count + self.held / 1024 * count / self.len.max(1)
    }

    /// Whether an entry was deleted behind an ID, among those that are there.
    pub(crate) fn has_gap_behind(&self, id: Id) -> bool {
        self.len > 0 && self.deleted != Id::MIN && self.first <= self.deleted && id <= self.deleted
    }

    /// How many entries were added up to an ID, if that can be told.
    pub(crate) fn estimate(&self, id: Id) -> Option<i64> {
        let gone = self.added.wrapping_sub(self.len as u64) as i64;
        let is_whole = self.deleted == Id::MIN || self.deleted < self.first;
        match id.cmp(&self.last) {
            _ if self.added == 0 => Some(0),
            order if order.is_eq() || self.len == 0 && order.is_lt() => Some(self.added as i64),
            order if order.is_gt() || !is_whole => None,
            _ if id < self.first => Some(gone),
            _ => (id == self.first).then_some(gone.wrapping_add(1)),
        }
    }
}
