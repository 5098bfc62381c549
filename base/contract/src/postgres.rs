use serde::{Deserialize, Serialize};

/// The embedded server as it is now. Its JSON is part of what `status --json` prints: fields are added, never renamed.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct PostgresState {
    /// `looking` (for its programs), `fetching` (them), `asleep` (until somebody wants it), `making`, `starting`, `up`, `down`, `stopping`, `stopped`.
    pub state: String,
    /// Why the last try failed, or how its last life ended; absent when all went well.
    pub reason: Option<String>,
    /// `17.2`.
    pub version: Option<String>,
    /// Folder of its programs.
    pub bin: Option<String>,
    /// Its data directory.
    pub data: Option<String>,
    /// Its socket.
    pub socket: Option<String>,
    /// The user it runs as.
    pub user: Option<String>,
    /// Its process, while it runs.
    pub pid: Option<u32>,
    /// How long it has taken connections.
    pub uptime_seconds: Option<u64>,
    /// How often it was started again after it ended by itself.
    pub restarts: u64,
    /// Processor time it uses, 1.0 = one core; absent while it does not run.
    pub cpu: Option<f64>,
    /// Memory of its processes, what they share counted once; bytes.
    pub memory: Option<u64>,
    /// Size of the data directory, bytes.
    pub data_bytes: Option<u64>,
    /// The nightly dumps.
    pub dump: DumpState,
}

/// How the nightly dumps of the embedded server go.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct DumpState {
    /// Where they are.
    pub folder: String,
    /// Age of the last that succeeded; absent when there is none yet.
    pub age_seconds: Option<u64>,
    /// Its size.
    pub bytes: Option<u64>,
    /// How many failed since Plimsoll started.
    pub failures: u64,
    /// Why the last one failed; absent when it did not.
    pub reason: Option<String>,
}
