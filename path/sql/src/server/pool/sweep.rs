//! What a loop does for its connections beside lending them: ends waits, closes what is idle for long, old, dead or
//! leads elsewhere, opens those that are to be there before anybody asks.

use std::rc::Rc;
use std::sync::Arc;
use std::time::{Duration, Instant};

use contract::{ServerAddress, ServerState};
use loops::now;
use loops::socket::Seen;

use super::ledger::Ledger;
use super::lent::{Refused, Trouble};
use super::shelf::{Kept, Shelf};
use super::side::Side;
use super::wish::Wish;
use crate::events::Closed;
use crate::server::Key;

/// How often idle connections are looked at.
const SWEEP: Duration = Duration::from_secs(1);

impl Side {
    /// Ends the waits that last too long.
    pub(super) async fn end_waits(self: Rc<Side>) {
        loop {
            let oldest = self.room.borrow().oldest();
            self.armed.set(oldest.is_some());
            let Some(oldest) = oldest else {
                self.stirred.notified().await;
                continue;
            };
            let end = self.pool.moment(oldest) + self.patience();
            tokio::select! {
                biased;
                () = loops::time::sleep_until(end.into()) => self.refuse_late(),
                () = self.stirred.notified() => {}
            }
        }
    }

    /// How long a client may wait: not at all while the door closes and no server can be reached that would serve it in time.
    fn patience(&self) -> Duration {
        let is_reachable = match self.database.borrow().state() {
            ServerState::Up(_) => !self.pool.is_failing(),
            ServerState::Asleep | ServerState::Starting => true,
            ServerState::Down(_) | ServerState::Unable(_) => false,
        };
        if self.draining.get() && !is_reachable { Duration::ZERO } else { self.shape.borrow().plan.pool.wait }
    }

    fn refuse_late(&self) {
        let bound = self.patience();
        let elsewhere = || self.pool.trouble().filter(|_| self.pool.is_failing()).map(|text| Trouble { text, is_full: false });
        let (state, trouble) = (self.database.borrow().state(), self.trouble.borrow().clone().or_else(elsewhere));
        self.refuse_older(bound, &Refused::late(bound, self.pool.most(), &state, trouble));
    }

    /// Whoever has waited for so long waits no more.
    fn refuse_older(&self, bound: Duration, refused: &Refused) {
        let now = now();
        while let Some(wish) = self.pop_late(now, bound) {
            wish.end(Err(refused.clone()));
        }
        self.room.borrow().tell(&self.pool);
    }

    fn pop_late(&self, now: Instant, bound: Duration) -> Option<Rc<Wish>> {
        let is_late = |shelf: &&mut Shelf| shelf.oldest().is_some_and(|oldest| self.pool.moment(oldest) + bound <= now);
        self.room.borrow_mut().shelves.iter_mut().find(is_late)?.pop()
    }

    /// Follows the server's state: where it is, when it comes back.
    pub(super) async fn follow_server(self: Rc<Side>) {
        loop {
            let mut watch = self.database.borrow().watch();
            loop {
                let state = watch.borrow_and_update().clone();
                self.stirred.notify_one();
                match state {
                    ServerState::Up(address) => self.lead_to(address),
                    ServerState::Unable(reason) => self.refuse_older(Duration::ZERO, &Refused::Unable(Rc::from(&*reason))),
                    ServerState::Asleep | ServerState::Starting | ServerState::Down(_) => {}
                }
                tokio::select! {
                    biased;
                    changed = watch.changed() => if changed.is_err() {
                        // It stays as it is until there is another.
                        self.swapped.notified().await;
                        break;
                    },
                    () = self.swapped.notified() => break,
                }
            }
        }
    }

    /// The server is there now, and up.
    fn lead_to(&self, address: ServerAddress) {
        let is_other = self.address.borrow().as_ref().is_some_and(|known| *known != address);
        *self.address.borrow_mut() = Some(address.clone());
        self.pool.backoff.forget();
        if is_other {
            self.close_idle(Closed::Moved, |kept| kept.connection.address != address);
        }
        self.open_least();
    }

