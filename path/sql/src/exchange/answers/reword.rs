//! Errors that the server words otherwise than a server of the client's own would.

use super::{Answers, Fate};
use crate::exchange::expected::{Kind, Whose};
use crate::exchange::records::Records;
use crate::exchange::said;
use crate::server::find_name;

/// A statement that could not be lent.
#[derive(Debug)]
pub(super) struct NotLent {
    name: Box<[u8]>,
    /// The body of the error.
    why: Box<[u8]>,
}

impl Answers {
    /// What the client is told of an error in the present answer.
    pub(super) fn word(&mut self, body: Option<&[u8]>, records: &Records<'_>) -> Fate {
        let (Some(front), Some(body)) = (self.expected.front(), body) else { return Fate::Pass };
        match &front.kind {
            Kind::Lent(name, _) if front.whose == Whose::Quiet => {
                self.not_lent.push(NotLent { name: name.clone(), why: body.into() });
                Fate::Swallow
            }
            _ if front.whose == Whose::Quiet => Fate::Swallow,
            Kind::Refusal(fault) if said::code(body) == b"42601" => Fate::Instead(said::error(fault)),
            Kind::Query(_) if !self.not_lent.is_empty() => self.why_not_lent(body),
            _ if said::is_cancel(body)
                && let Some(over) = self.cut.take() =>
            {
                let (message, hint) = over.said();
                Fate::Instead(said::reworded(body, message.as_bytes(), Some(hint)))
            }
            _ => with_own_name(body, records).map_or(Fate::Pass, Fate::Instead),
        }
    }

    /// A statement is missing, or the transaction has failed, because it could not be lent: that is the error.
    fn why_not_lent(&self, body: &[u8]) -> Fate {
        let is_meant = |name: &[u8]| match said::code(body) {
            b"26000" => said::message(body).windows(name.len()).any(|part| part == name),
            code => code == b"25P02",
        };
        match self.not_lent.iter().find(|not_lent| is_meant(&not_lent.name)) {
            Some(NotLent { why, .. }) => Fate::Instead(said::whole(why)),
            None => Fate::Pass,
        }
    }

    /// A batch has ended, and with it what was kept for its errors.
    pub(super) fn forget_words(&mut self) {
        self.not_lent.clear();
        self.cut = self.cut.filter(|_| self.expected.len() > 1);
    }
}

/// The same error with the client's name of a statement for the door's.
fn with_own_name(body: &[u8], records: &Records<'_>) -> Option<Vec<u8>> {
    let message = said::message(body);
    let (range, number) = find_name(message)?;
    let name = records.names.name_of(records.prepared.statement(number)?)?;
    Some(said::reworded(body, &[&message[..range.start], name, &message[range.end..]].concat(), None))
}
