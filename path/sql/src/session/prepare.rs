//! What some statements need before they go: nobody else's sequences to be read, channels to be taken from, startup
//! values that a `RESET` goes back to. For a connection with no answer outstanding, outside a failed transaction.

use super::notes::unlistens;
use super::probe::MARK;
use super::settle::{Unsettled, assign};
use super::{Session, quote};
use crate::listening::append;
use crate::parse::{Effects, Recognised, Step};
use crate::server::{AskError, Connection, Rows, ask};

/// Does what `text` needs, see [`Session::must_prepare`].
///
/// # Errors
/// See [`Unsettled`].
pub(crate) async fn prepare(session: &mut Session, connection: &mut Connection, text: &Recognised) -> Result<(), Unsettled> {
    if session.reads_of_others(connection, text) {
        ask(connection, "DISCARD SEQUENCES", |_| {}).await?;
        connection.sequences = None;
    }
    if session.takes_from_others(text) {
        mark(session, connection).await?;
    }
    Ok(())
}

/// Sets again what a `RESET` has taken to the server's value, not to the startup's: in the transaction if that goes on.
/// `news` gets the `ParameterStatus` of it.
///
/// # Errors
/// See [`Unsettled`].
pub(crate) async fn restore(session: &mut Session, connection: &mut Connection, news: &mut Vec<u8>) -> Result<(), Unsettled> {
    session.was_told(connection);
    let restored = session.rare.as_mut().map(|rare| std::mem::take(&mut rare.changed.restored)).unwrap_or_default();
    let mut sql = String::from("SELECT ");
    for (at, name) in restored.iter().enumerate() {
        sql.push_str(if at == 0 { "" } else { "," });
        assign(&mut sql, name, session.startup.get(name));
    }
    if !restored.is_empty() {
        ask_hearing(session, connection, &sql, news).await?;
        session.tell(connection, news);
    }
    Ok(())
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
    let (hears, to) = (session.hears(), session.client.process);
    let from = connection.process();
    ask(connection, sql, |message| {
        if hears {
            append(heard, message, from, to);
        }
    })
    .await
}

impl Session {
    /// Whether [`prepare`] is due before `text` goes to the connection.
    pub(crate) fn must_prepare(&self, connection: &Connection, text: &Recognised) -> bool {
        self.reads_of_others(connection, text) || self.takes_from_others(text)
    }

    /// Whether [`restore`] is due, the transaction going on.
    pub(crate) fn must_restore(&self) -> bool {
        self.rare.as_ref().is_some_and(|rare| !rare.changed.restored.is_empty())
    }

    /// The connection on which a client that reads its sequences' state finds it, if nobody used it since.
    pub(crate) fn home(&self, effects: Effects) -> Option<u64> {
        self.sequences.on.filter(|_| effects.has(Effects::SEQUENCES_READ))
    }

    fn reads_of_others(&self, connection: &Connection, text: &Recognised) -> bool {
        text.effects.has(Effects::SEQUENCES_READ) && connection.sequences.is_some_and(|by| by != self.client.number)
    }

    fn takes_from_others(&self, text: &Recognised) -> bool {
        text.effects.has(Effects::LISTENING)
            && self.ears().is_some_and(|ears| !ears.is_own() && !ears.channels.is_empty())
            && text.steps.iter().any(|step: &Step| unlistens(step))
    }
}
