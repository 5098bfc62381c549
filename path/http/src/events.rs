//! Everything the door can tell an operator: metrics by loop, summed when asked, and log lines.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use loops::Accepted;
use telemetry::{Collect, Exposition, Histogram, Log};

use crate::accept::Method;
use crate::balance::Group;

/// Statuses with a number of their own; any other one counts with the first of its class.
const STATUSES: [u16; 44] = [
    100, 101, 200, 201, 202, 204, 206, 207, 300, 301, 302, 303, 304, 307, 308, 400, 401, 402, 403, 404, 405, 406, 408, 409, 410, 411, 412,
    413, 414, 415, 416, 417, 421, 422, 429, 431, 499, 500, 501, 502, 503, 504, 505, 599,
];

const METHODS: [Method; 8] =
    [Method::Get, Method::Head, Method::Post, Method::Put, Method::Delete, Method::Patch, Method::Options, Method::Other];

/// What one loop alone writes.
#[derive(Debug)]
#[repr(align(128))]
struct Cell {
    statuses: [[AtomicU64; STATUSES.len()]; METHODS.len()],
    latency: Histogram,
}

/// Requests of one route by loop.
#[derive(Debug)]
pub(crate) struct RouteCounts {
    pub(crate) app: Arc<str>,
    pub(crate) route: String,
    cells: Box<[Cell]>,
}

/// Connections and what became of them, by loop.
#[derive(Debug, Default)]
#[repr(align(128))]
pub(crate) struct LoopCounts {
    pub(crate) accepted: AtomicU64,
    pub(crate) refused_total: AtomicU64,
    pub(crate) refused_address: AtomicU64,
    pub(crate) accept_failures: AtomicU64,
    pub(crate) handed_over: AtomicU64,
    pub(crate) upstream_opened: AtomicU64,
    pub(crate) upstream_reused: AtomicU64,
    pub(crate) bytes_in: AtomicU64,
    pub(crate) bytes_out: AtomicU64,
    pub(crate) panics: AtomicU64,
    pub(crate) timeouts: AtomicU64,
    pub(crate) clients_gone: AtomicU64,
}

/// All of the tier's counts.
#[derive(Debug)]
pub(crate) struct Events {
    pub(crate) log: Log,
    pub(crate) loops: Box<[LoopCounts]>,
    seats: Arc<loops::Seats>,
    routes: Mutex<Vec<Arc<RouteCounts>>>,
    groups: Mutex<Vec<Arc<Group>>>,
}

/// The tier's counts for the picture of `status`, since the start.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Counts {
    /// Requests answered.
    pub requests: u64,
    /// Of these with a status of 500 and above.
    pub errors: u64,
    /// Client connections open now.
    pub connections: u64,
    /// Latency quantiles in seconds over all requests.
    pub p50: f64,
    /// See `p50`.
    pub p95: f64,
    /// See `p50`.
    pub p99: f64,
}

/// A single writer needs no locked add.
pub(crate) fn add(cell: &AtomicU64, more: u64) {
    cell.store(cell.load(Ordering::Relaxed) + more, Ordering::Relaxed);
}

impl RouteCounts {
    fn new(app: Arc<str>, route: &str, loops: usize) -> RouteCounts {
        let cell =
            |_| Cell { statuses: std::array::from_fn(|_| std::array::from_fn(|_| AtomicU64::new(0))), latency: Histogram::default() };
        RouteCounts { app, route: route.into(), cells: (0..loops).map(cell).collect() }
    }

    /// A request of loop `index` was answered.
    pub(crate) fn record(&self, index: usize, method: Method, status: u16, nanos: u64) {
        let cell = &self.cells[index];
        add(&cell.statuses[method as usize][slot(status)], 1);
        cell.latency.record(nanos);
    }

    fn sum(&self, method: usize, status: usize) -> u64 {
        self.cells.iter().map(|cell| cell.statuses[method][status].load(Ordering::Relaxed)).sum()
    }
}

fn slot(status: u16) -> usize {
    if status == 200 {
        return 2;
    }
    STATUSES
        .binary_search(&status)
        .unwrap_or_else(|_| STATUSES.partition_point(|known| *known < status / 100 * 100).min(STATUSES.len() - 1))
}

impl Events {
    pub(crate) fn new(log: Log, loops: usize, seats: Arc<loops::Seats>) -> Events {
        let counts = (0..loops).map(|_| LoopCounts::default()).collect();
        Events { log, loops: counts, seats, routes: Mutex::default(), groups: Mutex::default() }
    }

    /// What a listening socket of loop `index` brings instead of a connection.
    pub(crate) fn accepting(&self, index: usize, trouble: &Accepted) {
        match trouble {
            Accepted::Failing(error) => self.log.warning("http", &format!("cannot accept connections: {error}")),
            Accepted::Again => self.log.info("http", "connections are accepted again"),
            Accepted::Unusable(error) => self.log.error("http", &format!("a listening socket cannot be used: {error}")),
            Accepted::StillFailing | Accepted::Client(..) => {}
        }
        if matches!(trouble, Accepted::Failing(_) | Accepted::StillFailing) {
            add(&self.loops[index].accept_failures, 1);
        }
    }

