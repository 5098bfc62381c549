use serde::{Deserialize, Serialize};

/// One KV door and its store.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct KvState {
    /// NAME of `[kv.NAME]`.
    pub name: String,
    /// Where it listens.
    pub listen: String,
    /// Client connections open.
    pub clients: u64,
    /// Keys, those that are overdue among them.
    pub keys: u64,
    /// Bytes that the keys and what they hold take.
    pub memory: u64,
    /// Bytes that they may take.
    pub memory_max: u64,
    /// Commands done since the start.
    pub commands: u64,
    /// Done each second, over the last seconds.
    pub commands_per_second: f64,
    /// Commands answered with an error.
    pub errors: u64,
    /// Commands that took long, as `SLOWLOG` has them.
    pub slow: u64,
    /// Keys that were asked for and were there.
    pub hits: u64,
    /// Keys that were asked for and were not there.
    pub misses: u64,
    /// Keys that went because memory was full.
    pub evicted: u64,
    /// Keys that went because they were overdue.
    pub expired: u64,
}

impl KvState {
    /// The share of the keys asked for that were there, in percent; none before the first was asked for.
    pub(super) fn hit_percent(&self) -> Option<f64> {
        let all = self.hits + self.misses;
        (all > 0).then(|| self.hits as f64 * 100.0 / all as f64)
    }
}
