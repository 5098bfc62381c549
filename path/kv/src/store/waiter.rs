//! Who waits for a key: a command that could not be done yet, and is tried again when the key has changed.
//!
//! A waiter stands in the queue of each of its keys. Whoever serves it claims it first, under the lock of the key that is ready;
//! a client that leaves claims it too. So nothing is taken for a client that is gone, and nobody is served twice.

use std::sync::atomic::{AtomicU8, Ordering};
use std::sync::{Mutex, PoisonError};
use std::task::Waker;

use super::entry::Kind;
use super::view::View;
use crate::error::Fault;
use crate::frame::{Args, Owned, Protocol, Reply};

/// When a command that may wait is run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Turn<'k> {
    /// It may not wait (in a transaction or a script), and says its null itself.
    Only,
    /// For the first time.
    First,
    /// Again, for this key alone.
    Ready(&'k [u8]),
}

/// How far a command came that may wait.
#[derive(Debug)]
pub(crate) enum Went {
    /// To its answer.
    Done,
    /// It must wait; it has changed and said nothing.
    Wait(Wait),
}

/// What a command waits for.
#[derive(Debug)]
pub(crate) struct Wait {
    /// Its keys among the words: from, and up to.
    pub(crate) keys: std::ops::Range<usize>,
    /// What they must hold.
    pub(crate) kind: Kind,
    /// Milliseconds; 0: for ever.
    pub(crate) timeout: u64,
    /// The words for its next turn, where they are not those of the client.
    pub(crate) instead: Option<Owned>,
}

/// A command that may wait.
pub(crate) type OnWait = fn(&mut View<'_>, Args<'_>, &mut Reply<'_>, Turn<'_>) -> Result<Went, Fault>;

/// A client's command that waits.
#[derive(Debug)]
pub(crate) struct Waiter {
    state: AtomicU8,
    /// What it is tried with.
    pub(crate) args: Owned,
    pub(crate) run: OnWait,
    pub(crate) wait: Wait,
    /// The shards of all keys that it may touch, ascending.
    pub(crate) shards: Box<[usize]>,
    pub(crate) protocol: Protocol,
    answer: Mutex<Vec<u8>>,
    waker: Waker,
}

const WAITS: u8 = 0;
/// Somebody has it in hand.
const CLAIMED: u8 = 1;
const SERVED: u8 = 2;
const GONE: u8 = 3;

impl Waiter {
    pub(crate) fn new(args: Owned, run: OnWait, wait: Wait, shards: Box<[usize]>, protocol: Protocol, waker: Waker) -> Waiter {
        Waiter { state: AtomicU8::new(WAITS), args, run, wait, shards, protocol, answer: Mutex::default(), waker }
    }

    /// The keys it waits for.
    pub(crate) fn keys(&self) -> impl Iterator<Item = &[u8]> {
        let args = self.args.args();
        self.wait.keys.clone().map(move |place| args.at(place))
    }

    /// Whether it waited until now: what is taken for it from now on is its.
    pub(crate) fn claim(&self) -> bool {
        self.step(WAITS, CLAIMED)
    }

    /// It was claimed and could not be served.
    pub(crate) fn waits_on(&self) {
        self.state.store(WAITS, Ordering::Release);
    }

    /// It was claimed, and this is its answer.
    pub(crate) fn serve(&self, answer: Vec<u8>) {
        *self.answer.lock().unwrap_or_else(PoisonError::into_inner) = answer;
        self.state.store(SERVED, Ordering::Release);
        self.waker.wake_by_ref();
    }

    /// The answer, once there is one.
    pub(crate) fn served(&self) -> Option<Vec<u8>> {
        let is_served = self.state.load(Ordering::Acquire) == SERVED;
        is_served.then(|| std::mem::take(&mut *self.answer.lock().unwrap_or_else(PoisonError::into_inner)))
    }

    /// It waits no longer, unless somebody has it in hand or has served it.
    pub(crate) fn leave(&self) -> bool {
        self.step(WAITS, GONE)
    }

    /// Whether nobody will serve it any more.
    pub(crate) fn is_over(&self) -> bool {
        self.state.load(Ordering::Acquire) >= SERVED
    }

    fn step(&self, from: u8, to: u8) -> bool {
        self.state.compare_exchange(from, to, Ordering::AcqRel, Ordering::Acquire).is_ok()
    }
}
