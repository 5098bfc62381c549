//! Everything that the tier can tell an operator.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use loops::{Accepted, Seats};
use telemetry::{Collect, Exposition, Log};

use crate::client::{Ends, Peer};
use crate::users::Reason;

/// Counters and the log of one door.
#[derive(Debug)]
pub(crate) struct Events {
    log: Log,
    /// NAME of `[kv.NAME]`.
    pub(crate) name: Arc<str>,
    seats: Arc<Seats>,
    pub(crate) loops: Box<[LoopEvents]>,
    /// By [`Reason`].
    denied: [AtomicU64; 4],
}

/// Counted by one loop alone.
#[derive(Debug, Default)]
#[repr(align(128))]
pub(crate) struct LoopEvents {
    pub(crate) accepted: AtomicU64,
    pub(crate) refused: AtomicU64,
    pub(crate) handed_over: AtomicU64,
    pub(crate) commands: AtomicU64,
    pub(crate) failed: AtomicU64,
    /// Of keys.
    pub(crate) changes: AtomicU64,
    pub(crate) bytes_in: AtomicU64,
    pub(crate) bytes_out: AtomicU64,
}

/// Adds to a counter that only this loop writes.
pub(crate) fn add(counter: &AtomicU64, more: u64) {
    counter.store(counter.load(Ordering::Relaxed) + more, Ordering::Relaxed);
}

impl Events {
    pub(crate) fn new(log: Log, name: Arc<str>, seats: Arc<Seats>, loops: usize) -> Events {
        Events { log, name, seats, loops: (0..loops).map(|_| LoopEvents::default()).collect(), denied: Default::default() }
    }

    fn target(&self) -> String {
        format!("kv.{}", self.name)
    }

    /// Connections cannot be accepted, or can again.
    pub(crate) fn accepting(&self, trouble: &Accepted) {
        match trouble {
            Accepted::Failing(error) => self.log.error(&self.target(), &format!("no connection can be accepted: {error}")),
            Accepted::Unusable(error) => self.log.error(&self.target(), &format!("a socket cannot be used: {error}")),
            Accepted::Again => self.log.info(&self.target(), "connections are accepted again"),
            Accepted::StillFailing | Accepted::Client(..) => {}
        }
    }

    /// A client's task panicked; it is closed, and the others go on.
    pub(crate) fn panicked(&self) {
        self.log.error(&self.target(), "a client was closed by a fault of ours; please report the lines above");
    }

    /// A client did not keep to the protocol, or another one's was used on it.
    pub(crate) fn cut(&self, why: &str) {
        self.log.warning(&self.target(), why);
    }

    /// Somebody else ended a client's connection.
    pub(crate) fn ended(&self, peer: &Peer, why: Ends) {
        if why == Ends::TooSlow {
            let text = "reads more slowly than it is sent messages, and was cut off with 32 MB waiting, or 8 MB for 60 s";
            self.log.warning(&self.target(), &format!("{} {text}", peer.address));
        }
    }

    /// Something was denied to a client.
    pub(crate) fn denied(&self, reason: Reason) {
        self.denied[reason as usize].fetch_add(1, Ordering::Relaxed);
    }

    /// The sum over all loops.
    pub(crate) fn sum(&self, counter: impl Fn(&LoopEvents) -> &AtomicU64) -> u64 {
        self.loops.iter().map(|one| counter(one).load(Ordering::Relaxed)).sum()
    }

    /// A loop could not listen: the others do.
    pub(crate) fn cannot_listen(&self, reason: &str) {
        self.log.error(&self.target(), &format!("one core does not accept connections: {reason}"));
    }
}

type Counter = fn(&LoopEvents) -> &AtomicU64;

impl Collect for Events {
    fn collect(&self, out: &mut Exposition) {
        let labels = [("kv", &*self.name)];
        out.gauge("kv_clients", "Clients connected.", &labels, self.seats.taken() as f64);
        let counters: [(&'static str, &'static str, Counter); 5] = [
            ("kv_connections_total", "Connections accepted.", |one| &one.accepted),
            ("kv_connections_refused_total", "Connections refused: there were too many clients.", |one| &one.refused),
            ("kv_commands_total", "Commands done.", |one| &one.commands),
            ("kv_received_bytes_total", "Bytes that clients sent.", |one| &one.bytes_in),
            ("kv_sent_bytes_total", "Bytes that clients were sent.", |one| &one.bytes_out),
        ];
        for (name, text, counter) in counters {
            out.counter(name, text, &labels, self.sum(counter));
        }
        for reason in Reason::ALL {
            let labels = [labels[0], ("reason", reason.name())];
            let count = self.denied[reason as usize].load(Ordering::Relaxed);
            out.counter("kv_denied_total", "Logins and commands that were denied: see ACL LOG.", &labels, count);
        }
    }
}
