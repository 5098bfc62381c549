//! What `CONFIG GET` shows and `CONFIG SET` changes: the parameters of Redis that mean something here, or that clients ask for.

pub(crate) mod percentiles;

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::Path;
use std::sync::atomic::{AtomicBool, AtomicI64, AtomicU16, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use crate::client::bounds;
use crate::persist;
use crate::plan::{Max, Plan};
use crate::store::Class;

/// How a value is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Form {
    /// `yes` or `no`.
    Switch,
    /// A number in these bounds.
    Number(i64, i64),
    /// As a number, with `kb`, `mb` or `gb`; at least so many.
    Bytes(u64),
    /// The same, or a percentage of `maxmemory`.
    Share,
    /// Percentages, with blanks between.
    Percentiles,
    /// Bounds of buffers, by class.
    Buffers,
    /// One of these.
    OneOf(&'static [&'static str]),
    /// Classes of keyspace events.
    Events,
    /// Pairs of seconds and changes.
    Points,
    Text,
    /// It is only read.
    Fixed,
}

/// A parameter: its name, what it is at first, how it is written.
type Parameter = (&'static str, &'static str, Form);

#[rustfmt::skip]
const POLICIES: &[&str] = &[
    "volatile-lru", "volatile-lfu", "volatile-random", "volatile-ttl", "allkeys-lru", "allkeys-lfu", "allkeys-random", "noeviction",
    // ours
    "volatile-fifo", "volatile-s3fifo", "allkeys-ttl", "allkeys-fifo", "allkeys-s3fifo",
];
const COUNT: Form = Form::Number(0, i64::MAX);

#[rustfmt::skip]
const PARAMETERS: &[Parameter] = &[
    ("acl-pubsub-default", "resetchannels", Form::OneOf(&["allchannels", "resetchannels"])),
    ("acllog-max-len", "128", COUNT),
    ("activedefrag", "no", Form::Switch),
    ("appendfsync", "everysec", Form::OneOf(&["always", "everysec", "no"])),
    ("appendonly", "no", Form::Switch),
    ("auto-aof-rewrite-min-size", "67108864", Form::Bytes(0)),
    ("auto-aof-rewrite-percentage", "100", COUNT),
    ("bind", "", Form::Fixed),
    ("busy-reply-threshold", "5000", COUNT),
    ("client-output-buffer-limit", "normal 0 0 0 slave 268435456 67108864 60 pubsub 33554432 8388608 60", Form::Buffers),
    ("client-query-buffer-limit", "1073741824", Form::Bytes(1 << 20)),
    ("daemonize", "no", Form::Fixed),
    ("databases", "1", Form::Fixed),
    ("dbfilename", "dump.rdb", Form::Fixed),
    ("dir", "", Form::Fixed),
    ("hash-max-listpack-entries", "128", COUNT),
    ("hash-max-listpack-value", "64", Form::Bytes(0)),
    ("hash-max-ziplist-entries", "128", COUNT),
    ("hash-max-ziplist-value", "64", Form::Bytes(0)),
    ("hz", "10", Form::Number(1, 500)),
    ("latency-monitor-threshold", "0", COUNT),
    ("latency-tracking", "no", Form::Switch),
    ("latency-tracking-info-percentiles", "50 99 99.9", Form::Percentiles),
    ("lazyfree-lazy-eviction", "yes", Form::Switch),
    ("lazyfree-lazy-expire", "yes", Form::Switch),
    ("lazyfree-lazy-server-del", "yes", Form::Switch),
    ("lazyfree-lazy-user-del", "yes", Form::Switch),
    ("lazyfree-lazy-user-flush", "yes", Form::Switch),
    ("lfu-decay-time", "1", COUNT),
    ("lfu-log-factor", "10", COUNT),
    ("list-compress-depth", "0", COUNT),
    ("list-max-listpack-size", "-2", Form::Number(-5, i64::MAX)),
    ("list-max-ziplist-size", "-2", Form::Number(-5, i64::MAX)),
    ("lua-time-limit", "5000", COUNT),
    ("maxclients", "10000", Form::Number(1, u32::MAX as i64)),
    ("maxmemory", "0", Form::Bytes(0)),
    ("maxmemory-clients", "0", Form::Share),
    ("maxmemory-policy", "noeviction", Form::OneOf(POLICIES)),
    ("maxmemory-samples", "5", Form::Number(1, i64::MAX)),
    ("notify-keyspace-events", "", Form::Events),
    ("port", "0", Form::Fixed),
    ("proto-max-bulk-len", "536870912", Form::Bytes(1 << 20)),
    ("repl-backlog-size", "1048576", Form::Bytes(0)),
    ("replicaof", "", Form::Fixed),
    ("requirepass", "", Form::Text),
    ("save", "", Form::Points),
    ("set-max-intset-entries", "512", COUNT),
    ("slowlog-log-slower-than", "10000", Form::Number(-1, i64::MAX)),
    ("slowlog-max-len", "128", COUNT),
    ("slaveof", "", Form::Fixed),
    ("stop-writes-on-bgsave-error", "yes", Form::Switch),
    ("stream-node-max-bytes", "4096", Form::Bytes(0)),
    ("stream-node-max-entries", "100", COUNT),
    ("tcp-keepalive", "300", COUNT),
    ("timeout", "0", COUNT),
    ("tracking-table-max-keys", "1000000", COUNT),
    ("zset-max-listpack-entries", "128", COUNT),
    ("zset-max-listpack-value", "64", Form::Bytes(0)),
    ("zset-max-ziplist-entries", "128", COUNT),
    ("zset-max-ziplist-value", "64", Form::Bytes(0)),
];

