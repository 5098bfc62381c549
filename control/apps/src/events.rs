//! Everything this tier tells an operator, on one line each.

use std::time::Duration;

use telemetry::Log;

use crate::tier::Failure;

const TIER: &str = "apps";

pub(crate) fn building(log: &Log, app: &str) {
    log.info(TIER, &format!("{app}: building"));
}

pub(crate) fn built(log: &Log, app: &str, took: Duration) {
    log.info(TIER, &format!("{app}: built in {:.1} s", took.as_secs_f64()));
}

pub(crate) fn healthy(log: &Log, name: &str, pid: u32, took: Duration) {
    log.info(TIER, &format!("{name}: healthy after {:.1} s (pid {pid})", took.as_secs_f64()));
}

/// It died after a healthy life: its lines stand above.
pub(crate) fn died(log: &Log, failure: &Failure, name: &str, wait: Duration) {
    log.warning(TIER, &format!("{name}: {}; {}", failure.reason, next_try(wait)));
}

/// It died before it was healthy, `times` in a row.
pub(crate) fn failed(log: &Log, failure: &Failure, name: &str, times: u32, wait: Duration) {
    let again = if times > 1 { format!(" ({times} times in a row)") } else { String::new() };
    log.error(TIER, &format!("{name}: {}{again}; {}{}", failure.reason, next_try(wait), last_lines(&failure.lines)));
}

pub(crate) fn build_failed(log: &Log, failure: &Failure) {
    log.error(TIER, &format!("{}: {}{}", failure.app, failure.reason, last_lines(&failure.lines)));
}

pub(crate) fn killed(log: &Log, name: &str, drain: Duration) {
    log.warning(TIER, &format!("{name}: still there {:.0} s after SIGTERM: killed", drain.as_secs_f64()));
}

pub(crate) fn cut(log: &Log, name: &str, requests: u32) {
    log.warning(TIER, &format!("{name}: {requests} requests did not finish in time"));
}

pub(crate) fn rolled(log: &Log, app: &str) {
    log.info(TIER, &format!("{app}: the new instances have taken over"));
}

fn next_try(wait: Duration) -> String {
    if wait.is_zero() { "starting again".into() } else { format!("next try in {} s", wait.as_secs_f64()) }
}

fn last_lines(lines: &[String]) -> String {
    if lines.is_empty() { "; it printed nothing".into() } else { format!("; its last lines: {}", lines.join(" | ")) }
}
