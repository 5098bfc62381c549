//! What the door shall do: checked and complete, plain data, made from the file by `settings.rs`.

use std::collections::BTreeMap;
use std::fmt;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use contract::ServerAddress;

/// The plan of one `[sql.NAME]`.
#[derive(Debug, Clone, PartialEq)]
pub struct Plan {
    /// NAME.
    pub name: Arc<str>,
    /// Where clients come in.
    pub listen: Listen,
    /// Where the server is; absent: the embedded one, which is handed over beside the plan.
    pub primary: Option<ServerAddress>,
    /// The user of `DATABASE_URL` and of connections that are opened before anybody asks.
    pub user: String,
    /// Who may come in, and who they are at the server. That of the embedded server is added when its password is known.
    pub users: BTreeMap<String, Password>,
    /// The database of a client that names none and of `DATABASE_URL`.
    pub database: String,
    /// How the server is spoken to.
    pub server: ServerTls,
    /// Bounds of connections.
    pub pool: Pool,
    /// Bounds of time for clients; `None`: none.
    pub limits: Limits,
    /// The door's certificate, when it speaks TLS.
    pub tls: Option<tls::Certificate>,
    /// Whether unnamed statements may be kept prepared on servers where that cannot change a plan for the worse.
    pub reuse: bool,
    /// Statements that take longer are logged.
    pub slow: Option<Duration>,
}

/// One address to listen on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listen {
    /// Port 0: a free one.
    pub address: SocketAddr,
    /// Written in the file (a taken port is an error) or the default (a taken port means another one).
    pub written: bool,
}

/// A password; never printed.
#[derive(Clone, PartialEq, Eq)]
pub struct Password(pub Arc<str>);

impl fmt::Debug for Password {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("(secret)")
    }
}

/// What `sslmode` and `sslrootcert` of `primary` ask for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ServerTls {
    /// How much of it.
    pub mode: SslMode,
    /// Certificates to trust instead of the system's, PEM.
    pub roots: Option<PathBuf>,
}

/// As libpq's `sslmode`; `allow` counts as `prefer`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SslMode {
    /// Never.
    Disable,
    /// If the server offers it, unchecked.
    Prefer,
    /// Always, unchecked unless `roots` are given.
    Require,
    /// Always, the chain checked.
    VerifyCa,
    /// Always, the chain and the name checked.
    VerifyFull,
}

/// Bounds of connections.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pool {
    /// Connections to the server: the total over all users, databases and loops.
    pub server: usize,
    /// Connections from clients.
    pub client: usize,
    /// The longest a statement waits for a connection.
    pub wait: Duration,
    /// Connections opened before anybody asks and kept when idle, for the default user and database.
    pub least: usize,
    /// An idle connection beyond `least` is closed after that long.
    pub idle: Duration,
    /// A connection older than that is replaced when it is next idle.
    pub age: Duration,
    /// Prepared statements kept on one server connection; the least recently used goes first.
    pub statements: usize,
}

/// Bounds of time for clients.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Limits {
    /// A single statement.
    pub statement: Option<Duration>,
    /// From the begin of a transaction to its end.
    pub transaction: Option<Duration>,
    /// A transaction in which nothing happens.
    pub idle_in_transaction: Option<Duration>,
}

impl Limits {
    /// Whether there are any.
    pub(crate) fn is_any(&self) -> bool {
        *self != Limits::default()
    }
}
