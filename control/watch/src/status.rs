//! What `plimsoll status` tells: plain data that the running process sends and the command line prints.

use contract::PostgresState;
use serde::{Deserialize, Serialize};

mod database;
mod keys;
mod kv;
mod picture;
mod sql;

pub use database::database_picture;
pub use keys::{KeyClassState, KeyState, KeysState, keys_picture};
pub use kv::KvState;
pub use picture::picture;
pub use sql::{OpenState, PinState, SqlState, SqlUserState, StatementState};

/// A whole Plimsoll at one moment. Its JSON is a fixed point: fields are added, never renamed.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Snapshot {
    /// `name` of the file.
    pub name: String,
    /// The stage of the ladder that the file has reached, 1 to 7.
    pub stage: u8,
    /// Plimsoll's version.
    pub version: String,
    /// The process that the user started (the keeper).
    pub pid: u32,
    /// Since when it runs.
    pub uptime_seconds: u64,
    /// Why the file differs from what runs: the reason of the last reload that was refused. Absent when it does not.
    #[serde(default)]
    pub differs: Option<String>,
    /// The load line of every tier: `http`, `sql` (or `sql.NAME` of each), `kv` (or `kv.NAME` of each), `postgres`, `app.NAME`, `machine`.
    pub tiers: Vec<TierState>,
    /// Every app of the file.
    pub apps: Vec<AppState>,
    /// The HTTP door.
    pub http: HttpState,
    /// Every SQL door.
    #[serde(default)]
    pub sql: Vec<SqlState>,
    /// Every KV door.
    #[serde(default)]
    pub kv: Vec<KvState>,
    /// The embedded server, when a door stands before it.
    #[serde(default)]
    pub postgres: Option<PostgresState>,
}

/// One tier's load line.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct TierState {
    /// Its name: `http`, `sql`, `app.shop`, `machine`.
    pub tier: String,
    /// Used over safe capacity; 1.0 is at the line.
    pub load: f64,
    /// Which measure decides, with its figures.
    pub reason: String,
}

impl From<contract::Load> for TierState {
    fn from(load: contract::Load) -> TierState {
        TierState { tier: load.tier, load: load.load, reason: load.reason }
    }
}

/// One app.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct AppState {
    /// Its name in the file.
    pub app: String,
    /// What it answers: `["/api/"]`; empty: a worker.
    #[serde(default)]
    pub routes: Vec<String>,
    /// Its instances, those run by others included.
    pub instances: Vec<InstanceState>,
    /// The addresses that get requests now.
    pub endpoints: Vec<String>,
}

/// One instance of an app.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct InstanceState {
    /// `shop.1`.
    pub instance: String,
    /// In a word: `building`, `starting`, `healthy`, `waiting`, `draining`, `stopping`, `failed`, `outside`.
    pub state: String,
    /// Its process; absent for an outside app and for one that is between two lives.
    #[serde(default)]
    pub pid: Option<u32>,
    /// Where it listens; absent for a worker.
    #[serde(default)]
    pub endpoint: Option<String>,
    /// How long this life has lasted; absent when it does not run.
    #[serde(default)]
    pub uptime_seconds: Option<u64>,
    /// How often it was started again.
    #[serde(default)]
    pub restarts: u64,
    /// Requests open there now.
    #[serde(default)]
    pub in_flight: u64,
    /// Upgraded connections (WebSocket) open there now.
    #[serde(default)]
    pub upgraded: u64,
}

/// What the HTTP door counted.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct HttpState {
    /// Where it listens: `http://127.0.0.1:8080`.
    #[serde(default)]
    pub listen: Vec<String>,
    /// The folder of the static site, when there is one.
    #[serde(default)]
    pub site: Option<String>,
    /// Requests answered since the start.
    pub requests: u64,
    /// Of these, answers of 500 and above.
    pub errors: u64,
    /// Answered each second, over the last seconds.
    #[serde(default)]
    pub requests_per_second: f64,
    /// Client connections open now.
    pub connections: u64,
    /// Half of all requests took at most this long, in seconds (a histogram bucket's bound).
    pub p50: f64,
    /// The same of 95 %.
    pub p95: f64,
    /// The same of 99 %.
    pub p99: f64,
}

#[cfg(test)]
mod tests;
