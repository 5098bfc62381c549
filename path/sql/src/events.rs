//! Everything the door can tell an operator: metrics by loop, summed when asked, and log lines.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use loops::Accepted;
use telemetry::{Collect, Exposition, Histogram, Log};

use crate::listening;
use crate::pins::{Pin, PinCounts};
use crate::server::Pool;

/// Why a connection to the server was closed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Closed {
    /// It was idle for longer than `pool.idle`.
    Idle,
    /// It was older than `pool.age`.
    Aged,
    /// The server ended it, or said something that nobody had asked for.
    Died,
    /// Its client left it in the middle of something, or it could not change its loop.
    Broken,
    /// Its place was for another user or database, or `pool.server` was lowered.
    Surplus,
    /// The server is elsewhere now.
    Moved,
    /// The file does not name its user any more.
    Unnamed,
    /// Somebody makes, alters or drops a database, and no client was in its own.
    Vacated,
    /// The door closes.
    Drained,
}

impl Closed {
    const ALL: [Closed; 9] = [
        Closed::Idle,
        Closed::Aged,
        Closed::Died,
        Closed::Broken,
        Closed::Surplus,
        Closed::Moved,
        Closed::Unnamed,
        Closed::Vacated,
        Closed::Drained,
    ];

    fn label(self) -> &'static str {
        match self {
            Closed::Idle => "idle",
            Closed::Aged => "age",
            Closed::Died => "died",
            Closed::Broken => "broken",
            Closed::Surplus => "surplus",
            Closed::Moved => "moved",
            Closed::Unnamed => "user",
            Closed::Vacated => "vacated",
            Closed::Drained => "drain",
        }
    }
}

/// What a client was refused, or what became of its statement.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Failure {
    /// An error of the server, passed on.
    Server,
    /// Not let in: unknown, wrong password, not the protocol.
    Login,
    /// No connection came free in time, or too many wait.
    Wait,
    /// The server could not be reached, or would not have the user or the database.
    Unreachable,
    /// The server was lost in the middle of a statement or a transaction.
    Lost,
    /// What the client sent is not the protocol.
    Protocol,
    /// One of the plan's limits of time.
    Limit,
}

impl Failure {
    const ALL: [Failure; 7] =
        [Failure::Server, Failure::Login, Failure::Wait, Failure::Unreachable, Failure::Lost, Failure::Protocol, Failure::Limit];

    fn label(self) -> &'static str {
        match self {
            Failure::Server => "server",
            Failure::Login => "login",
            Failure::Wait => "wait",
            Failure::Unreachable => "unreachable",
            Failure::Lost => "lost",
            Failure::Protocol => "protocol",
            Failure::Limit => "limit",
        }
    }
}

/// What one loop alone writes.
#[derive(Debug, Default)]
#[repr(align(128))]
pub(crate) struct LoopEvents {
    pub(crate) accepted: AtomicU64,
    pub(crate) refused: AtomicU64,
    pub(crate) accept_failures: AtomicU64,
    pub(crate) handed_over: AtomicU64,
    pub(crate) panics: AtomicU64,
    pub(crate) clients_gone: AtomicU64,
    /// Bytes from clients.
    pub(crate) bytes_in: AtomicU64,
    /// Bytes to clients.
    pub(crate) bytes_out: AtomicU64,
    pub(crate) transactions: AtomicU64,
    /// Statements answered, with the time from their last byte to the answer's last.
    pub(crate) queries: Histogram,
    /// Clients that had to wait for a connection, with the time until they had one or were refused.
    pub(crate) waited: Histogram,
    pub(crate) pins: PinCounts,
    opened: AtomicU64,
    open_failures: AtomicU64,
    moved: AtomicU64,
    closed: [AtomicU64; Closed::ALL.len()],
    failures: [AtomicU64; Failure::ALL.len()],
}

impl LoopEvents {
    /// A connection to the server was opened.
    pub(crate) fn opened(&self) {
        add(&self.opened, 1);
    }

    /// A connection to the server could not be opened.
    pub(crate) fn open_failed(&self) {
        add(&self.open_failures, 1);
    }

    /// A connection to the server went to another loop.
    pub(crate) fn moved(&self) {
        add(&self.moved, 1);
    }

    /// A connection to the server was closed.
    pub(crate) fn closed(&self, why: Closed) {
        add(&self.closed[why as usize], 1);
    }

    /// A client was refused something.
    pub(crate) fn failed(&self, what: Failure) {
        add(&self.failures[what as usize], 1);
    }
}

/// A single writer needs no locked add.
pub(crate) fn add(cell: &AtomicU64, more: u64) {
    cell.store(cell.load(Ordering::Relaxed) + more, Ordering::Relaxed);
}

