//! Clients that keep their server connection between transactions, and why.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use crate::events::Events;
use crate::server::Key;

/// What on a server connection cannot follow its client to another.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Pin {
    /// Temporary tables, views, sequences or functions.
    Temporary,
    /// Session advisory locks.
    Lock,
    /// Cursors `WITH HOLD`.
    Cursor,
    /// SQL's own `PREPARE`.
    Prepared,
    /// It reads its sequences' state.
    Sequence,
    /// It seeded the random numbers.
    Seed,
    /// It loaded a library.
    Library,
    /// A parameter that the user who logged in may not set.
    Parameter,
    /// It listens on its own connection: it reads another encoding than the database's, or nobody can listen for it.
    Listen,
    /// The server would not say what it has.
    Unknown,
}

impl Pin {
    pub(crate) const ALL: [Pin; 10] = [
        Pin::Temporary,
        Pin::Lock,
        Pin::Cursor,
        Pin::Prepared,
        Pin::Sequence,
        Pin::Seed,
        Pin::Library,
        Pin::Parameter,
        Pin::Listen,
        Pin::Unknown,
    ];

    /// As metrics and `db status` name it.
    pub(crate) fn label(self) -> &'static str {
        match self {
            Pin::Temporary => "temporary",
            Pin::Lock => "advisory_lock",
            Pin::Cursor => "cursor",
            Pin::Prepared => "prepare",
            Pin::Sequence => "sequence",
            Pin::Seed => "seed",
            Pin::Library => "library",
            Pin::Parameter => "parameter",
            Pin::Listen => "listen",
            Pin::Unknown => "unknown",
        }
    }
}

/// A set of reasons.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Pins(u16);

impl Pins {
    /// Of each, as metrics and `db status` name it.
    fn labels(self) -> Vec<&'static str> {
        Pin::ALL.into_iter().filter(|pin| self.has(*pin)).map(Pin::label).collect()
    }

    /// None: the connection may go back.
    pub(crate) const NONE: Pins = Pins(0);

    /// The same with `pin`.
    pub(crate) fn with(self, pin: Pin) -> Pins {
        Pins(self.0 | 1 << pin as u16)
    }

    /// The same without `pin`.
    pub(crate) fn without(self, pin: Pin) -> Pins {
        Pins(self.0 & !(1 << pin as u16))
    }

    /// Whether `pin` is in it.
    pub(crate) fn has(self, pin: Pin) -> bool {
        self.0 & (1 << pin as u16) != 0
    }

    /// Whether there is none.
    pub(crate) fn is_empty(self) -> bool {
        self.0 == 0
    }
}

/// How many clients of one loop are pinned, by reason.
#[derive(Debug, Default)]
pub(crate) struct PinCounts([AtomicU64; Pin::ALL.len()]);

impl PinCounts {
    pub(crate) fn count(&self, pin: Pin) -> u64 {
        self.0[pin as usize].load(Ordering::Relaxed)
    }

    /// Written by its loop only.
    fn change(&self, before: Pins, after: Pins) {
        for pin in Pin::ALL {
            let count = (self.count(pin) + u64::from(after.has(pin))).saturating_sub(u64::from(before.has(pin)));
            self.0[pin as usize].store(count, Ordering::Relaxed);
        }
    }
}

/// One client that is pinned.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pinned {
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
    /// The server's process that it keeps, as `pg_stat_activity` has it.
    pub server: u32,
    /// Why: `temporary`, `advisory_lock`, `cursor`, `prepare`, `sequence`, `seed`, `library`,
    /// `parameter`, `listen`, `unknown`.
    pub reasons: Vec<&'static str>,
    /// For how long.
    pub age: Duration,
}

/// Who is pinned, and where.
#[derive(Debug, Clone)]
pub(crate) struct Who {
    pub(crate) key: Arc<Key>,
    pub(crate) application: String,
    pub(crate) address: Option<SocketAddr>,
    /// The process that the client was told.
    pub(crate) process: u32,
    /// The server's.
    pub(crate) server: u32,
}

