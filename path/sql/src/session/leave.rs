//! A session ends, or begins anew: `DISCARD ALL`.

use std::sync::Arc;

use super::settle::Unsettled;
use super::{Rare, Session, Traces, quote};
use crate::parse::Effects;
use crate::pins::Pin;
use crate::server::{Connection, ask};

/// What `DISCARD ALL` does but for the statements, which are the pool's.
const CLEAN: &str = "CLOSE ALL;SET SESSION AUTHORIZATION DEFAULT;RESET ROLE;RESET ALL;UNLISTEN *;\
                     SELECT pg_catalog.pg_advisory_unlock_all();DISCARD TEMP;DISCARD SEQUENCES";

/// Takes away all that a session left on a connection; what it prepared by SQL, too.
pub(super) async fn clean(connection: &mut Connection) -> Result<(), Unsettled> {
    ask(connection, CLEAN, |_| {}).await?;
    connection.parameters = Arc::default();
    connection.traces = Traces::None;
    let names = format!("SELECT {} FROM pg_catalog.pg_prepared_statements WHERE from_sql", quote::spelled("name"));
    let rows = ask(connection, &names, |_| {}).await?;
    let mut sql = String::new();
    for name in rows.into_iter().flatten().flatten().filter_map(|name| quote::bytes(&name)) {
        let mut quoted = String::new();
        if quote::name(&mut quoted, &name).is_some() {
            sql.push_str(&format!("DEALLOCATE {quoted};"));
        }
    }
    if !sql.is_empty() {
        ask(connection, &sql, |_| {}).await?;
    }
    Ok(())
}

impl Session {
    /// Whether the connection of a client that goes, its transaction rolled back, may serve others as it is.
    pub(crate) fn leaves_clean(&self) -> bool {
        let pins = self.place.pins().without(Pin::Sequence);
        let listens_itself = self.ears().is_some_and(|ears| ears.is_own());
        pins.is_empty() && !listens_itself && !self.must_probe() && !self.may_leave() && !self.is_obscure()
    }

    /// `DISCARD ALL` was done: the session is as it began. What was loaded and seeded on its connection stays.
    pub(super) fn discard(&mut self) {
        self.stop_listening();
        self.rare = Some(Box::new(Rare::default()));
        self.parameters = self.startup.clone();
        self.forget_sequences();
        // Asked once more, to see that nothing is left.
        self.effects = Effects::TEMPORARY.and(Effects::LOCKS).and(Effects::CURSORS).and(Effects::PREPARED);
        self.unpin(Pin::Parameter);
    }
}
