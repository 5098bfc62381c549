//! Statements that are tried as the server already has them: what the first answer says of how that went.

use super::{Answers, LONGEST_READ};
use crate::exchange::outgoing::Outgoing;
use crate::exchange::records::Records;
use crate::exchange::said;
use crate::frame::{self, HEADER};
use crate::server::Number;

/// What became of a statement that was tried as the server already had it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) enum Trial {
    /// Nothing is tried.
    #[default]
    None,
    /// Nothing of the server's answer has been seen; nothing was told to the client.
    Open {
        /// Of the statement at the server.
        number: Number,
        /// Whatever goes wrong is looked at again with a `Parse`: the client sent one.
        is_parsed: bool,
    },
    /// It failed; what the server still says of it is swallowed.
    Failing,
    /// It failed and is over: the same again, with a `Parse`.
    Failed,
}

impl Answers {
    /// Whether what is told to the client must wait: it may have to be told otherwise.
    pub(crate) fn holds_back(&self) -> bool {
        self.trial != Trial::None
    }

    /// What was tried is not tried again: nothing more comes.
    pub(crate) fn end_trial(&mut self) {
        self.trial = Trial::None;
    }

    /// The first answer to what is tried says how it went.
    pub(super) fn judge(&mut self, tag: u8, body: Option<&[u8]>, source: &[u8], out: &mut Outgoing, records: &mut Records<'_>) {
        let Trial::Open { number, is_parsed } = self.trial else { return };
        match tag {
            b'N' | b'S' | b'A' => {}
            b'E' if body.is_some_and(|body| may_be_outdated(body, is_parsed)) => {
                records.prepared.retire(number);
                self.trial = Trial::Failing;
            }
            _ => {
                self.trial = Trial::None;
                self.tell_ours(source, out, records);
            }
        }
    }
}

/// The message that says how what is tried went: the first one, or that behind parameters and the word that there are no
/// columns, which the server tells without a look whether the statement is outdated. `Err`: how long `rest` must be for it.
pub(super) fn telling(rest: &[u8]) -> Result<(u8, Option<&[u8]>), usize> {
    let (mut at, mut has_parameters) = (0, false);
    loop {
        let next = rest.get(at..).unwrap_or_default();
        // What is no message is met when its turn comes.
        let Ok(header) = frame::header(next) else { return Ok((b't', None)) };
        let Some(header) = header else { return Err(at + HEADER) };
        let length = HEADER + header.body;
        let body = next.get(HEADER..length);
        has_parameters |= header.tag == b't';
        match header.tag {
            b't' | b'n' => {}
            b'N' | b'S' | b'A' if has_parameters => {}
            b'E' if body.is_none() && length <= LONGEST_READ => return Err(at + length),
            tag => return Ok((tag, body)),
        }
        at += length;
    }
}

/// Whether an error may be none after a `Parse`: with `is_parsed` any that the statement itself may have met.
fn may_be_outdated(body: &[u8], is_parsed: bool) -> bool {
    let code = said::code(body);
    let is_of_time = matches!(code, b"55P03" | b"40P01") || matches!(code.get(..2), Some(b"53" | b"57" | b"58"));
    !said::is_fatal(body) && (is_outdated(code) || is_parsed && !is_of_time)
}

/// Whether a statement at the server is not what it was: its columns are others, or it is gone.
pub(super) fn is_outdated(code: &[u8]) -> bool {
    matches!(code, b"0A000" | b"26000")
}
