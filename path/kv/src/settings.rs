//! `[kv.NAME]`: its definition, and the plan made of it.

mod later;
mod persist;
mod rules;
mod users;

use std::net::{Ipv4Addr, SocketAddr};
use std::time::SystemTime;

use settings::{Key, Kind, Named, Report, Section, Table, Value};

use crate::plan::{Listen, Max, Plan};
use crate::store::{Among, Eviction, Policy, TtlClass};

/// The port of the first door that writes none.
const PORT: u16 = 6380;
const LEAST_MEMORY: u64 = 1 << 20;
const MOST_MEMORY: u64 = 1 << 42;
/// Bytes of a request that the door can count.
const MOST_REQUEST: u64 = u32::MAX as u64;

/// `[kv.…]`, with `[kv.bind."…"]` among the names.
pub const KV: Section =
    Section { doc: "", keys: &[Key::new("bind", Kind::Table(&later::BINDS), "")], named: Some(&NAMED), rule: None, mistaken: &[] };

const NAMED: Named = Named { name: rules::name, key: Key::new("NAME", Kind::Table(&STORE), "A store behind the KV door.") };

/// `[kv.NAME]`.
const STORE: Section = Section::new(
    "A store behind the KV door, in Plimsoll's own memory, which apps reach at `REDIS_URL` with any client of Redis. Without any such \
     section one named `main` is there as soon as Plimsoll runs an app. Its name is yours: letters, digits and `_`.",
    &[
        Key::new(
            "listen",
            Kind::Listen,
            "Where clients come in; beyond this machine only with a `password`. Port 0 is a free one. A written port that is taken is an \
             error. Absent: the first `[kv.NAME]` takes `127.0.0.1:6380`, each further one a free port.",
        )
        .default("127.0.0.1:6380"),
        Key::new(
            "memcached",
            Kind::Listen,
            "Where clients of memcached come in, to the same keys, by its text protocol and its meta commands; on this machine only, and at \
             another port than `listen`. Absent: nowhere.",
        ),
        Key::new(
            "memory",
            Kind::Size(LEAST_MEMORY, MOST_MEMORY),
            "Bytes that the keys and what they hold may take. When they are full, keys go as `evict` and `evict_keys` say; when none may go, \
             writes that need more are refused (`OOM`), reads and deletes go on.",
        )
        .default("64MB"),
        later::REMOTE,
        Key::new(
            "evict",
            Kind::Choice(&["lru", "lfu", "fifo", "ttl", "s3fifo", "none"]),
            "Which keys go first: those used longest ago, least often, that came first, that expire next; `s3fifo` those that came lately and \
             were not used again; `none` never.",
        )
        .default("s3fifo"),
        Key::new(
            "evict_keys",
            Kind::Choice(&["ttl", "all"]),
            "Which keys may go: those with an expiry (sessions, queues and carts without one are safe), or all (a pure cache).",
        )
        .default("ttl"),
        Key::new(
            "ttl",
            Kind::List(&Kind::Table(&TTL)),
            "Lifetimes of keys that are written without an expiry, by their names, `[[kv.NAME.ttl]]`; the first that matches counts.",
        ),
        persist::PERSIST,
        Key::new("max", Kind::Table(&MAX), "Bounds of clients and of what they send."),
        Key::new(
            "password",
            Kind::Secret,
            "What clients come in with that name no user (`AUTH password`); it is part of `REDIS_URL`. Absent: nothing is needed.",
        ),
        Key::new("users", Kind::Table(&users::USERS), ""),
        Key::new("tls", Kind::Table(&tls::CERTIFICATE), "The door's certificate; with it clients speak TLS and nothing else (`rediss://`)."),
    ],
)
.rule(rules::between_keys)
.mistaken(&[
    ("port", "write `listen = \"127.0.0.1:6380\"`"),
    ("host", "write `listen = \"127.0.0.1:6380\"`"),
    ("url", "write `listen` for the door; apps find it at `REDIS_URL`"),
    ("maxmemory", "write `memory`"),
    ("size", "write `memory`"),
    ("policy", "write `evict` and `evict_keys`"),
    ("maxclients", "write `max = { clients = 10000 }`"),
    ("clients", "write `max = { clients = 10000 }`"),
]);

const MAX: Section = Section::new(
    "Bounds of clients and of what they send.",
    &[
        Key::new("clients", Kind::Integer(1, 1_000_000), "Connections from clients; beyond it one is told so and closed.").default("10000"),
        Key::new("value", Kind::Size(1 << 20, MOST_REQUEST), "A key, a value, or any other word of a command.").default("512MB"),
        Key::new("request", Kind::Size(1 << 20, MOST_REQUEST), "A whole command with its words.").default("1GB"),
    ],
)
.rule(rules::value_within_request)
.mistaken(&[("connections", "write `clients`")]);

