use std::collections::BTreeSet;
use std::sync::Arc;

use super::expected::{Expected, Kind};
use crate::listening::Channel;
use crate::parse::{Name, Recognised, Step, Strings};
use crate::server::Prepared;
use crate::session::{Changes, Names};
use crate::top::Mark;

/// What answers change: the client's names, the connection's statements, what is still to be done for its session.
#[derive(Debug)]
pub(crate) struct Records<'r> {
    pub(crate) names: &'r mut Names,
    pub(crate) changes: &'r mut Changes,
    pub(crate) prepared: &'r mut Prepared,
    pub(crate) done: &'r mut Done,
    /// The client hears what its own connection is notified of: the process of the connection, and what the client knows
    /// as its own.
    pub(crate) hears: Option<(u32, u32)>,
    /// Channels of which it hears otherwise.
    pub(crate) elsewhere: Option<&'r BTreeSet<Channel>>,
}

/// What goes to the server and what ended well, for those who follow up; reused.
#[derive(Debug, Default)]
pub(crate) struct Done {
    /// Texts that go to the server and may do something to the session.
    pub(crate) sent: Vec<Arc<Recognised>>,
    /// Of those, texts that touch parameters, with the body of their `Bind` as far as it has come.
    pub(crate) values: Vec<(Arc<Recognised>, Box<[u8]>)>,
    /// Statements that ended, of texts whose ends mean something: the text and which of its steps.
    pub(crate) steps: Vec<(Arc<Recognised>, usize)>,
    /// How the server reads what the client sends next, or both ways where that is not known.
    pub(crate) strings: Strings,
    /// Bodies of `ParameterStatus`.
    pub(crate) told: Vec<Box<[u8]>>,
    /// Statements that ended, well or not.
    pub(crate) measured: Vec<Measured>,
}

/// A statement that ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Measured {
    pub(crate) mark: Mark,
    pub(crate) rows: u64,
    pub(crate) failed: bool,
}

impl Done {
    pub(crate) fn clear(&mut self) {
        self.sent.clear();
        self.values.clear();
        self.steps.clear();
        self.told.clear();
        self.measured.clear();
    }
}

impl Records<'_> {
    /// A `ParameterStatus` came.
    pub(super) fn told(&mut self, body: &[u8]) {
        if let Some(value) = body.strip_prefix(b"standard_conforming_strings\0") {
            self.done.strings = if value.starts_with(b"off") { Strings::Backslash } else { Strings::Standard };
        }
        self.done.told.push(body.into());
    }

    /// Step `step` of `text` ended well, with this tag.
    pub(super) fn ended(&mut self, text: &Arc<Recognised>, step: usize, tag: &[u8]) {
        match text.steps.get(step) {
            // Whatever the text seemed to be, the tag is what it was.
            Some(Step::Deallocate(Name::One(name))) if tag.starts_with(b"DEALLOCATE\0") => {
                self.names.remove(name.as_bytes());
                self.prepared.spare(name.as_bytes());
            }
            Some(Step::Prepare(name)) if tag.starts_with(b"PREPARE\0") => {
                self.names.add_of_sql(name.as_bytes());
                self.prepared.spare(name.as_bytes());
            }
            Some(Step::Deallocate(Name::All) | Step::DiscardAll)
                if tag.starts_with(b"DEALLOCATE ALL") || tag.starts_with(b"DISCARD ALL") =>
            {
                self.names.clear();
                self.prepared.clear();
            }
            _ => {}
        }
        self.done.steps.push((text.clone(), step));
    }

    /// The server skips the message that this would have been the answer to.
    pub(super) fn skipped(&mut self, expected: Expected) {
        if expected.names {
            self.changes.discard();
        }
        match expected.kind {
            Kind::Parse(Some(number)) => self.prepared.forget(number),
            // Whatever the server has under this name is not of this loan.
            Kind::Lent(_, loan) => self.prepared.not_lent(loan),
            Kind::Parse(None) | Kind::Refusal(_) => self.prepared.forget_unnamed(),
            Kind::Describe(Some(described)) => {
                if let Some(number) = described.number {
                    self.prepared.not_described(number);
                }
            }
            Kind::Close(Some(name)) => self.prepared.not_closed(&name),
            _ => {}
        }
    }
}
