//! `[sql.NAME]`: its definition, and the plan made of it.

mod later;
mod primary;
mod rules;

use std::collections::BTreeMap;
use std::net::{Ipv4Addr, SocketAddr};
use std::time::{Duration, SystemTime};

use settings::{Fault, Key, Kind, Named, Report, Section, Table, Value, World, parse_duration};

use crate::{Limits, Listen, Password, Plan, Pool, ServerTls, SslMode};
use primary::Primary;

const DAY: u64 = 86_400_000;
const POSTGRES: Kind = Kind::Url(&["postgres", "postgresql"]);

/// The port of the first door that writes none.
const PORT: u16 = 6432;

/// `[sql.…]`.
pub const SQL: Section = Section::named("", &NAMED);

const NAMED: Named = Named { name: rules::name, key: Key::new("NAME", Kind::Table(&DATABASE), "A database behind the SQL door.") };

/// `[sql.NAME]`.
const DATABASE: Section = Section::new(
    "A database behind the SQL door, which apps reach at `DATABASE_URL`. Without any such section one named `main` on the embedded \
     server is there as soon as Plimsoll runs an app. Its name is yours: letters, digits and `_`.",
    &[
        Key::new(
            "listen",
            Kind::Listen,
            "Where clients come in; port 0 is a free one. A written port that is taken is an error. Absent: the first `[sql.NAME]` takes \
             `127.0.0.1:6432`, each further one a free port.",
        )
        .default("127.0.0.1:6432"),
        Key::new(
            "primary",
            POSTGRES,
            "The server, `postgres://USER:PASSWORD@HOST:PORT/DATABASE` with `sslmode` and `sslrootcert` as libpq knows them (on this machine \
             `sslmode` is `disable` unless written, elsewhere `prefer`); clients come in with the same user and password. Absent: the embedded \
             server, with a role and a database called NAME (`app_NAME` where Postgres has a word of its own by that name).",
        ),
        later::STANDBY,
        later::REPLICAS,
        Key::new("pool", Kind::Table(&POOL), "Bounds of connections."),
        Key::new("limits", Kind::Table(&LIMITS), "Bounds of time."),
        Key::new("tls", Kind::Table(&tls::CERTIFICATE), "The door's certificate; absent: it speaks no TLS."),
        Key::new(
            "reuse",
            Kind::Bool,
            "Unnamed statements are kept prepared on the server where that cannot change a plan for the worse: lookups by a unique key.",
        )
        .default("true"),
        Key::new("slow", Kind::Text("a duration such as \"1s\", or \"off\"", slow), "Statements that take longer are logged, their values masked.")
            .default("1s"),
        Key::new("bin", Kind::Path, "The folder of the embedded server's programs (`postgres`, `initdb`, …); absent: they are looked for.")
            .restart(),
        later::SHARDS,
        Key::new("users", Kind::Table(&USERS), ""),
    ],
)
.rule(rules::between_keys)
.mistaken(&[
    ("url", "write `primary`"),
    ("port", "write `listen = \"127.0.0.1:6432\"`"),
    ("host", "write `primary` for the server, `listen` for the door"),
    ("database", "it is part of `primary`; `[sql.NAME]` names the embedded one"),
    ("user", "it is part of `primary`; further ones stand in `[sql.NAME.users]`"),
    ("password", "it is part of `primary`; further users stand in `[sql.NAME.users]`"),
    ("replica", "write `replicas`"),
    ("timeout", "write `limits = { statement = \"30s\" }`"),
    ("pool_size", "write `pool = { server = 20 }`"),
]);

const POOL: Section = Section::new(
    "Bounds of connections.",
    &[
        Key::new("server", Kind::Integer(1, 10_000), "Connections to the server: the total over all users, databases and cores.")
            .default("20"),
        Key::new("client", Kind::Integer(1, 1_000_000), "Connections from clients; beyond it SQLSTATE 53300.").default("10000"),
        Key::new(
            "wait",
            Kind::Duration(0, DAY),
            "The longest a statement waits for a server connection, never 0; then SQLSTATE 53300, or 57P03 when the server cannot be reached.",
        )
        .default("30s"),
        Key::new("least", Kind::Integer(0, 10_000), "Server connections opened before anybody asks, and kept.").default("0"),
        Key::new("idle", Kind::Duration(1_000, 30 * DAY), "A server connection beyond `least` that is idle for so long is closed.")
            .default("10m"),
        Key::new("age", Kind::Duration(1_000, 30 * DAY), "An older server connection is replaced when it is next idle.").default("1h"),
        Key::new(
            "statements",
            Kind::Integer(1, 100_000),
            "Prepared statements kept on a server connection; the least recently used goes first.",
        )
        .default("200"),
    ],
)
.rule(rules::within_pool)
.mistaken(&[("size", "write `server`"), ("max", "write `server`"), ("min", "write `least`"), ("clients", "write `client`")]);