const TTL: Section = Section::new(
    "The lifetime of keys that are written without an expiry.",
    &[
        Key::new(
            "match",
            Kind::Text("a pattern", rules::pattern),
            "Their names: `*` is anything, `?` one character, `[ab]` one of these, as in Redis's `KEYS`.",
        )
        .required(),
        Key::new(
            "ttl",
            Kind::Text("a duration, or \"off\"", rules::lifetime),
            "How long such a key is there; `\"off\"`: until it is taken away.",
        )
        .required(),
    ],
)
.mistaken(&[("pattern", "write `match`"), ("keys", "write `match`"), ("expire", "write `ttl`")]);

/// What the file says about one store, checked key by key.
#[derive(Debug)]
pub struct Settings<'a> {
    /// `main` of `[kv.main]`.
    pub name: &'a str,
    /// `[kv.main]`; absent for the one that is there without being written.
    pub kv: Option<&'a Table>,
    /// Whether it is the first of the file, which takes the default port.
    pub first: bool,
}

impl Settings<'_> {
    /// The plan; what is wrong with the certificate goes to the report.
    pub fn plan(&self, report: &mut Report) -> Plan {
        let none = Table::empty(&STORE, "kv");
        let kv = self.kv.unwrap_or(&none);
        Plan {
            name: self.name.into(),
            listen: self.listen(kv),
            memcached: address(kv, "memcached"),
            memory: bytes(kv.size("memory")),
            evict: Eviction { policy: policy(&kv.choice("evict")), among: among(&kv.choice("evict_keys")) },
            ttl: classes(kv),
            max: max(kv),
            users: users::read(kv),
            password: users::password(kv),
            tls: tls::read(kv, SystemTime::now(), report),
            persist: persist::when(kv.text("persist").unwrap_or(persist::DEFAULT)),
        }
    }

    fn listen(&self, kv: &Table) -> Listen {
        match address(kv, "listen") {
            Some(address) => Listen { address, written: true },
            None => Listen { address: SocketAddr::from((Ipv4Addr::LOCALHOST, if self.first { PORT } else { 0 })), written: false },
        }
    }
}

fn address(kv: &Table, key: &str) -> Option<SocketAddr> {
    match kv.get(key)?.value {
        Value::Listen(address) => Some(address),
        _ => None,
    }
}

fn classes(kv: &Table) -> Vec<TtlClass> {
    let tables = kv.list("ttl").iter().filter_map(|item| match &item.value {
        Value::Table(table) => Some(table),
        _ => None,
    });
    let text = |table: &Table, key| table.text(key).unwrap_or_default().to_string();
    let duration = |table: &Table| settings::parse_duration(&text(table, "ttl")).ok().map(|ttl| ttl.as_millis() as u64);
    tables.map(|table| TtlClass { pattern: text(table, "match").into(), ttl: duration(table) }).collect()
}

fn policy(word: &str) -> Policy {
    match word {
        "lru" => Policy::Lru,
        "lfu" => Policy::Lfu,
        "fifo" => Policy::Fifo,
        "ttl" => Policy::Ttl,
        "s3fifo" => Policy::S3Fifo,
        _ => Policy::None,
    }
}

fn among(word: &str) -> Among {
    if word == "all" { Among::All } else { Among::Ttl }
}

fn max(kv: &Table) -> Max {
    let none = Table::empty(&MAX, "max");
    let max = kv.table("max").unwrap_or(&none);
    Max { clients: max.count("clients"), value: bytes(max.size("value")), request: bytes(max.size("request")) }
}

/// No machine has more memory than it can count.
fn bytes(size: u64) -> usize {
    usize::try_from(size).unwrap_or(usize::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_written_is_as_the_reference_says() {
        let plan = Settings { name: "main", kv: None, first: true }.plan(&mut Report::new("t", ""));
        assert_eq!(plan.listen, Listen { address: ([127, 0, 0, 1], PORT).into(), written: false });
        assert_eq!((plan.memory, plan.evict), (64 << 20, Eviction { policy: Policy::S3Fifo, among: Among::Ttl }));
        assert_eq!(plan.max, Max::default());
        assert_eq!((plan.users, plan.password, plan.tls), (vec![], None, None));
        assert_eq!(Settings { name: "more", kv: None, first: false }.plan(&mut Report::new("t", "")).listen.address.port(), 0);
    }
}
