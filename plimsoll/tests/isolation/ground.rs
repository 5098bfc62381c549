//! The server, the door before it, and what the server itself says about the connections of the door.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Mutex, MutexGuard};
use std::thread::park_timeout;
use std::time::Duration;

use testkit::wire::Login;
use testkit::{Plimsoll, Postgres, Up, Wire, holds_within, until};

use crate::client::Slowest;

const BINARY: &str = env!("CARGO_BIN_EXE_plimsoll");
/// Connections that the door may open.
pub const SERVER: usize = 8;
/// Clients that may hold what pins at one time: the others need the rest.
const PINNED: usize = 5;

pub struct Ground {
    pub server: Postgres,
    /// The door's address.
    pub door: String,
    plimsoll: Mutex<Plimsoll>,
    /// Somebody failed, or the time is over.
    pub stop: AtomicBool,
    monitor: Mutex<Wire>,
    permits: AtomicUsize,
    most: AtomicUsize,
    slowest: Mutex<Slowest>,
}

impl Ground {
    /// With a schema, a role and a sequence for each client.
    pub fn new(clients: usize) -> Ground {
        let server = Postgres::with("timezone = 'UTC'\nmax_connections = 200");
        let own: String = (0..clients).map(owned).collect();
        server.psql(&own);
        let primary = server.url("app", "app");
        let file = format!(
            "name = \"isolation\"\n[http]\nlisten = [\"127.0.0.1:0\"]\n[sql.main]\nlisten = \"127.0.0.1:0\"\nprimary = \"{primary}\"\n\
             pool = {{ server = {SERVER} }}\n"
        );
        let plimsoll = Up::new(BINARY, &file).ready();
        let door = plimsoll.sql().to_owned();
        let monitor = Mutex::new(Wire::connect(&server.address(), &Login::new("postgres", "app")).unwrap());
        let (stop, permits, most, slowest) = Default::default();
        Ground { server, door, plimsoll: Mutex::new(plimsoll), stop, monitor, permits, most, slowest }
    }

    /// Through the door, as `app`.
    pub fn connect(&self) -> Wire {
        self.connect_as(&Login::new("app", "app"))
    }

    pub fn connect_as(&self, login: &Login) -> Wire {
        Wire::connect(&self.door, login).unwrap_or_else(|error| panic!("no connection: {error}"))
    }

