//! What other clients see of a client, and what they may do to it.

use std::net::SocketAddr;
use std::sync::atomic::{AtomicI64, AtomicU8, AtomicU32, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::task::Waker;

use super::Client;
use super::bounds::{Bound, Bounds, Class};
use super::mail::{Mail, Message, Posted};
use crate::command::Command;
use crate::frame::{Protocol, Reply};
use crate::store::{Ms, Waiter};
use crate::users::{DEFAULT, User};

/// Why somebody else ends a connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Ends {
    Killed,
    /// More waits for it than may.
    TooSlow,
    /// All clients hold too much, and it the most.
    TooBig,
    /// It has said nothing for long.
    Idle,
}

impl Ends {
    const ALL: [Ends; 4] = [Ends::Killed, Ends::TooSlow, Ends::TooBig, Ends::Idle];
}

/// A client, as others see it.
#[derive(Debug)]
pub(crate) struct Peer {
    pub(crate) id: u64,
    pub(crate) address: SocketAddr,
    /// Where it came in.
    pub(crate) local: SocketAddr,
    pub(crate) born: Ms,
    /// When it sent something last.
    pub(crate) seen: AtomicU64,
    /// Its last command; the address of a [`Command`], 0 before the first.
    last: AtomicUsize,
    pub(crate) mail: Mail,
    waker: Waker,
    ends: AtomicU8,
    /// A sum of the constants below.
    marks: AtomicU32,
    /// Commands since MULTI; -1 without one.
    pub(super) queued: AtomicI64,
    /// Bytes that it sent and that are not done with.
    sent: AtomicUsize,
    /// Bytes of answers that its socket does not take.
    unsent: AtomicUsize,
    /// Bytes that it holds beside messages, as far as they are counted among all.
    held: AtomicUsize,
    /// Since when more waits for it than may wait for long; 0: it does not.
    slow_since: AtomicU64,
    bounds: Arc<Bounds>,
    /// Channels, patterns and shard channels.
    pub(super) subscriptions: [AtomicUsize; 3],
    name: Mutex<Box<[u8]>>,
    /// The name of its user.
    user: Mutex<Box<[u8]>>,
    /// What it waits for.
    blocked: Mutex<Option<Arc<Waiter>>>,
}

/// It speaks RESP3.
pub(super) const RESP3: u32 = 1;
pub(super) const MONITOR: u32 = 1 << 1;
pub(super) const LEAVES: u32 = 1 << 2;
pub(super) const NO_EVICT: u32 = 1 << 3;
/// It waits for the end of a pause.
const PAUSED: u32 = 1 << 4;

impl Peer {
    pub(crate) fn new(id: u64, (address, local): (SocketAddr, SocketAddr), born: Ms, waker: Waker, bounds: Arc<Bounds>) -> Peer {
        Peer {
            id,
            address,
            local,
            born,
            seen: AtomicU64::new(born),
            last: AtomicUsize::new(0),
            mail: Mail::default(),
            waker,
            ends: AtomicU8::new(0),
            marks: AtomicU32::new(0),
            queued: AtomicI64::new(-1),
            sent: AtomicUsize::new(0),
            unsent: AtomicUsize::new(0),
            held: AtomicUsize::new(0),
            slow_since: AtomicU64::new(0),
            bounds,
            subscriptions: Default::default(),
            name: Mutex::default(),
            user: Mutex::new(DEFAULT.into()),
            blocked: Mutex::default(),
        }
    }

    /// Says `message` to it; it is cut off if too many wait already.
    pub(crate) fn post(&self, message: &Message) {
        let (posted, more) = self.mail.post(message, |bytes| self.bound().forbids(bytes + self.unsent()));
        match more {
            0.. => self.bounds.add(more.unsigned_abs()),
            _ => self.bounds.take(more.unsigned_abs()),
        }
        match posted {
            Some(Posted::Behind) => {}
            Some(Posted::First) => self.waker.wake_by_ref(),
            None => self.end(Ends::TooSlow),
        }
    }

    /// Writes what others said to it.
    pub(super) fn hear(&self, reply: &mut Reply<'_>) {
        self.bounds.take(self.mail.take(reply));
    }

    /// How much may wait for it. Who sees all commands is bounded as subscribers are: Redis does not bound it at all.
    pub(crate) fn bound(&self) -> &Bound {
        self.bounds.of(if self.is_marked(MONITOR) || self.kind() == "pubsub" { Class::Hears } else { Class::Normal })
    }

    /// It holds so many bytes beside messages; it is ended if it alone holds more than all may.
    pub(crate) fn holds(&self, bytes: usize) {
        let before = self.held.load(Ordering::Relaxed);
        if bytes != before {
            self.held.store(bytes, Ordering::Relaxed);
            match bytes > before {
                true => self.bounds.add(bytes - before),
                false => self.bounds.take(before - bytes),
            }
            if self.bounds.forbid(bytes) && self.may_be_evicted() {
                self.end(Ends::TooBig);
            }
        }
    }

    /// Bytes that it holds in all.
    pub(crate) fn held(&self) -> usize {
        self.held.load(Ordering::Relaxed) + self.mail.length().0
    }

    /// So many bytes of answers wait for its socket.
    pub(crate) fn has_unsent(&self, bytes: usize) {
        self.unsent.store(bytes, Ordering::Relaxed);
    }

    pub(super) fn unsent(&self) -> usize {
        self.unsent.load(Ordering::Relaxed)
    }

    /// Bytes that wait for it.
    pub(crate) fn waiting(&self) -> usize {
        self.unsent() + self.mail.length().0
    }

    /// Bytes that it sent and that are not done with.
    pub(crate) fn sent(&self) -> usize {
        self.sent.load(Ordering::Relaxed)
    }

