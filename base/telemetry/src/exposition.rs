use std::fmt::Write;

use crate::Histogram;

/// A metric family's type as Prometheus names it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Only grows; its name ends in `_total`.
    Counter,
    /// Goes up and down.
    Gauge,
    /// Buckets, sum and count.
    Histogram,
}

/// Prometheus text being written: families keep the order of their first sample.
#[derive(Debug, Default)]
pub struct Exposition {
    families: Vec<Family>,
}

#[derive(Debug)]
struct Family {
    name: &'static str,
    help: &'static str,
    kind: Kind,
    samples: String,
}

impl Exposition {
    /// Writes one counter sample. `labels` are pairs of name and value; values are escaped here.
    pub fn counter(&mut self, name: &'static str, help: &'static str, labels: &[(&str, &str)], value: u64) {
        let samples = self.family(name, help, Kind::Counter);
        sample(samples, name, "", labels, None, value as f64);
    }

    /// Writes one counter sample that counts seconds, or anything else that is not whole.
    pub fn counter_seconds(&mut self, name: &'static str, help: &'static str, labels: &[(&str, &str)], value: f64) {
        let samples = self.family(name, help, Kind::Counter);
        sample(samples, name, "", labels, None, value);
    }

    /// Writes one gauge sample.
    pub fn gauge(&mut self, name: &'static str, help: &'static str, labels: &[(&str, &str)], value: f64) {
        let samples = self.family(name, help, Kind::Gauge);
        sample(samples, name, "", labels, None, value);
    }

    /// Writes one histogram: its cumulative buckets in seconds, sum and count.
    pub fn histogram(&mut self, name: &'static str, help: &'static str, labels: &[(&str, &str)], histogram: &Histogram) {
        let samples = self.family(name, help, Kind::Histogram);
        let mut cumulated = 0;
        for (bound, count) in histogram.buckets() {
            cumulated += count;
            let bound = if bound.is_infinite() { "+Inf".to_string() } else { bound.to_string() };
            sample(samples, name, "_bucket", labels, Some(&bound), cumulated as f64);
        }
        sample(samples, name, "_sum", labels, None, histogram.sum_seconds());
        sample(samples, name, "_count", labels, None, cumulated as f64);
    }

    /// The whole text.
    pub fn finish(self) -> String {
        let mut text = String::new();
        for family in self.families {
            let kind = match family.kind {
                Kind::Counter => "counter",
                Kind::Gauge => "gauge",
                Kind::Histogram => "histogram",
            };
            // Writing to a String cannot fail.
            let _ = write!(text, "# HELP {0} {1}\n# TYPE {0} {2}\n{3}", family.name, family.help, kind, family.samples);
        }
        text
    }

    fn family(&mut self, name: &'static str, help: &'static str, kind: Kind) -> &mut String {
        let index = self.families.iter().position(|family| family.name == name).unwrap_or_else(|| {
            self.families.push(Family { name, help, kind, samples: String::new() });
            self.families.len() - 1
        });
        &mut self.families[index].samples
    }
}

fn sample(out: &mut String, name: &str, suffix: &str, labels: &[(&str, &str)], bound: Option<&str>, value: f64) {
    out.push_str(name);
    out.push_str(suffix);
    let mut open = '{';
    for (label, value) in labels.iter().copied().chain(bound.map(|bound| ("le", bound))) {
        out.push(open);
        open = ',';
        out.push_str(label);
        out.push_str("=\"");
        for letter in value.chars() {
            match letter {
                '\\' => out.push_str("\\\\"),
                '"' => out.push_str("\\\""),
                '\n' => out.push_str("\\n"),
                other => out.push(other),
            }
        }
        out.push('"');
    }
    if open == ',' {
        out.push('}');
    }
    let infinite = value.is_infinite();
    let _ = if infinite { writeln!(out, " {}Inf", if value < 0.0 { '-' } else { '+' }) } else { writeln!(out, " {value}") };
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn families_of_one_name_are_joined_and_values_escaped() {
        let mut out = Exposition::default();
        out.counter("requests_total", "Requests.", &[("app", "a\"b")], 1);
        out.gauge("load", "Load.", &[], 0.5);
        out.counter("requests_total", "Requests.", &[], 2);
        let text = out.finish();
        assert_eq!(
            text,
            "# HELP requests_total Requests.\n# TYPE requests_total counter\nrequests_total{app=\"a\\\"b\"} 1\nrequests_total 2\n# HELP load Load.\n# TYPE load gauge\nload 0.5\n"
        );
    }
}
