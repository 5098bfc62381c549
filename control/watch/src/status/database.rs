use std::fmt::Write;

use contract::{DumpState, PostgresState};

use super::picture::{counted, one_line, rate, span, wait};
use super::{OpenState, PinState, Snapshot, SqlState, SqlUserState, StatementState};

/// Characters of a statement's text in a line.
const STATEMENT: usize = 100;

/// What `db status` shows: each door with its clients and connections, who is pinned, what takes the time, and the embedded
/// server. Ends in a newline.
pub fn database_picture(snapshot: &Snapshot) -> String {
    let mut text = String::new();
    for door in &snapshot.sql {
        door_of(door, &mut text);
        text.push('\n');
    }
    if let Some(server) = &snapshot.postgres {
        server_of(server, &mut text);
    } else if text.ends_with("\n\n") {
        text.pop();
    }
    text
}

fn door_of(door: &SqlState, out: &mut String) {
    let SqlState { name, state, server, clients, waiting, busy, idle, opening, most, queries, transactions, errors, .. } = door;
    let reason = door.reason.as_ref().map_or_else(String::new, |reason| format!(": {}", one_line(reason)));
    let longest = if *waiting > 0 { format!(", the longest for {}", wait(door.longest_wait_seconds)) } else { String::new() };
    let rows = [
        ("listens", door.listen.clone()),
        ("server", format!("{server}, {state}{reason}")),
        ("clients", format!("{clients}, {waiting} waiting{longest}")),
        ("servers", format!("{busy} busy, {idle} idle, {opening} opening, of {most}")),
        (
            "work",
            format!(
                "{} queries/s   p50 {}   p95 {}   p99 {}   {}, {}, {} in all",
                rate(door.queries_per_second),
                wait(door.p50),
                wait(door.p95),
                wait(door.p99),
                counted(*queries, "query"),
                counted(*transactions, "transaction"),
                counted(*errors, "error")
            ),
        ),
    ];
    head(&format!("sql.{name}"), &rows, out);
    door.users.iter().for_each(|user| row("user", &user_of(user), out));
    door.longest.iter().for_each(|open| row("open", &open_of(open), out));
    let more = door.open.saturating_sub(door.longest.len() as u64);
    if more > 0 {
        row("open", &format!("{more} more, for less long"), out);
    }
    door.pins.iter().for_each(|pin| row("pinned", &pin_of(pin), out));
    door.statements.iter().for_each(|statement| row("statement", &statement_of(statement), out));
}

fn user_of(user: &SqlUserState) -> String {
    let SqlUserState { user, database, clients, waiting, busy, idle } = user;
    format!("{user} in {database}: {}, {waiting} waiting, {busy} busy, {idle} idle", counted(*clients, "client"))
}

fn pin_of(pin: &PinState) -> String {
    let PinState { client, application, address, server, user, database, reasons, seconds } = pin;
    let who = who(*client, application, address.as_deref());
    let since = span(*seconds as u64);
    format!("{who}, {user} in {database}, keeps server process {server}, for {since}: {}", all_in_words(reasons))
}

fn open_of(open: &OpenState) -> String {
    let OpenState { client, application, address, server, user, database, doing, reasons, seconds } = open;
    let who = who(*client, application, address.as_deref());
    let doing = match doing.as_str() {
        "idle" => "idle in transaction",
        "failed" => "idle in a transaction that failed",
        "running" => "runs in a transaction",
        "statement" => "runs a statement",
        other => other,
    };
    let since = if *seconds < 1.0 { wait(*seconds) } else { span(*seconds as u64) };
    let keeps = if reasons.is_empty() { String::new() } else { format!(", pinned: {}", all_in_words(reasons)) };
    format!("{who}, {user} in {database}, has server process {server}, for {since}: {doing}{keeps}")
}