/// All of the tier's counts.
#[derive(Debug)]
pub(crate) struct Events {
    pub(crate) log: Log,
    pub(crate) loops: Box<[LoopEvents]>,
    /// Of `[sql.NAME]`.
    pub(crate) name: Arc<str>,
    /// Written by loop 0 only.
    pub(crate) listening: listening::Counts,
    pool: Arc<Pool>,
    seats: Arc<loops::Seats>,
}

/// The tier's counts for the picture of `status`.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Counts {
    /// Client connections open now.
    pub clients: u64,
    /// Of these, how many wait for a server connection.
    pub waiting: u64,
    /// Server connections lent now.
    pub busy: u64,
    /// Server connections idle now.
    pub idle: u64,
    /// Server connections being opened.
    pub opening: u64,
    /// The most server connections there may be.
    pub most: u64,
    /// Statements answered since the start.
    pub queries: u64,
    /// Transactions ended since the start.
    pub transactions: u64,
    /// Of the statements, those that failed, and clients that were refused.
    pub errors: u64,
    /// Quantiles of the statements' time in seconds since the start.
    pub p50: f64,
    /// See `p50`.
    pub p95: f64,
    /// See `p50`.
    pub p99: f64,
    /// How long the client waits now that waits longest.
    pub longest_wait: Duration,
}

impl Events {
    pub(crate) fn new(log: Log, name: Arc<str>, pool: Arc<Pool>, seats: Arc<loops::Seats>, loops: usize) -> Events {
        let counts = (0..loops).map(|_| LoopEvents::default()).collect();
        Events { log, loops: counts, name, listening: listening::Counts::default(), pool, seats }
    }

    /// See [`Counts`].
    pub(crate) fn counts(&self, now: Instant) -> Counts {
        let (sum, queries) = (self.pool.sum(), self.merged(|counts| &counts.queries));
        let [p50, p95, p99] = [0.5, 0.95, 0.99].map(|quantile| queries.quantile(quantile));
        Counts {
            clients: self.seats.taken() as u64,
            waiting: sum.waiting as u64,
            busy: sum.busy as u64,
            idle: sum.idle as u64,
            opening: sum.opening as u64,
            most: self.pool.most() as u64,
            queries: queries.count(),
            transactions: self.total(|counts| &counts.transactions),
            errors: (0..Failure::ALL.len()).map(|at| self.total(|counts| &counts.failures[at])).sum(),
            p50,
            p95,
            p99,
            longest_wait: self.pool.longest_wait(sum.oldest, now),
        }
    }

    /// What a listening socket of loop `index` brings instead of a connection.
    pub(crate) fn accepting(&self, index: usize, trouble: &Accepted) {
        match trouble {
            Accepted::Failing(error) => self.warning(&format!("cannot accept connections: {error}")),
            Accepted::Again => self.info("connections are accepted again"),
            Accepted::Unusable(error) => self.error(&format!("a listening socket cannot be used: {error}")),
            Accepted::StillFailing | Accepted::Client(..) => {}
        }
        if matches!(trouble, Accepted::Failing(_) | Accepted::StillFailing) {
            add(&self.loops[index].accept_failures, 1);
        }
    }

    /// A client's task panicked.
    pub(crate) fn panicked(&self, index: usize) {
        add(&self.loops[index].panics, 1);
        self.error("a client's connection was closed because its task panicked");
    }

    /// A loop has no socket on the door's address.
    pub(crate) fn cannot_listen(&self, reason: &str) {
        self.error(reason);
    }

    /// No connection to the server can be opened, `reason` being another than before.
    pub(crate) fn cannot_open(&self, place: &str, reason: &str, is_full: bool) {
        let advice = if is_full { "; pool.server is more than it takes: lower it, or raise max_connections there" } else { "" };
        self.warning(&format!("cannot open a connection to the server{place}: {reason}{advice}"));
    }

    /// The server refuses a user whom the door let in.
    pub(crate) fn not_let_in(&self, user: &str, reason: &str, is_login: bool) {
        let advice =
            if is_login { "; the file has another password than the server, or the server's pg_hba.conf is against it" } else { "" };
        self.warning(&format!("the server cannot be used as {user}: {reason}{advice}"));
    }

    /// It can again.
    pub(crate) fn reached_again(&self) {
        self.info("the server is reached again");
    }

    /// The connection that listens for clients was lost.
    pub(crate) fn nothing_listens(&self, database: &str, clients: usize, why: &str) {
        self.warning(&format!("nothing listens in database {database} for {clients} clients ({why}); trying again until it does"));
    }

    /// A line of this door.
    fn warning(&self, text: &str) {
        self.log.warning("sql", &format!("{}: {text}", self.name));
    }

    /// See [`Events::warning`].
    fn info(&self, text: &str) {
        self.log.info("sql", &format!("{}: {text}", self.name));
    }

