//! `CREATE`, `ALTER` and `DROP DATABASE` are done only when nobody else is in the database. Directly nobody is in one that
//! all clients have left; so the connections that are kept for them go.

use std::collections::BTreeSet;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use loops::now;
use loops::time::sleep;

use super::inbox::Message;
use super::shared::Pool;
use super::side::Side;
use crate::events::Closed;

/// So long databases are kept free of us: Postgres waits no longer for others to leave.
pub(crate) const VACATED_FOR: Duration = Duration::from_secs(5);

/// How often it looks.
const LOOK: Duration = Duration::from_millis(100);

impl Side {
    /// For as long as the server waits, no loop keeps connections to databases that no client is in.
    pub(crate) fn vacate(&self) {
        for index in 0..self.events.loops.len() {
            self.pool.send(index, Message::Vacate);
        }
    }

    pub(super) fn begin_vacating(self: &Rc<Side>) {
        if self.vacated.replace(Some(now() + VACATED_FOR)).is_none() {
            tokio::task::spawn_local(self.clone().keep_vacated());
        }
    }

    async fn keep_vacated(self: Rc<Side>) {
        while self.vacated.get().is_some_and(|until| now() < until) {
            let attended = self.pool.attended();
            self.close_idle(Closed::Vacated, |kept| !attended.contains(&kept.connection.key.database));
            sleep(LOOK).await;
        }
        self.vacated.set(None);
    }
}

impl Pool {
    /// The databases that clients are in.
    fn attended(&self) -> BTreeSet<Arc<str>> {
        let ledgers = self.ledgers();
        ledgers.iter().filter(|ledger| ledger.sum().clients > 0).map(|ledger| ledger.key.database.clone()).collect()
    }
}
