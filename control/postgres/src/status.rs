use serde::Serialize;

use crate::dump;
use crate::place;
use crate::tier::Shared;

/// The embedded server as it is now.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Status {
    /// `looking` (for its programs), `fetching` (them), `asleep` (until somebody wants it), `making`, `starting`, `up`, `down`, `stopping`, `stopped`.
    pub state: &'static str,
    /// Why the last try failed, or the last life ended; absent when all went well.
    pub reason: Option<String>,
    /// `15.18`.
    pub version: Option<String>,
    /// Folder of its programs.
    pub bin: Option<String>,
    /// Its data directory.
    pub data: Option<String>,
    /// Its socket.
    pub socket: Option<String>,
    /// The user it runs as.
    pub user: Option<String>,
    /// Process id, while it runs.
    pub pid: Option<u32>,
    /// How long it has taken connections.
    pub uptime_seconds: Option<u64>,
    /// From start to ready, the last time.
    pub start_seconds: Option<f64>,
    /// How often it was started again after it ended by itself.
    pub restarts: u64,
    /// Processor time it uses, 1.0 = one core; absent while it does not run.
    pub cpu: Option<f64>,
    /// Memory of its processes, what they share counted once; bytes.
    pub memory: Option<u64>,
    /// Size of the data directory, bytes.
    pub data_bytes: Option<u64>,
    /// The nightly dumps.
    pub dump: DumpStatus,
}

/// How the nightly dumps go.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct DumpStatus {
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

pub(crate) fn of(shared: &Shared) -> Status {
    let view = shared.view.borrow().clone();
    let ground = view.ground.as_deref();
    Status {
        state: view.phase.in_words(),
        reason: view.reason.as_deref().map(str::to_string),
        version: ground.map(|ground| ground.programs.version.text.clone()),
        bin: ground.map(|ground| ground.programs.bin.display().to_string()),
        data: ground.map(|ground| ground.home.folder.join(place::DATA).display().to_string()),
        socket: ground.map(|ground| ground.socket().display().to_string()),
        user: ground.map(|ground| ground.account.name.clone()),
        pid: view.pid,
        uptime_seconds: view.up_since.map(|since| since.elapsed().as_secs()),
        start_seconds: view.start.map(|start| start.as_secs_f64()),
        restarts: view.restarts,
        cpu: shared.usage.last().map(|look| look.cpu),
        memory: shared.usage.last().map(|look| look.memory),
        data_bytes: shared.usage.last().map(|look| look.data),
        dump: dump(shared),
    }
}

fn dump(shared: &Shared) -> DumpStatus {
    let known = shared.nightly.known();
    DumpStatus {
        folder: dump::folder(&shared.setup.state).display().to_string(),
        age_seconds: known.last.map(|last| last.at.elapsed().map_or(0, |age| age.as_secs())),
        bytes: known.last.map(|last| last.bytes),
        failures: known.failures,
        reason: known.reason,
    }
}
