//! What `db status` shows of a tier.

use std::time::{Duration, Instant};

use contract::ServerState;

use crate::open::Open;
use crate::pins::Pinned;
use crate::server::Pool;

/// A tier as it is now.
#[derive(Debug, Clone, PartialEq)]
pub struct Status {
    /// What is known of the server.
    pub server: ServerState,
    /// Why the last try to reach it failed, when there is no connection to it.
    pub trouble: Option<String>,
    /// The most connections to it there may be.
    pub most: usize,
    /// Every user and database with a client or a connection, by name.
    pub keys: Vec<KeyStatus>,
    /// Clients that keep a connection between transactions, those of all loops.
    pub pinned: Vec<Pinned>,
    /// Clients that have a transaction open, or whose statement runs, those of all loops.
    pub open: Open,
}

/// One user and database.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeyStatus {
    /// The user.
    pub user: String,
    /// The database.
    pub database: String,
    /// Connections to the server that wait for a client.
    pub idle: usize,
    /// Those lent to one.
    pub busy: usize,
    /// Those being opened.
    pub opening: usize,
    /// Clients logged in.
    pub clients: usize,
    /// Of these, those that have a connection.
    pub active: usize,
    /// Of these, those that wait for one.
    pub waiting: usize,
    /// How long the one waits that waits longest.
    pub longest_wait: Duration,
}

impl Status {
    /// Of the connections; whose clients they are is to be added.
    pub(crate) fn new(pool: &Pool, server: ServerState, now: Instant) -> Status {
        let mut keys: Vec<KeyStatus> = pool.ledgers().iter().map(|ledger| KeyStatus::new(pool, ledger, now)).collect();
        keys.sort_by(|one, other| (&one.user, &one.database).cmp(&(&other.user, &other.database)));
        let trouble = pool.is_failing().then(|| pool.trouble().map_or_else(String::new, |trouble| trouble.to_string()));
        Status { server, trouble, most: pool.most(), keys, pinned: Vec::new(), open: Open::default() }
    }
}

impl KeyStatus {
    fn new(pool: &Pool, ledger: &crate::server::Ledger, now: Instant) -> KeyStatus {
        let sum = ledger.sum();
        KeyStatus {
            user: ledger.key.user.to_string(),
            database: ledger.key.database.to_string(),
            idle: sum.idle,
            busy: sum.busy,
            opening: sum.opening,
            clients: sum.clients,
            // One that is logging in may have a connection already.
            active: sum.busy.min(sum.clients),
            waiting: sum.waiting,
            longest_wait: pool.longest_wait(sum.oldest, now),
        }
    }
}
