use contract::ServerState;
use watch::{OpenState, PinState, SqlState, SqlUserState, StatementState};

use crate::assemble::Door;

/// Statements told of a door.
const STATEMENTS: usize = 10;

/// What the pace of a door is kept under.
pub(crate) fn tier(door: &Door) -> String {
    format!("sql.{}", door.plan.name)
}

/// A door as it is now. Asks its loops: not for a loop.
pub(super) fn door(door: &Door, queries_per_second: f64) -> SqlState {
    let (counts, status) = (door.handle.counts(), door.handle.status());
    let (state, reason) = match status.server {
        ServerState::Asleep => ("asleep", None),
        ServerState::Starting => ("starting", None),
        ServerState::Up(_) if status.trouble.is_some() => ("failing", status.trouble.filter(|trouble| !trouble.is_empty())),
        ServerState::Up(_) => ("up", None),
        ServerState::Down(reason) | ServerState::Unable(reason) => ("down", Some(reason.to_string())),
    };
    SqlState {
        name: door.plan.name.to_string(),
        listen: door.address.to_string(),
        server: door.plan.primary.as_ref().map_or_else(|| "embedded".into(), ToString::to_string),
        state: state.into(),
        reason,
        clients: counts.clients,
        waiting: counts.waiting,
        longest_wait_seconds: counts.longest_wait.as_secs_f64(),
        most: counts.most,
        busy: counts.busy,
        idle: counts.idle,
        opening: counts.opening,
        queries: counts.queries,
        queries_per_second,
        transactions: counts.transactions,
        errors: counts.errors,
        p50: counts.p50,
        p95: counts.p95,
        p99: counts.p99,
        users: status.keys.into_iter().map(user).collect(),
        pins: status.pinned.into_iter().map(pin).collect(),
        open: status.open.total as u64,
        longest: status.open.longest.into_iter().map(open).collect(),
        statements: door.handle.statements().into_iter().take(STATEMENTS).map(statement).collect(),
    }
}

fn statement(top: sql::TopStatement) -> StatementState {
    StatementState {
        text: top.text.to_string(),
        calls: top.calls,
        errors: top.errors,
        rows: top.rows,
        seconds: top.total.as_secs_f64(),
        longest_seconds: top.longest.as_secs_f64(),
    }
}

fn user(key: sql::KeyStatus) -> SqlUserState {
    SqlUserState {
        user: key.user,
        database: key.database,
        clients: key.clients as u64,
        waiting: key.waiting as u64,
        busy: key.busy as u64,
        idle: key.idle as u64,
    }
}

fn pin(pinned: sql::Pinned) -> PinState {
    PinState {
        client: pinned.client,
        application: pinned.application,
        address: pinned.address.map(|address| address.to_string()),
        server: pinned.server,
        user: pinned.user,
        database: pinned.database,
        reasons: pinned.reasons.into_iter().map(String::from).collect(),
        seconds: pinned.age.as_secs_f64(),
    }
}

fn open(open: sql::OpenTransaction) -> OpenState {
    OpenState {
        client: open.client,
        application: open.application,
        address: open.address.map(|address| address.to_string()),
        server: open.server,
        user: open.user,
        database: open.database,
        doing: open.doing.into(),
        reasons: open.pins.into_iter().map(String::from).collect(),
        seconds: open.age.as_secs_f64(),
    }
}