/// The pinned clients of one loop.
#[derive(Debug)]
pub(crate) struct PinBoard {
    here: usize,
    events: Arc<Events>,
    clients: RefCell<BTreeMap<u64, (Who, Pins, Instant)>>,
}

/// One client's place on the board, pinned or not; it goes with it.
#[derive(Debug)]
pub(crate) struct PinPlace {
    board: Rc<PinBoard>,
    client: u64,
    pins: Pins,
}

impl PinBoard {
    pub(crate) fn new(here: usize, events: Arc<Events>) -> Rc<PinBoard> {
        Rc::new(PinBoard { here, events, clients: RefCell::default() })
    }

    /// A place for client `client`.
    pub(crate) fn place(self: &Rc<PinBoard>, client: u64) -> PinPlace {
        PinPlace { board: self.clone(), client, pins: Pins::NONE }
    }

    /// Why client `client` is pinned, if it is.
    pub(crate) fn reasons(&self, client: u64) -> Vec<&'static str> {
        self.clients.borrow().get(&client).map(|(_, pins, _)| pins.labels()).unwrap_or_default()
    }

    /// All who are pinned now.
    pub(crate) fn list(&self, now: Instant) -> Vec<Pinned> {
        let pinned = |(client, (who, pins, since)): (&u64, &(Who, Pins, Instant))| Pinned {
            user: who.key.user.to_string(),
            database: who.key.database.to_string(),
            application: who.application.clone(),
            address: who.address,
            client: *client,
            process: who.process,
            server: who.server,
            reasons: pins.labels(),
            age: now.saturating_duration_since(*since),
        };
        self.clients.borrow().iter().map(pinned).collect()
    }
}

impl PinPlace {
    /// Why the client is pinned from now on; `who` it is is asked when that is new.
    pub(crate) fn set(&mut self, who: impl FnOnce() -> Who, pins: Pins, now: Instant) {
        let before = std::mem::replace(&mut self.pins, pins);
        if before == pins {
            return;
        }
        let board = &self.board;
        board.events.loops[board.here].pins.change(before, pins);
        let mut clients = board.clients.borrow_mut();
        if pins.is_empty() {
            clients.remove(&self.client);
        } else {
            clients.entry(self.client).or_insert_with(|| (who(), pins, now)).1 = pins;
        }
    }

    /// Why it is pinned.
    pub(crate) fn pins(&self) -> Pins {
        self.pins
    }
}

impl Drop for PinPlace {
    fn drop(&mut self) {
        if !self.pins.is_empty() {
            self.board.events.loops[self.board.here].pins.change(self.pins, Pins::NONE);
            self.board.clients.borrow_mut().remove(&self.client);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::server::Pool;

    #[test]
    fn a_client_is_on_the_board_while_it_is_pinned() {
        let events = Events::new(telemetry::Log::nowhere(), "main".into(), Pool::new(1, 1).0, loops::Seats::new(1).0, 1);
        let (board, now) = (PinBoard::new(0, Arc::new(events)), Instant::now());
        let key = Arc::new(Key { user: "u".into(), database: "d".into() });
        let who = || Who { key: key.clone(), application: "a".into(), address: None, process: 8, server: 9 };
        let mut place = board.place(7);
        place.set(who, Pins::NONE.with(Pin::Lock), now);
        place.set(who, Pins::NONE.with(Pin::Lock).with(Pin::Cursor), now + Duration::from_secs(1));
        let listed = board.list(now + Duration::from_secs(3));
        assert_eq!((listed.len(), listed[0].client, listed[0].age), (1, 7, Duration::from_secs(3)));
        assert_eq!((&*listed[0].application, listed[0].process, listed[0].server), ("a", 8, 9));
        assert_eq!(listed[0].reasons, ["advisory_lock", "cursor"]);
        let counts = &board.events.loops[0].pins;
        assert_eq!((counts.count(Pin::Lock), counts.count(Pin::Seed)), (1, 0));
        drop(place);
        assert_eq!((board.list(now).len(), counts.count(Pin::Lock)), (0, 0));
    }
}
