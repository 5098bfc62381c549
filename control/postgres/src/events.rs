//! Everything this tier tells an operator, on one line each.

use std::path::Path;
use std::time::Duration;

use telemetry::Log;

use crate::dump::Dumped;
use crate::ground::Ground;

pub(crate) const TIER: &str = "postgres";

pub(crate) fn elsewhere(log: &Log, data: &Path, because: &Path) {
    let text =
        format!("the data are in {}: {} keeps the user who runs Postgres out of the state folder", data.display(), because.display());
    log.warning(TIER, &text);
}

pub(crate) fn made(log: &Log, ground: &Ground, took: Duration) {
    let text = format!(
        "PostgreSQL {}: a new database in {}, run by the user {} ({:.2} s)",
        ground.programs.version.text,
        ground.data().display(),
        ground.account.name,
        took.as_secs_f64()
    );
    log.info(TIER, &text);
}

pub(crate) fn ready(log: &Log, ground: &Ground, pid: u32, took: Duration) {
    log.info(TIER, &format!("PostgreSQL {} is ready after {:.2} s (pid {pid})", ground.programs.version.text, took.as_secs_f64()));
}

pub(crate) fn leftovers(log: &Log, pids: &[u32]) {
    log.warning(TIER, &format!("processes of an earlier life are ended first: {pids:?}"));
}

pub(crate) fn still_starting(log: &Log, since: Duration) {
    log.warning(TIER, &format!("not ready after {} s: it is likely recovering from a crash, which takes its time", since.as_secs()));
}

pub(crate) fn died(log: &Log, reason: &str, wait: Duration) {
    log.error(TIER, &format!("{reason}; {}", next_try(wait)));
}

pub(crate) fn dumped(log: &Log, result: &Result<Dumped, String>) {
    match result {
        Ok(Dumped { bytes, took, .. }) => {
            log.info(TIER, &format!("the night's dump: {} KB in {:.1} s", bytes.div_ceil(1024), took.as_secs_f64()))
        }
        Err(reason) => log.error(TIER, &format!("the night's dump failed, next try in an hour: {reason}")),
    }
}

pub(crate) fn handed_over(log: &Log, database: &str) {
    log.warning(TIER, &format!("the database {database} was there and another role's; it is now that of the file's section of this name"));
}

pub(crate) fn not_made(log: &Log, error: &str) {
    log.error(TIER, &format!("cannot make the databases of the changed file: {error}"));
}

pub(crate) fn not_ended(log: &Log, left: &str) {
    log.error(TIER, &format!("not ended: {left}"));
}

pub(crate) fn impatient(log: &Log, what: &str, after: Duration) {
    log.warning(TIER, &format!("still there {} s after {what}", after.as_secs()));
}

fn next_try(wait: Duration) -> String {
    if wait.is_zero() { "starting again".into() } else { format!("next try in {} s", wait.as_secs_f64()) }
}
