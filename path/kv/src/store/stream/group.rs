//! A group of consumers: how far it has read, what it was given and has not acknowledged, and to whom.

use std::collections::{BTreeMap, BTreeSet};

use super::id::Id;
use crate::store::Ms;

/// Consumers that share the entries of a stream.
#[derive(Debug, Clone)]
pub(crate) struct Group {
    /// Up to here entries were given.
    pub(crate) last: Id,
    /// How many that were, or [`Group::UNKNOWN`].
    pub(crate) read: i64,
    pending: BTreeMap<Id, Pending>,
    consumers: Vec<Option<Consumer>>,
    names: BTreeMap<Box<[u8]>, u32>,
    /// Bytes of the names of consumers.
    text: usize,
}

/// An entry that a consumer was given and has not acknowledged.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Pending {
    consumer: u32,
    /// When it was given last.
    pub(crate) time: Ms,
    /// How often it was given.
    pub(crate) count: u64,
}

/// Somebody who reads for a group.
#[derive(Debug, Clone)]
pub(crate) struct Consumer {
    pub(crate) name: Box<[u8]>,
    /// When it asked last.
    pub(crate) seen: Ms,
    pending: BTreeSet<Id>,
}

/// Bytes that a tree takes for an element of so many: its leaves are half full when they are filled in order.
const fn in_tree(bytes: usize) -> usize {
    bytes * 2
}

impl Group {
    /// It is not known how many entries were read.
    pub(crate) const UNKNOWN: i64 = -1;

    /// One with no consumers.
    pub(crate) fn new(last: Id, read: i64) -> Group {
        Group { last, read, pending: BTreeMap::new(), consumers: Vec::new(), names: BTreeMap::new(), text: 0 }
    }

    /// Bytes held of the allocator.
    pub(super) fn held(&self) -> usize {
        const PENDING: usize = in_tree(size_of::<(Id, Pending)>()) + in_tree(size_of::<Id>());
        const NAME: usize = in_tree(size_of::<(Box<[u8]>, u32)>());
        let consumers = self.consumers.len() * size_of::<Option<Consumer>>();
        self.pending.len() * PENDING + consumers + self.names.len() * NAME + self.text * 2
    }

    /// How many entries are pending.
    pub(crate) fn pending_count(&self) -> usize {
        self.pending.len()
    }

    /// What is pending from one ID to another, both included.
    pub(crate) fn pending_between(&self, from: Id, to: Id) -> impl Iterator<Item = (Id, Pending)> {
        // A tree does not take a range that ends before it begins.
        let range = (from <= to).then(|| self.pending.range(from..=to));
        range.into_iter().flatten().map(|(id, pending)| (*id, *pending))
    }

    /// What is pending of an entry.
    pub(crate) fn pending(&self, id: Id) -> Option<Pending> {
        self.pending.get(&id).copied()
    }

    /// The first and the last that is pending.
    pub(crate) fn pending_ends(&self) -> Option<(Id, Id)> {
        Some((*self.pending.first_key_value()?.0, *self.pending.last_key_value()?.0))
    }

    /// Who was given an entry that is pending.
    pub(crate) fn owner(&self, pending: Pending) -> &Consumer {
        self.consumers[pending.consumer as usize].as_ref().expect("a pending entry has its consumer")
    }

    /// How many consumers there are.
    pub(crate) fn len(&self) -> usize {
        self.names.len()
    }

    /// The consumers by name.
    pub(crate) fn consumers(&self) -> impl Iterator<Item = &Consumer> {
        self.names.values().map(|number| self.consumers[*number as usize].as_ref().expect("a name has its consumer"))
    }

    /// The consumer of that name.
    pub(crate) fn consumer(&self, name: &[u8]) -> Option<&Consumer> {
        self.consumers[*self.names.get(name)? as usize].as_ref()
    }

    /// A consumer asks for something; whether it is new.
    pub(crate) fn sees(&mut self, name: &[u8], now: Ms) -> bool {
        let is_new = self.add(name, now);
        if let Some(number) = self.names.get(name)
            && let Some(consumer) = &mut self.consumers[*number as usize]
        {
            consumer.seen = now;
        }
        is_new
    }

    /// Adds a consumer; whether there was none of that name.
    pub(crate) fn add(&mut self, name: &[u8], now: Ms) -> bool {
        if self.names.contains_key(name) {
            return false;
        }
        let consumer = Some(Consumer { name: name.into(), seen: now, pending: BTreeSet::new() });
        let is_full = self.names.len() == self.consumers.len();
        let free = if is_full { None } else { self.consumers.iter().position(Option::is_none) };
        let number = free.unwrap_or(self.consumers.len());
        match free {
            Some(number) => self.consumers[number] = consumer,
            None => self.consumers.push(consumer),
        }
        self.names.insert(name.into(), number as u32);
        self.text += name.len();
        true
    }

    /// Takes a consumer away with all that is pending for it; how many that are, if it was there.
    pub(crate) fn remove(&mut self, name: &[u8]) -> Option<usize> {
        let number = self.names.remove(name)?;
        let consumer = self.consumers[number as usize].take().expect("a name has its consumer");
        self.text -= name.len();
        consumer.pending.iter().for_each(|id| {
            self.pending.remove(id);
        });
        Some(consumer.pending.len())
    }

    /// An entry is given to a consumer, which is there.
    pub(crate) fn give(&mut self, name: &[u8], id: Id, time: Ms, count: u64) {
        let consumer = *self.names.get(name).expect("the consumer is there");
        let before = self.pending.insert(id, Pending { consumer, time, count });
        if before.is_some_and(|before| before.consumer == consumer) {
            return;
        }
        if let Some(before) = before {
            self.ids(before.consumer).remove(&id);
        }
        self.ids(consumer).insert(id);
    }

    /// An entry is pending no longer; whether it was.
    pub(crate) fn acknowledge(&mut self, id: Id) -> bool {
        let pending = self.pending.remove(&id);
        if let Some(pending) = pending {
            self.ids(pending.consumer).remove(&id);
        }
        pending.is_some()
    }

    fn ids(&mut self, consumer: u32) -> &mut BTreeSet<Id> {
        &mut self.consumers[consumer as usize].as_mut().expect("a pending entry has its consumer").pending
    }
}

impl Consumer {
    /// How many entries are pending for it.
    pub(crate) fn pending_count(&self) -> usize {
        self.pending.len()
    }

    /// What is pending for it from one ID to another, both included.
    pub(crate) fn pending_between(&self, from: Id, to: Id) -> impl Iterator<Item = Id> {
        let range = (from <= to).then(|| self.pending.range(from..=to));
        range.into_iter().flatten().copied()
    }
}
