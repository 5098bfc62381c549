//! Clients that have a transaction open, or whose statement runs: what they do with their server connection, and since when.
//!
//! Written where it changes, by the client's own loop; put together when somebody asks.

use std::cell::{Cell, RefCell};
use std::cmp::Reverse;
use std::net::SocketAddr;
use std::rc::Rc;
use std::sync::Arc;
use std::time::{Duration, Instant};

use crate::session::{Client, Reported};

/// Clients told of each door: those that have had their transaction open for longest.
const LONGEST: usize = 10;

/// What a client does with the connection that it has.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) enum Doing {
    /// Nothing: it keeps the connection between two transactions.
    #[default]
    Rests,
    /// It waits for the answer to a statement outside a transaction.
    Statement,
    /// It waits for an answer in a transaction.
    Runs,
    /// Its transaction waits for it.
    Idle,
    /// The same, and the transaction has failed.
    Failed,
}

impl Doing {
    /// Of a server's last `status` (`I`, `T` or `E`), when the client has all its answers or not. A batch that is open, whose
    /// `Sync` is to come, is a transaction.
    pub(crate) fn of(status: u8, is_open: bool, is_answered: bool) -> Doing {
        match (status, is_answered) {
            (b'I', true) if !is_open => Doing::Rests,
            (b'I', false) if !is_open => Doing::Statement,
            (_, false) => Doing::Runs,
            (b'E', true) => Doing::Failed,
            (_, true) => Doing::Idle,
        }
    }

    /// Whether the client waits for the server.
    pub(crate) fn is_running(self) -> bool {
        matches!(self, Doing::Statement | Doing::Runs)
    }

    /// Whether a transaction waits for the client.
    pub(crate) fn is_idle(self) -> bool {
        matches!(self, Doing::Idle | Doing::Failed)
    }

    /// Whether a transaction is open.
    pub(crate) fn is_in_transaction(self) -> bool {
        self.is_idle() || self == Doing::Runs
    }

    /// As `db status` names it.
    fn label(self) -> &'static str {
        match self {
            Doing::Rests => "rests",
            Doing::Statement => "statement",
            Doing::Runs => "running",
            Doing::Idle => "idle",
            Doing::Failed => "failed",
        }
    }
}

/// One client's work, as others on its loop see it.
#[derive(Debug)]
pub(crate) struct Work {
    doing: Cell<Doing>,
    since: Cell<Option<Instant>>,
    /// Who the client is, once it is in.
    who: RefCell<Option<(Rc<Client>, Arc<Reported>)>>,
}

impl Default for Work {
    fn default() -> Work {
        Work { doing: Cell::new(Doing::Rests), since: Cell::default(), who: RefCell::default() }
    }
}

impl Work {
    /// It is this client, who was `told` so much of its session's parameters.
    pub(crate) fn is_of(&self, client: &Rc<Client>, told: &Arc<Reported>) {
        *self.who.borrow_mut() = Some((client.clone(), told.clone()));
    }

    /// A connection was lent for what came at `came`.
    pub(crate) fn begins(&self, came: Instant) {
        self.doing.set(Doing::Statement);
        self.since.set(Some(came));
    }

    /// What the client does now; the last that it said came at `came`.
    pub(crate) fn is(&self, doing: Doing, came: Instant) {
        if self.doing.replace(doing) == Doing::Rests && doing != Doing::Rests {
            self.since.set(Some(came));
        }
    }

    /// Since when its transaction is open or its statement runs.
    fn since(&self) -> Option<Instant> {
        self.since.get().filter(|_| self.doing.get() != Doing::Rests)
    }
}

/// A client that has a transaction open, or whose statement runs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OpenTransaction {
    /// Its user.
    pub user: String,
    /// Its database.
    pub database: String,
    /// What it calls itself, empty if it does not.
    pub application: String,
    /// Where it comes from.
    pub address: Option<SocketAddr>,
    /// Its number at the door.
    pub client: u64,
    /// The process that it was told.
    pub process: u32,
    /// The server's process that it has, as `pg_stat_activity` has it.
    pub server: u32,
    /// What it does: `idle` (the transaction waits for the client), `failed` (the same, after an error), `running`, or `statement`
    /// (one outside a transaction runs).
    pub doing: &'static str,
    /// Why it will keep the server's process after that, as of [`Pinned`](crate::Pinned).
    pub pins: Vec<&'static str>,
    /// For how long it has been open.
    pub age: Duration,
}

