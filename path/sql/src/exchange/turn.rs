use std::sync::Arc;
use std::time::Instant;

use super::answers::Answers;
use super::expected::Expected;
use super::outgoing::Outgoing;
use super::records::Records;
use super::worth::{Reuse, Worth};
use crate::frame::HEADER;
use crate::parse::{Recognised, Strings};
use crate::server::Key;
use crate::top::{Mark, Measure};

/// All that a decision on a client's message looks at and changes.
#[derive(Debug)]
pub(crate) struct Turn<'t> {
    pub(crate) input: &'t [u8],
    pub(crate) up: &'t mut Outgoing,
    pub(crate) output: &'t [u8],
    pub(crate) down: &'t mut Outgoing,
    pub(crate) answers: &'t mut Answers,
    pub(crate) records: Records<'t>,
    pub(crate) rules: Rules,
    /// Changes whenever names in a text may mean something else, for everybody.
    pub(crate) generation: u64,
    pub(crate) key: &'t Arc<Key>,
    pub(crate) worth: &'t Worth,
    pub(crate) watch: Watch<'t>,
}

/// What measures the statements.
#[derive(Debug)]
pub(crate) struct Watch<'t> {
    pub(crate) measure: &'t mut Measure,
    /// When the input's last bytes came.
    pub(crate) came: Instant,
    /// How the input's texts are read.
    pub(crate) strings: Strings,
}

/// What does not change while a connection is lent.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Rules {
    /// Whose input it is.
    pub(crate) client: u64,
    /// The process id that it was told.
    pub(crate) process: u32,
    /// Hash of the session parameters that parsing depends on.
    pub(crate) environment: u64,
    /// Statements that a connection may keep.
    pub(crate) most: usize,
    /// The client keeps its connection for what it left there: what is parsed now may mean nothing to others.
    pub(crate) is_private: bool,
    /// Which unnamed statements may be kept.
    pub(crate) reuse: Reuse,
}

/// A message may go now, or must wait for an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum May {
    Go,
    Wait,
}

impl<'t> Turn<'t> {
    /// A statement begins; it came with the input's last bytes.
    pub(super) fn begins(&mut self, recognised: &Recognised, text: &[u8]) -> Mark {
        let Watch { measure, came, strings } = &mut self.watch;
        measure.begin(recognised, text, *strings, *came)
    }

    /// What is not decided.
    pub(super) fn rest(&self) -> &'t [u8] {
        &self.input[self.up.decided()..]
    }

    /// The body of the message at the front, as far as it has come.
    pub(super) fn body(&self, length: usize) -> &'t [u8] {
        let rest = self.rest();
        &rest[HEADER..length.min(rest.len())]
    }

    /// One more answer will come.
    pub(super) fn expect(&mut self, next: Expected) {
        self.answers.expect(next, self.output, self.down, &mut self.records);
    }

    /// Drops `count` bytes of the message at the front; in their place its head with another name goes on.
    pub(super) fn rename(&mut self, head: Renamed<'_>) {
        let Renamed { tag, length, before, old, new } = head;
        let longer = length - HEADER + new.len() - old;
        self.up.write(self.input, |own| {
            own.push(tag);
            own.extend_from_slice(&(longer as u32 + 4).to_be_bytes());
            own.extend_from_slice(before);
            own.extend_from_slice(new);
        });
        self.up.drop(HEADER + before.len() + old);
    }
}

/// The head of a message whose name is replaced.
pub(super) struct Renamed<'m> {
    pub(super) tag: u8,
    /// Bytes of the message.
    pub(super) length: usize,
    /// What stands in the body before the name.
    pub(super) before: &'m [u8],
    /// Bytes of the name that it has, without its zero.
    pub(super) old: usize,
    pub(super) new: &'m [u8],
}
