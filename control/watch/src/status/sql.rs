use serde::{Deserialize, Serialize};

/// One SQL door.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct SqlState {
    /// NAME of `[sql.NAME]`.
    pub name: String,
    /// Where it listens.
    pub listen: String,
    /// What is behind it: `embedded`, a host and port, or the path of a socket.
    pub server: String,
    /// What is known of that: `asleep`, `starting`, `up`, `failing` (the last try to reach it failed, and there is no connection), `down`.
    pub state: String,
    /// Why it is down or failing.
    pub reason: Option<String>,
    /// Client connections open.
    pub clients: u64,
    /// Clients that wait for a server connection.
    pub waiting: u64,
    /// How long the one waits that waits longest.
    pub longest_wait_seconds: f64,
    /// The most server connections there may be.
    pub most: u64,
    /// Server connections lent to a client.
    pub busy: u64,
    /// Server connections that wait for one.
    pub idle: u64,
    /// Server connections being opened.
    pub opening: u64,
    /// Statements answered since the start.
    pub queries: u64,
    /// Answered each second, over the last seconds.
    pub queries_per_second: f64,
    /// Transactions ended since the start.
    pub transactions: u64,
    /// Statements that failed, and clients that were refused.
    pub errors: u64,
    /// Half of all statements took at most this long, in seconds (a histogram bucket's bound).
    pub p50: f64,
    /// The same of 95 %.
    pub p95: f64,
    /// The same of 99 %.
    pub p99: f64,
    /// Every user and database with a client or a connection.
    pub users: Vec<SqlUserState>,
    /// Clients that keep a server connection to themselves.
    pub pins: Vec<PinState>,
    /// Clients that have a transaction open, or whose statement runs.
    pub open: u64,
    /// Of these, those that have had it open for longest, the longest first; 10 at most.
    pub longest: Vec<OpenState>,
    /// The statements that took most of the time, the first one most.
    pub statements: Vec<StatementState>,
}

/// One user in one database.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct SqlUserState {
    /// The user.
    pub user: String,
    /// The database.
    pub database: String,
    /// Clients logged in.
    pub clients: u64,
    /// Of these, those that wait for a server connection.
    pub waiting: u64,
    /// Server connections lent to one.
    pub busy: u64,
    /// Server connections that wait for one.
    pub idle: u64,
}

/// A client that keeps a server connection to itself.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct PinState {
    /// Its number at the door.
    pub client: u64,
    /// What it calls itself (`application_name`), empty if it does not.
    pub application: String,
    /// Where it comes from.
    pub address: Option<String>,
    /// The server's process that it keeps, as `pg_stat_activity` has it.
    pub server: u32,
    /// Its user.
    pub user: String,
    /// Its database.
    pub database: String,
    /// Why: `temporary`, `advisory_lock`, `cursor`, `prepare`, `sequence`, `seed`, `library`, `parameter`, `listen`, `unknown`.
    pub reasons: Vec<String>,
    /// For how long.
    pub seconds: f64,
}

/// A client that has a transaction open, or whose statement runs.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct OpenState {
    /// Its number at the door.
    pub client: u64,
    /// What it calls itself (`application_name`), empty if it does not.
    pub application: String,
    /// Where it comes from.
    pub address: Option<String>,
    /// The server's process that it has, as `pg_stat_activity` has it.
    pub server: u32,
    /// Its user.
    pub user: String,
    /// Its database.
    pub database: String,
    /// `idle` (the transaction waits for the client), `failed` (the same, after an error), `running`, or `statement` (one outside a
    /// transaction runs).
    pub doing: String,
    /// Why it will keep the server's process after that, as of [`PinState`].
    pub reasons: Vec<String>,
    /// For how long it has been open.
    pub seconds: f64,
}

/// A statement, its values masked, and what became of it.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct StatementState {
    /// Its text.
    pub text: String,
    /// How often it was answered.
    pub calls: u64,
    /// Of these, those that failed.
    pub errors: u64,
    /// Rows that it gave or changed.
    pub rows: u64,
    /// The time of all calls together.
    pub seconds: f64,
    /// That of the longest.
    pub longest_seconds: f64,
}
