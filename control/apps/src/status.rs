use std::collections::BTreeMap;
use std::sync::Arc;

use contract::{Endpoint, Load};

use crate::plan::Source;
use crate::tier::Shared;
use crate::view::{Instance, State};

/// One app as it is now.
#[derive(Debug, Clone, PartialEq)]
pub struct AppStatus {
    /// Its name in the file.
    pub name: String,
    /// Whether Plimsoll runs it; the instances of an outside app have only a name and an address.
    pub run: bool,
    /// Its instances, those on their way out included.
    pub instances: Vec<InstanceStatus>,
}

/// One instance as it is now.
#[derive(Debug, Clone, PartialEq)]
pub struct InstanceStatus {
    /// `shop.1`, or the address of an outside one.
    pub name: String,
    /// `building`, `starting`, `healthy`, `waiting` (before the next try), `draining`, `stopping`, `failed`, `outside`.
    pub state: &'static str,
    /// Process id of its first process, while it runs.
    pub pid: Option<u32>,
    /// Where it listens; absent for a worker and between two lives.
    pub endpoint: Option<String>,
    /// How often it was started again.
    pub restarts: u64,
    /// How long it has been healthy; absent when it is not.
    pub uptime_seconds: Option<u64>,
    /// Requests open there.
    pub in_flight: u32,
    /// Upgraded connections (WebSocket) open there.
    pub upgraded: u32,
    /// Memory of its process group, bytes.
    pub memory: u64,
}

/// Every state that an instance of Plimsoll's own can be in.
pub(crate) const STATES: [&str; 7] = ["building", "starting", "healthy", "waiting", "draining", "stopping", "failed"];

/// Requests open at one endpoint that count as its limit.
const IN_FLIGHT_LIMIT: u32 = 1_000;

/// Every app as it is now, by name.
pub(crate) fn of(shared: &Shared) -> Vec<AppStatus> {
    let mut all: BTreeMap<String, AppStatus> = BTreeMap::new();
    for (name, app) in shared.apps().iter() {
        let list = app.roster.of(&app.roster.admitted());
        let run = matches!(app.plan().source, Source::Run(_));
        let instances = if run { Vec::new() } else { list.iter().map(outside).collect() };
        all.insert(name.to_string(), AppStatus { name: name.to_string(), run, instances });
    }
    for instance in shared.pool().iter() {
        let name = instance.app.to_string();
        let app = all.entry(name.clone()).or_insert(AppStatus { name, run: true, instances: Vec::new() });
        app.instances.push(one(shared, instance));
    }
    all.values_mut().for_each(|app| app.instances.sort_by(|one, other| (one.name.len(), &one.name).cmp(&(other.name.len(), &other.name))));
    all.into_values().collect()
}

/// The load of every app that Plimsoll runs.
pub(crate) fn load(shared: &Shared) -> Vec<Load> {
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let mut used: BTreeMap<Arc<str>, (f64, u32, u32)> = BTreeMap::new();
    for instance in shared.pool().iter() {
        let view = instance.view.borrow();
        let sum = used.entry(instance.app.clone()).or_default();
        sum.0 += view.pid.and_then(|pid| shared.usages.of(pid)).map_or(0.0, |usage| usage.cpu);
        sum.1 += view.in_flight.as_ref().map_or(0, |in_flight| in_flight.requests());
        sum.2 += u32::from(view.in_flight.is_some());
    }
    used.into_iter().map(|(app, (cpu, requests, instances))| load_of(&app, cpu, cores, requests, instances)).collect()
}

fn load_of(app: &str, cpu: f64, cores: usize, requests: u32, instances: u32) -> Load {
    let (tier, limit) = (format!("app.{app}"), instances * IN_FLIGHT_LIMIT);
    let by_cpu = Load::of(&tier, "cores", cpu, cores as f64, format!("{cpu:.2} of {cores} cores"));
    by_cpu.max(Load::of(&tier, "requests open", requests.into(), limit.into(), format!("{requests} of {limit} requests open")))
}

fn one(shared: &Shared, instance: &Instance) -> InstanceStatus {
    let view = instance.view.borrow();
    let usage = view.pid.and_then(|pid| shared.usages.of(pid));
    InstanceStatus {
        name: instance.name.to_string(),
        state: in_words(view.state),
        pid: view.pid,
        endpoint: view.port.map(|port| format!("127.0.0.1:{port}")),
        restarts: view.restarts,
        uptime_seconds: view.healthy_since.map(|since| since.elapsed().as_secs()),
        in_flight: view.in_flight.as_ref().map_or(0, |in_flight| in_flight.requests()),
        upgraded: view.in_flight.as_ref().map_or(0, |in_flight| in_flight.upgraded()),
        memory: usage.map_or(0, |usage| usage.memory),
    }
}

fn outside(endpoint: &Endpoint) -> InstanceStatus {
    InstanceStatus {
        name: endpoint.name.to_string(),
        state: "outside",
        pid: None,
        endpoint: Some(endpoint.address.to_string()),
        restarts: 0,
        uptime_seconds: None,
        in_flight: endpoint.in_flight.requests(),
        upgraded: endpoint.in_flight.upgraded(),
        memory: 0,
    }
}

fn in_words(state: State) -> &'static str {
    match state {
        State::Building => STATES[0],
        State::Starting => STATES[1],
        State::Healthy => STATES[2],
        State::Waiting => STATES[3],
        State::Draining => STATES[4],
        State::Stopping => STATES[5],
        State::Failed | State::Gone => STATES[6],
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_reached_is_the_load() {
        let busy = load_of("shop", 1.2, 2, 10, 1);
        assert_eq!((busy.tier.as_str(), busy.load, busy.reason.as_str()), ("app.shop", 1.0, "1.20 of 2 cores"));
        let full = load_of("shop", 0.1, 2, 1200, 2);
        assert_eq!((full.load, full.reason.as_str()), (1.0, "1200 of 2000 requests open"));
        assert_eq!(load_of("worker", 0.0, 2, 0, 0).load, 0.0);
    }
}
