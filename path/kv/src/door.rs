//! What one loop keeps for its clients.

use std::cell::{Cell, RefCell};
use std::net::SocketAddr;
use std::rc::Rc;
use std::sync::atomic::{AtomicBool, AtomicU16, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use loops::{Loop, Seats};
use rustls::ServerConfig;

use crate::client::bounds::Bounds;
use crate::client::{Client, Ends, Peer, Roster};
use crate::command::{Command, only_reads};
use crate::config::Config;
use crate::events::{Events, LoopEvents, add};
use crate::frame::Args;
use crate::latency::Latency;
use crate::memcached::{Base, Flushes, Session};
use crate::pause::Pause;
use crate::persist::Persist;
use crate::plan::Plan;
use crate::pubsub::Channels;
use crate::rates::Rates;
use crate::script::Scripts;
use crate::slow::SlowLog;
use crate::store::{Ms, Outcome, Store};
use crate::users::Users;
use crate::visit::Desk;

/// Desks kept for the next busy client.
const DESKS: usize = 64;

/// What all loops of the tier share.
#[derive(Debug)]
pub(crate) struct Shared {
    pub(crate) seats: Arc<Seats>,
    pub(crate) events: Arc<Events>,
    pub(crate) store: Arc<Store>,
    pub(crate) config: Config,
    pub(crate) channels: Channels,
    pub(crate) roster: Roster,
    pub(crate) users: Users,
    pub(crate) bounds: Arc<Bounds>,
    /// What clients speak TLS with, if they do.
    tls: Mutex<Option<Arc<ServerConfig>>>,
    pub(crate) slow: SlowLog,
    pub(crate) latency: Latency,
    pub(crate) rates: Rates,
    pub(crate) pause: Pause,
    pub(crate) scripts: Scripts,
    pub(crate) persist: Persist,
    /// When the tier was started.
    pub(crate) started: Ms,
    /// Somebody sees all commands, clients may have to wait, or writes are refused: each command is looked at.
    is_watched: AtomicBool,
    /// Keys that are overdue go although nobody asks for them.
    active_expire: AtomicBool,
    /// See [`Shared::tests_in_scripts`].
    tests_in_scripts: AtomicBool,
    /// Client connections open on all loops; drained when zero.
    pub(crate) open: AtomicU64,
    clients: AtomicU64,
    /// Who comes in at this port speaks memcached's protocol; 0: nobody does.
    pub(crate) memcached_port: AtomicU16,
    /// Of `flush_all`.
    pub(crate) flushes: Flushes,
    /// Of `stats reset`.
    pub(crate) tally_base: Base,
}

/// One loop's part of the tier.
#[derive(Debug)]
pub(crate) struct Door {
    pub(crate) here: Loop,
    pub(crate) common: Arc<Shared>,
    // A box is what a visit holds, so that its future stays small.
    #[allow(clippy::vec_box)]
    desks: RefCell<Vec<Box<Desk>>>,
    draining: Cell<bool>,
}

/// Milliseconds since 1970.
pub(crate) fn now() -> Ms {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_millis() as Ms)
}

impl Shared {
    pub(crate) fn new(seats: Arc<Seats>, events: Arc<Events>, store: Arc<Store>, config: Config, persist: Persist) -> Shared {
        Shared {
            seats,
            events,
            store,
            config,
            channels: Channels::default(),
            roster: Roster::default(),
            users: Users::new(&[]),
            bounds: Arc::default(),
            tls: Mutex::default(),
            slow: SlowLog::default(),
            latency: Latency::default(),
            rates: Rates::default(),
            pause: Pause::default(),
            scripts: Scripts::default(),
            persist,
            started: now(),
            is_watched: AtomicBool::new(false),
            active_expire: AtomicBool::new(true),
            tests_in_scripts: AtomicBool::new(false),
            open: AtomicU64::new(0),
            clients: AtomicU64::new(0),
            memcached_port: AtomicU16::new(0),
            flushes: Flushes::default(),
            tally_base: Base::default(),
        }
    }

    /// Users are those of `plan` from now on, and new clients speak TLS with `tls`, if there is any. Those whose user is no more are closed.
    pub(crate) fn follow(&self, plan: &Plan, tls: Option<Arc<ServerConfig>>) {
        *self.tls.lock().unwrap_or_else(PoisonError::into_inner) = tls;
        let gone = self.users.follow(&plan.users);
        self.roster.all_of(gone.iter().map(|name| &**name)).iter().for_each(|peer| peer.end(Ends::Killed));
    }