fn who(client: u64, application: &str, address: Option<&str>) -> String {
    let name = if application.is_empty() { format!("client {client}") } else { one_line(application) };
    address.map_or_else(|| name.clone(), |address| format!("{name} from {address}"))
}

fn all_in_words(reasons: &[String]) -> String {
    reasons.iter().map(|reason| in_words(reason)).collect::<Vec<_>>().join(", ")
}

/// Why a client is pinned, for a person.
fn in_words(reason: &str) -> &str {
    match reason {
        "temporary" => "temporary tables",
        "advisory_lock" => "session advisory locks",
        "cursor" => "cursors WITH HOLD",
        "prepare" => "PREPARE of SQL",
        "sequence" => "reads its sequences",
        "seed" => "setseed",
        "library" => "LOAD",
        "parameter" => "a parameter of another user",
        "listen" => "listens by itself",
        "unknown" => "the server would not say what it has",
        other => other,
    }
}

fn statement_of(statement: &StatementState) -> String {
    let StatementState { text, calls, errors, rows, seconds, longest_seconds } = statement;
    let mean = if *calls > 0 { seconds / *calls as f64 } else { 0.0 };
    let failed = if *errors > 0 { format!(", {errors} failed") } else { String::new() };
    let text: String = one_line(text).chars().take(STATEMENT).collect();
    let [mean, longest] = [mean, *longest_seconds].map(|seconds| seconds * 1e3);
    let (calls, rows) = (counted(*calls, "call"), counted(*rows, "row"));
    format!("{seconds:.1} s in {calls}, {mean:.1} ms each, {longest:.1} ms at most, {rows}{failed}: {text}")
}

fn server_of(server: &PostgresState, out: &mut String) {
    let mut state = server.state.clone();
    if let Some(seconds) = server.uptime_seconds {
        let _ = write!(state, " for {}", span(seconds));
    }
    if let Some(pid) = server.pid {
        let _ = write!(state, ", pid {pid}");
    }
    if server.restarts > 0 {
        let _ = write!(state, ", started again {}", counted(server.restarts, "time"));
    }
    if let Some(reason) = &server.reason {
        let _ = write!(state, ": {}", one_line(reason));
    }
    let programs = match (&server.version, &server.bin) {
        (Some(version), Some(bin)) => Some(format!("PostgreSQL {version} in {bin}")),
        _ => None,
    };
    let size = server.data_bytes.map_or_else(String::new, |bytes| format!(", {} MB", bytes >> 20));
    let user = server.user.as_ref().map_or_else(String::new, |user| format!(", of the user {user}"));
    let data = server.data.as_ref().map(|data| format!("{data}{user}{size}"));
    let used = server.memory.map(|memory| format!("{:.2} cores, {} MB", server.cpu.unwrap_or(0.0), memory >> 20));
    let optional =
        [("programs", programs), ("data", data), ("socket", server.socket.clone()), ("uses", used), ("dump", Some(dump_of(&server.dump)))];
    let rows = optional.into_iter().filter_map(|(name, text)| Some((name, text?)));
    let rows: Vec<_> = std::iter::once(("state", state)).chain(rows).collect();
    head("postgres", &rows, out);
}

fn dump_of(dump: &DumpState) -> String {
    let DumpState { folder, age_seconds, bytes, failures, reason } = dump;
    let last = match age_seconds {
        Some(age) => format!("the last {} ago, {} KB", span(*age), bytes.unwrap_or(0) >> 10),
        None => "none yet".into(),
    };
    let why = reason.as_ref().map_or_else(String::new, |reason| format!("; {failures} failed: {}", one_line(reason)));
    format!("{last}, in {folder}{why}")
}

fn head(title: &str, rows: &[(&str, String)], out: &mut String) {
    let _ = writeln!(out, "{title}");
    rows.iter().for_each(|(name, text)| row(name, text, out));
}

fn row(name: &str, text: &str, out: &mut String) {
    // Writing to a String cannot fail.
    let _ = writeln!(out, "  {name:<9}  {text}");
}