/// The values that hold now.
#[derive(Debug)]
pub(crate) struct Config {
    values: Mutex<BTreeMap<&'static str, String>>,
    wanted: AtomicU16,
    slower_than: AtomicI64,
    slow_kept: AtomicUsize,
    max: [AtomicUsize; 3],
    idle: AtomicU64,
    latency_threshold: AtomicU64,
    tracks_latency: AtomicBool,
    busy_after: AtomicI64,
}

impl Config {
    /// As `plan` says, for a door at `address`.
    pub(crate) fn new(plan: &Plan, address: SocketAddr) -> Config {
        let config = Config {
            values: Mutex::new(PARAMETERS.iter().map(|(name, first, _)| (*name, (*first).to_string())).collect()),
            wanted: AtomicU16::new(0),
            slower_than: AtomicI64::new(10_000),
            slow_kept: AtomicUsize::new(128),
            busy_after: AtomicI64::new(5000),
            max: Default::default(),
            idle: AtomicU64::new(0),
            latency_threshold: AtomicU64::new(0),
            tracks_latency: AtomicBool::new(false),
        };
        config.adopt(plan, address);
        config
    }

    /// What the file says holds from now on, whatever clients have set.
    pub(crate) fn adopt(&self, plan: &Plan, address: SocketAddr) {
        let mut values = self.values();
        let written = [
            ("bind", address.ip().to_string()),
            ("client-query-buffer-limit", plan.max.request.to_string()),
            ("maxclients", plan.max.clients.to_string()),
            ("maxmemory", plan.memory.to_string()),
            ("maxmemory-policy", plan.evict.name().to_string()),
            ("port", address.port().to_string()),
            ("proto-max-bulk-len", plan.max.value.to_string()),
            ("dbfilename", format!("{}.kv", plan.name)),
        ];
        for (name, value) in written.into_iter().chain(persist::Rules::parameters(plan)) {
            self.follow(name, &value);
            values.insert(name, value);
        }
    }

    /// Where files are.
    pub(crate) fn set_folder(&self, folder: Option<&Path>) {
        self.values().insert("dir", folder.map_or(String::new(), |folder| folder.display().to_string()));
    }

