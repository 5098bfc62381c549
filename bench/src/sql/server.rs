//! The Postgres behind every pooler: one scratch server, filled for pgbench, and its client programs.

use std::path::Path;
use std::process::{Command, Stdio};

use testkit::postgres::{PASSWORD, Postgres, programs};

use crate::machine::{self, Tree};

/// Of pgbench: a million accounts.
pub const SCALE: u32 = 10;
/// The role and the database.
pub const NAME: &str = "app";

const SETTINGS: &str =
    "shared_buffers = 512MB\nsynchronous_commit = off\nautovacuum = off\nmax_wal_size = 8GB\ncheckpoint_timeout = 1h\njit = off";

/// The Postgres behind every pooler.
pub struct Server {
    pub postgres: Postgres,
    /// What pg_authid holds for the role.
    pub verifier: String,
}

impl Server {
    /// Starts it on `cpus` and fills it for pgbench.
    pub fn start(cpus: &[usize]) -> Result<Server, String> {
        let postgres = machine::pinned(cpus, || Postgres::with(SETTINGS));
        let mut pgbench = client("pgbench");
        pgbench.args(["-i", "-q", "-s", &SCALE.to_string(), "-U", NAME, "-p", &postgres.port().to_string(), "-h"]);
        pgbench.arg(postgres.socket()).arg(NAME).stdout(Stdio::null());
        succeed(pgbench)?;
        // Nothing is left to be written while others measure.
        postgres.psql("VACUUM ANALYZE; CHECKPOINT");
        let verifier = postgres.psql(&format!("SELECT rolpassword FROM pg_authid WHERE rolname = '{NAME}'"));
        Ok(Server { postgres, verifier })
    }

    /// Its version.
    pub fn version(&self) -> String {
        self.postgres.psql("SHOW server_version")
    }

    /// Its processes, as they are now.
    pub fn tree(&self) -> Tree {
        Tree::of(self.postgres.pid())
    }
}

/// One of Postgres's client programs, which will log in as the role.
pub fn client(name: &str) -> Command {
    let mut command = Command::new(programs().join(name));
    command.env("PGPASSWORD", PASSWORD).env("PGSSLMODE", "disable").env("PGGSSENCMODE", "disable").current_dir(Path::new("/"));
    command.stdin(Stdio::null());
    command
}

/// Runs it to its end; the error is what it said.
pub fn succeed(mut command: Command) -> Result<(), String> {
    let output = command.stderr(Stdio::piped()).output().map_err(|error| format!("{command:?}: {error}"))?;
    if output.status.success() { Ok(()) } else { Err(format!("{command:?}: {}", String::from_utf8_lossy(&output.stderr))) }
}
