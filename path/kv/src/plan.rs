//! What the door shall do: checked and complete, plain data, made from the file by `settings.rs`.

use std::fmt;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use tls::Certificate;

use crate::store::{Eviction, TtlClass};
use crate::users::User;

/// The plan of one `[kv.NAME]`.
#[derive(Debug, Clone, PartialEq)]
pub struct Plan {
    /// NAME.
    pub name: Arc<str>,
    /// Where clients come in.
    pub listen: Listen,
    /// Where clients of memcached come in.
    pub memcached: Option<SocketAddr>,
    /// Bytes that the keys and what they hold may take.
    pub memory: usize,
    /// What goes when they take more.
    pub evict: Eviction,
    /// How long keys are there that are made without an expiry.
    pub ttl: Vec<TtlClass>,
    /// When keys are written to files.
    pub persist: When,
    /// Bounds of clients.
    pub max: Max,
    /// Who may come in, besides those whom `ACL SETUSER` makes; without one called `default` anybody may.
    pub users: Vec<User>,
    /// What the default user comes in with, for those who are told so; absent: anything.
    pub password: Option<Password>,
    /// What clients are shown, who speak TLS then; absent: they do not.
    pub tls: Option<Certificate>,
}

/// A password that is never printed.
#[derive(Clone, PartialEq, Eq)]
pub struct Password(pub String);

impl fmt::Debug for Password {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("Password(…)")
    }
}

/// When keys are written to files.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum When {
    /// Never; what is there is left as it is, and is not read.
    Off,
    /// At a clean stop.
    Stop,
    /// Then, and as long after the last time if something has changed.
    Snapshot(Duration),
    /// Whatever is done.
    Log(Fsync),
}

/// When a log waits for the disk.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fsync {
    /// Before a client is answered that something is done.
    Always,
    /// Once a second.
    EverySecond,
    /// Never: when the system sees fit.
    No,
}

/// One address to listen on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listen {
    /// Port 0: a free one.
    pub address: SocketAddr,
    /// Written in the file (a taken port is an error) or the default (a taken port means another one).
    pub written: bool,
}

/// Bounds of clients and of what they send.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Max {
    /// Connections.
    pub clients: usize,
    /// Bytes of one word of a command.
    pub value: usize,
    /// Bytes of a whole command.
    pub request: usize,
}

impl Default for Max {
    fn default() -> Max {
        Max { clients: 10_000, value: 512 << 20, request: 1 << 30 }
    }
}
