//! An endpoint in its group: what all loops share of it, and what each loop alone knows.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::Ordering::{Relaxed, SeqCst};
use std::sync::atomic::{AtomicBool, AtomicU8, AtomicU32, AtomicU64};
use std::time::{Duration, Instant};

use contract::Endpoint;

use super::choice::Look;
use super::health::Health;
use super::latency::{CEILING, Latency};
use super::waiting::Room;

/// How an endpoint stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum State {
    /// Takes requests.
    Up,
    /// Not checked yet: takes requests only when none is up.
    Starting,
    /// Its checks fail, or it refused a connection just now.
    Down,
    /// Failed too often in a row and is left for a while.
    Ejected,
}

/// One endpoint for status.
#[derive(Debug, Clone, PartialEq)]
pub struct PeerState {
    /// The instance's name.
    pub name: Arc<str>,
    /// Where it listens.
    pub address: SocketAddr,
    /// How it stands.
    pub state: State,
    /// Requests open over all loops.
    pub in_flight: u32,
    /// Upgraded connections open over all loops.
    pub upgraded: u32,
    /// Peak EWMA of the time to the first byte, the highest of all loops; `None`: not measured yet.
    pub latency: Option<Duration>,
    /// Attempts made here since it joined.
    pub requests: u64,
    /// Attempts that failed: no connection, cut, silent, invalid, or a status of 500 and above.
    pub failures: u64,
    /// How often it was ejected.
    pub ejections: u64,
}

/// What all loops share of an endpoint. Written when something changes, so that reading it costs no traffic between cores.
#[derive(Debug)]
pub(super) struct Member {
    pub id: u64,
    pub endpoint: Endpoint,
    joined: u64,
    pub gone: AtomicBool,
    health: AtomicU8,
    /// When its checks found it well again.
    returned: AtomicU64,
    /// How often they did.
    pub returns: AtomicU32,
    /// When the last connection to it failed; 0: never, or well since.
    dead_at: AtomicU64,
    pub ejected_until: AtomicU64,
    /// Failures in a row.
    pub failures: AtomicU32,
    pub ejections: AtomicU32,
    pub ejections_total: AtomicU64,
}

/// How long a refused connection keeps an endpoint out: until two checks have had their say.
const DEAD: u64 = 2_000_000_000;

/// When nothing else is left, how soon it is tried again.
const DEAD_AT_LEAST: u64 = 500_000_000;

impl Member {
    pub fn new(id: u64, endpoint: Endpoint, joined: u64, health: Health) -> Member {
        Member {
            id,
            endpoint,
            joined,
            gone: AtomicBool::new(false),
            health: AtomicU8::new(health as u8),
            returned: AtomicU64::new(0),
            returns: AtomicU32::new(0),
            dead_at: AtomicU64::new(0),
            ejected_until: AtomicU64::new(0),
            failures: AtomicU32::new(0),
            ejections: AtomicU32::new(0),
            ejections_total: AtomicU64::new(0),
        }
    }

    pub fn health(&self) -> Health {
        match self.health.load(Relaxed) {
            up if up == Health::Up as u8 => Health::Up,
            down if down == Health::Down as u8 => Health::Down,
            _ => Health::Unknown,
        }
    }

    pub fn state(&self, now: u64) -> State {
        match self.health() {
            _ if self.seen_dead(now, DEAD) => State::Down,
            Health::Down => State::Down,
            _ if now < self.ejected_until.load(Relaxed) => State::Ejected,
            Health::Unknown => State::Starting,
            Health::Up => State::Up,
        }
    }

    /// Whether it may be used although it is not up, because none is.
    pub fn last_resort(&self, now: u64) -> bool {
        !self.seen_dead(now, DEAD_AT_LEAST)
    }

    fn seen_dead(&self, now: u64, within: u64) -> bool {
        let at = self.dead_at.load(Relaxed);
        at > 0 && now < at + within
    }

    /// A connection failed.
    pub fn died(&self, now: u64) {
        self.dead_at.store(now.max(1), Relaxed);
    }

    /// Checks found it so; `true` when that changes how it stands.
    pub fn set_health(&self, health: Health, now: u64) -> bool {
        let before = self.health();
        self.health.store(health as u8, SeqCst);
        let revived = health == Health::Up && self.dead_at.swap(0, Relaxed) > 0;
        let changed = before != health;
        if health == Health::Up && (changed || revived) {
            self.returned.store(now, Relaxed);
            self.returns.fetch_add(1, Relaxed);
        }
        changed || revived
    }

    /// When it last came (back): slow start counts from here, and what was measured before is forgotten.
    pub fn came(&self) -> u64 {
        let dead_at = self.dead_at.load(Relaxed);
        let dead_until = if dead_at > 0 { dead_at + DEAD } else { 0 };
        self.joined.max(self.returned.load(Relaxed)).max(self.ejected_until.load(Relaxed)).max(dead_until)
    }
}

