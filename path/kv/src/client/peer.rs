//! What other clients see of a client, and what they may do to it.

use std::net::SocketAddr;
use std::sync::atomic::{AtomicI64, AtomicU8, AtomicU32, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::task::Waker;

use super::Client;
use super::mail::{Mail, Message, Posted};
use crate::command::Command;
use crate::frame::Protocol;
use crate::store::{Ms, Waiter};
use crate::users::{DEFAULT, User};

/// Why somebody else ends a connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Ends {
    Killed,
    /// It reads slower than it is sent messages.
    TooSlow,
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
    queued: AtomicI64,
    /// Bytes that it sent and that are not done with.
    sent: AtomicUsize,
    /// Channels, patterns and shard channels.
    subscriptions: [AtomicUsize; 3],
    name: Mutex<Box<[u8]>>,
    /// The name of its user.
    user: Mutex<Box<[u8]>>,
    /// What it waits for.
    blocked: Mutex<Option<Arc<Waiter>>>,
}

/// It speaks RESP3.
const RESP3: u32 = 1;
const MONITOR: u32 = 1 << 1;
const LEAVES: u32 = 1 << 2;
const NO_EVICT: u32 = 1 << 3;
/// It waits for the end of a pause.
const PAUSED: u32 = 1 << 4;

impl Peer {
    pub(crate) fn new(id: u64, address: SocketAddr, local: SocketAddr, born: Ms, waker: Waker) -> Peer {
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
            subscriptions: Default::default(),
            name: Mutex::default(),
            user: Mutex::new(DEFAULT.into()),
            blocked: Mutex::default(),
        }
    }

    /// Says `message` to it; it is cut off if too many wait already.
    pub(crate) fn post(&self, message: &Message) {
        match self.mail.post(message) {
            Posted::Behind => {}
            Posted::First => self.waker.wake_by_ref(),
            Posted::TooMany => self.end(Ends::TooSlow),
        }
    }

    /// Ends its connection.
    pub(crate) fn end(&self, why: Ends) {
        self.ends.store(why as u8 + 1, Ordering::Release);
        self.waker.wake_by_ref();
    }

    /// Why it is to leave, if it is.
    pub(crate) fn ends(&self) -> Option<Ends> {
        match self.ends.load(Ordering::Acquire) {
            0 => None,
            1 => Some(Ends::Killed),
            _ => Some(Ends::TooSlow),
        }
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

    fn is_marked(&self, mark: u32) -> bool {
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

    fn last(&self) -> &'static str {
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

    /// Its line of `CLIENT LIST`.
    pub(crate) fn line(&self, now: Ms) -> Vec<u8> {
        let [sub, psub, ssub] = [0, 1, 2].map(|at: usize| self.subscriptions[at].load(Ordering::Relaxed));
        let (waiting, messages) = self.mail.length();
        let seconds = |since: Ms| now.saturating_sub(since) / 1000;
        let mut line = format!("id={} addr={} laddr={} fd=8 name=", self.id, self.address, self.local).into_bytes();
        line.extend_from_slice(&self.name());
        let rest = format!(
            " age={} idle={} flags={} db=0 sub={sub} psub={psub} ssub={ssub} multi={} qbuf={} qbuf-free=0 argv-mem=0 multi-mem=0 \
             rbs=1024 rbp=0 obl=0 oll={messages} omem={waiting} tot-mem={} events=r cmd={} user={} redir=-1 resp={}",
            seconds(self.born),
            seconds(self.seen.load(Ordering::Relaxed)),
            self.flags(),
            self.queued.load(Ordering::Relaxed),
            self.sent.load(Ordering::Relaxed),
            1928 + waiting,
            self.last(),
            String::from_utf8_lossy(&self.user()),
            if self.protocol() == Protocol::Resp3 { 3 } else { 2 },
        );
        line.extend_from_slice(rest.as_bytes());
        line
    }

    fn flags(&self) -> String {
        let flags = [
            ('O', self.is_marked(MONITOR)),
            ('P', self.kind() == "pubsub"),
            ('x', self.queued.load(Ordering::Relaxed) >= 0),
            ('b', self.is_blocked()),
            ('c', self.is_marked(LEAVES)),
            ('e', self.is_marked(NO_EVICT)),
        ];
        let said: String = flags.into_iter().filter(|(_, is)| *is).map(|(letter, _)| letter).collect();
        if said.is_empty() { "N".into() } else { said }
    }
}