const LIMITS: Section = Section::new(
    "Bounds of time, off unless written.",
    &[
        Key::new("statement", Kind::Duration(1, DAY), "One statement; then it is cancelled, SQLSTATE 57014."),
        Key::new(
            "transaction",
            Kind::Duration(1, DAY),
            "From the begin of a transaction to its end; then the client is closed, SQLSTATE 25P04.",
        ),
        Key::new(
            "idle_in_transaction",
            Kind::Duration(1, DAY),
            "A transaction in which nothing happens; then the client is closed, SQLSTATE 25P03.",
        ),
    ],
);

const USERS: Section = Section::named(
    "Further users that may come in; the server must know them by the same password.",
    &Named { name: rules::user, key: Key::new("USER", Kind::Secret, "The password.") },
);

/// What the file says about one database, checked key by key.
#[derive(Debug)]
pub struct Settings<'a> {
    /// `main` of `[sql.main]`.
    pub name: &'a str,
    /// `[sql.main]`; absent for the one that is there without being written.
    pub sql: Option<&'a Table>,
    /// Whether it is the first of the file, which takes the default port.
    pub first: bool,
    /// The machine.
    pub world: &'a World,
}

impl Settings<'_> {
    /// The plan, when the database says enough to make one; what does not hold together goes to the report.
    pub fn plan(&self, report: &mut Report) -> Option<Plan> {
        let none = Table::empty(&DATABASE, "sql");
        let sql = self.sql.unwrap_or(&none);
        let tls = tls::read(sql, SystemTime::now(), report);
        let primary = match sql.has("primary") {
            true => Some(self.primary(sql, report)?),
            false => None,
        };
        let plan = Plan {
            name: self.name.into(),
            listen: self.listen(sql),
            primary: None,
            user: self.name.into(),
            users: users(sql),
            database: self.name.into(),
            server: ServerTls { mode: SslMode::Disable, roots: None },
            pool: pool(sql),
            limits: limits(sql),
            tls,
            reuse: sql.bool("reuse"),
            slow: slow_of(&sql.choice("slow")),
        };
        let plan = with(plan, primary);
        rules::users_once(&plan, sql, report);
        Some(plan)
    }

    fn listen(&self, sql: &Table) -> Listen {
        match sql.get("listen").map(|item| &item.value) {
            Some(Value::Listen(address)) => Listen { address: *address, written: true },
            _ => Listen { address: SocketAddr::from((Ipv4Addr::LOCALHOST, if self.first { PORT } else { 0 })), written: false },
        }
    }

    fn primary(&self, sql: &Table, report: &mut Report) -> Option<Primary> {
        let item = sql.get("primary")?;
        let text = match &item.value {
            Value::Text(text) => text,
            Value::Secret(secret) => secret.reveal(),
            _ => return None,
        };
        let faulty = |fault: Fault| Fault { reason: format!("`{}.primary`: {}", sql.path, fault.reason), suggestion: fault.suggestion };
        match Primary::parse(text, self.world) {
            Ok(primary) => {
                primary.ignored.iter().for_each(|fault| report.warning(item.place, faulty(fault.clone())));
                Some(primary)
            }
            Err(fault) => {
                report.problem(item.place, faulty(fault));
                None
            }
        }
    }
}

/// The server of the file in the place of the embedded one.
fn with(plan: Plan, primary: Option<Primary>) -> Plan {
    let Some(Primary { address, user, password, database, tls, .. }) = primary else { return plan };
    let mut users = plan.users;
    users.entry(user.clone()).or_insert(password);
    Plan { primary: Some(address), user, users, database, server: tls, ..plan }
}

fn users(sql: &Table) -> BTreeMap<String, Password> {
    let entries = sql.table("users").map_or(&[][..], |table| &table.entries);
    let secrets = entries.iter().filter_map(|entry| match &entry.item.as_ref()?.value {
        Value::Secret(secret) => Some((entry.name.clone(), Password(secret.reveal().into()))),
        _ => None,
    });
    secrets.collect()
}

fn pool(sql: &Table) -> Pool {
    let none = Table::empty(&POOL, "pool");
    let pool = sql.table("pool").unwrap_or(&none);
    Pool {
        server: pool.count("server"),
        client: pool.count("client"),
        wait: pool.duration("wait"),
        least: pool.count("least"),
        idle: pool.duration("idle"),
        age: pool.duration("age"),
        statements: pool.count("statements"),
    }
}

fn limits(sql: &Table) -> Limits {
    let limit = |name: &str| match sql.table("limits")?.get(name)?.value {
        Value::Duration(duration) => Some(duration),
        _ => None,
    };
    Limits { statement: limit("statement"), transaction: limit("transaction"), idle_in_transaction: limit("idle_in_transaction") }
}

fn slow(text: &str) -> Result<(), Fault> {
    if text == "off" { Ok(()) } else { parse_duration(text).map(|_| ()) }
}

fn slow_of(text: &str) -> Option<Duration> {
    if text == "off" { None } else { parse_duration(text).ok() }
}

#[cfg(test)]
mod tests;
