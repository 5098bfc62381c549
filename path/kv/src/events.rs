//! Everything that the tier can tell an operator.

mod files;

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use loops::{Accepted, Seats};
use telemetry::{Collect, Exposition, Log};

use crate::calls::{Calls, Tally};
use crate::client::{Ends, Peer};
use crate::memcached;
use crate::store::Store;
use crate::survey;
use crate::users::Reason;

/// Counters and the log of one door.
#[derive(Debug)]
pub(crate) struct Events {
    log: Log,
    /// NAME of `[kv.NAME]`.
    pub(crate) name: Arc<str>,
    seats: Arc<Seats>,
    store: Arc<Store>,
    pub(crate) loops: Box<[LoopEvents]>,
    /// By [`Reason`].
    denied: [AtomicU64; 4],
    /// By [`CutOff`].
    cut: [AtomicU64; CUT_OFF.len()],
    /// Commands that took long.
    pub(crate) slow: AtomicU64,
    /// What the worker counts.
    pub(crate) worker: LoopEvents,
    /// What the thread that runs scripts counts.
    pub(crate) scripts: LoopEvents,
    /// What was counted when it was reset.
    before: Mutex<Since>,
}

/// What `CONFIG RESETSTAT` resets.
#[derive(Debug, Clone, Default)]
pub(crate) struct Since {
    pub(crate) accepted: u64,
    pub(crate) refused: u64,
    pub(crate) commands: u64,
    pub(crate) bytes_in: u64,
    pub(crate) bytes_out: u64,
    pub(crate) tally: Tally,
}

/// The tier's counts for the picture of `status`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Counts {
    /// Client connections open now.
    pub clients: u64,
    /// Commands done since the start.
    pub commands: u64,
    /// Of these, those answered with an error.
    pub errors: u64,
    /// Keys that were asked for and were there.
    pub hits: u64,
    /// Keys that were asked for and were not there.
    pub misses: u64,
    /// Keys that went because memory was full.
    pub evicted: u64,
    /// Keys that went because they were overdue.
    pub expired: u64,
    /// Commands that took longer than `slowlog-log-slower-than`.
    pub slow: u64,
    /// Keys now, those that are overdue among them.
    pub keys: u64,
    /// Bytes that the keys and what they hold take now.
    pub memory: u64,
    /// Bytes that they may take.
    pub memory_max: u64,
}

/// What a client is closed for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum CutOff {
    Protocol,
    CrossProtocol,
    QueryBuffer,
    OutputBuffer,
    Memory,
    Idle,
}

const CUT_OFF: [(CutOff, &str); 6] = [
    (CutOff::Protocol, "protocol"),
    (CutOff::CrossProtocol, "cross_protocol"),
    (CutOff::QueryBuffer, "query_buffer"),
    (CutOff::OutputBuffer, "output_buffer"),
    (CutOff::Memory, "memory"),
    (CutOff::Idle, "idle"),
];

/// Counted by one loop alone.
#[derive(Debug, Default)]
#[repr(align(128))]
pub(crate) struct LoopEvents {
    pub(crate) accepted: AtomicU64,
    pub(crate) refused: AtomicU64,
    pub(crate) accept_failures: AtomicU64,
    pub(crate) panics: AtomicU64,
    pub(crate) handed_over: AtomicU64,
    /// Handshakes that came to nothing.
    pub(crate) unsecured: AtomicU64,
    pub(crate) commands: AtomicU64,
    pub(crate) calls: Calls,
    /// Of keys.
    pub(crate) changes: AtomicU64,
    pub(crate) bytes_in: AtomicU64,
    pub(crate) bytes_out: AtomicU64,
    pub(crate) memcached: memcached::Tally,
}

/// Adds to a counter that only this loop writes.
pub(crate) fn add(counter: &AtomicU64, more: u64) {
    counter.store(counter.load(Ordering::Relaxed) + more, Ordering::Relaxed);
}

impl Events {
    pub(crate) fn new(log: Log, name: Arc<str>, seats: Arc<Seats>, store: Arc<Store>, loops: usize) -> Events {
        let loops = (0..loops).map(|_| LoopEvents::default()).collect();
        let zero = AtomicU64::default;
        Events {
            log,
            name,
            seats,
            store,
            loops,
            denied: Default::default(),
            cut: Default::default(),
            slow: zero(),
            worker: LoopEvents::default(),
            scripts: LoopEvents::default(),
            before: Mutex::default(),
        }
    }

    fn target(&self) -> String {
        format!("kv.{}", self.name)
    }

    /// Changes of keys since the start.
    pub(crate) fn changes(&self) -> u64 {
        self.sum(|one| &one.changes)
    }

    fn counted(&self) -> Since {
        Since {
            accepted: self.sum(|one| &one.accepted),
            refused: self.sum(|one| &one.refused),
            commands: self.sum(|one| &one.commands),
            bytes_in: self.sum(|one| &one.bytes_in),
            bytes_out: self.sum(|one| &one.bytes_out),
            tally: Tally::of(self.all().map(|one| &one.calls)),
        }
    }

