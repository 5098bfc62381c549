use std::cell::Cell;
use std::rc::Rc;
use std::sync::Arc;

use crate::error::Fault;
use crate::parse::{Effects, Recognised};
use crate::server::{Loan, Number};
use crate::top::Mark;

/// `ParseComplete`.
pub(crate) const PARSED: &[u8] = b"1\0\0\0\x04";

/// `CloseComplete`.
pub(crate) const CLOSED: &[u8] = b"3\0\0\0\x04";

/// The answer that comes next, or one of ours that is due when those before it are there.
#[derive(Debug)]
pub(crate) struct Expected {
    pub(crate) kind: Kind,
    pub(crate) whose: Whose,
    /// The oldest pending change of a name holds once it is there.
    pub(crate) names: bool,
    /// The statement that it is about, and when that began.
    pub(crate) mark: Option<Mark>,
}

/// Whose message is answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Whose {
    /// The client's.
    Client,
    /// The door's: the answer is swallowed, an error is the client's all the same.
    Own,
    /// The door's, and an error is its own affair too.
    Quiet,
}

/// What is answered, and how.
#[derive(Debug)]
pub(crate) enum Kind {
    /// `Parse`, of a statement that is kept under a number or of none such: `ParseComplete`.
    Parse(Option<Number>),
    /// `Bind`, of a statement that is kept under a number or of none such: `BindComplete`.
    Bind(Option<Number>),
    /// `Describe` of a statement: `ParameterDescription`, then `RowDescription` or `NoData`.
    Describe(Option<Box<Described>>),
    /// `Describe` of a portal: `RowDescription` or `NoData`.
    Portal,
    /// `Execute`: rows or a COPY, then `CommandComplete`, `EmptyQueryResponse` or `PortalSuspended`. With what is executed
    /// when its end means something.
    Execute(Option<Arc<Recognised>>),
    /// `Close`: `CloseComplete`. With the name that stays doomed when the server skips it.
    Close(Option<Box<[u8]>>),
    /// `Sync`: `ReadyForQuery`.
    Sync,
    /// `Query`: anything, then `ReadyForQuery`. With what is executed when the ends of its statements mean something.
    Query(Option<Arc<Recognised>>),
    /// `FunctionCall`: `FunctionCallResponse`, then `ReadyForQuery`. With what is executed when its end means something.
    Function(Option<Arc<Recognised>>),
    /// Bytes that the door answers itself.
    Ours(&'static [u8]),
    /// A `Parse` that the server refuses; the client is told this instead.
    Refusal(Box<Fault>),
    /// `Parse` of a statement under its client's own name, for a text of SQL that means it.
    Lent(Box<[u8]>, Loan),
}

/// Where the columns are noted that a statement has.
#[derive(Debug)]
pub(crate) struct Described {
    /// Of the statement at the server.
    pub(crate) number: Option<Number>,
    /// What the client was told.
    pub(crate) told: Option<Rc<Cell<Option<u64>>>>,
}

impl Expected {
    /// The answer to a message of the client's that goes on.
    pub(crate) fn client(kind: Kind) -> Expected {
        Expected { kind, whose: Whose::Client, names: false, mark: None }
    }

    /// The answer to a message of the door's.
    pub(crate) fn own(kind: Kind) -> Expected {
        Expected { kind, whose: Whose::Own, names: false, mark: None }
    }

    /// The answer to a message of the door's, of which the client is told nothing at all.
    pub(crate) fn quiet(kind: Kind) -> Expected {
        Expected { kind, whose: Whose::Quiet, names: false, mark: None }
    }

    /// The same with a pending change of a name that it decides.
    pub(crate) fn with_name(self) -> Expected {
        Expected { names: true, ..self }
    }

    /// The same about a statement that is measured when it ends, or fails on its way.
    pub(crate) fn measured(self, mark: Option<Mark>) -> Expected {
        Expected { mark, ..self }
    }

    /// Whether the server may ask the client for data in it.
    pub(crate) fn may_copy(&self) -> bool {
        matches!(&self.kind, Kind::Execute(Some(text)) | Kind::Query(Some(text)) if text.effects.has(Effects::TAKES_DATA))
    }

    /// Whether `ReadyForQuery` ends it.
    pub(crate) fn ends_batch(&self) -> bool {
        matches!(self.kind, Kind::Sync | Kind::Query(_) | Kind::Function(_))
    }
}
