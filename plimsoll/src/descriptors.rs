//! Descriptors: as many as the system allows, for the server alone.
//!
//! Apps are started by the keeper and keep the limit that the user gave: some programs break with a high one.

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use telemetry::Log;

use crate::file::Plan;

/// Beside connections: files of the site, logs, listeners, pipes.
const OTHERS: u64 = 1_024;

/// Raises the soft limit to the hard one, and warns when the file's bounds of connections would need more.
pub fn raise(plan: &Plan, log: &Log) {
    let limit = getrlimit(Resource::Nofile);
    let _ = setrlimit(Resource::Nofile, Rlimit { current: limit.maximum, maximum: limit.maximum }); // never refused up to the hard limit
    check(plan, log);
}

/// Warns when the file's bounds of connections would need more than there may be.
pub fn check(plan: &Plan, log: &Log) {
    let Some(allowed) = getrlimit(Resource::Nofile).maximum else { return };
    if let Some(text) = shortage(allowed, &wanted(plan)) {
        log.warning("plimsoll", &text);
    }
}

/// What each bound of the file may take.
fn wanted(plan: &Plan) -> Vec<(String, u64)> {
    let http = plan.http.max.connections as u64;
    // A proxied connection has a descriptor on each side.
    let http = (format!("[http.max] connections = {http}, each with two sides"), 2 * http);
    let sql = plan.sql.iter().map(|door| {
        let sql::Pool { server, client, .. } = door.pool;
        (format!("[sql.{}] pool = {{ server = {server}, client = {client} }}", door.name), (server + client) as u64)
    });
    let kv = plan.kv.iter().map(|door| (format!("[kv.{}] max = {{ clients = {} }}", door.name, door.max.clients), door.max.clients as u64));
    std::iter::once(http).chain(sql).chain(kv).collect()
}

fn shortage(allowed: u64, wanted: &[(String, u64)]) -> Option<String> {
    let sum = OTHERS + wanted.iter().map(|(_, count)| count).sum::<u64>();
    let bounds: Vec<&str> = wanted.iter().map(|(bound, _)| bound.as_str()).collect();
    (sum > allowed).then(|| {
        format!(
            "this process may open {allowed} descriptors, and the file's bounds could need {sum}: {}; raise the hard limit (ulimit -Hn, \
             LimitNOFILE) or lower them",
            bounds.join("; ")
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_bound_counts() {
        let wanted = [("http".to_string(), 40_000), ("sql".to_string(), 10_020)];
        assert_eq!(shortage(51_044, &wanted), None);
        let told = shortage(51_043, &wanted).unwrap();
        assert!(told.starts_with("this process may open 51043 descriptors, and the file's bounds could need 51044: http; sql;"), "{told}");
    }

    #[test]
    fn clients_of_the_doors_and_servers_are_counted() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("plimsoll.toml");
        let text = "[http.max]\nconnections = 10\n[sql.main]\nlisten = \"127.0.0.1:0\"\npool = { server = 3, client = 500 }\n[kv.main]\nmax = { clients = 7 }\n";
        std::fs::write(&path, text).unwrap();
        let counts: Vec<u64> = wanted(&crate::file::load(&path, None).unwrap()).into_iter().map(|(_, count)| count).collect();
        assert_eq!(counts, [20, 503, 7]);
    }
}
