use std::sync::Arc;

use telemetry::{Collect, Exposition};

use crate::tier::Shared;
use crate::view::Phase;

/// `postgres_*` of the embedded server.
pub(crate) struct Metrics(pub(crate) Arc<Shared>);

impl Collect for Metrics {
    fn collect(&self, out: &mut Exposition) {
        let view = self.0.view.borrow().clone();
        let up = if view.phase == Phase::Up { 1.0 } else { 0.0 };
        out.gauge("postgres_up", "1 when the embedded Postgres takes connections, else 0.", &[], up);
        let help = "Times the embedded Postgres was started again after it ended by itself.";
        out.counter("postgres_restarts_total", help, &[], view.restarts);
        if let Some(start) = view.start {
            out.gauge("postgres_start_seconds", "From start to ready, the last time.", &[], start.as_secs_f64());
        }
        let known = self.0.nightly.known();
        out.counter("postgres_dump_failures_total", "Nightly dumps that failed.", &[], known.failures);
        if let Some(last) = known.last {
            let age = last.at.elapsed().map_or(0.0, |age| age.as_secs_f64());
            out.gauge("postgres_dump_age_seconds", "Age of the last nightly dump that succeeded.", &[], age);
            out.gauge("postgres_dump_bytes", "Size of the last nightly dump that succeeded.", &[], last.bytes as f64);
        }
        out.counter_seconds("postgres_cpu_seconds_total", "Processor time of the embedded Postgres.", &[], self.0.usage.seconds());
        if let Some(look) = self.0.usage.last() {
            out.gauge("postgres_data_bytes", "Size of the data directory of the embedded Postgres.", &[], look.data as f64);
            let help = "Memory of the embedded Postgres, what its processes share counted once.";
            out.gauge("postgres_memory_bytes", help, &[], look.memory as f64);
        }
    }
}
