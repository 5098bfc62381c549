//! What the balance tells an operator: log lines and metrics together.

use std::time::{Duration, Instant};

use telemetry::{Collect, Exposition};

use super::group::Group;
use super::health::Health;
use super::member::{Member, State};

pub(super) fn checked(group: &Group, member: &Member, health: Health, reason: &str) {
    let (app, name, address) = (&group.app, &member.endpoint.name, member.endpoint.address);
    match health {
        Health::Down => group.log.warning("balance", &format!("{app}: endpoint {name} ({address}) is down: {reason}")),
        Health::Up | Health::Unknown => group.log.info("balance", &format!("{app}: endpoint {name} ({address}) is up: {reason}")),
    }
}

pub(super) fn died(group: &Group, member: &Member) {
    let (app, name, address) = (&group.app, &member.endpoint.name, member.endpoint.address);
    group.log.warning("balance", &format!("{app}: endpoint {name} ({address}) takes no connection, left until a check finds it well"));
}

pub(super) fn ejected(group: &Group, member: &Member, failures: u32, absence: Duration) {
    let (app, name, address) = (&group.app, &member.endpoint.name, member.endpoint.address);
    let text = format!("{app}: endpoint {name} ({address}) failed {failures} times in a row, left for {} s", absence.as_secs());
    group.log.warning("balance", &text);
}

impl Collect for Group {
    fn collect(&self, out: &mut Exposition) {
        let app = &*self.app;
        for state in self.states(Instant::now()) {
            let labels = [("app", app), ("endpoint", &*state.name)];
            let up = if state.state == State::Up { 1.0 } else { 0.0 };
            out.gauge("http_endpoint_up", "Whether an endpoint takes requests.", &labels, up);
            out.gauge("http_endpoint_in_flight", "Requests open at an endpoint.", &labels, f64::from(state.in_flight));
            out.gauge("http_endpoint_upgraded", "Upgraded connections open at an endpoint.", &labels, f64::from(state.upgraded));
            let latency = state.latency.unwrap_or_default().as_secs_f64();
            out.gauge("http_endpoint_latency_seconds", "Peak EWMA of the time to the first byte.", &labels, latency);
            out.counter("http_endpoint_requests_total", "Attempts made at an endpoint.", &labels, state.requests);
            out.counter("http_endpoint_failures_total", "Attempts that failed at an endpoint.", &labels, state.failures);
            out.counter("http_endpoint_ejections_total", "Times an endpoint was left for failing in a row.", &labels, state.ejections);
        }
        let counts = self.counts();
        let help = "Attempts repeated: at another endpoint, at the same on a fresh connection, or refused by the budget.";
        for (kind, count) in [("elsewhere", counts.elsewhere), ("same", counts.same), ("over_budget", counts.over_budget)] {
            out.counter("http_retries_total", help, &[("app", app), ("kind", kind)], count);
        }
        out.gauge("http_queue_waiting", "Requests that wait for an endpoint.", &[("app", app)], self.room.waiting() as f64);
    }
}
