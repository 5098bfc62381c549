//! One app's endpoints as all loops see them.

use std::sync::atomic::Ordering::Relaxed;
use std::sync::atomic::{AtomicU32, AtomicU64, AtomicUsize};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use arc_swap::ArcSwap;
use contract::Endpoint;
use telemetry::Log;

use super::budget::Budget;
use super::eject::{self, Standing};
use super::health::Health;
use super::member::{Member, Peer, PeerState, State};
use super::retry::{self, Attempt, Decision, Failure};
use super::turn::{self, Turn};
use super::waiting::{Room, Waiting};
use super::{events, slow_start};
use crate::events::add;

/// Bounds that a reload may change.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Bounds {
    /// Requests open at one endpoint over all loops.
    pub in_flight: usize,
    /// Requests that wait for an endpoint.
    pub queue: usize,
}

/// Why there is no endpoint for a request now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NoPeer {
    /// The app has none.
    Empty,
    /// All are down; worth waiting for.
    Down,
    /// All that are up are at their bound; worth waiting for.
    Busy,
    /// All that are up were tried by this request.
    Tried,
}

/// One app's endpoints, shared by all loops; kept over reloads and changes of the list.
#[derive(Debug)]
pub struct Group {
    pub(super) app: Arc<str>,
    pub(super) log: Log,
    loops: usize,
    checked_at_join: bool,
    in_flight: AtomicU32,
    queue: AtomicUsize,
    pub(super) room: Arc<Room>,
    list: ArcSwap<List>,
    locals: Box<[Local]>,
    /// Held while the list changes, never by a request.
    next_id: Mutex<u64>,
}

/// The endpoints of one moment: each loop's own end of every member, in the order of the list.
#[derive(Debug, Default)]
struct List {
    members: Vec<Arc<Member>>,
    peers: Vec<Vec<Arc<Peer>>>,
}

/// What one loop alone writes; a scrape reads the counts.
#[derive(Debug)]
#[repr(align(128))]
struct Local {
    turn: Turn,
    budget: Budget,
    elsewhere: AtomicU64,
    same: AtomicU64,
    over_budget: AtomicU64,
}

/// What one loop has decided so far.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Counts {
    pub elsewhere: u64,
    pub same: u64,
    pub over_budget: u64,
}

impl Group {
    /// A group over the endpoints known `now`.
    ///
    /// `loops` as the endpoints' `InFlight` has them. With `checked_at_join` an endpoint that joins counts as up (the
    /// supervisor has checked it); else it takes requests after its first check, or when none is up. `seed` decides
    /// which of many endpoints are compared.
    pub fn new(app: Arc<str>, loops: usize, bounds: Bounds, checked_at_join: bool, log: Log, seed: u64, now: Instant) -> Arc<Group> {
        let loops = loops.max(1);
        let local = |index: usize| Local {
            turn: Turn::new(seed.wrapping_add(index as u64)),
            budget: Budget::default(),
            elsewhere: AtomicU64::new(0),
            same: AtomicU64::new(0),
            over_budget: AtomicU64::new(0),
        };
        let group = Arc::new_cyclic(|group| Group {
            app,
            log,
            loops,
            checked_at_join,
            in_flight: AtomicU32::new(0),
            queue: AtomicUsize::new(0),
            room: Arc::new(Room::new(now, group.clone())),
            list: ArcSwap::from_pointee(List::default()),
            locals: (0..loops).map(local).collect(),
            next_id: Mutex::new(0),
        });
        group.set_bounds(bounds);
        group
    }

    /// The app's name.
    pub fn app(&self) -> &Arc<str> {
        &self.app
    }

    /// New bounds from a reload.
    pub fn set_bounds(&self, bounds: Bounds) {
        self.in_flight.store(bounds.in_flight.clamp(1, u32::MAX as usize) as u32, Relaxed);
        self.queue.store(bounds.queue, Relaxed);
        self.room.wake_all();
    }