    fn before(&self) -> MutexGuard<'_, Since> {
        self.before.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What was counted since the last reset; metrics go on.
    pub(crate) fn since_reset(&self) -> Since {
        // In this order: what is counted only grows.
        let before = self.before();
        let now = self.counted();
        Since {
            accepted: now.accepted - before.accepted,
            refused: now.refused - before.refused,
            commands: now.commands - before.commands,
            bytes_in: now.bytes_in - before.bytes_in,
            bytes_out: now.bytes_out - before.bytes_out,
            tally: now.tally.since(&before.tally),
        }
    }

    /// Calls and errors since the last reset.
    pub(crate) fn tally(&self) -> Tally {
        self.since_reset().tally
    }

    /// From now on `INFO` counts anew.
    pub(crate) fn reset(&self) {
        let mut before = self.before();
        *before = self.counted();
    }

    /// All loops, and the threads beside them.
    fn all(&self) -> impl Iterator<Item = &LoopEvents> {
        self.loops.iter().chain([&self.worker, &self.scripts])
    }

    /// Connections of loop `index` cannot be accepted, or can again.
    pub(crate) fn accepting(&self, index: usize, trouble: &Accepted) {
        if matches!(trouble, Accepted::Failing(_) | Accepted::StillFailing) {
            add(&self.loops[index].accept_failures, 1);
        }
        match trouble {
            Accepted::Failing(error) => self.log.error(&self.target(), &format!("no connection can be accepted: {error}")),
            Accepted::Unusable(error) => self.log.error(&self.target(), &format!("a socket cannot be used: {error}")),
            Accepted::Again => self.log.info(&self.target(), "connections are accepted again"),
            Accepted::StillFailing | Accepted::Client(..) => {}
        }
    }

    /// A client's task panicked; it is closed, and the others go on.
    pub(crate) fn panicked(&self, index: usize) {
        add(&self.loops[index].panics, 1);
        self.log.error(&self.target(), "a client was closed by a fault of ours; please report the lines above");
    }

    /// A client was closed for what it did.
    pub(crate) fn cut(&self, peer: &Peer, why: CutOff) {
        self.cut[why as usize].fetch_add(1, Ordering::Relaxed);
        let text = match why {
            CutOff::CrossProtocol => {
                "sent an HTTP request to this port and was cut off: a page that a browser shows may try to speak to it"
            }
            CutOff::QueryBuffer => "sent a request longer than `client-query-buffer-limit`, and was cut off",
            CutOff::OutputBuffer => {
                "reads more slowly than it is answered: it was cut off with more waiting than `client-output-buffer-limit`"
            }
            CutOff::Memory => "held the most when clients held more than `maxmemory-clients`, and was cut off",
            // They are told, or are not there to be told.
            CutOff::Protocol | CutOff::Idle => return,
        };
        self.log.warning(&self.target(), &format!("{} {text}", peer.address));
    }

    /// Somebody else ended a client's connection.
    pub(crate) fn ended(&self, peer: &Peer, why: Ends) {
        match why {
            Ends::Killed => {}
            Ends::TooSlow => self.cut(peer, CutOff::OutputBuffer),
            Ends::TooBig => self.cut(peer, CutOff::Memory),
            Ends::Idle => self.cut(peer, CutOff::Idle),
        }
    }

    /// Clients that were closed for that.
    pub(crate) fn count_of_cut(&self, why: CutOff) -> u64 {
        self.cut[why as usize].load(Ordering::Relaxed)
    }

    /// Something was denied to a client.
    pub(crate) fn denied(&self, reason: Reason) {
        self.denied[reason as usize].fetch_add(1, Ordering::Relaxed);
    }

    /// A line of a script's `redis.log`.
    pub(crate) fn script_says(&self, level: i64, text: &str) {
        match level {
            3 => self.log.warning(&self.target(), text),
            2 => self.log.info(&self.target(), text),
            // Redis logs no more than that unless it is told to.
            _ => {}
        }
    }

    /// A script runs for so long that clients are told so.
    pub(crate) fn slow_script(&self, name: &str, is_eval: bool) {
        let how = if is_eval { "SCRIPT KILL" } else { "FUNCTION KILL" };
        self.log.warning(&self.target(), &format!("the script {name} takes long; {how} ends it if it has changed nothing yet"));
    }

    /// The sum over all loops.
    pub(crate) fn sum(&self, counter: impl Fn(&LoopEvents) -> &AtomicU64) -> u64 {
        self.all().map(|one| counter(one).load(Ordering::Relaxed)).sum()
    }

    /// A loop could not listen: the others do.
    pub(crate) fn cannot_listen(&self, reason: &str) {
        self.log.error(&self.target(), &format!("one core does not accept connections: {reason}"));
    }
}

type Counter = fn(&LoopEvents) -> &AtomicU64;

