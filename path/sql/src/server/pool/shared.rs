//! What the loops share of the connections to one server. Written when something is opened, closed or waited for; a
//! connection that is lent and given back on one loop writes nothing here.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};

use super::backoff::Backoff;
use super::inbox::Message;
use super::ledger::{Ledger, Sum};
use super::total::Total;
use crate::server::Key;

/// The connections of all loops to one server.
#[derive(Debug)]
pub(crate) struct Pool {
    pub(super) total: Total,
    pub(super) backoff: Backoff,
    /// Loops on which somebody waits, and above them ([`STARVING`]) those of them that have no connection.
    waiting: AtomicU64,
    loops: Box<[Notice]>,
    ledgers: Mutex<Arc<[Arc<Ledger>]>>,
    /// Changes with the list of ledgers.
    version: AtomicU64,
    ids: AtomicU64,
    /// Why the last try to reach the server failed.
    trouble: Mutex<Option<Arc<str>>>,
    epoch: Instant,
}

/// One starving loop in [`Pool::waiting`].
const STARVING: u64 = 1 << 32;

/// What a loop tells the others, and how they reach it.
#[derive(Debug)]
#[repr(align(128))]
struct Notice {
    waiting: AtomicBool,
    starving: AtomicBool,
    /// Never holds more than the connections there are and two questions from each loop: no bound of its own.
    inbox: UnboundedSender<Message>,
}

/// The right to one connection; dropping it gives it to whoever waits.
#[derive(Debug)]
pub(crate) struct Slot(Arc<Pool>);

impl Pool {
    /// A pool of at most `most` connections on `loops` loops, and each loop's messages.
    pub(crate) fn new(loops: usize, most: usize) -> (Arc<Pool>, Vec<UnboundedReceiver<Message>>) {
        let (inboxes, received): (Vec<_>, Vec<_>) = (0..loops).map(|_| unbounded_channel()).unzip();
        let notice = |inbox| Notice { waiting: AtomicBool::new(false), starving: AtomicBool::new(false), inbox };
        let pool = Pool {
            total: Total::new(most),
            backoff: Backoff::default(),
            waiting: AtomicU64::new(0),
            loops: inboxes.into_iter().map(notice).collect(),
            ledgers: Mutex::default(),
            version: AtomicU64::new(0),
            ids: AtomicU64::new(0),
            trouble: Mutex::default(),
            epoch: tokio::time::Instant::now().into_std(),
        };
        (Arc::new(pool), received)
    }

    /// A moment on the pool's clock, never 0.
    pub(super) fn nanos(&self, moment: Instant) -> u64 {
        moment.saturating_duration_since(self.epoch).as_nanos() as u64 + 1
    }

    /// The moment at `nanos` on the pool's clock.
    pub(super) fn moment(&self, nanos: u64) -> Instant {
        self.epoch + std::time::Duration::from_nanos(nanos.saturating_sub(1))
    }

    /// A number that no other connection of this pool has.
    pub(super) fn new_id(&self) -> u64 {
        self.ids.fetch_add(1, Ordering::Relaxed) + 1
    }

    /// The right to one more connection, if there may be one.
    pub(super) fn slot(self: &Arc<Pool>) -> Option<Slot> {
        self.total.take().then(|| Slot(self.clone()))
    }

    /// The ledger of a user and a database, made if there is none.
    pub(super) fn ledger(&self, user: &str, database: &str) -> Arc<Ledger> {
        let mut ledgers = self.locked();
        if let Some(known) = ledgers.iter().find(|known| *known.key.user == *user && *known.key.database == *database) {
            return known.clone();
        }
        let key = Arc::new(Key { user: user.into(), database: database.into() });
        let new = Arc::new(Ledger::new(key, self.loops.len()));
        *ledgers = ledgers.iter().cloned().chain([new.clone()]).collect();
        self.version.fetch_add(1, Ordering::SeqCst);
        new
    }

    /// Every ledger, if there are others than in version `*seen`.
    pub(super) fn ledgers_since(&self, seen: &mut u64) -> Option<Arc<[Arc<Ledger>]>> {
        (self.version.load(Ordering::SeqCst) != *seen).then(|| {
            let ledgers = self.locked();
            *seen = self.version.load(Ordering::SeqCst);
            ledgers.clone()
        })
    }

    /// Every ledger.
    pub(crate) fn ledgers(&self) -> Arc<[Arc<Ledger>]> {
        self.locked().clone()
    }

    /// Forgets the ledgers that nobody has a use for: no shelf, no client, no loop's older list.
    pub(super) fn forget_unused(&self) {
        let mut ledgers = self.locked();
        let is_used = |ledger: &&Arc<Ledger>| Arc::strong_count(ledger) > 1 || Arc::strong_count(&ledger.key) > 1;
        if !ledgers.iter().all(|ledger| is_used(&ledger)) {
            *ledgers = ledgers.iter().filter(is_used).cloned().collect();
            self.version.fetch_add(1, Ordering::SeqCst);
        }
    }