    /// The list changed: what stays keeps its state, what is new joins, what left gets nothing new. [`super::keep`] calls it.
    pub fn update(&self, endpoints: &[Endpoint], now: Instant) {
        let mut next_id = self.next_id.lock().unwrap_or_else(PoisonError::into_inner);
        let before = self.list.load_full();
        let mut after = List { members: Vec::new(), peers: vec![Vec::new(); self.loops] };
        for endpoint in endpoints {
            let known = before.members.iter().position(|member| member.endpoint.is(endpoint));
            let member = known.map_or_else(|| self.join(endpoint, &mut next_id, now), |index| before.members[index].clone());
            for (loop_index, peers) in after.peers.iter_mut().enumerate() {
                let new = || Arc::new(Peer::new(member.clone(), self.room.clone(), loop_index));
                peers.push(known.map_or_else(new, |index| before.peers[loop_index][index].clone()));
            }
            after.members.push(member);
        }
        for member in before.members.iter().filter(|old| !after.members.iter().any(|new| Arc::ptr_eq(old, new))) {
            member.gone.store(true, Relaxed);
        }
        self.list.store(Arc::new(after));
        self.room.wake_all();
    }

    fn join(&self, endpoint: &Endpoint, next_id: &mut u64, now: Instant) -> Arc<Member> {
        *next_id += 1;
        let health = if self.checked_at_join { Health::Up } else { Health::Unknown };
        let joined = self.room.nanos(endpoint.since.min(now));
        Arc::new(Member::new(*next_id, endpoint.clone(), joined, health))
    }

    /// The endpoint for a request of loop `loop_index`; `tried` are the ids of those this request has failed at.
    ///
    /// Only that loop's thread may ask. An endpoint for a first attempt (nothing tried) adds to the retry budget.
    pub fn choose(&self, loop_index: usize, now: Instant, tried: &[u64]) -> Result<Arc<Peer>, NoPeer> {
        let now = self.room.nanos(now);
        let list = self.list.load();
        let Some(peers) = list.peers.get(loop_index).filter(|peers| !peers.is_empty()) else { return Err(NoPeer::Empty) };
        let local = &self.locals[loop_index];
        let bound = self.in_flight.load(Relaxed);
        let free = |peer: &Arc<Peer>| !tried.contains(&peer.id()) && !peer.is_full(bound, self.loops);
        let ready = |peer: &Arc<Peer>| peer.member.state(now) == State::Up && free(peer);
        if let Some(peer) = local.turn.choose(peers, now, ready) {
            if tried.is_empty() {
                local.budget.deposit(now);
            }
            return Ok(peer.clone());
        }
        let mut up = peers.iter().filter(|peer| peer.member.state(now) == State::Up).peekable();
        if up.peek().is_some() {
            return Err(if up.all(|peer| tried.contains(&peer.id())) { NoPeer::Tried } else { NoPeer::Busy });
        }
        // None is up: better a doubtful one than none.
        local.turn.choose(peers, now, |peer| peer.member.last_resort(now) && free(peer)).cloned().ok_or(NoPeer::Down)
    }

    /// What becomes of a request whose attempt failed, within the budget of loop `loop_index`.
    pub fn decide(&self, loop_index: usize, now: Instant, attempt: &Attempt) -> Decision {
        let now = self.room.nanos(now);
        let local = &self.locals[loop_index];
        let decision = retry::decide(attempt);
        match decision {
            Decision::Elsewhere(_) if !local.budget.withdraw(now, self.loops) => {
                add(&local.over_budget, 1);
                return Decision::Answer(attempt.failure.status(), "the retry budget is spent");
            }
            Decision::Elsewhere(_) => add(&local.elsewhere, 1),
            Decision::SameFresh(_) => add(&local.same, 1),
            Decision::Answer(..) => {}
        }
        decision
    }

    /// Whether a request that waits at an endpoint which is not up could go to another one.
    pub(super) fn has_better(&self, loop_index: usize, now: Instant) -> bool {
        self.has_usable(now) && self.locals[loop_index].budget.is_left(self.room.nanos(now), self.loops)
    }

    /// A place in the queue, or `None`: it is full.
    pub fn enqueue(&self) -> Option<Waiting> {
        self.room.enter(self.queue.load(Relaxed))
    }