/// One loop's end of an endpoint. Clones of the `Arc` stay on that loop, so that no reference count is shared by cores.
///
/// Only the loop's own thread writes; status and scrape read.
#[derive(Debug)]
#[repr(align(128))]
pub struct Peer {
    pub(super) member: Arc<Member>,
    pub(super) room: Arc<Room>,
    pub(super) loop_index: usize,
    estimate: AtomicU64,
    before: [AtomicU64; 2],
    at: AtomicU64,
    waiting: AtomicU32,
    silent_since: AtomicU64,
    requests: AtomicU64,
    failed: AtomicU64,
}

impl Peer {
    pub(super) fn new(member: Arc<Member>, room: Arc<Room>, loop_index: usize) -> Peer {
        Peer {
            member,
            room,
            loop_index,
            estimate: AtomicU64::new(0),
            before: [AtomicU64::new(0), AtomicU64::new(0)],
            at: AtomicU64::new(0),
            waiting: AtomicU32::new(0),
            silent_since: AtomicU64::new(0),
            requests: AtomicU64::new(0),
            failed: AtomicU64::new(0),
        }
    }

    /// Unique within the group for all time, and another one after it was down and came back: what `tried` lists, so
    /// that a request that waited for it may be sent there again.
    pub fn id(&self) -> u64 {
        self.member.id | u64::from(self.member.returns.load(Relaxed)) << 32
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.member.endpoint.address
    }

    /// The instance's name.
    pub fn name(&self) -> &Arc<str> {
        &self.member.endpoint.name
    }

    /// It left the list: its idle connections are of no use any more.
    pub fn is_gone(&self) -> bool {
        self.member.gone.load(Relaxed)
    }

    /// How it stands.
    pub fn state(&self, now: Instant) -> State {
        self.member.state(self.room.nanos(now))
    }

    pub(super) fn look(&self, now: u64) -> Look {
        let latency = self.latency();
        let known = latency.estimate > 0 && latency.at >= self.member.came();
        let (measured, faded) = if known { (latency.estimate, latency.faded(now)) } else { (0, 0) };
        let silent = match self.waiting.load(Relaxed) {
            0 => 0,
            _ => now.saturating_sub(self.silent_since.load(Relaxed)).min(CEILING),
        };
        Look { measured, faded, silent, open: self.member.endpoint.in_flight.requests_of(self.loop_index) }
    }

    pub(super) fn latency(&self) -> Latency {
        let [newer, older] = &self.before;
        Latency { estimate: self.estimate.load(Relaxed), before: [newer.load(Relaxed), older.load(Relaxed)], at: self.at.load(Relaxed) }
    }

    pub(super) fn observe(&self, sample: u64, now: u64) {
        let before = if self.at.load(Relaxed) >= self.member.came() { self.latency() } else { Latency::default() };
        let after = before.observe(sample, now);
        self.estimate.store(after.estimate, Relaxed);
        self.before[0].store(after.before[0], Relaxed);
        self.before[1].store(after.before[1], Relaxed);
        self.at.store(after.at, Relaxed);
    }

    /// Whether `bound` requests are open there. To spare a look at every loop's count, an endpoint of which this loop
    /// has less than a quarter of its part counts as free.
    pub(super) fn is_full(&self, bound: u32, loops: usize) -> bool {
        let in_flight = &self.member.endpoint.in_flight;
        in_flight.requests_of(self.loop_index) >= bound / (4 * loops as u32) && in_flight.requests() >= bound
    }

    pub(super) fn count_request(&self) {
        add(&self.requests, 1);
    }

    pub(super) fn count_failure(&self) {
        add(&self.failed, 1);
    }

    pub(super) fn counts(&self) -> (u64, u64) {
        (self.requests.load(Relaxed), self.failed.load(Relaxed))
    }

    /// One more request waits for its answer.
    pub(super) fn wait(&self, now: u64) {
        let waiting = self.waiting.load(Relaxed);
        if waiting == 0 {
            self.silent_since.store(now, Relaxed);
        }
        self.waiting.store(waiting + 1, Relaxed);
    }

    /// One waits no more; it answered, or did not.
    pub(super) fn wait_no_more(&self, answered_at: Option<u64>) {
        self.waiting.store(self.waiting.load(Relaxed).saturating_sub(1), Relaxed);
        if let Some(now) = answered_at {
            self.silent_since.store(now, Relaxed);
        }
    }
}

/// A single writer needs no locked add.
fn add(cell: &AtomicU64, more: u64) {
    cell.store(cell.load(Relaxed) + more, Relaxed);
}