    fn values(&self) -> MutexGuard<'_, BTreeMap<&'static str, String>> {
        self.values.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The parameters whose names are chosen, with their values.
    pub(crate) fn get(&self, is_chosen: impl Fn(&str) -> bool) -> Vec<(&'static str, String)> {
        self.values().iter().filter(|(name, _)| is_chosen(name)).map(|(name, value)| (*name, value.clone())).collect()
    }

    /// Changes parameters, all or none.
    ///
    /// # Errors
    /// As Redis says it, without its `ERR`.
    pub(crate) fn set(&self, pairs: &[(String, String)]) -> Result<(), String> {
        let failed = |name: &str, why: &str| format!("CONFIG SET failed (possibly related to argument '{name}') - {why}");
        let mut checked = Vec::new();
        for (given, value) in pairs {
            let lower = given.to_ascii_lowercase();
            let Some((name, _, form)) = PARAMETERS.iter().find(|(name, ..)| *name == lower) else {
                return Err(format!("Unknown option or number of arguments for CONFIG SET - '{given}'"));
            };
            if checked.iter().any(|(known, _)| known == name) {
                return Err(failed(given, "duplicate parameter"));
            }
            // What is fixed may be set to what it is.
            let is_same = *form == Form::Fixed && self.text(name) == *value;
            let value = match form {
                _ if is_same => Ok(value.clone()),
                // What is not said of stays as it is.
                Form::Buffers => bounds::change(&self.text(name), value),
                form => form.check(value),
            };
            checked.push((*name, value.map_err(|why| failed(given, &why))?));
        }
        let mut values = self.values();
        for (name, value) in checked {
            self.follow(name, &value);
            if let Some(other) = same(name) {
                values.insert(other, value.clone());
            }
            values.insert(name, value);
        }
        Ok(())
    }

    /// What is looked at often lies where it is found at once.
    fn follow(&self, name: &str, value: &str) {
        let number = || value.parse().unwrap_or(0);
        match name {
            "notify-keyspace-events" => {
                self.wanted.store(Class::parse(value.as_bytes()).unwrap_or_default().bits(), Ordering::Relaxed);
            }
            "slowlog-log-slower-than" => self.slower_than.store(number(), Ordering::Relaxed),
            "busy-reply-threshold" | "lua-time-limit" => self.busy_after.store(number(), Ordering::Relaxed),
            "slowlog-max-len" => self.slow_kept.store(number() as usize, Ordering::Relaxed),
            "latency-monitor-threshold" => self.latency_threshold.store(number() as u64, Ordering::Relaxed),
            "latency-tracking" => self.tracks_latency.store(value == "yes", Ordering::Relaxed),
            "timeout" => self.idle.store(number() as u64, Ordering::Relaxed),
            "maxclients" => self.max[0].store(number() as usize, Ordering::Relaxed),
            "proto-max-bulk-len" => self.max[1].store(number() as usize, Ordering::Relaxed),
            "client-query-buffer-limit" => self.max[2].store(number() as usize, Ordering::Relaxed),
            _ => {}
        }
    }

    /// Seconds that a client may say nothing; 0: for ever.
    pub(crate) fn idle(&self) -> u64 {
        self.idle.load(Ordering::Relaxed)
    }

    /// Bytes that all clients may hold, of so many in all; 0: any number.
    pub(crate) fn most_of_clients(&self, memory: usize) -> usize {
        let said = self.text("maxmemory-clients");
        match said.strip_suffix('%') {
            Some(percent) => percent.parse::<usize>().map_or(0, |percent| memory / 100 * percent),
            None => said.parse().unwrap_or(0),
        }
    }

    /// Which keyspace events somebody wants.
    pub(crate) fn wanted(&self) -> Class {
        let wanted = Class::of_bits(self.wanted.load(Ordering::Relaxed));
        // They must be published somewhere.
        if wanted.has(Class::KEYSPACE) || wanted.has(Class::KEYEVENT) { wanted } else { Class::default() }
    }

    /// Microseconds after which a command is slow; negative: none is.
    pub(crate) fn slower_than(&self) -> i64 {
        self.slower_than.load(Ordering::Relaxed)
    }

    /// Slow commands that are kept.
    pub(crate) fn slow_kept(&self) -> usize {
        self.slow_kept.load(Ordering::Relaxed)
    }

    /// Milliseconds from which on `LATENCY` notes a command; 0: it notes none.
    pub(crate) fn latency_threshold(&self) -> u64 {
        self.latency_threshold.load(Ordering::Relaxed)
    }

    /// Whether each command is timed for `LATENCY HISTOGRAM`.
    pub(crate) fn tracks_latency(&self) -> bool {
        self.tracks_latency.load(Ordering::Relaxed)
    }

    /// How long a script may run before others are told that it does; zero: for ever.
    pub(crate) fn busy_after(&self) -> Duration {
        Duration::from_millis(self.busy_after.load(Ordering::Relaxed).max(0) as u64)
    }

    /// Bounds of clients and of what they send.
    pub(crate) fn max(&self) -> Max {
        let [clients, value, request] = [0, 1, 2].map(|at: usize| self.max[at].load(Ordering::Relaxed));
        Max { clients, value, request }
    }

    /// The value of a parameter that is a number.
    pub(crate) fn number(&self, name: &str) -> i64 {
        self.values().get(name).and_then(|value| value.parse().ok()).unwrap_or(0)
    }

    /// The value of a parameter.
    pub(crate) fn text(&self, name: &str) -> String {
        self.values().get(name).cloned().unwrap_or_default()
    }
}

/// The other name of a parameter that has two.
fn same(name: &str) -> Option<&'static str> {
    match name {
        "busy-reply-threshold" => Some("lua-time-limit"),
        "lua-time-limit" => Some("busy-reply-threshold"),
        _ => None,
    }
}

