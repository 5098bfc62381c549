//! What some statements need before they go: nobody else's sequences to be read, channels to be taken from, startup
//! values that a `RESET` goes back to. For a connection with no answer outstanding, outside a failed transaction; a batch
//! of the extended protocol may be open there.

use super::notes::unlistens;
use super::probe::MARK;
use super::settle::{ROLE, SESSION_USER, Unsettled, assign, is_custom};
use super::{Session, Traces, quote};
use crate::frame::HEADER;
use crate::listening::{append, is_of};
use crate::parse::{Effects, Recognised, Step};
use crate::server::{AskError, Connection, Rows, ask, ask_within};

/// Takes away what sequences gave to anybody.
const DISCARD: &str = "DISCARD SEQUENCES";

/// Does what `text` needs, see [`Session::must_prepare`].
///
/// # Errors
/// See [`Unsettled`].
pub(crate) async fn prepare(session: &mut Session, connection: &mut Connection, text: &Recognised, is_open: bool) -> Result<(), Unsettled> {
    if session.must_discard(connection, text) {
        if is_open {
            ask_within(connection, DISCARD).await?
        } else {
            drop(ask(connection, DISCARD, |_| {}).await?)
        }
        connection.traces = Traces::None;
    }
    if !is_open && session.takes_from_others(text) {
        mark(session, connection).await?;
    }
    Ok(())
}

/// Sets again what a `RESET` in a transaction that goes on has taken to the server's value, not to the startup's.
/// `news` gets the `ParameterStatus` of it.
///
/// # Errors
/// See [`Unsettled`].
pub(crate) async fn restore(session: &mut Session, connection: &mut Connection, news: &mut Vec<u8>) -> Result<(), Unsettled> {
    session.was_told(connection);
    let restored = session.rare.as_mut().map(|rare| std::mem::take(&mut rare.changed.restored)).unwrap_or_default();
    let given = |name: Box<str>| session.startup.get(&name).map(|value| restoration(&name, value, &session.client.key.user));
    let parts: Vec<String> = restored.into_iter().filter_map(given).collect();
    if !parts.is_empty() {
        ask_hearing(session, connection, &parts.join(" UNION ALL "), news).await?;
        session.tell(connection, news);
    }
    Ok(())
}

/// Sets one parameter, unless something else has set it since. A user who did not log in could not take the role.
fn restoration(name: &str, value: &[u8], user: &str) -> String {
    let (mut sql, mut literal, mut login) = (String::from("SELECT "), String::new(), String::new());
    quote::literal(&mut login, user.as_bytes());
    assign(&mut sql, name, Some(value));
    quote::literal(&mut literal, name.as_bytes());
    let is_set = match name {
        ROLE => format!(
            "pg_catalog.current_setting({literal}) OPERATOR(pg_catalog.<>) 'none' \
             OR pg_catalog.current_setting('{SESSION_USER}') OPERATOR(pg_catalog.<>) {login}"
        ),
        _ if is_custom(name) => format!("pg_catalog.current_setting({literal},true) OPERATOR(pg_catalog.<>) ''"),
        _ => format!(
            "EXISTS (SELECT 1 FROM pg_catalog.pg_settings WHERE source OPERATOR(pg_catalog.=) 'session' \
             AND pg_catalog.lower(name COLLATE pg_catalog.\"C\") OPERATOR(pg_catalog.=) {literal})"
        ),
    };
    sql.push_str(&format!(" WHERE COALESCE({is_set},false) IS FALSE"));
    sql
}

/// Lets the connection listen on all that the client does, so that it will know what is left; once for a transaction.
async fn mark(session: &mut Session, connection: &mut Connection) -> Result<(), Unsettled> {
    let rows = ask(connection, &format!("SELECT pg_catalog.current_setting('{MARK}',true)"), |_| {}).await?;
    if matches!(&rows[..], [row] if matches!(&row[..], [Some(value)] if value == b"1")) {
        return Ok(());
    }
    let mut sql = format!("SELECT pg_catalog.set_config('{MARK}','1',false)");
    for channel in session.ears().into_iter().flat_map(|ears| &ears.channels) {
        listen(&mut sql, channel);
    }
    ask(connection, &sql, |_| {}).await?;
    Ok(())
}

/// Appends `;LISTEN channel`; one whose name is not plain ASCII is listened on by a block that spells it.
pub(super) fn listen(sql: &mut String, channel: &[u8]) {
    let mut name = String::new();
    if quote::name(&mut name, channel).is_some() {
        sql.push_str(&format!(";LISTEN {name}"));
        return;
    }
    let mut value = String::new();
    quote::literal(&mut value, channel);
    sql.push_str(&format!(";DO $do$BEGIN EXECUTE pg_catalog.format('LISTEN %I',{value});END$do$"));
}

/// Asks on behalf of a session; what its own connection hears meanwhile goes to `heard`.
pub(super) async fn ask_hearing(session: &Session, connection: &mut Connection, sql: &str, heard: &mut Vec<u8>) -> Result<Rows, AskError> {
    let (hears, elsewhere, to) = (session.hears(), session.elsewhere(), session.client.process);
    let from = connection.process();
    ask(connection, sql, |message| {
        let comes_otherwise = elsewhere.is_some_and(|channels| is_of(&message[HEADER..], channels));
        if hears && !comes_otherwise {
            append(heard, message, from, to);
        }
    })
    .await
}

impl Session {
    /// Whether [`prepare`] is due before `text` goes to the connection; in a batch that is open it is too late for channels.
    pub(crate) fn must_prepare(&self, connection: &Connection, text: &Recognised, is_open: bool) -> bool {
        self.must_discard(connection, text) || !is_open && self.takes_from_others(text)
    }

    /// Whether [`restore`] is due, the transaction going on.
    pub(crate) fn must_restore(&self) -> bool {
        self.rare.as_ref().is_some_and(|rare| !rare.changed.restored.is_empty())
    }

    fn takes_from_others(&self, text: &Recognised) -> bool {
        text.effects.has(Effects::LISTENING)
            && self.ears().is_some_and(|ears| !ears.is_own() && !ears.channels.is_empty())
            && text.steps.iter().any(|step: &Step| unlistens(step))
    }
}
