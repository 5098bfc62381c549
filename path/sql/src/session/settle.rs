//! Makes a server connection's parameters a client's, in one round trip.

use std::sync::Arc;

use super::parameters::Parameters;
use super::{Session, quote};
use crate::error::ErrorResponse;
use crate::server::{AskError, Connection, ask};

/// A connection could not be made the client's.
#[derive(Debug)]
pub(crate) enum Unsettled {
    /// The server refused. On a connection that others have used their past may be the reason (`temp_buffers` after
    /// temporary tables, a `statement_timeout` of a millisecond): another one is worth a try. On a new one it is final.
    /// Outside a transaction nothing of it was set.
    Refused(ErrorResponse),
    /// The server is gone; nothing of the client's was sent.
    Lost,
}

impl From<AskError> for Unsettled {
    fn from(error: AskError) -> Unsettled {
        match error {
            AskError::Refused(said) => Unsettled::Refused(said),
            AskError::Lost(_) | AskError::TooMuch => Unsettled::Lost,
        }
    }
}

/// First of every question of ours: a serializable, deferrable default would let it wait for others.
pub(super) const AT_ONCE: &str = "SET TRANSACTION ISOLATION LEVEL READ COMMITTED;";

/// Whom a session is; all else is set as the user who logged in, whose rights they were set with.
pub(super) const SESSION_USER: &str = "session_authorization";
/// See [`SESSION_USER`].
pub(super) const ROLE: &str = "role";

/// Sets what differs. `news` gets a `ParameterStatus` for what the client was told otherwise or not at all.
///
/// # Errors
/// See [`Unsettled`].
pub(crate) async fn settle(session: &mut Session, connection: &mut Connection, news: &mut Vec<u8>) -> Result<(), Unsettled> {
    if !session.parameters.is(&connection.parameters) {
        ask(connection, &question(&connection.parameters, &session.parameters), |_| {}).await?;
    }
    connection.parameters = session.parameters.clone();
    session.tell(connection, news);
    Ok(())
}

/// The statement that turns a session with `from` into one with `to`.
pub(super) fn question(from: &Parameters, to: &Parameters) -> String {
    let (mut sql, start) = (format!("{AT_ONCE}SELECT "), AT_ONCE.len() + "SELECT ".len());
    let mut set = |name: &str, value: Option<&[u8]>| {
        sql.push_str(if sql.len() > start { "," } else { "" });
        assign(&mut sql, name, value);
    };
    for name in [ROLE, SESSION_USER] {
        if from.get(name).is_some() {
            set(name, None);
        }
    }
    for name in from.values().keys().filter(|name| !is_identity(name) && to.get(name).is_none()) {
        set(name, None);
    }
    for (name, value) in to.values().iter().filter(|(name, value)| !is_identity(name) && from.get(name) != Some(value)) {
        set(name, Some(value));
    }
    for name in [SESSION_USER, ROLE] {
        if let Some(value) = to.get(name) {
            set(name, Some(value));
        }
    }
    sql
}

/// Appends the call that sets `name`, or resets it. An empty custom parameter is one that was reset: a real one of an
/// extension has its default then, and could not take an empty text.
pub(super) fn assign(sql: &mut String, name: &str, value: Option<&[u8]>) {
    sql.push_str("pg_catalog.set_config(");
    quote::literal(sql, name.as_bytes());
    sql.push(',');
    match value.filter(|value| !value.is_empty() || !is_custom(name)) {
        Some(value) => quote::literal(sql, value),
        None => sql.push_str("NULL"),
    }
    sql.push_str(",false)");
}

/// Whether it is a custom parameter, or one of an extension.
pub(super) fn is_custom(name: &str) -> bool {
    name.contains('.')
}

pub(super) fn is_identity(name: &str) -> bool {
    name == ROLE || name == SESSION_USER
}

impl Session {
    /// No connection can be made this session's as long as it is what it is: the server said so.
    pub(crate) fn note_refused(&mut self, said: ErrorResponse) {
        let parameters = self.parameters.clone();
        self.rare().refused = Some((parameters, said));
    }

    /// Whether that is what the server said before of this session as it is.
    pub(crate) fn is_final(&self, said: &ErrorResponse) -> bool {
        let refused = self.rare.as_ref().and_then(|rare| rare.refused.as_ref());
        refused.is_some_and(|(parameters, before)| Arc::ptr_eq(parameters, &self.parameters) && before == said)
    }

    /// Whether a connection can be used as it is: two pointers, nearly always.
    pub(crate) fn is_settled(&self, connection: &Connection) -> bool {
        Arc::ptr_eq(&self.parameters, &connection.parameters) && Arc::ptr_eq(&self.told, &connection.reported)
    }

    /// Appends to `news` what the client was not told of the connection's parameters, and has it told from now on.
    pub(crate) fn tell(&mut self, connection: &mut Connection, news: &mut Vec<u8>) {
        if Arc::ptr_eq(&self.told, &connection.reported) {
            return;
        }
        connection.reported = self.here.interned.reported(&connection.reported);
        connection.reported.write_news(&self.told, news);
        self.told = connection.reported.clone();
    }

    /// All that the server reported while the client used the connection went to the client.
    pub(crate) fn was_told(&mut self, connection: &mut Connection) {
        if !Arc::ptr_eq(&self.told, &connection.reported) {
            connection.reported = self.here.interned.reported(&connection.reported);
            self.told = connection.reported.clone();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn difference(from: &[(&str, &str)], to: &[(&str, &str)]) -> String {
        let parameters = |pairs: &[(&str, &str)]| pairs.iter().map(|(name, value)| (Box::from(*name), Box::from(*value))).collect();
        let sql = question(&parameters(from), &parameters(to));
        let calls = sql.strip_prefix("SET TRANSACTION ISOLATION LEVEL READ COMMITTED;SELECT ").unwrap();
        calls.replace("pg_catalog.set_config(", "").replace(",false)", "")
    }

    #[test]
    fn only_what_differs_is_set() {
        assert_eq!(difference(&[("a", "1"), ("b", "1")], &[("a", "1"), ("b", "2")]), "'b','2'");
        assert_eq!(difference(&[("a", "1")], &[("b", "it's")]), "'a',NULL,'b','it''s'");
    }

    #[test]
    fn rights_are_those_of_who_logged_in_until_the_end() {
        let from = [("role", "r"), ("session_authorization", "s"), ("work_mem", "1")];
        let to = [("role", "r"), ("session_authorization", "s"), ("work_mem", "2")];
        let expected = "'role',NULL,'session_authorization',NULL,'work_mem','2','session_authorization','s','role','r'";
        assert_eq!(difference(&from, &to), expected);
    }

    #[test]
    fn an_empty_custom_parameter_is_reset() {
        assert_eq!(difference(&[], &[("my.x", ""), ("search_path", "")]), "'my.x',NULL,'search_path',''");
    }
}