impl Form {
    /// The value as it is shown later.
    fn check(self, value: &str) -> Result<String, String> {
        match self {
            Form::Fixed => Err("can't set immutable config".into()),
            Form::Text => Ok(value.into()),
            Form::Switch => match value.to_ascii_lowercase() {
                word if word == "yes" || word == "no" => Ok(word),
                _ => Err("argument must be 'yes' or 'no'".into()),
            },
            Form::Number(least, most) => match value.parse::<i64>() {
                Ok(number) if (least..=most).contains(&number) => Ok(number.to_string()),
                Ok(_) => Err(format!("argument must be between {least} and {most} inclusive")),
                Err(_) => Err("argument couldn't be parsed into an integer".into()),
            },
            Form::Bytes(least) => match bytes(value) {
                Some(count) if count >= least => Ok(count.to_string()),
                Some(_) => Err(format!("argument must be between {least} and {} inclusive", i64::MAX)),
                None => Err("argument must be a memory value".into()),
            },
            Form::Share => {
                let percent = value.strip_suffix('%').and_then(|percent| percent.parse::<u64>().ok());
                if percent.is_some_and(|percent| percent > 100) {
                    return Err("percentage argument must be less or equal to 100".into());
                }
                let said = percent.map(|percent| format!("{percent}%")).or_else(|| Some(bytes(value)?.to_string()));
                said.ok_or_else(|| "argument must be a memory or percent value".into())
            }
            Form::Percentiles => percentiles::parse(value).map(|all| percentiles::said(&all)),
            Form::Buffers => unreachable!("it depends on what was said before"),
            Form::OneOf(words) => {
                let lower = value.to_ascii_lowercase();
                let said = || format!("argument(s) must be one of the following: {}", words.join(", "));
                if words.contains(&&*lower) { Ok(lower) } else { Err(said()) }
            }
            Form::Points => match persist::points(value) {
                Some(_) => Ok(value.split_ascii_whitespace().collect::<Vec<_>>().join(" ")),
                None => Err("Invalid save parameters".into()),
            },
            Form::Events => Class::parse(value.as_bytes())
                .map(Class::letters)
                .ok_or_else(|| "Invalid event class character. Use 'Ag$lshzxeKEtmdn'.".into()),
        }
    }
}