    /// All users and databases together.
    pub(crate) fn sum(&self) -> Sum {
        self.ledgers().iter().fold(Sum::default(), |sum, ledger| sum.and(ledger.sum()))
    }

    /// How long the client waits now that waits longest.
    pub(crate) fn longest_wait(&self, oldest: u64, now: Instant) -> std::time::Duration {
        if oldest == 0 { std::time::Duration::ZERO } else { now.saturating_duration_since(self.moment(oldest)) }
    }

    /// The most connections there may be.
    pub(crate) fn most(&self) -> usize {
        self.total.most()
    }

    /// Another bound from now on; what is beyond it is closed as it comes free.
    pub(crate) fn set_most(&self, most: usize) {
        self.total.set_most(most);
        self.room_came_free();
    }

    /// Whether the last try to reach the server failed, and no connection that there is shows the contrary.
    pub(crate) fn is_failing(&self) -> bool {
        self.backoff.is_failing() && self.sum().ready() == 0
    }

    /// Why the last try to reach the server failed.
    pub(crate) fn trouble(&self) -> Option<Arc<str>> {
        self.trouble.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    pub(super) fn set_trouble(&self, trouble: Option<Arc<str>>) {
        *self.trouble.lock().unwrap_or_else(PoisonError::into_inner) = trouble;
    }

    /// Whether anybody waits on any loop. Who made a connection idle looks here afterwards, who waits looks for idle
    /// connections after it has said so: one of them sees the other.
    pub(super) fn anybody_waits(&self) -> bool {
        self.waiting.load(Ordering::SeqCst) != 0
    }

    /// Whether anybody waits on a loop that has no connection.
    pub(super) fn anybody_starves(&self) -> bool {
        self.waiting.load(Ordering::SeqCst) >= STARVING
    }

    pub(super) fn starves(&self, index: usize) -> bool {
        self.loops[index].starving.load(Ordering::SeqCst)
    }

    /// Loop `index` tells whether somebody waits there, and whether it has no connection then.
    pub(super) fn tell(&self, index: usize, waiting: bool, starving: bool) {
        let notice = &self.loops[index];
        tell(&notice.waiting, waiting, &self.waiting, 1);
        tell(&notice.starving, starving, &self.waiting, STARVING);
    }

    /// Gives loop `index` a message; `false` when that loop has ended. What was in the message is dropped then, which closes
    /// connections and frees their places.
    pub(super) fn send(&self, index: usize, message: Message) -> bool {
        self.loops[index].inbox.send(message).is_ok()
    }

    /// Tells every loop on which somebody waits that it may open a connection.
    fn room_came_free(&self) {
        if self.anybody_waits() {
            for (index, notice) in self.loops.iter().enumerate() {
                if notice.waiting.load(Ordering::SeqCst) {
                    self.send(index, Message::Look);
                }
            }
        }
    }

    fn locked(&self) -> MutexGuard<'_, Arc<[Arc<Ledger>]>> {
        self.ledgers.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Only the loop itself writes its `own` flag.
fn tell(own: &AtomicBool, now: bool, count: &AtomicU64, one: u64) {
    if own.load(Ordering::Relaxed) != now {
        own.store(now, Ordering::SeqCst);
        if now {
            count.fetch_add(one, Ordering::SeqCst)
        } else {
            count.fetch_sub(one, Ordering::SeqCst)
        };
    }
}

impl Drop for Slot {
    fn drop(&mut self) {
        self.0.total.give();
        self.0.room_came_free();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_ledger_is_found_again_and_forgotten_when_nobody_uses_it() {
        let (pool, _inboxes) = Pool::new(2, 1);
        let mut seen = 0;
        let ledger = pool.ledger("u", "d");
        assert!(Arc::ptr_eq(&ledger, &pool.ledger("u", "d")));
        assert_eq!(pool.ledgers_since(&mut seen).map(|all| all.len()), Some(1));
        assert!(pool.ledgers_since(&mut seen).is_none());
        let key = ledger.key.clone();
        drop(ledger);
        pool.forget_unused();
        assert_eq!(pool.ledgers().len(), 1);
        drop(key);
        pool.forget_unused();
        assert_eq!(pool.ledgers().len(), 0);
    }

    #[test]
    fn a_slot_that_is_dropped_is_told_to_those_who_wait() {
        let (pool, mut inboxes) = Pool::new(2, 1);
        let slot = pool.slot().unwrap();
        assert!(pool.slot().is_none());
        pool.tell(1, true, true);
        assert!(pool.anybody_waits() && pool.anybody_starves() && pool.starves(1) && !pool.starves(0));
        drop(slot);
        assert!(matches!(inboxes[1].try_recv(), Ok(Message::Look)));
        assert!(inboxes[0].try_recv().is_err());
        pool.tell(1, false, false);
        assert!(!pool.anybody_waits() && pool.slot().is_some());
    }
}
