use std::sync::atomic::{AtomicU64, Ordering};

use telemetry::Exposition;

/// What is counted of those who listen.
#[derive(Debug, Default)]
pub(crate) struct Counts {
    clients: AtomicU64,
    connections: AtomicU64,
    lost: AtomicU64,
    heard: AtomicU64,
    overrun: AtomicU64,
}

impl Counts {
    /// Clients of one database that listen: so many where there were `before`.
    pub(super) fn clients(&self, now: u64, before: u64) {
        self.clients.fetch_add(now.wrapping_sub(before), Ordering::Relaxed);
    }

    /// A connection listens.
    pub(super) fn opened(&self) {
        self.connections.fetch_add(1, Ordering::Relaxed);
    }

    /// It does so no more.
    pub(super) fn closed(&self) {
        self.connections.fetch_sub(1, Ordering::Relaxed);
    }

    /// One was lost that was needed.
    pub(super) fn lost(&self) {
        self.lost.fetch_add(1, Ordering::Relaxed);
    }

    /// A notification came.
    pub(super) fn heard(&self) {
        self.heard.fetch_add(1, Ordering::Relaxed);
    }

    /// A client let too much wait.
    pub(super) fn overrun(&self) {
        self.overrun.fetch_add(1, Ordering::Relaxed);
    }

    pub(crate) fn collect(&self, database: &str, out: &mut Exposition) {
        let (labels, of) = ([("database", database)], |count: &AtomicU64| count.load(Ordering::Relaxed));
        let help = "Clients for whom one connection for all listens.";
        out.gauge("sql_listening_clients", help, &labels, of(&self.clients) as f64);
        let help = "Connections to the server that listen for clients, beyond those of the pool.";
        out.gauge("sql_listening_connections", help, &labels, of(&self.connections) as f64);
        let help = "Times that a connection that listens was lost.";
        out.counter("sql_listening_lost_total", help, &labels, of(&self.lost));
        out.counter("sql_notifications_total", "Notifications that came for clients.", &labels, of(&self.heard));
        let help = "Clients closed because they did not take their notifications.";
        out.counter("sql_listening_overrun_total", help, &labels, of(&self.overrun));
    }
}
