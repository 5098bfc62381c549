//! What `status` shows, gathered from the running tiers.

use std::fs;

use watch::{AppState, HttpState, InstanceState, Snapshot};

use crate::assemble::Running;

impl Running {
    /// The whole picture as JSON. It reads the file to see whether it differs: not for a loop.
    pub fn status(&self) -> serde_json::Value {
        let plan = self.plan();
        let snapshot = Snapshot {
            name: plan.name.clone(),
            stage: plan.stage,
            version: env!("CARGO_PKG_VERSION").into(),
            pid: rustix::process::getppid().map_or(0, |pid| pid.as_raw_nonzero().get() as u32),
            uptime_seconds: self.started.elapsed().as_secs(),
            differs: self.differs(),
            tiers: self.loads.now().into_iter().map(Into::into).collect(),
            apps: self.app_states(),
            http: self.http_state(),
        };
        serde_json::to_value(snapshot).expect("plain data always serialises")
    }

    /// Why the file is not what runs.
    fn differs(&self) -> Option<String> {
        let plan = self.plan();
        match fs::read_to_string(&plan.file) {
            Ok(text) if text == plan.text => None,
            Ok(_) => {
                let refused = self.now().refused.clone();
                Some(refused.map_or_else(|| "the file was changed since; `plimsoll reload` goes over to it".into(), |why| format!("the last reload was refused: {why}")))
            }
            Err(error) => Some(format!("the file cannot be read: {error}")),
        }
    }
}
