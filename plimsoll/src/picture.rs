//! What `status` shows, gathered from the running tiers.

mod database;
mod keys;
mod pace;
mod store;

use std::collections::HashMap;
use std::fs;

use apps::InstanceStatus;
use contract::Endpoint;
use http_door::balance::{PeerState, State};
use watch::{AppState, HttpState, InstanceState, Snapshot};

use crate::assemble::{Joined, Running, reachable};
pub(crate) use pace::Pace;

impl Running {
    /// The whole picture as JSON. It reads the file to see whether it differs: not for a loop.
    pub fn status(&self) -> serde_json::Value {
        let plan = self.plan();
        let Joined { postgres, doors } = self.databases.now();
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
            sql: doors.iter().map(|door| database::door(door, self.pace.per_second(&database::tier(door)))).collect(),
            kv: self.stores.now().iter().map(|one| store::door(one, self.pace.per_second(&store::tier(one)))).collect(),
            postgres: postgres.map(|postgres| postgres.status()),
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
                Some(refused.map_or_else(
                    || "the file was changed since; `plimsoll reload` goes over to it".into(),
                    |why| format!("the last reload was refused: {why}"),
                ))
            }
            Err(error) => Some(format!("the file cannot be read: {error}")),
        }
    }

    fn app_states(&self) -> Vec<AppState> {
        let plan = self.plan();
        let endpoints = self.apps.endpoints();
        let seen: HashMap<_, _> = self.http.endpoints().into_iter().collect();
        let status = self.apps.status();
        let routes = |name: &str| {
            let app = plan.http.apps.iter().find(|app| &*app.app == name);
            app.map_or_else(Vec::new, |app| app.routes.clone())
        };
        let states = status.into_iter().map(|app| {
            let list = endpoints.get(app.name.as_str()).map(|list| list.borrow().clone());
            let list = list.as_deref().unwrap_or_default();
            let seen = seen.get(app.name.as_str()).map(Vec::as_slice).unwrap_or_default();
            let instances = app.instances.into_iter().map(|instance| instance_state(instance, list, seen)).collect();
            AppState {
                routes: routes(&app.name),
                instances,
                endpoints: list.iter().map(|one| one.address.to_string()).collect(),
                app: app.name,
            }
        });
        states.collect()
    }

    fn http_state(&self) -> HttpState {
        let http = self.http.counts();
        HttpState {
            listen: self.http.addresses().iter().map(|address| format!("http://{}", reachable(*address))).collect(),
            site: self.plan().http.site.as_ref().map(|site| site.dir.display().to_string()),
            requests: http.requests,
            errors: http.errors,
            requests_per_second: self.pace.per_second("http"),
            connections: http.connections,
            p50: http.p50,
            p95: http.p95,
            p99: http.p99,
        }
    }
}

/// An instance as its supervisor sees it; what the door knows of its endpoint comes first.
fn instance_state(instance: InstanceStatus, list: &[Endpoint], seen: &[PeerState]) -> InstanceState {
    let listed = list.iter().any(|endpoint| *endpoint.name == *instance.name);
    let peer = seen.iter().find(|peer| listed && *peer.name == *instance.name);
    let state = match peer.map(|peer| peer.state) {
        Some(State::Down) => "down",
        Some(State::Ejected) => "ejected",
        Some(State::Starting) if instance.pid.is_none() => "starting",
        Some(State::Up) if instance.pid.is_none() => "up",
        _ => instance.state,
    };
    InstanceState {
        state: state.into(),
        pid: instance.pid,
        endpoint: instance.endpoint,
        uptime_seconds: instance.uptime_seconds,
        restarts: instance.restarts,
        in_flight: instance.in_flight.into(),
        upgraded: instance.upgraded.into(),
        instance: instance.name,
    }
}
