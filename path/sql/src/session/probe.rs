//! What a client left on its connection: asked in one query before the connection goes back. The server tells the truth,
//! whatever was committed, rolled back, saved or done inside a function.

mod channels;
mod question;

use super::Session;
use super::leave::clean;
use super::notes::TEMPORARY;
use super::parameters::Values;
use super::prepare::ask_hearing;
use super::settle::{AT_ONCE, ROLE, SESSION_USER, Unsettled, is_custom, is_identity, settle};
use super::touched::Changed;
use crate::error::code;
use crate::parse::Effects;
use crate::pins::Pin;
use crate::server::{Connection, ask};
use question::{COMPUTED, Found, Needs, Whose};

pub(super) use question::MARK;

/// Stands for all parameters whose names nobody knows; no parameter is called so.
const NAMELESS: &str = "*.*";

/// What becomes of the connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// It may serve others.
    Free,
    /// It holds something that cannot follow the client: the client keeps it.
    Pinned,
    /// It is lost.
    Lost,
}

/// Asks, and follows up. `heard` gets what is to reach the client before its `ReadyForQuery`: notifications.
///
/// The connection is at rest between two transactions, see [`Session::must_probe`].
pub(crate) async fn probe(session: &mut Session, connection: &mut Connection, heard: &mut Vec<u8>) -> Verdict {
    let mut examined = examine(session, connection, heard).await;
    if matches!(&examined, Err(Unsettled::Refused(said)) if said.code() == code::QUERY_CANCELED) {
        // A cancel of what the client did that came late.
        examined = examine(session, connection, heard).await;
    }
    match examined {
        Ok(()) if session.is_pinned() => Verdict::Pinned,
        Ok(()) => Verdict::Free,
        Err(Unsettled::Lost) => Verdict::Lost,
        Err(Unsettled::Refused(_)) => {
            // A timeout of the client's own, rights that were taken away: it keeps what nobody knows of.
            session.pin(Pin::Unknown);
            Verdict::Pinned
        }
    }
}

async fn examine(session: &mut Session, connection: &mut Connection, heard: &mut Vec<u8>) -> Result<(), Unsettled> {
    session.was_told(connection);
    echo(session, connection).await?;
    if session.rare.as_ref().is_some_and(|rare| rare.is_discarded) {
        clean(connection).await?;
        session.discard();
    }
    let needs = session.needs(connection);
    if !needs.is_nothing() {
        let found = find(session, connection, &needs, heard).await?;
        session.learn(connection, &needs, &found);
        // What was given at startup and reset.
        settle(session, connection, heard).await?;
        if needs.channels {
            channels::follow(session, connection, found, heard).await?;
        }
    }
    if session.effects.has(Effects::NAMELESS) {
        ask(connection, &format!("{AT_ONCE}SELECT pg_catalog.set_config('{COMPUTED}','1',false)"), |_| {}).await?;
    }
    if session.must_reset() {
        reset(session, connection, heard).await?;
    }
    // What it listens on no more it does not hear, as in Postgres, where that ends with the same commit.
    session.take_own(connection, heard);
    session.effects = Effects::NONE;
    session.tell(connection, heard);
    Ok(())
}

async fn find(session: &Session, connection: &mut Connection, needs: &Needs, heard: &mut Vec<u8>) -> Result<Found, Unsettled> {
    let version = connection.reported.get("server_version").map(|version| String::from_utf8_lossy(version).into_owned());
    let key = session.client.key.clone();
    let sql = needs.question(Whose { user: &key.user, version: version.as_deref().unwrap_or_default() });
    let rows = ask_hearing(session, connection, &sql, heard).await?;
    needs.read(&rows, &key.user).map_err(|_| Unsettled::Lost)
}

/// What nobody can ask for goes, before others can have it; what is known of is set again.
async fn reset(session: &mut Session, connection: &mut Connection, heard: &mut Vec<u8>) -> Result<(), Unsettled> {
    ask(connection, "RESET ALL", |_| {}).await?;
    let kept = connection.parameters.values().iter().filter(|(name, _)| is_identity(name));
    let kept = kept.map(|(name, value)| (name.clone(), value.clone())).collect();
    connection.parameters = session.here.interned.parameters(kept);
    session.rare().is_obscure = false;
    settle(session, connection, heard).await
}

/// What the client notified has come to it when this is done.
async fn echo(session: &Session, connection: &mut Connection) -> Result<(), Unsettled> {
    if !session.effects.has(Effects::NOTIFIES) || session.ears().is_none_or(|ears| ears.is_own()) {
        return Ok(());
    }
    let (number, sql) = session.here.listeners.echo();
    let heard_all = session.wait_for(number);
    ask(connection, &sql, |_| {}).await?;
    heard_all.await;
    Ok(())
}

