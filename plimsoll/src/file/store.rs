//! `[kv.NAME]`: its door comes later, so every key is checked and the section then refused by name.

use settings::{Fault, Key, Kind, Named, Report, Section, Table};

const DAY: u64 = 86_400_000;

/// `[kv.…]`, with `[kv.bind."…"]` among the names.
pub const KV: Section = Section {
    doc: "",
    keys: &[Key::new("bind", Kind::Table(&BINDS), "")],
    named: Some(&Named { name: plain_name, key: Key::new("NAME", Kind::Table(&STORE), "").unbuilt() }),
    rule: None,
    mistaken: &[],
};

const BINDS: Section = Section::named("", &Named { name: pattern, key: Key::new("PATTERN", Kind::Table(&BIND), "").unbuilt() });

const STORE: Section = Section::new(
    "A store behind the KV door.",
    &[
        Key::new("listen", Kind::Listen, "Where apps come in.").default("127.0.0.1:6380"),
        Key::new("memory", Kind::Size(1 << 20, 1 << 42), "Bytes of the store in process.").default("64MB"),
        Key::new("remote", Kind::Url(&["redis", "rediss", "redis-sentinel", "redis-cluster"]), "A server instead of the store in process."),
        Key::new("evict", Kind::Choice(&["lru", "lfu", "fifo", "ttl", "s3fifo", "none"]), "What leaves when memory is full.")
            .default("s3fifo"),
        Key::new("evict_keys", Kind::Choice(&["ttl", "all"]), "Which keys may leave: those with an expiry, or all.").default("ttl"),
        Key::new("persist", Kind::Text("\"stop\", \"off\", \"snapshot 5m\" or \"log\"", persist), "What is kept over a stop.")
            .default("stop"),
    ],
)
.rule(here_or_remote);

const BIND: Section = Section::new(
    "Keys bound to a query.",
    &[
        Key::new("load", Kind::Text("a query", any), "The query that gives a key's value; `$name` is a part of the pattern.").required(),
        Key::new("strategy", Kind::Choice(&["aside", "through", "behind", "ahead"]), "How reads and writes meet the database.")
            .default("aside"),
        Key::new("ttl", Kind::Duration(1, 365 * DAY), "How long a value is kept.").default("1h"),
    ],
)
.rule(names_of_pattern);

/// A store is in process or elsewhere.
fn here_or_remote(store: &Table, report: &mut Report) {
    let Some(remote) = store.entry("remote") else { return };
    for own in store.entries.iter().filter(|entry| ["memory", "evict", "evict_keys", "persist"].contains(&entry.name.as_str())) {
        let (first, later) = if remote.place < own.place { (remote, own) } else { (own, remote) };
        let fault = Fault::new(format!("`{}.{}` clashes with `{}` (line {})", store.path, later.name, first.name, first.place.line));
        report.problem(later.place, fault.hint("keep one: the store is in process, or remote"));
    }
}

/// A query may only name parts of its pattern.
fn names_of_pattern(bind: &Table, report: &mut Report) {
    let (Some(load), Some(item)) = (bind.text("load"), bind.get("load")) else { return };
    let parts: Vec<&str> = bind.path.split('{').skip(1).filter_map(|part| part.split_once('}')).map(|(name, _)| name).collect();
    for name in settings::variables(load).iter().filter(|name| !parts.contains(&name.as_str())) {
        let fault = Fault::new(format!("`{}.load`: `${name}` is no part of the pattern", bind.path));
        let near = settings::nearest(name, parts.iter().copied())
            .map_or_else(|| format!("known here: {}", parts.join(", ")), |near| format!("did you mean `${near}`?"));
        report.problem(item.place, fault.hint(near));
    }
}

fn persist(text: &str) -> Result<(), Fault> {
    let snapshot = text.strip_prefix("snapshot ").map(settings::parse_duration);
    match (text, snapshot) {
        ("stop" | "off" | "log", _) | (_, Some(Ok(_))) => Ok(()),
        (_, Some(Err(fault))) => Err(fault),
        _ => Err(Fault::new(format!("\"{text}\" is not known here")).hint("write \"stop\", \"off\", \"snapshot 5m\" or \"log\"")),
    }
}

fn any(text: &str) -> Result<(), Fault> {
    if text.trim().is_empty() { Err(Fault::new("the text is empty")) } else { Ok(()) }
}

fn plain_name(name: &str) -> Result<(), Fault> {
    if !name.is_empty() && name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_') {
        return Ok(());
    }
    Err(Fault::new(format!("{name:?} is no name here")).hint("use letters, digits and `_`"))
}

fn pattern(name: &str) -> Result<(), Fault> {
    if name.matches('{').count() == name.matches('}').count() && name.contains('{') {
        return Ok(());
    }
    Err(Fault::new(format!("{name:?} is no pattern of keys")).hint("write the parts that vary in braces, \"user:{id}\""))
}