impl Events {
    /// See [`Counts`].
    pub(crate) fn counts(&self) -> Counts {
        let store = self.store.sum();
        Counts {
            clients: self.seats.taken() as u64,
            commands: self.sum(|one| &one.commands),
            errors: self.all().map(|one| one.calls.errors()).sum(),
            hits: store.counts.hits,
            misses: store.counts.misses,
            evicted: store.counts.evicted,
            expired: store.counts.expired,
            slow: self.slow.load(Ordering::Relaxed),
            keys: store.keys,
            memory: self.store.used() as u64,
            memory_max: self.store.limit() as u64,
        }
    }

    fn collect_clients(&self, out: &mut Exposition) {
        let store = [("store", &*self.name)];
        out.gauge("kv_clients", "Client connections open.", &store, self.seats.taken() as f64);
        let counters: [(&'static str, &'static str, Counter); 6] = [
            ("kv_clients_total", "Client connections accepted.", |one| &one.accepted),
            ("kv_clients_refused_total", "Clients not let in because `max.clients` was reached.", |one| &one.refused),
            ("kv_clients_moved_total", "Client connections given to a less busy loop.", |one| &one.handed_over),
            ("kv_accept_failures_total", "Times that no connection could be accepted: no descriptor or memory was left.", |one| {
                &one.accept_failures
            }),
            ("kv_tls_failed_total", "TLS handshakes that came to nothing.", |one| &one.unsecured),
            ("kv_panics_total", "Panics caught at a connection.", |one| &one.panics),
        ];
        for (name, help, counter) in counters {
            out.counter(name, help, &store, self.sum(counter));
        }
        let (read, sent) = (self.sum(|one| &one.bytes_in), self.sum(|one| &one.bytes_out));
        for (direction, bytes) in [("in", read), ("out", sent)] {
            out.counter("kv_bytes_total", "Bytes from and to clients.", &[store[0], ("direction", direction)], bytes);
        }
        for (why, name) in CUT_OFF {
            out.counter(
                "kv_clients_cut_total",
                "Clients closed for what they did, or did not do.",
                &[store[0], ("reason", name)],
                self.count_of_cut(why),
            );
        }
        for reason in Reason::ALL {
            let labels = [store[0], ("reason", reason.name())];
            let count = self.denied[reason as usize].load(Ordering::Relaxed);
            out.counter("kv_denied_total", "Logins and commands that were denied: see ACL LOG.", &labels, count);
        }
    }

    fn collect_keys(&self, out: &mut Exposition) {
        let (labels, sum) = ([("store", &*self.name)], self.store.sum());
        out.gauge("kv_keys", "Keys.", &labels, sum.keys as f64);
        out.gauge("kv_keys_with_expiry", "Keys that have an expiry.", &labels, sum.volatile as f64);
        let help = "Bytes that the keys and what they hold take.";
        out.gauge("kv_memory_used_bytes", help, &labels, self.store.used() as f64);
        out.gauge("kv_memory_max_bytes", "Bytes that they may take.", &labels, self.store.limit() as f64);
        out.gauge("kv_memory_peak_bytes", "The most that they took.", &labels, self.store.peak() as f64);
        let counters = [
            ("kv_hits_total", "Keys that were asked for and were there.", sum.counts.hits),
            ("kv_misses_total", "Keys that were asked for and were not there.", sum.counts.misses),
            ("kv_expirations_total", "Keys that went because they were overdue.", sum.counts.expired),
            ("kv_field_expirations_total", "Fields of hashes that went because they were overdue.", sum.counts.expired_fields),
            ("kv_evictions_total", "Keys that went because memory was full.", sum.counts.evicted),
            ("kv_changes_total", "Changes of keys.", self.changes()),
        ];
        for (name, help, count) in counters {
            out.counter(name, help, &labels, count);
        }
    }
}

impl Events {
    fn collect_calls(&self, out: &mut Exposition) {
        let (store, tally) = (("store", &*self.name), Tally::of(self.all().map(|one| &one.calls)));
        for (command, sum) in tally.commands() {
            let labels = [store, ("command", command.name)];
            let counters = [
                ("kv_commands_total", "Commands done.", sum.calls),
                ("kv_commands_failed_total", "Of these, those that failed.", sum.failed),
                ("kv_commands_rejected_total", "Commands that were not done.", sum.rejected),
                ("kv_commands_timed_total", "Of the commands done, those that were timed.", sum.timed),
            ];
            for (name, help, count) in counters {
                out.counter(name, help, &labels, count);
            }
            out.counter_seconds("kv_commands_timed_seconds_total", "Seconds that these took.", &labels, sum.nanos as f64 / 1e9);
        }
        for (kind, count) in tally.errors() {
            out.counter("kv_errors_total", "Errors that clients were told.", &[store, ("kind", kind)], count);
        }
    }
}

impl Collect for Events {
    fn collect(&self, out: &mut Exposition) {
        let labels = [("store", &*self.name)];
        self.collect_clients(out);
        self.collect_keys(out);
        survey::collect(&self.store, &self.name, out);
        self.collect_calls(out);
        let help = "Commands that took longer than `slowlog-log-slower-than`.";
        out.counter("kv_slow_commands_total", help, &labels, self.slow.load(Ordering::Relaxed));
    }
}
