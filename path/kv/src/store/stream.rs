//! Streams: entries in the order of their IDs, in packed nodes, and the groups of consumers that read them.
//!
//! Nodes hold what those of Redis would hold (4 KB or 100 entries), for trimming with `~` is told by them.

mod group;
mod groups;
mod id;
mod log;
mod node;
mod shape;
mod trim;

pub(crate) use group::{Consumer, Group, Pending};
pub(crate) use groups::Groups;
pub(crate) use id::Id;
pub(crate) use log::Log;
pub(crate) use node::Entry;
pub(crate) use trim::{Keep, Trim};

use super::big::Big;
use super::slot::Slot;
use super::view::Value;

/// What a key that is a stream holds.
#[derive(Debug, Default)]
pub(crate) struct Stream {
    pub(crate) log: Log,
    pub(crate) groups: Groups,
}

impl Stream {
    /// Of what a key of that kind holds.
    pub(crate) fn of(value: Value<'_>) -> &Stream {
        match value {
            Value::Big(Big::Stream(stream)) => stream,
            _ => unreachable!("a key of this kind holds a stream"),
        }
    }

    /// The one of a slot, to be changed.
    pub(crate) fn in_slot<'s>(slot: &'s mut Slot<'_>) -> Option<&'s mut Stream> {
        match slot.big() {
            Some(Big::Stream(stream)) => Some(stream),
            _ => None,
        }
    }

    /// As [`Stream::in_slot`]; an empty one is put where there is none.
    pub(crate) fn in_slot_or_new<'s>(slot: &'s mut Slot<'_>) -> &'s mut Stream {
        if slot.kind().is_none() {
            slot.put_big(Big::Stream(Stream::default()));
        }
        Stream::in_slot(slot).expect("there is one")
    }

    /// Bytes held of the allocator, besides itself.
    pub(crate) fn held(&self) -> usize {
        self.log.held() + self.groups.held()
    }

    /// The same once more.
    pub(crate) fn copy(&self) -> Stream {
        Stream { log: self.log.copy(), groups: self.groups.clone() }
    }

    /// How many entries a group has not read yet, as far as that is known.
    pub(crate) fn lag(&self, group: &Group) -> Option<i64> {
        let log = &self.log;
        let read = if log.added() == 0 {
            0
        } else if group.read != Group::UNKNOWN && !log.has_gap_behind(group.last) {
            group.read
        } else {
            log.estimate(group.last)?
        };
        Some((log.added() as i64).wrapping_sub(read))
    }
}

#[cfg(test)]
mod tests;