impl Session {
    /// What must be asked.
    fn needs(&self, connection: &Connection) -> Needs {
        let (effects, pins) = (self.effects, self.place.pins());
        let is_unknown = pins.has(Pin::Unknown) || effects.has(Effects::OPAQUE);
        let nothing = Changed::default();
        let changed = self.rare.as_ref().map_or(&nothing, |rare| &rare.changed);
        let mut names = changed.names([&self.parameters, &connection.parameters], is_unknown);
        if is_unknown || changed.is_unknown {
            names.extend(self.here.custom.borrow().iter().cloned());
        }
        let may_be = |pin: Pin, asks: Effects| is_unknown || effects.has(asks) || pins.has(pin);
        let moves_ears = self.ears().is_some_and(|ears| ears.is_own() || names.contains("client_encoding"));
        Needs {
            all: is_unknown || changed.is_unknown,
            temporary: may_be(Pin::Temporary, TEMPORARY),
            locks: may_be(Pin::Lock, Effects::LOCKS),
            cursors: may_be(Pin::Cursor, Effects::CURSORS),
            prepared: may_be(Pin::Prepared, Effects::PREPARED),
            channels: may_be(Pin::Listen, Effects::LISTENING) || moves_ears,
            kept: effects.has(Effects::OPAQUE) && connection.prepared.has_any(),
            computed: changed.is_reset() && self.rare.as_ref().is_some_and(|rare| rare.unmovable.contains(NAMELESS)),
            names,
        }
    }

    fn learn(&mut self, connection: &mut Connection, needs: &Needs, found: &Found) {
        self.learn_parameters(connection, needs, found);
        if needs.computed && !found.computed {
            self.rare().unmovable.remove(NAMELESS);
        }
        if self.effects.has(Effects::NAMELESS) {
            self.rare().unmovable.insert(NAMELESS.into());
        }
        if self.effects.has(Effects::OPAQUE) {
            self.rare().is_obscure = true;
        }
        if needs.kept && !found.kept {
            connection.prepared.clear();
        }
        let has_unmovable = self.rare.as_ref().is_some_and(|rare| !rare.unmovable.is_empty());
        let mut pins = self.place.pins().without(Pin::Unknown);
        for (pin, is_asked, is_there) in [
            (Pin::Temporary, needs.temporary, found.temporary),
            (Pin::Lock, needs.locks, found.locks),
            (Pin::Cursor, needs.cursors, found.cursors),
            (Pin::Prepared, needs.prepared, found.prepared),
            (Pin::Parameter, true, has_unmovable),
        ] {
            if is_asked {
                pins = if is_there { pins.with(pin) } else { pins.without(pin) };
            }
        }
        self.set_pins(pins);
    }

    /// Whether [`reset`] is due: not while the client keeps its connection, where it finds all that it set.
    fn must_reset(&self) -> bool {
        !self.is_pinned() && self.is_obscure()
    }

    /// Whether something may be set on the client's connection that nobody can ask for.
    pub(super) fn is_obscure(&self) -> bool {
        self.rare.as_ref().is_some_and(|rare| rare.is_obscure)
    }

    /// What is set on the connection is what is set in the session, but for startup values that were reset.
    fn learn_parameters(&mut self, connection: &mut Connection, needs: &Needs, found: &Found) {
        if needs.names.is_empty() && !needs.all {
            return;
        }
        let mut values: Values = connection.parameters.values().clone();
        values.retain(|name, _| !needs.asks(name));
        values.extend(found.values.iter().map(|(name, value)| (name.clone(), value.clone())));
        self.tell_resets_from_choices(needs, &mut values);
        self.here.note_custom(found.values.keys().filter(|name| is_custom(name)));
        connection.parameters = self.here.interned.parameters(values.clone());
        for (name, value) in self.startup.values() {
            values.entry(name.clone()).or_insert_with(|| value.clone());
        }
        self.parameters = self.here.interned.parameters(values);
        let rare = self.rare();
        rare.changed = Changed::default();
        rare.unmovable.retain(|name| !needs.asks(name));
        rare.unmovable.extend(found.unmovable.iter().cloned());
    }

    /// To have no role, or an empty custom parameter, may be a choice: not where a `RESET` was the last word.
    fn tell_resets_from_choices(&self, needs: &Needs, values: &mut Values) {
        let is_reset = |name: &str| self.rare.as_ref().is_some_and(|rare| rare.changed.restored.contains(name));
        values.retain(|name, value| !(value.is_empty() && is_custom(name) && is_reset(name) && self.startup.get(name).is_some()));
        // Another user could not take the startup's role.
        let is_another = values.contains_key(SESSION_USER);
        if needs.asks(ROLE) && self.startup.get(ROLE).is_some() && (is_another || !is_reset(ROLE)) {
            values.entry(ROLE.into()).or_insert_with(|| b"none"[..].into());
        }
    }
}