    /// Whether more waits for it than may, and has for as long as it may.
    pub(super) fn is_slow(&self, now: Ms) -> bool {
        let Some(patience) = self.bound().patience(self.waiting()) else {
            self.slow_since.store(0, Ordering::Relaxed);
            return false;
        };
        match self.slow_since.load(Ordering::Relaxed) {
            0 => self.slow_since.store(now, Ordering::Relaxed),
            since => return now.saturating_sub(since) >= patience,
        }
        false
    }

    /// Whether it has said nothing for so many milliseconds, and waits for nothing.
    pub(super) fn is_idle(&self, now: Ms, longest: Ms) -> bool {
        let hears = self.is_marked(MONITOR) || self.kind() == "pubsub";
        !hears && now.saturating_sub(self.seen.load(Ordering::Relaxed)) > longest && !self.is_blocked()
    }

    /// Whether it may be closed when clients hold too much.
    pub(super) fn may_be_evicted(&self) -> bool {
        !self.is_marked(NO_EVICT)
    }

    /// Ends its connection.
    pub(crate) fn end(&self, why: Ends) {
        // The first reason is the one.
        let _ = self.ends.compare_exchange(0, why as u8 + 1, Ordering::AcqRel, Ordering::Relaxed);
        self.waker.wake_by_ref();
    }

    /// Why it is to leave, if it is.
    pub(crate) fn ends(&self) -> Option<Ends> {
        let number = usize::from(self.ends.load(Ordering::Acquire));
        number.checked_sub(1).map(|at| Ends::ALL[at])
    }

    pub(crate) fn waker(&self) -> &Waker {
        &self.waker
    }

    /// What of it others see is as `client` says.
    pub(super) fn shows(&self, client: &Client) {
        let bit = |is: bool, bit: u32| if is { bit } else { 0 };
        let kept = self.marks.load(Ordering::Relaxed) & NO_EVICT;
        let marks = bit(client.protocol == Protocol::Resp3, RESP3) | bit(client.is_monitor, MONITOR) | bit(client.leaves, LEAVES);
        self.marks.store(kept | marks, Ordering::Relaxed);
        self.queues(client);
        for (place, count) in self.subscriptions.iter().zip(client.subscriptions.counts()) {
            place.store(count, Ordering::Relaxed);
        }
    }

    /// `client` has queued one more command.
    pub(crate) fn queues(&self, client: &Client) {
        let queued = client.transaction.as_ref().map_or(-1, |transaction| transaction.queued.len() as i64);
        self.queued.store(queued, Ordering::Relaxed);
    }

    pub(crate) fn protocol(&self) -> Protocol {
        if self.is_marked(RESP3) { Protocol::Resp3 } else { Protocol::Resp2 }
    }

    pub(super) fn is_marked(&self, mark: u32) -> bool {
        self.marks.load(Ordering::Relaxed) & mark != 0
    }

    pub(crate) fn set_no_evict(&self, is: bool) {
        self.set_mark(NO_EVICT, is);
    }

    pub(crate) fn set_paused(&self, is: bool) {
        self.set_mark(PAUSED, is);
    }

    fn set_mark(&self, mark: u32, is: bool) {
        if is {
            self.marks.fetch_or(mark, Ordering::Relaxed);
        } else {
            self.marks.fetch_and(!mark, Ordering::Relaxed);
        }
    }

    /// Whether it waits, for keys or for the end of a pause.
    pub(crate) fn is_blocked(&self) -> bool {
        self.is_marked(PAUSED) || self.blocked().is_some()
    }

    /// So many bytes that it sent are not done with.
    pub(crate) fn has_sent(&self, bytes: usize) {
        self.sent.store(bytes, Ordering::Relaxed);
    }

    /// It asks for `command`, at `now`.
    #[inline]
    pub(crate) fn asks(&self, command: &'static Command, now: Ms) {
        self.last.store(std::ptr::from_ref(command) as usize, Ordering::Relaxed);
        self.seen.store(now, Ordering::Relaxed);
    }

    pub(super) fn last(&self) -> &'static str {
        let last = self.last.load(Ordering::Relaxed);
        crate::command::named().find(|command| std::ptr::from_ref(*command) as usize == last).map_or("NULL", |command| command.name)
    }

    pub(crate) fn name(&self) -> Box<[u8]> {
        self.name.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    pub(crate) fn set_name(&self, name: &[u8]) {
        *self.name.lock().unwrap_or_else(PoisonError::into_inner) = name.into();
    }

    /// The name of its user.
    pub(crate) fn user(&self) -> Box<[u8]> {
        self.user.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    pub(super) fn set_user(&self, user: &User) {
        *self.user.lock().unwrap_or_else(PoisonError::into_inner) = user.name.clone();
    }

    /// It waits for this, or for nothing any more.
    pub(crate) fn waits_for(&self, waiter: Option<Arc<Waiter>>) {
        *self.blocked.lock().unwrap_or_else(PoisonError::into_inner) = waiter;
    }

    /// What it waits for.
    pub(crate) fn blocked(&self) -> Option<Arc<Waiter>> {
        self.blocked.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// `normal` or `pubsub`, as `CLIENT LIST TYPE` and `KILL TYPE` choose.
    pub(crate) fn kind(&self) -> &'static str {
        let subscribed = self.subscriptions.iter().any(|count| count.load(Ordering::Relaxed) > 0);
        if subscribed { "pubsub" } else { "normal" }
    }
}

impl Drop for Peer {
    /// Nothing is held for it any more.
    fn drop(&mut self) {
        self.bounds.take(self.held.load(Ordering::Relaxed) + self.mail.drop_all());
    }
}