/// Open transactions, of a loop or of a door.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Open {
    /// How many there are.
    pub total: usize,
    /// Those that have been open for longest, the longest first; 10 at most.
    pub longest: Vec<OpenTransaction>,
}

impl Open {
    /// Of one loop: each client that has a connection, with the process of its server; `pins` says why it will keep that.
    pub(crate) fn of<'w>(busy: impl Iterator<Item = (&'w Work, u32)>, pins: impl Fn(u64) -> Vec<&'static str>, now: Instant) -> Open {
        let mut all: Vec<(Instant, &Work, u32)> = busy.filter_map(|(work, server)| Some((work.since()?, work, server))).collect();
        let total = all.len();
        all.sort_unstable_by_key(|(since, ..)| *since);
        let longest = all.into_iter().take(LONGEST).filter_map(|(since, work, server)| {
            let who = work.who.borrow();
            let (client, told) = who.as_ref()?;
            Some(OpenTransaction {
                user: client.key.user.to_string(),
                database: client.key.database.to_string(),
                application: told.application(),
                address: client.address,
                client: client.number,
                process: client.process,
                server,
                doing: work.doing.get().label(),
                pins: pins(client.number),
                age: now.saturating_duration_since(since),
            })
        });
        Open { total, longest: longest.collect() }
    }

    /// Those of several loops together.
    pub(crate) fn join(loops: impl IntoIterator<Item = Open>) -> Open {
        let mut all = loops.into_iter().fold(Open::default(), |mut all, one| {
            all.total += one.total;
            all.longest.extend(one.longest);
            all
        });
        all.longest.sort_by_key(|open| Reverse(open.age));
        all.longest.truncate(LONGEST);
        all
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::server::Key;

    fn work(number: u64, doing: Doing, began: Instant) -> Work {
        let (work, key) = (Work::default(), Arc::new(Key { user: "u".into(), database: "d".into() }));
        work.is_of(&Rc::new(Client { number, process: 7, key, address: None }), &Arc::default());
        work.begins(began);
        work.is(doing, began + Duration::from_secs(1));
        work
    }

    #[test]
    fn what_a_client_does_follows_from_its_answers() {
        let all = [(b'I', true), (b'I', false), (b'T', false), (b'E', false), (b'T', true), (b'E', true)];
        let labels = all.map(|(status, is_answered)| Doing::of(status, false, is_answered).label());
        assert_eq!(labels, ["rests", "statement", "running", "running", "idle", "failed"]);
        assert_eq!([true, false].map(|is_answered| Doing::of(b'I', true, is_answered).label()), ["idle", "running"]);
    }

    #[test]
    fn a_transaction_is_as_old_as_what_began_it() {
        let start = Instant::now();
        let at = |seconds| start + Duration::from_secs(seconds);
        let work = work(1, Doing::Idle, start);
        work.is(Doing::Runs, at(5));
        assert_eq!(work.since(), Some(start));
        // It keeps its connection, and begins another one later.
        work.is(Doing::Rests, at(6));
        assert_eq!(work.since(), None);
        work.is(Doing::Idle, at(9));
        assert_eq!(work.since(), Some(at(9)));
    }

    #[test]
    fn the_longest_are_told_and_all_are_counted() {
        let start = Instant::now();
        let at = |seconds| start + Duration::from_secs(seconds);
        let of = |from: u64, to: u64| {
            let works: Vec<Work> = (from..to).map(|number| work(number, Doing::Idle, at(number))).collect();
            let rests = work(99, Doing::Rests, start);
            let busy = works.iter().chain([&rests]).map(|work| (work, 8));
            Open::of(busy, |client| if client == 3 { vec!["cursor"] } else { Vec::new() }, at(100))
        };
        let open = Open::join([of(12, 24), of(0, 12)]);
        assert_eq!(open.total, 24);
        assert_eq!(open.longest.iter().map(|one| one.client).collect::<Vec<_>>(), (0..10).collect::<Vec<_>>());
        let OpenTransaction { server, doing, pins, age, .. } = &open.longest[3];
        assert_eq!((*server, *doing, &pins[..], *age), (8, "idle", &["cursor"][..], Duration::from_secs(97)));
    }
}
