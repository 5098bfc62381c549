//! The poolers under test: how each is configured fairly and started fresh.

mod pg_doorman;
mod pgbouncer;
mod pgcat;
mod pgdog;
mod plimsoll;

use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use super::server::Server;
use crate::running::{Running, built, free_address, program, version};

/// Connections that each may open to the server.
pub const CONNECTIONS: usize = 16;
/// Clients that each must take.
const CLIENTS: usize = 12_000;

/// A pooler that can be measured.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Pooler {
    Plimsoll,
    Pgbouncer,
    PgDoorman,
    Pgcat,
    Pgdog,
}

/// What a pooler is told.
struct Work<'a> {
    program: &'a Path,
    listen: SocketAddr,
    server: &'a Server,
    /// An empty folder for its files.
    scratch: &'a Path,
    /// Threads for traffic.
    threads: usize,
}

impl Pooler {
    pub const ALL: [Pooler; 5] = [Pooler::Plimsoll, Pooler::Pgbouncer, Pooler::PgDoorman, Pooler::Pgcat, Pooler::Pgdog];

    /// Its name in tables.
    pub fn name(self) -> &'static str {
        match self {
            Pooler::Plimsoll => "plimsoll",
            Pooler::Pgbouncer => "pgbouncer",
            Pooler::PgDoorman => "pg_doorman",
            Pooler::Pgcat => "pgcat",
            Pooler::Pgdog => "pgdog",
        }
    }

    /// Whether it is another one in Rust.
    pub fn is_rust_peer(self) -> bool {
        matches!(self, Pooler::PgDoorman | Pooler::Pgcat | Pooler::Pgdog)
    }

    /// Its program, if there is one; the error says how to get it.
    pub fn program(self) -> Result<PathBuf, String> {
        let (variable, places, hint) = match self {
            Pooler::Plimsoll => ("PLIMSOLL_BENCH_BIN", vec![built()], "cargo build --release -p plimsoll"),
            Pooler::Pgbouncer => ("PLIMSOLL_BENCH_PGBOUNCER", vec!["/usr/sbin/pgbouncer".into()], "apt-get install pgbouncer"),
            Pooler::PgDoorman => ("PLIMSOLL_BENCH_PG_DOORMAN", Vec::new(), "cargo build --release in its repository"),
            Pooler::Pgcat => ("PLIMSOLL_BENCH_PGCAT", Vec::new(), "cargo build --release in its repository"),
            Pooler::Pgdog => ("PLIMSOLL_BENCH_PGDOG", Vec::new(), "cargo build --release in its repository"),
        };
        program(self.name(), variable, &places, hint)
    }

    /// What the program says of its version, in one line.
    pub fn version(self) -> String {
        version(self.program(), "--version")
    }

    /// What it cannot do and is therefore not measured.
    pub fn lacks(self) -> Option<String> {
        (!self.can_prepare()).then(|| format!("{} prepared: no named statements in transaction mode before 1.21", self.version()))
    }

    /// Whether named statements work in transaction mode.
    pub fn can_prepare(self) -> bool {
        self != Pooler::Pgbouncer || pgbouncer::can_prepare(&self.version())
    }

    /// Starts it fresh on `cpus`, as many threads as those, and waits until it takes connections.
    pub fn start(self, server: &Server, cpus: &[usize]) -> Result<Running, String> {
        let fault = |error: std::io::Error| format!("{} could not be started: {error}", self.name());
        let program = self.program()?;
        let scratch = tempfile::tempdir().map_err(fault)?;
        let listen = free_address().map_err(fault)?;
        let work = Work { program: &program, listen, server, scratch: scratch.path(), threads: cpus.len() };
        let command = match self {
            Pooler::Plimsoll => plimsoll::command(&work),
            Pooler::Pgbouncer => pgbouncer::command(&work, self.can_prepare()),
            Pooler::PgDoorman => pg_doorman::command(&work),
            Pooler::Pgcat => pgcat::command(&work),
            Pooler::Pgdog => pgdog::command(&work),
        }
        .map_err(fault)?;
        Running::start(command, listen, scratch, cpus, |running| match self {
            Pooler::Plimsoll => running.says_ready(),
            _ => running.takes_connections(),
        })
    }
}
