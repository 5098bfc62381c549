//! Where a script runs: the same server and an empty database each, directly and through the door.

use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::LazyLock;

use tempfile::TempDir;
use testkit::{Plimsoll, Postgres, Up, until};

use crate::scripts;

const BINARY: &str = env!("CARGO_BIN_EXE_plimsoll");
/// Connections that the door may open: fewer than the scripts do.
const SERVER: usize = 4;

/// One server for all tests of this file; it ends with the process.
static SERVERS: LazyLock<Postgres> = LazyLock::new(|| {
    let server = Postgres::with("max_connections = 200\nmax_prepared_transactions = 0");
    server.psql("ALTER ROLE app CREATEDB");
    server
});

/// Where one run of a script happens.
pub struct Place {
    /// `postgres://app:secret@HOST:PORT/DATABASE`.
    pub url: String,
    /// A folder of its own.
    pub folder: TempDir,
    database: String,
}

impl Place {
    fn new(name: &str, way: &str, address: &str) -> Place {
        let database = format!("{name}_{way}");
        SERVERS.psql_in("postgres", &format!("CREATE DATABASE {database} OWNER app"));
        let url = format!("postgres://app:secret@{address}/{database}");
        Place { url, folder: tempfile::tempdir().unwrap(), database }
    }

    /// A program that finds the server in the usual variables.
    pub fn command(&self, program: impl AsRef<Path>) -> Command {
        let mut command = Command::new(program.as_ref());
        let address = self.address();
        let (host, port) = address.split_once(':').unwrap();
        command.current_dir(self.folder.path()).env("DATABASE_URL", &self.url).stdin(Stdio::null());
        command.env("PGHOST", host).env("PGPORT", port).env("PGUSER", "app").env("PGPASSWORD", "secret").env("PGDATABASE", &self.database);
        command.env("LC_ALL", "C.UTF-8").env("TZ", "UTC").env("PGTZ", "Europe/Paris");
        command
    }

    fn address(&self) -> String {
        self.url.split(['@', '/']).nth(3).unwrap().to_owned()
    }

    /// What the server, not the door, says in this database.
    pub fn monitor(&self, sql: &str) -> String {
        SERVERS.psql_in(&self.database, sql)
    }

    /// Runs a program to its end, see [`scripts::run`].
    pub fn run(&self, command: &mut Command) -> String {
        self.without_names(&scripts::run(command))
    }

    /// The database's name differs between the runs.
    pub fn without_names(&self, text: &str) -> String {
        text.replace(&self.database, "DATABASE").replace(&self.address(), "ADDRESS")
    }
}

/// A door in front of the server.
fn door() -> Plimsoll {
    let primary = SERVERS.url("app", "app");
    let file = format!(
        "name = \"clients\"\n[http]\nlisten = [\"127.0.0.1:0\"]\n[sql.main]\nlisten = \"127.0.0.1:0\"\nprimary = \"{primary}\"\n\
         pool = {{ server = {SERVER} }}\n"
    );
    Up::new(BINARY, &file).ready()
}

/// Runs `script` directly and through the door; what it tells must be the same.
#[track_caller]
pub fn same(name: &str, script: impl Fn(&Place) -> String) -> String {
    let direct = Place::new(name, "direct", &SERVERS.address());
    let expected = script(&direct);
    let plimsoll = door();
    let through = Place::new(name, "door", plimsoll.sql());
    let told = script(&through);
    scripts::same(name, &expected, &told);
    clean(&through);
    told
}

/// The door holds no more connections than it may, one for all listeners included, none of them in a transaction or with locks.
fn clean(place: &Place) {
    let of = format!("FROM pg_stat_activity WHERE datname = '{}' AND usename = 'app'", place.database);
    until("every connection of the door is idle", || place.monitor(&format!("SELECT count(*) {of} AND state <> 'idle'")) == "0");
    let open = place.monitor(&format!("SELECT pid, backend_start, query {of}"));
    assert!(open.lines().count() <= SERVER + 1, "more than {SERVER} connections:\n{open}");
    until("no advisory lock is left", || place.monitor("SELECT count(*) FROM pg_locks WHERE locktype = 'advisory'") == "0");
    until("no temporary table is left", || place.monitor("SELECT count(*) FROM pg_class WHERE relpersistence = 't'") == "0");
}