/// A size, as Redis's configuration writes it.
pub(crate) fn bytes(text: &str) -> Option<u64> {
    let lower = text.to_ascii_lowercase();
    let digits = lower.trim_end_matches(|letter: char| letter.is_ascii_alphabetic());
    let unit = match &lower[digits.len()..] {
        "" | "b" => 1,
        "k" => 1_000,
        "kb" => 1 << 10,
        "m" => 1_000_000,
        "mb" => 1 << 20,
        "g" => 1_000_000_000,
        "gb" => 1 << 30,
        _ => return None,
    };
    digits.parse::<u64>().ok()?.checked_mul(unit)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::{Listen, When};
    use crate::store::Eviction;

    fn config() -> Config {
        let listen = Listen { address: ([127, 0, 0, 1], 0).into(), written: true };
        let plan = Plan {
            name: "main".into(),
            listen,
            memcached: None,
            ttl: Vec::new(),
            memory: 1 << 20,
            evict: Eviction::default(),
            max: Max::default(),
            users: Vec::new(),
            password: None,
            tls: None,
            persist: When::Off,
        };
        Config::new(&plan, ([127, 0, 0, 1], 7).into())
    }

    fn set(config: &Config, pairs: &[(&str, &str)]) -> Result<(), String> {
        config.set(&pairs.iter().map(|(name, value)| ((*name).into(), (*value).into())).collect::<Vec<_>>())
    }

    #[test]
    fn all_are_changed_or_none() {
        let config = config();
        assert_eq!(config.get(|name| name == "maxmemory"), [("maxmemory", "1048576".to_string())]);
        set(&config, &[("slowlog-max-len", "7"), ("Notify-Keyspace-Events", "KEA")]).unwrap();
        assert_eq!((config.slow_kept(), config.text("notify-keyspace-events")), (7, "AKE".into()));
        assert!(config.wanted().has(Class::LIST));
        let fault = set(&config, &[("slowlog-max-len", "9"), ("hz", "x")]).unwrap_err();
        assert!(fault.ends_with("(possibly related to argument 'hz') - argument couldn't be parsed into an integer"), "{fault}");
        assert_eq!(config.slow_kept(), 7);
        assert!(set(&config, &[("none", "1")]).unwrap_err().starts_with("Unknown option"));
    }

    #[test]
    fn bounds_are_followed_and_put_back_by_the_file() {
        let config = config();
        set(&config, &[("maxclients", "5"), ("proto-max-bulk-len", "2mb")]).unwrap();
        assert_eq!(config.max(), Max { clients: 5, value: 2 << 20, ..Max::default() });
        assert!(set(&config, &[("client-query-buffer-limit", "1kb")]).unwrap_err().contains("argument must be between 1048576 and"));
        let address = ([127, 0, 0, 1], 8).into();
        let listen = Listen { address, written: true };
        let max = Max { clients: 7, ..Max::default() };
        config.adopt(
            &Plan {
                name: "main".into(),
                listen,
                memcached: None,
                ttl: Vec::new(),
                memory: 2 << 20,
                evict: Eviction::default(),
                max,
                users: Vec::new(),
                password: None,
                tls: None,
                persist: When::Off,
            },
            address,
        );
        assert_eq!((config.max(), config.text("port"), config.number("maxmemory")), (max, "8".into(), 2 << 20));
    }

    #[test]
    fn events_that_are_published_nowhere_are_not_wanted() {
        let config = config();
        set(&config, &[("notify-keyspace-events", "A")]).unwrap();
        assert_eq!(config.wanted(), Class::default());
    }

    #[test]
    fn sizes_have_units() {
        for (text, size) in [("10", Some(10)), ("1kb", Some(1024)), ("2M", Some(2_000_000)), ("1x", None), ("", None), ("-1", None)] {
            assert_eq!(bytes(text), size, "{text}");
        }
    }
}
