use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use telemetry::{Collect, Exposition};

use crate::status;
use crate::tier::Shared;

/// `app_*` of every app that Plimsoll runs.
pub(crate) struct Metrics(pub(crate) Arc<Shared>);

impl Collect for Metrics {
    fn collect(&self, out: &mut Exposition) {
        for app in status::of(&self.0).into_iter().filter(|app| app.run) {
            let mut states: BTreeMap<&str, f64> = status::STATES.into_iter().map(|state| (state, 0.0)).collect();
            for instance in &app.instances {
                *states.entry(instance.state).or_default() += 1.0;
            }
            for (state, count) in states {
                out.gauge("app_instances", "Instances of an app by what they are doing.", &[("app", &app.name), ("state", state)], count);
            }
            let memory: u64 = app.instances.iter().map(|instance| instance.memory).sum();
            let label = [("app", app.name.as_str())];
            out.gauge("app_memory_bytes", "Resident memory of an app's processes.", &label, memory as f64);
            out.counter_seconds("app_cpu_seconds_total", "Processor time of an app's processes.", &label, self.0.usages.seconds(&app.name));
            let restarts = self.0.apps().get(app.name.as_str()).map_or(0, |app| app.restarts.load(Ordering::Relaxed));
            out.counter("app_restarts_total", "Instances that were started again after they ended.", &label, restarts);
        }
    }
}