    /// Asks the server itself.
    pub fn monitor(&self) -> MutexGuard<'_, Wire> {
        self.monitor.lock().unwrap_or_else(|poisoned| poisoned.into_inner())
    }

    /// Whether nobody holds the advisory lock, by the server's own word.
    pub fn is_free(&self, key: u32) -> bool {
        self.monitor().query(&format!("SELECT pg_try_advisory_xact_lock(4711, {key})")).unwrap().value() == "t"
    }

    /// Leave to hold something that pins, if not too many do.
    pub fn permit(&self) -> Option<Permit<'_>> {
        let one_more = |held: usize| (held < PINNED).then_some(held + 1);
        self.permits.fetch_update(Ordering::SeqCst, Ordering::SeqCst, one_more).ok().map(|_| Permit(self))
    }

    fn log(&self) -> String {
        self.plimsoll.lock().unwrap_or_else(|poisoned| poisoned.into_inner()).log()
    }

    fn count(&self, from: &str) -> usize {
        self.monitor().query(&format!("SELECT count(*) FROM {from}")).unwrap().value().parse().unwrap()
    }

    /// Until the end: never more connections than may be, and one more that serves all who listen. One that was closed in
    /// the middle of a statement is still there until the server has noticed.
    pub fn watch(&self) {
        let mut monitor = Wire::connect(&self.server.address(), &Login::new("postgres", "app")).unwrap();
        let mut open = || -> usize {
            let answer = monitor.query("SELECT count(*) FROM pg_stat_activity WHERE usename = 'app'").unwrap();
            answer.value().parse().unwrap()
        };
        while !self.stop.load(Ordering::SeqCst) {
            let now = open();
            self.most.fetch_max(now, Ordering::SeqCst);
            assert!(now <= SERVER + 1 || holds_within(Duration::from_secs(5), || open() <= SERVER + 1), "{now} connections for {SERVER}");
            park_timeout(Duration::from_millis(20));
        }
    }

    /// The slowest of one client's actions.
    pub fn note(&self, slowest: Slowest) {
        let mut known = self.slowest.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
        *known = slowest.max(known.clone());
    }

    pub fn seen(&self) -> String {
        let Slowest { took, step } = self.slowest.lock().unwrap_or_else(|poisoned| poisoned.into_inner()).clone();
        format!("at most {} server connections; the slowest action took {took:.1?}: {step}", self.most.load(Ordering::SeqCst))
    }

    /// Everybody has left: nothing is in a transaction, locked, temporary or open, and every connection is as new.
    pub fn clean(&self, connections: usize) {
        let zero = |what: &str, from: &str| {
            let nothing = || self.count(from) == 0;
            until(&format!("no {what} is left; the log:\n{}", self.log()), nothing);
        };
        zero("busy connection", "pg_stat_activity WHERE usename = 'app' AND state <> 'idle'");
        zero("advisory lock", "pg_locks WHERE locktype = 'advisory'");
        zero("temporary table", "pg_class WHERE relpersistence = 't'");
        let mut clients: Vec<Wire> = (0..connections).map(|_| self.connect()).collect();
        clients.iter_mut().for_each(|client| drop(client.query("BEGIN").unwrap().fine()));
        for client in &mut clients {
            let answer = client.query(AS_NEW).unwrap().fine();
            assert_eq!(answer.rows, [AS_NEW_ROW.map(|value| Some(value.to_owned())).to_vec()]);
        }
        for mut client in clients {
            client.query("COMMIT").unwrap().fine();
            assert_eq!(client.query("SELECT lastval()").unwrap().code(), Some("55000"));
            client.terminate();
        }
    }
}

/// What a client could find of others on a connection.
const AS_NEW: &str = "SELECT (SELECT count(*) FROM pg_cursors), (SELECT count(*) FROM pg_prepared_statements WHERE from_sql),
    (SELECT count(*) FROM pg_locks WHERE pid = pg_backend_pid() AND locktype = 'advisory'), to_regclass('canary') IS NULL,
    current_user, current_setting('search_path'), current_setting('work_mem'), current_setting('application_name'),
    current_setting('lock_timeout'), current_setting('statement_timeout'), current_setting('extra_float_digits'),
    current_setting('default_transaction_isolation'), coalesce(current_setting('plimsoll.canary', true), '')";
const AS_NEW_ROW: [&str; 13] = ["0", "0", "0", "t", "app", "\"$user\", public", "4MB", "", "0", "0", "1", "read committed", ""];

/// Given back when dropped.
pub struct Permit<'a>(&'a Ground);

impl Drop for Permit<'_> {
    fn drop(&mut self) {
        self.0.permits.fetch_sub(1, Ordering::SeqCst);
    }
}

/// What belongs to a client and lasts; every role may use it.
fn owned(id: usize) -> String {
    format!(
        "CREATE SCHEMA own_{id};
         CREATE TABLE own_{id}.mine AS SELECT '{id}'::text AS v;
         CREATE TABLE own_{id}.copied (v text);
         CREATE SEQUENCE own_{id}.numbers START {start};
         CREATE ROLE role_{id};
         GRANT role_{id} TO app;
         GRANT ALL ON SCHEMA own_{id} TO public;
         GRANT ALL ON ALL TABLES IN SCHEMA own_{id} TO public;
         GRANT ALL ON ALL SEQUENCES IN SCHEMA own_{id} TO public;\n",
        start = (id + 1) * 1_000_000,
    )
}
