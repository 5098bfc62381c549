//! What `status` shows, gathered from the running tiers.

use std::fs;

use apps::InstanceStatus;
use contract::Endpoint;
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

    fn app_states(&self) -> Vec<AppState> {
        let plan = self.plan();
        let endpoints = self.apps.endpoints();
        let status = self.apps.status();
        let routes = |name: &str| {
            let app = plan.http.apps.iter().find(|app| &*app.app == name);
            app.map_or_else(Vec::new, |app| app.routes.clone())
        };
        let states = status.into_iter().map(|app| {
            let list = endpoints.get(app.name.as_str()).map(|list| list.borrow().clone());
            let list = list.as_deref().unwrap_or_default();
            let instances = app.instances.into_iter().map(|instance| self.instance_state(instance, list)).collect();
            AppState { routes: routes(&app.name), instances, endpoints: list.iter().map(|one| one.address.to_string()).collect(), app: app.name }
        });
        states.collect()
    }

    fn instance_state(&self, instance: InstanceStatus, endpoints: &[Endpoint]) -> InstanceState {
        let endpoint = endpoints.iter().find(|endpoint| *endpoint.name == *instance.name);
        InstanceState {
            state: instance.state.into(),
            pid: instance.pid,
            endpoint: endpoint.map(|endpoint| endpoint.address.to_string()),
            uptime_seconds: instance.pid.map(|_| instance.uptime_seconds),
            restarts: instance.restarts,
            in_flight: endpoint.map_or(0, |endpoint| endpoint.in_flight.requests().into()),
            upgraded: endpoint.map_or(0, |endpoint| endpoint.in_flight.upgraded().into()),
            instance: instance.name,
        }
    }

    fn http_state(&self) -> HttpState {
        let http = self.http.status();
        HttpState {
            listen: self.http.addresses().iter().map(|address| format!("http://{address}")).collect(),
            site: self.plan().http.site.as_ref().map(|site| site.dir.display().to_string()),
            requests: http.requests,
            errors: http.errors,
            requests_per_second: http.requests_per_second,
            connections: http.connections,
            p50: http.p50,
            p95: http.p95,
            p99: http.p99,
        }
    }
}