    /// A loop has no socket on an address of the plan.
    pub(crate) fn cannot_listen(&self, reason: &str) {
        self.log.error("http", reason);
    }

    /// A connection's task panicked.
    pub(crate) fn panicked(&self, index: usize) {
        add(&self.loops[index].panics, 1);
        self.log.error("http", "a connection was closed because its task panicked");
    }

    /// The counts of a route, those of before a reload if it was there.
    pub(crate) fn route(&self, app: &Arc<str>, route: &str) -> Arc<RouteCounts> {
        let mut routes = self.routes.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = routes.iter().find(|known| known.app == *app && known.route == route) {
            return known.clone();
        }
        routes.push(Arc::new(RouteCounts::new(app.clone(), route, self.loops.len())));
        routes[routes.len() - 1].clone()
    }

    /// The groups whose metrics are told from now on.
    pub(crate) fn set_groups(&self, groups: Vec<Arc<Group>>) {
        *self.groups.lock().unwrap_or_else(PoisonError::into_inner) = groups;
    }

    /// See [`Counts`].
    pub(crate) fn counts(&self) -> Counts {
        let (latency, mut requests, mut errors) = (Histogram::default(), 0, 0);
        for route in self.routes.lock().unwrap_or_else(PoisonError::into_inner).iter() {
            route.cells.iter().for_each(|cell| latency.merge(&cell.latency));
            for (slot, status) in STATUSES.iter().enumerate() {
                let count: u64 = (0..METHODS.len()).map(|method| route.sum(method, slot)).sum();
                requests += count;
                errors += if *status >= 500 { count } else { 0 };
            }
        }
        let [p50, p95, p99] = [0.5, 0.95, 0.99].map(|quantile| latency.quantile(quantile));
        Counts { requests, errors, connections: self.seats.taken() as u64, p50, p95, p99 }
    }

    fn total(&self, cell: impl Fn(&LoopCounts) -> &AtomicU64) -> u64 {
        self.loops.iter().map(|counts| cell(counts).load(Ordering::Relaxed)).sum()
    }

    fn collect_routes(&self, out: &mut Exposition) {
        for route in self.routes.lock().unwrap_or_else(PoisonError::into_inner).iter() {
            for (index, method) in METHODS.iter().enumerate() {
                for (slot, status) in STATUSES.iter().enumerate() {
                    let count = route.sum(index, slot);
                    if count > 0 {
                        let status = status.to_string();
                        let labels = [("app", &*route.app), ("route", &*route.route), ("method", method.label()), ("status", &*status)];
                        out.counter("http_requests_total", "Requests answered.", &labels, count);
                    }
                }
            }
            let latency = Histogram::default();
            route.cells.iter().for_each(|cell| latency.merge(&cell.latency));
            let labels = [("app", &*route.app), ("route", &*route.route)];
            out.histogram("http_request_duration_seconds", "From a request's head to its answer's last byte.", &labels, &latency);
        }
    }
}

impl Collect for Events {
    fn collect(&self, out: &mut Exposition) {
        self.collect_routes(out);
        out.gauge("http_connections", "Client connections open.", &[], self.seats.taken() as f64);
        out.counter("http_connections_total", "Client connections accepted.", &[], self.total(|counts| &counts.accepted));
        let help = "Client connections closed at once because a limit was reached.";
        out.counter("http_connections_refused_total", help, &[("limit", "connections")], self.total(|counts| &counts.refused_total));
        out.counter(
            "http_connections_refused_total",
            help,
            &[("limit", "connections_per_ip")],
            self.total(|counts| &counts.refused_address),
        );
        let help = "Times that no connection could be accepted: no descriptor or memory was left.";
        out.counter("http_accept_failures_total", help, &[], self.total(|counts| &counts.accept_failures));
        out.counter(
            "http_connections_moved_total",
            "Client connections given to a less busy loop.",
            &[],
            self.total(|counts| &counts.handed_over),
        );
        let help = "Connections to apps by origin.";
        out.counter("http_upstream_connections_total", help, &[("kind", "opened")], self.total(|counts| &counts.upstream_opened));
        out.counter("http_upstream_connections_total", help, &[("kind", "reused")], self.total(|counts| &counts.upstream_reused));
        out.counter("http_request_body_bytes_total", "Bytes of request bodies forwarded.", &[], self.total(|counts| &counts.bytes_in));
        out.counter("http_response_bytes_total", "Bytes of answers sent, heads included.", &[], self.total(|counts| &counts.bytes_out));
        out.counter("http_client_timeouts_total", "Clients that were too slow.", &[], self.total(|counts| &counts.timeouts));
        out.counter("http_clients_gone_total", "Clients that left before their answer.", &[], self.total(|counts| &counts.clients_gone));
        out.counter("http_panics_total", "Panics caught at a connection.", &[], self.total(|counts| &counts.panics));
        for group in self.groups.lock().unwrap_or_else(PoisonError::into_inner).iter() {
            group.collect(out);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn statuses_are_sorted_and_strange_ones_count_with_their_class() {
        assert!(STATUSES.is_sorted());
        assert_eq!(STATUSES[slot(200)], 200);
        assert_eq!(STATUSES[slot(404)], 404);
        assert_eq!(STATUSES[slot(299)], 200);
        assert_eq!(STATUSES[slot(999)], 599);
    }
}
