//! Connections that prove unfit for a client's session, before that is the client's affair.

use super::Lent;
use crate::error::ErrorResponse;

/// Connections that are tried.
pub(crate) const TRIES: usize = 3;

/// A connection that could not be made the client's.
#[derive(Debug)]
pub(crate) enum Unfit {
    /// The server refused, and this is well: what it is set to is what it was.
    Refused(Box<(Lent, ErrorResponse)>),
    /// It is gone.
    Lost,
}

/// What was tried already.
#[derive(Debug, Default)]
pub(crate) struct Tried {
    /// The connection that refused; closed where another one does not.
    aside: Option<Lent>,
    said: Option<ErrorResponse>,
}

impl Tried {
    /// Whether another try is worth it: a connection's past or its end is no fault of the client's. What a new one says is
    /// final, and what two say, or what was final before.
    ///
    /// # Errors
    /// What the client is to be told.
    pub(crate) fn judge(&mut self, unfit: Unfit, was_final: impl FnOnce(&ErrorResponse) -> bool) -> Result<(), ErrorResponse> {
        let Unfit::Refused(refused) = unfit else { return Ok(()) };
        let (lent, said) = *refused;
        if lent.last.is_some() && self.said.as_ref() != Some(&said) && !was_final(&said) {
            *self = Tried { aside: Some(lent), said: Some(said) };
            return Ok(());
        }
        [Some(lent), self.aside.take()].into_iter().flatten().for_each(Lent::give_back);
        Err(said)
    }

    /// A new one is needed: the place of the one that refused may be the last, and its past what is wrong with it.
    pub(crate) fn make_room(&mut self) {
        self.aside = None;
    }

    /// What was said last.
    pub(crate) fn said(self) -> Option<ErrorResponse> {
        self.said
    }
}