    /// See [`Events::warning`].
    fn error(&self, text: &str) {
        self.log.error("sql", &format!("{}: {text}", self.name));
    }

    fn total(&self, cell: impl Fn(&LoopEvents) -> &AtomicU64) -> u64 {
        self.loops.iter().map(|counts| cell(counts).load(Ordering::Relaxed)).sum()
    }

    fn merged(&self, cell: impl Fn(&LoopEvents) -> &Histogram) -> Histogram {
        let merged = Histogram::default();
        self.loops.iter().for_each(|counts| merged.merge(cell(counts)));
        merged
    }

    fn collect_servers(&self, out: &mut Exposition) {
        let (sum, database) = (self.pool.sum(), ("database", &*self.name));
        for (state, count) in [("idle", sum.idle), ("busy", sum.busy), ("opening", sum.opening)] {
            out.gauge("sql_server_connections", "Connections to the server.", &[database, ("state", state)], count as f64);
        }
        let help = "Connections to the server there may be.";
        out.gauge("sql_server_connections_max", help, &[database], self.pool.most() as f64);
        out.gauge("sql_waiting_clients", "Clients that wait for a connection to the server.", &[database], sum.waiting as f64);
        let wait = self.pool.longest_wait(sum.oldest, Instant::now()).as_secs_f64();
        out.gauge("sql_longest_wait_seconds", "How long the client waits now that waits longest.", &[database], wait);
        out.counter("sql_server_opened_total", "Connections to the server opened.", &[database], self.total(|counts| &counts.opened));
        let help = "Connections to the server that could not be opened.";
        out.counter("sql_server_open_failures_total", help, &[database], self.total(|counts| &counts.open_failures));
        let help = "Connections to the server given to another core.";
        out.counter("sql_server_moved_total", help, &[database], self.total(|counts| &counts.moved));
        for why in Closed::ALL {
            let labels = [database, ("reason", why.label())];
            let count = self.total(|counts| &counts.closed[why as usize]);
            out.counter("sql_server_closed_total", "Connections to the server closed.", &labels, count);
        }
    }

    fn collect_clients(&self, out: &mut Exposition) {
        let database = ("database", &*self.name);
        out.gauge("sql_clients", "Client connections open.", &[database], self.seats.taken() as f64);
        out.counter("sql_clients_total", "Client connections accepted.", &[database], self.total(|counts| &counts.accepted));
        let help = "Clients not let in because `pool.client` was reached.";
        out.counter("sql_clients_refused_total", help, &[database], self.total(|counts| &counts.refused));
        let help = "Times that no connection could be accepted: no descriptor or memory was left.";
        out.counter("sql_accept_failures_total", help, &[database], self.total(|counts| &counts.accept_failures));
        let help = "Client connections given to a less busy loop.";
        out.counter("sql_clients_moved_total", help, &[database], self.total(|counts| &counts.handed_over));
        let help = "Clients that left before their answer.";
        out.counter("sql_clients_gone_total", help, &[database], self.total(|counts| &counts.clients_gone));
        out.counter("sql_panics_total", "Panics caught at a connection.", &[database], self.total(|counts| &counts.panics));
        for pin in Pin::ALL {
            let count: u64 = self.loops.iter().map(|counts| counts.pins.count(pin)).sum();
            let help = "Clients that keep their server connection between transactions.";
            out.gauge("sql_pinned", help, &[database, ("reason", pin.label())], count as f64);
        }
    }
}

impl Collect for Events {
    fn collect(&self, out: &mut Exposition) {
        let database = ("database", &*self.name);
        self.collect_clients(out);
        self.collect_servers(out);
        self.listening.collect(&self.name, out);
        let queries = self.merged(|counts| &counts.queries);
        out.counter("sql_queries_total", "Statements answered.", &[database], queries.count());
        let help = "From a statement's last byte to its answer's last.";
        out.histogram("sql_query_duration_seconds", help, &[database], &queries);
        let help = "What clients waited for a connection to the server, those that did not wait left out.";
        out.histogram("sql_wait_seconds", help, &[database], &self.merged(|counts| &counts.waited));
        out.counter("sql_transactions_total", "Transactions ended.", &[database], self.total(|counts| &counts.transactions));
        for (direction, count) in [("in", self.total(|counts| &counts.bytes_in)), ("out", self.total(|counts| &counts.bytes_out))] {
            out.counter("sql_bytes_total", "Bytes from and to clients.", &[database, ("direction", direction)], count);
        }
        for what in Failure::ALL {
            let count = self.total(|counts| &counts.failures[what as usize]);
            let help = "Statements that failed and clients that were refused.";
            out.counter("sql_errors_total", help, &[database, ("kind", what.label())], count);
        }
    }
}
