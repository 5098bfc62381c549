use std::sync::{Arc, Mutex, PoisonError};

use contract::Load;
use telemetry::{Collect, Exposition};

/// The load line of every tier, asked for when somebody looks. Clones share the list.
#[derive(Clone, Default)]
pub struct Loads(Arc<Mutex<Vec<Source>>>);

type Source = Arc<dyn Fn() -> Vec<Load> + Send + Sync>;

impl Loads {
    /// Adds a source for the life of the process: one tier, or as many as it has at the moment (apps). It must not block.
    pub fn add(&self, source: impl Fn() -> Vec<Load> + Send + Sync + 'static) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push(Arc::new(source));
    }

    /// Every tier's load now, in the order in which the sources were added.
    pub fn now(&self) -> Vec<Load> {
        let sources = self.0.lock().unwrap_or_else(PoisonError::into_inner).clone();
        sources.iter().flat_map(|source| source()).collect()
    }
}

impl Collect for Loads {
    fn collect(&self, out: &mut Exposition) {
        for Load { tier, load, measure, .. } in self.now() {
            out.gauge("load", "Used over safe capacity of a tier; 1 is at the line.", &[("tier", &tier)], load);
            let help = "Always 1; the label says which measure decides a tier's load.";
            out.gauge("load_reason", help, &[("tier", &tier), ("reason", measure)], 1.0);
        }
    }
}

/// Which Plimsoll runs: a gauge that is always 1, with the version as its label.
pub struct BuildInfo(pub &'static str);

impl Collect for BuildInfo {
    fn collect(&self, out: &mut Exposition) {
        out.gauge("plimsoll_build_info", "Always 1; the label is Plimsoll's version.", &[("version", self.0)], 1.0);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_tier_has_its_line_and_a_reason_without_figures() {
        let loads = Loads::default();
        loads.add(|| vec![Load::of("http", "busiest loop", 0.3, 1.0, "the busiest loop works 30 % of the time")]);
        loads.add(|| {
            vec![Load::of("app.shop", "cores", 0.0, 1.0, "0.00 of 2 cores"), Load::of("app.api", "p95", 0.6, 1.0, "250 ms of 250 ms")]
        });
        let mut out = Exposition::default();
        loads.collect(&mut out);
        let text = out.finish();
        for line in [
            "load{tier=\"http\"} 0.5\n",
            "load{tier=\"app.api\"} 1\n",
            "load_reason{tier=\"http\",reason=\"busiest loop\"} 1\n",
            "load_reason{tier=\"app.shop\",reason=\"cores\"} 1\n",
        ] {
            assert!(text.contains(line), "{line} is missing in\n{text}");
        }
    }
}