    /// Once a second, until the loop ends.
    pub(super) async fn sweep(self: Rc<Side>) {
        loop {
            loops::time::sleep(SWEEP).await;
            self.close_idle(Closed::Died, |kept| kept.connection.stream.glance() != Seen::Nothing);
            self.close_one_of_age();
            self.close_surplus();
            self.shrink();
            self.open_least();
            let mut room = self.room.borrow_mut();
            room.tidy();
            room.refresh(&self.pool);
            if self.here.index == 0 {
                self.pool.forget_unused();
            }
        }
    }

    /// Nothing is idle from now on.
    pub(crate) fn drain(&self) {
        self.draining.set(true);
        self.stirred.notify_one();
        self.close_idle(Closed::Drained, |_| true);
    }

    /// Whoever waits is told that the door closes, and who comes.
    pub(crate) fn cut(&self) {
        self.is_cut.set(true);
        self.drain();
        self.refuse_older(Duration::ZERO, &Refused::Closing);
    }

    /// Idle connections for which `is_due` says so.
    pub(super) fn close_idle(&self, why: Closed, mut is_due: impl FnMut(&Kept) -> bool) {
        while let Some(kept) = self.lend_due(&mut is_due) {
            self.close(*kept, why);
        }
    }

    fn lend_due(&self, is_due: &mut dyn FnMut(&Kept) -> bool) -> Option<Box<Kept>> {
        self.room.borrow_mut().shelves.iter_mut().find_map(|shelf| shelf.lend_first(&mut *is_due))
    }

    /// One a second at most: those that were opened together are not replaced together.
    fn close_one_of_age(&self) {
        let now = now();
        let is_old = &mut |kept: &Kept| now >= kept.until;
        if let Some(kept) = self.lend_due(is_old) {
            self.close(*kept, Closed::Aged);
        }
    }

    /// Closes what is beyond a bound that was lowered.
    fn close_surplus(&self) {
        while self.pool.total.surplus() > 0
            && let Some(kept) = self.lend_due(&mut |_| true)
        {
            self.close(*kept, Closed::Surplus);
        }
    }

    /// Closes what was not used for `pool.idle`, but for `pool.least` of the default user and database.
    fn shrink(&self) {
        let (now, idle) = (now(), self.shape.borrow().plan.pool.idle);
        self.close_idle(Closed::Idle, |kept| now.saturating_duration_since(kept.connection.used) >= idle && self.may_shrink(kept));
    }

    fn may_shrink(&self, kept: &Kept) -> bool {
        let least = self.least_of(&kept.connection.key);
        least == 0 || self.ledger_of(&kept.connection.key).sum().ready() > least
    }

    /// Opens what `pool.least` asks for, this loop's share at most, when the server is up.
    fn open_least(&self) {
        let is_up = matches!(self.database.borrow().state(), ServerState::Up(_)) && !self.pool.is_failing();
        if self.shape.borrow().plan.pool.least == 0 || !is_up || self.draining.get() || self.vacated.get().is_some() {
            return;
        }
        let key = {
            let shape = self.shape.borrow();
            self.key(&shape.plan.user, &shape.plan.database)
        };
        while self.lacks_least(&key) {
            let Some(slot) = self.pool.slot() else { return };
            self.begin_opening(key.clone(), slot);
        }
    }

    /// Whether there are fewer than `pool.least` in all, and on this loop fewer than its share.
    fn lacks_least(&self, key: &Arc<Key>) -> bool {
        let least = self.least_of(key);
        let here = self.room.borrow_mut().find(key).map_or(0, |shelf| shelf.owned());
        here < least.div_ceil(self.events.loops.len()) && self.ledger_of(key).sum().servers() < least
    }

    /// How many connections of `key` are to be there before anybody asks.
    pub(super) fn least_of(&self, key: &Key) -> usize {
        let shape = self.shape.borrow();
        let is_default = *key.user == *shape.plan.user && *key.database == *shape.plan.database;
        if is_default { shape.plan.pool.least } else { 0 }
    }

    pub(super) fn ledger_of(&self, key: &Key) -> Arc<Ledger> {
        self.pool.ledger(&key.user, &key.database)
    }
}
