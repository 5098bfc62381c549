//! Where a client's channels are listened on, once its transaction is over.

use std::collections::BTreeSet;

use super::question::{Found, MARK};
use crate::listening::{Channel, Ears, MOST_CHANNELS};
use crate::parse::Effects;
use crate::pins::Pin;
use crate::server::{Connection, ask};
use crate::session::Session;
use crate::session::prepare::{ask_hearing, listen};
use crate::session::settle::Unsettled;

/// The client listens on what its transaction left: by the shared connection, or by its own while it keeps that anyway,
/// or reads another encoding than the database's, or nobody else can listen now.
pub(super) async fn follow(session: &mut Session, connection: &mut Connection, found: Found, heard: &mut Vec<u8>) -> Result<(), Unsettled> {
    let listens_itself = !found.channels.is_empty() || found.is_marked;
    if !listens_itself && !session.must_move(connection) {
        return Ok(());
    }
    let (listen, unlisten) = (session.heard_alone(&found), session.heard_no_more(&found));
    let count = session.shared_channels() + listen.len() - unlisten.len();
    if count > MOST_CHANNELS {
        session.rare().is_crowded = true;
        return Ok(());
    }
    // Where the client itself has notified, all was waited for.
    if !unlisten.is_empty() && !session.effects.has(Effects::NOTIFIES) {
        session.wait_for_rest().await;
        session.take_own(connection, heard);
    }
    let (number, echo) = session.here.listeners.echo();
    let mute = (!listen.is_empty()).then(|| (listen.clone(), number));
    let is_muted = mute.is_some();
    if count == 0 {
        session.stop_listening();
    } else if session.may_share(connection) && session.hear(listen, unlisten, mute).await.is_ok() {
        session.unpin(Pin::Listen);
        // The last that it hears itself is the first that the shared connection hears for it.
        if is_muted {
            ask_hearing(session, connection, &echo, heard).await?;
        }
    } else {
        let channels = session.listens_on(&found);
        return keep(session, connection, channels, &found, heard).await;
    }
    if listens_itself {
        let sql = format!("UNLISTEN *;SELECT pg_catalog.set_config('{MARK}',NULL,false)");
        ask(connection, &sql, |_| {}).await?;
    }
    Ok(())
}

/// The client listens on its own connection.
async fn keep(
    session: &mut Session,
    connection: &mut Connection,
    channels: BTreeSet<Channel>,
    found: &Found,
    heard: &mut Vec<u8>,
) -> Result<(), Unsettled> {
    let mut sql = format!("SELECT pg_catalog.set_config('{MARK}',NULL,false)");
    channels.difference(&found.channels).for_each(|channel| listen(&mut sql, channel));
    if session.ears().is_some_and(|ears| !ears.is_own()) {
        let (number, echo) = session.here.listeners.echo();
        let heard_all = session.wait_for(number);
        // The last that others hear for it is the first that it hears itself.
        ask_hearing(session, connection, &format!("{sql};{echo}"), heard).await?;
        heard_all.await;
        session.ears_mut().into_iter().for_each(|ears| ears.channels = channels.clone());
        session.take_own(connection, heard);
        session.stop_listening();
    } else if found.is_marked || channels != found.channels {
        ask_hearing(session, connection, &sql, heard).await?;
    }
    session.rare().ears = Some(Ears::own(channels));
    if session.place.pins().without(Pin::Listen).is_empty() {
        session.pin(Pin::Listen);
    }
    Ok(())
}

impl Session {
    /// All that the client listens on now.
    fn listens_on(&self, found: &Found) -> BTreeSet<Channel> {
        match self.ears() {
            Some(ears) if !ears.is_own() && !found.is_marked => ears.channels.union(&found.channels).cloned().collect(),
            _ => found.channels.clone(),
        }
    }

    /// Those that nobody else listened on for the client until now.
    fn heard_alone(&self, found: &Found) -> BTreeSet<Channel> {
        match self.ears() {
            Some(ears) if !ears.is_own() => found.channels.difference(&ears.channels).cloned().collect(),
            _ => found.channels.clone(),
        }
    }

    /// Those that others listen on for the client, and that it does not any more.
    fn heard_no_more(&self, found: &Found) -> BTreeSet<Channel> {
        match self.elsewhere() {
            Some(channels) if found.is_marked => channels.difference(&found.channels).cloned().collect(),
            _ => BTreeSet::new(),
        }
    }

    /// Whether somebody else may listen for the client.
    fn may_share(&self, connection: &Connection) -> bool {
        is_read_as_written(connection) && self.place.pins().without(Pin::Listen).is_empty()
    }

    /// Whether channels that nothing was done about may have to be listened on elsewhere.
    fn must_move(&self, connection: &Connection) -> bool {
        self.ears().is_some_and(|ears| ears.is_own() || !is_read_as_written(connection))
    }
}

/// Whether the client reads the encoding of the database, which is that of who listens for all.
fn is_read_as_written(connection: &Connection) -> bool {
    let of = |name| connection.reported.get(name).unwrap_or_default();
    let (client, server) = (of("client_encoding"), of("server_encoding"));
    client == server || [client, server].contains(&&b"SQL_ASCII"[..])
}
