//! What must hold between keys of `[sql.NAME]`, and what its names may be.

use settings::{Fault, Report, Table, Value};

use crate::Plan;

pub(super) fn between_keys(sql: &Table, report: &mut Report) {
    needs_primary(sql, report);
    embedded_only(sql, report);
    in_plain(sql, report);
}

/// Standbys, replicas and shards follow somebody.
fn needs_primary(sql: &Table, report: &mut Report) {
    for follower in ["standby", "replicas"].into_iter().filter(|name| sql.has(name) && !sql.has("primary")) {
        let fault = Fault::new(format!("`{}.{follower}` needs a `primary` to follow", sql.path));
        report.problem(sql.place_of(follower), fault.hint("add `primary = \"postgres://…\"`"));
    }
}

fn embedded_only(sql: &Table, report: &mut Report) {
    if let (Some(bin), true) = (sql.entry("bin"), sql.has("primary")) {
        let fault = Fault::new(format!("`{}.bin` has no effect with `primary`", sql.path));
        report.warning(bin.place, fault.hint("remove it: the server runs elsewhere"));
        return;
    }
    if let Some(bin) = sql.path_of("bin").filter(|bin| !bin.join("postgres").exists()) {
        let place = sql.get("bin").map_or(sql.place, |item| item.place);
        let fault = Fault::new(format!("`{}.bin`: there is no `postgres` in {}", sql.path, bin.display()));
        report.problem(place, fault.hint("name the folder that holds it, such as \"/usr/lib/postgresql/17/bin\""));
    }
}

/// Passwords are never sent in plain, but rows are.
fn in_plain(sql: &Table, report: &mut Report) {
    let Some(item) = sql.get("listen") else { return };
    if let Value::Listen(address) = item.value
        && !address.ip().to_canonical().is_loopback()
        && !sql.has("tls")
    {
        let fault =
            Fault::new(format!("`{}.listen`: the door listens beyond this machine, and rows go over the network in plain", sql.path));
        report.warning(item.place, fault.hint("add `tls = { cert = \"…\", key = \"…\" }`"));
    }
}

pub(super) fn within_pool(pool: &Table, report: &mut Report) {
    least_below_server(pool, report);
    waits_at_all(pool, report);
}

/// Elsewhere 0 is for ever.
fn waits_at_all(pool: &Table, report: &mut Report) {
    if pool.duration("wait").is_zero() {
        let fault = Fault::new(format!("`{}.wait` = 0: no statement could wait even for a connection to be opened", pool.path));
        let hint = "write the longest wait, \"100ms\" to be refused at once; there is none without end, \"24h\" comes near";
        report.problem(pool.place_of("wait"), fault.hint(hint));
    }
}

fn least_below_server(pool: &Table, report: &mut Report) {
    let (least, server) = (pool.count("least"), pool.count("server"));
    if least > server {
        let fault = Fault::new(format!("`{}.least` = {least} is over `server` = {server}", pool.path));
        report.problem(pool.place_of("least"), fault.hint("`server` is the total: raise it, or lower `least`"));
    }
}

/// A user has one password, whichever way it is given.
pub(super) fn users_once(plan: &Plan, sql: &Table, report: &mut Report) {
    if let Some(users) = sql.entry("users").filter(|_| plan.primary.is_none()) {
        let fault = Fault::new(format!("`{}.users`: the embedded server knows none of them until somebody makes them there", sql.path));
        report.warning(users.place, fault.hint("as its superuser, see docs/guide/database.md; or remove them"));
    }
    let Some(users) = sql.table("users").filter(|users| users.has(&plan.user)) else { return };
    let fault = match plan.primary {
        Some(_) => Fault::new(format!("`{}.{}`: the password of that user stands in `primary`", users.path, plan.user)),
        None => Fault::new(format!("`{}.{}`: the embedded server's own user gets its password from Plimsoll", users.path, plan.user)),
    };
    report.problem(users.place_of(&plan.user), fault.hint("remove it"));
}

/// Of a database: plain enough for a role, a database and a folder.
pub(super) fn name(name: &str) -> Result<(), Fault> {
    if (1..=40).contains(&name.len()) && name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_') {
        return Ok(());
    }
    Err(Fault::new(format!("{name:?} is no name here")).hint("use up to 40 letters, digits and `_`"))
}

/// Of a user: whatever Postgres can know.
pub(super) fn user(name: &str) -> Result<(), Fault> {
    if (1..=63).contains(&name.len()) && !name.contains('\0') {
        return Ok(());
    }
    Err(Fault::new(format!("{name:?} is no name of a user")).hint("Postgres takes 1 to 63 bytes"))
}