    /// What a new client speaks TLS with, if it is to.
    pub(crate) fn tls(&self) -> Option<Arc<ServerConfig>> {
        self.tls.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Whether each command must be looked at: see [`Shared::shows`] and [`Shared::must_wait`].
    #[inline]
    pub(crate) fn is_watched(&self) -> bool {
        self.is_watched.load(Ordering::Relaxed)
    }

    /// There are monitors, a pause, or trouble with files, or none any more.
    pub(crate) fn look(&self) {
        self.is_watched.store(self.roster.has_monitors() || self.pause.is_on(now()) || self.persist.is_troubled(), Ordering::Relaxed);
    }

    /// Whether a command must wait until clients may go on.
    pub(crate) fn must_wait(&self, client: &Client, command: &Command, args: Args<'_>, now: Ms) -> bool {
        let writes = |command: &Command, args: Args<'_>| !only_reads(command) && !self.scripts.readers.run_by(command, args);
        self.pause.is_on(now) && self.pause.holds(client, command, args, writes)
    }

    /// Shows a command to those who want to see all.
    pub(crate) fn shows(&self, peer: &Peer, command: &Command, args: Args<'_>) {
        self.roster.show(peer, command, args);
    }

    /// What a client who came in at `local` needs if it speaks memcached's protocol.
    pub(crate) fn memcached(&self, local: SocketAddr) -> Option<Box<Session>> {
        let port = self.memcached_port.load(Ordering::Acquire);
        (port != 0 && port == local.port()).then(Box::default)
    }

    /// Whether keys that are overdue go although nobody asks for them.
    pub(crate) fn active_expire(&self) -> bool {
        self.active_expire.load(Ordering::Relaxed)
    }

    pub(crate) fn set_active_expire(&self, is_on: bool) {
        self.active_expire.store(is_on, Ordering::Relaxed);
    }

    /// Whether scripts may do what only tests of clients need.
    pub(crate) fn tests_in_scripts(&self) -> bool {
        self.tests_in_scripts.load(Ordering::Relaxed)
    }

    pub(crate) fn set_tests_in_scripts(&self, is_on: bool) {
        self.tests_in_scripts.store(is_on, Ordering::Relaxed);
    }

    /// Adds what the worker changed.
    pub(crate) fn count_changes(&self, outcome: &Outcome) {
        add(&self.events.worker.changes, outcome.changes);
    }

    /// A name for this run, of 40 hexadecimal digits.
    pub(crate) fn run_id(&self) -> String {
        format!("{:032x}{:08x}", self.started, std::process::id())
    }

    /// A command took so long.
    pub(crate) fn took(&self, peer: &Peer, command: &Command, args: Args<'_>, time: Duration) {
        self.latency.note(&self.config, command, time, now());
        if self.slow.note(&self.config, peer, command, args, time) {
            self.events.slow.fetch_add(1, Ordering::Relaxed);
        }
    }
}

impl Door {
    pub(crate) fn new(here: Loop, common: Arc<Shared>) -> Rc<Door> {
        Rc::new(Door { here, common, desks: RefCell::default(), draining: Cell::new(false) })
    }

    /// What this loop counts.
    pub(crate) fn events(&self) -> &LoopEvents {
        &self.common.events.loops[self.here.index]
    }

    pub(crate) fn take_desk(&self) -> Box<Desk> {
        self.desks.borrow_mut().pop().unwrap_or_default()
    }

    pub(crate) fn give_back(&self, mut desk: Box<Desk>) {
        let mut desks = self.desks.borrow_mut();
        if desks.len() < DESKS {
            desk.clear();
            desks.push(desk);
        }
    }

    /// A number for a client that no other of this tier has.
    pub(crate) fn new_client(&self) -> u64 {
        self.common.clients.fetch_add(1, Ordering::Relaxed) + 1
    }

    pub(crate) fn is_draining(&self) -> bool {
        self.draining.get()
    }

    /// From now on clients are closed between two commands; idle ones are woken to be closed.
    pub(crate) fn drain(&self) {
        self.draining.set(true);
        self.here.alarms.wake_all();
    }

    pub(crate) fn opened(&self) {
        self.common.open.fetch_add(1, Ordering::Relaxed);
    }

    pub(crate) fn closed(&self) {
        self.common.open.fetch_sub(1, Ordering::Release);
    }
}
