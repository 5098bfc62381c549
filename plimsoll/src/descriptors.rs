//! Descriptors: as many as the system allows, for the server alone.
//!
//! Apps are started by the keeper and keep the limit that the user gave: some programs break with a high one.

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use telemetry::Log;

/// Beside connections: files of the site, logs, listeners, pipes.
const OTHERS: u64 = 1_024;

/// Raises the soft limit to the hard one, and warns when `[http.max] connections` would need more.
pub fn raise(http: &http_door::Plan, log: &Log) {
    let limit = getrlimit(Resource::Nofile);
    let _ = setrlimit(Resource::Nofile, Rlimit { current: limit.maximum, maximum: limit.maximum }); // never refused up to the hard limit
    let Some(allowed) = limit.maximum else { return };
    if let Some(fitting) = short_of(allowed, http.max.connections as u64) {
        log.warning(
            "http",
            &format!(
                "this process may open {allowed} descriptors, enough for about {fitting} proxied connections; \
                 raise the hard limit (ulimit -Hn, LimitNOFILE) or lower [http.max] connections = {}",
                http.max.connections
            ),
        );
    }
}

/// How many connections fit when `wanted` do not: a proxied one has a descriptor on each side.
fn short_of(allowed: u64, wanted: u64) -> Option<u64> {
    let fitting = allowed.saturating_sub(OTHERS) / 2;
    (fitting < wanted).then_some(fitting)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_proxied_connection_has_two_sides() {
        assert_eq!(short_of(1_048_576, 20_000), None);
        assert_eq!(short_of(4_096, 20_000), Some(1_536));
        assert_eq!(short_of(100, 20_000), Some(0));
    }
}
