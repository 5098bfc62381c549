//! What can be wrong with a request, and what its client is told.

use crate::error::Fault;

/// Why a connection is closed once the requests before are answered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Cut {
    /// It does not speak the protocol, and is told so.
    Broken(Fault),
    /// A browser that was made to speak to us: it is told nothing.
    CrossProtocol,
    /// A request longer than allowed: it is told nothing, as by Redis.
    TooLong,
}

/// A flaw, as small as it can be handed on.
#[derive(Debug, Clone, Copy)]
pub(super) enum Flaw {
    Count,
    CountLine,
    StrangersCount,
    Length,
    LengthLine,
    StrangersLength,
    /// Something else where an argument should begin.
    Unexpected(u8),
    Line,
    Quotes,
    CrossProtocol,
    TooLong,
}

impl Flaw {
    /// What follows from it. The texts are Redis's.
    #[cold]
    pub(super) fn cut(self) -> Cut {
        Cut::Broken(Fault::fixed(match self {
            Flaw::Count => "ERR Protocol error: invalid multibulk length",
            Flaw::CountLine => "ERR Protocol error: too big mbulk count string",
            Flaw::StrangersCount => "ERR Protocol error: unauthenticated multibulk length",
            Flaw::Length => "ERR Protocol error: invalid bulk length",
            Flaw::LengthLine => "ERR Protocol error: too big bulk count string",
            Flaw::StrangersLength => "ERR Protocol error: unauthenticated bulk length",
            Flaw::Line => "ERR Protocol error: too big inline request",
            Flaw::Quotes => "ERR Protocol error: unbalanced quotes in request",
            Flaw::Unexpected(byte) => return Cut::Broken(unexpected(byte)),
            Flaw::CrossProtocol => return Cut::CrossProtocol,
            Flaw::TooLong => return Cut::TooLong,
        }))
    }
}

fn unexpected(byte: u8) -> Fault {
    let shown = if byte.is_ascii() { char::from(byte) } else { '?' }; // answers are text
    Fault::made(format!("ERR Protocol error: expected '$', got '{shown}'"))
}
