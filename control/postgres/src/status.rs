use contract::{DumpState, PostgresState};

use crate::dump;
use crate::place;
use crate::tier::Shared;

pub(crate) fn of(shared: &Shared) -> PostgresState {
    let view = shared.view.borrow().clone();
    let ground = view.ground.as_deref();
    PostgresState {
        state: view.phase.in_words().into(),
        reason: view.reason.as_deref().map(str::to_string),
        version: ground.map(|ground| ground.programs.version.text.clone()),
        bin: ground.map(|ground| ground.programs.bin.display().to_string()),
        data: ground.map(|ground| ground.home.folder.join(place::DATA).display().to_string()),
        socket: ground.map(|ground| ground.socket().display().to_string()),
        user: ground.map(|ground| ground.account.name.clone()),
        pid: view.pid,
        uptime_seconds: view.up_since.map(|since| since.elapsed().as_secs()),
        restarts: view.restarts,
        cpu: shared.usage.last().map(|look| look.cpu),
        memory: shared.usage.last().map(|look| look.memory),
        data_bytes: shared.usage.last().map(|look| look.data),
        dump: dump(shared),
    }
}

fn dump(shared: &Shared) -> DumpState {
    let known = shared.nightly.known();
    DumpState {
        folder: dump::folder(&shared.setup.state).display().to_string(),
        age_seconds: known.last.map(|last| last.at.elapsed().map_or(0, |age| age.as_secs())),
        bytes: known.last.map(|last| last.bytes),
        failures: known.failures,
        reason: known.reason,
    }
}