    /// Whether an endpoint is up, busy or not.
    pub fn has_usable(&self, now: Instant) -> bool {
        let now = self.room.nanos(now);
        self.list.load().members.iter().any(|member| member.state(now) == State::Up)
    }

    /// Every endpoint for status, in the order of the list.
    pub fn states(&self, now: Instant) -> Vec<PeerState> {
        let nanos = self.room.nanos(now);
        let list = self.list.load();
        let states = list.members.iter().enumerate().map(|(index, member)| {
            let ends = || list.peers.iter().map(|peers| &peers[index]);
            let latency = ends().map(|peer| peer.latency().estimate).max().filter(|estimate| *estimate > 0);
            let (requests, failures) = ends().map(|peer| peer.counts()).fold((0, 0), |sum, one| (sum.0 + one.0, sum.1 + one.1));
            PeerState {
                name: member.endpoint.name.clone(),
                address: member.endpoint.address,
                state: member.state(nanos),
                in_flight: member.endpoint.in_flight.requests(),
                upgraded: member.endpoint.in_flight.upgraded(),
                latency: latency.map(Duration::from_nanos),
                requests,
                failures,
                ejections: member.ejections_total.load(Relaxed),
            }
        });
        states.collect()
    }

    /// What the loops have decided, summed.
    pub(super) fn counts(&self) -> Counts {
        let sum = |cell: fn(&Local) -> &AtomicU64| self.locals.iter().map(|local| cell(local).load(Relaxed)).sum();
        Counts { elsewhere: sum(|local| &local.elsewhere), same: sum(|local| &local.same), over_budget: sum(|local| &local.over_budget) }
    }

    /// A loop's end of the endpoint at `index` of the list.
    #[cfg(test)]
    pub(super) fn peer_of(&self, loop_index: usize, index: usize) -> Arc<Peer> {
        self.list.load().peers[loop_index][index].clone()
    }

    pub(super) fn members(&self) -> Vec<Arc<Member>> {
        self.list.load().members.clone()
    }

    /// Checks say how `member` is.
    pub(super) fn checked(&self, member: &Member, health: Health, reason: &str, now: Instant) {
        if member.set_health(health, self.room.nanos(now)) {
            events::checked(self, member, health, reason);
            self.room.wake_all();
        }
    }

    /// An attempt at `member` failed; `None`: its answer was a status of 500 and above.
    pub(super) fn failed(&self, member: &Member, failure: Option<Failure>, now: u64) {
        if failure == Some(Failure::Connect) {
            if member.state(now) == State::Up {
                events::died(self, member);
            }
            return member.died(now);
        }
        let failures = member.failures.fetch_add(1, Relaxed) + 1;
        if let Some(absence) = eject::after_failure(self.standing(member, failures, now)) {
            let until = now + absence.as_nanos() as u64;
            member.ejected_until.store(until, Relaxed);
            member.failures.store(0, Relaxed);
            member.ejections.fetch_add(1, Relaxed);
            member.ejections_total.fetch_add(1, Relaxed);
            events::ejected(self, member, failures, absence);
        }
    }

    fn standing(&self, member: &Member, failures: u32, now: u64) -> Standing {
        let list = self.list.load();
        let of = |state| list.members.iter().filter(move |other| other.id != member.id && other.state(now) == state).count();
        // A minute without one since it came back, and its earlier absences are forgotten.
        let ejected_until = member.ejected_until.load(Relaxed);
        if now > ejected_until + eject::FORGET.as_nanos() as u64 {
            member.ejections.store(0, Relaxed);
        }
        let ejections = member.ejections.load(Relaxed);
        // While it is absent (late failures of what was open), it is not ejected again.
        let failures = if now < ejected_until { 0 } else { failures };
        Standing { failures, ejections, others_ready: of(State::Up), ejected: of(State::Ejected), total: list.members.len() }
    }

    pub(super) fn slow_start() -> u64 {
        slow_start::SLOW_START.as_nanos() as u64
    }
}

impl turn::Candidate for Arc<Peer> {
    fn look(&self, now: u64) -> super::choice::Look {
        Peer::look(self, now)
    }
    fn share(&self, now: u64) -> u32 {
        slow_start::share(now.saturating_sub(self.member.came()), Group::slow_start())
    }
}
