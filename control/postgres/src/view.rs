//! The server as the rest of the tier sees it: what it does, and what it is told.

use std::sync::Arc;
use std::time::Duration;

use tokio::time::Instant;

use crate::ground::Ground;

/// What the server shall do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Order {
    Run,
    Stop,
}

/// What it is doing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Phase {
    /// Its programs are looked for.
    Looking,
    /// They are fetched.
    Fetching,
    /// It starts when somebody wants it.
    Asleep,
    /// Its data directory is being made.
    Making,
    /// It was started, but takes no connections yet.
    Starting,
    /// It takes connections.
    Up,
    /// The last try failed; before the next one.
    Down,
    Stopping,
    /// Nothing of it is left.
    Stopped,
}

/// How it looks from outside.
#[derive(Debug, Clone)]
pub(crate) struct View {
    pub(crate) phase: Phase,
    /// Why the last try failed, or the last life ended.
    pub(crate) reason: Option<Arc<str>>,
    pub(crate) ground: Option<Arc<Ground>>,
    pub(crate) pid: Option<u32>,
    pub(crate) up_since: Option<Instant>,
    /// From start to ready, the last time.
    pub(crate) start: Option<Duration>,
    pub(crate) restarts: u64,
    /// How many connections of doors it was last started for.
    pub(crate) connections: Option<usize>,
}

impl View {
    pub(crate) fn new() -> View {
        View { phase: Phase::Looking, reason: None, ground: None, pid: None, up_since: None, start: None, restarts: 0, connections: None }
    }
}

impl Phase {
    pub(crate) fn in_words(self) -> &'static str {
        match self {
            Phase::Looking => "looking",
            Phase::Fetching => "fetching",
            Phase::Asleep => "asleep",
            Phase::Making => "making",
            Phase::Starting => "starting",
            Phase::Up => "up",
            Phase::Down => "down",
            Phase::Stopping => "stopping",
            Phase::Stopped => "stopped",
        }
    }
}
