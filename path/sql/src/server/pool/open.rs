//! Opens connections for those who wait: when the server can be reached, not more often than it can bear.

use std::hash::{BuildHasher, RandomState};
use std::pin::Pin;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use contract::{ServerAddress, ServerState};
use loops::now;

use super::backoff::Turn;
use super::inbox::Message;
use super::lent::{Refused, Trouble};
use super::shared::Slot;
use super::shelf::Kept;
use super::side::Side;
use crate::error::code;
use crate::server::{ConnectError, Connection, Key, connect};
use crate::view::Shape;

/// How often a loop that waits for the server looks whether anybody still wants it.
const LOOK: Duration = Duration::from_secs(1);

/// The longest that connecting and logging in may take; then it counts as unreachable.
const CONNECT: Duration = Duration::from_secs(10);

/// The largest share of `pool.age` by which one connection lives shorter than another, one in so many.
const SPREAD: u32 = 5;

/// What shall be opened.
pub(crate) struct Wanted {
    pub(crate) address: ServerAddress,
    pub(crate) key: Arc<Key>,
    pub(crate) shape: Arc<Shape>,
}

/// How a connection is opened: [`to_server`], or in a test without a server something of its own.
pub(crate) type Connect = Box<dyn Fn(Wanted) -> Pin<Box<dyn Future<Output = Result<Connection, ConnectError>>>>>;

/// Connects and logs in.
pub(crate) fn to_server() -> Connect {
    Box::new(|Wanted { address, key, shape }| {
        Box::pin(async move {
            let Some(password) = shape.gate.password(&key.user) else {
                return Err(ConnectError::Unfit("the file does not name this user any more".into()));
            };
            let opened = connect(&address, &shape.trust, &key, password, tokio::time::Instant::now() + CONNECT).await;
            opened.map(|connection| Connection { way: shape.way, ..connection })
        })
    })
}

/// A connection being opened, counted while this lives.
struct Opening<'a>(&'a Side, &'a Arc<Key>);

impl Side {
    /// Opens a connection in `slot`, on this loop but not in the caller's task.
    pub(super) fn begin_opening(&self, key: Arc<Key>, slot: Slot) {
        self.change_opening(&key, true);
        if !self.pool.send(self.here.index, Message::Open(key.clone(), slot)) {
            self.change_opening(&key, false);
        }
    }

    /// As [`Side::begin_opening`], if somebody waits for whom none is being opened.
    pub(super) fn take_place(&self, key: Arc<Key>, slot: Slot) {
        let is_needed = self.room.borrow_mut().shelf(&self.pool, &key).lacks();
        if is_needed {
            self.begin_opening(key, slot);
        }
    }

    fn change_opening(&self, key: &Arc<Key>, begins: bool) {
        let mut room = self.room.borrow_mut();
        let shelf = room.shelf(&self.pool, key);
        if begins {
            shelf.begin_opening()
        } else {
            shelf.end_opening()
        }
        room.tell(&self.pool);
    }

    /// Opens one, tries again as long as somebody wants it, gives it to whoever waits.
    pub(super) async fn open(self: Rc<Side>, key: Arc<Key>, slot: Slot) {
        let opening = Opening(&self, &key);
        let opened = self.try_to_open(&key).await;
        drop(opening);
        match opened {
            Ok(Some(connection)) => {
                let until = connection.opened + self.life();
                self.enter(Kept { connection, slot, until });
            }
            Ok(None) => drop(slot),
            Err(verdict) => {
                drop(slot);
                self.refuse_all(&key, &Refused::Failed(Rc::new(verdict)));
            }
        }
        self.look_again();
    }

    /// `None`: nobody wants it any more. An error is the server's verdict: trying again would not change it.
    async fn try_to_open(&self, key: &Arc<Key>) -> Result<Option<Connection>, ConnectError> {
        loop {
            let Some(address) = self.reachable(key).await else { return Ok(None) };
            let began = self.pool.nanos(now());
            let wanted = Wanted { address, key: key.clone(), shape: self.shape.borrow().clone() };
            let error = match (self.connect)(wanted).await {
                Ok(mut connection) => {
                    connection.id = self.pool.new_id();
                    self.told().opened();
                    self.recovered();
                    return Ok(Some(connection));
                }
                Err(error) => error,
            };
            self.told().open_failed();
            if !self.may_pass(&error, key) {
                self.note_refusal(&error, key);
                return Err(error);
            }
            self.pool.backoff.failed(began, self.pool.nanos(now()), self.random());
            self.note_trouble(&error);
            self.stirred.notify_one();
        }
    }

    /// Opens a connection on top of the total, which is not for clients.
    ///
    /// # Errors
    /// As of [`connect`]; a server that is not up is unreachable, but is wanted from now on.
    pub(crate) async fn open_beside(&self, key: Arc<Key>) -> Result<Connection, ConnectError> {
        let state = self.database.borrow().state();
        let ServerState::Up(address) = state else {
            self.database.borrow().want();
            return Err(ConnectError::Unreachable("it is not up".into()));
        };
        let wanted = Wanted { address, key, shape: self.shape.borrow().clone() };
        let mut connection = (self.connect)(wanted).await?;
        connection.id = self.pool.new_id();
        Ok(connection)
    }

    /// Waits until the server can be tried; `None` when nobody wants it any more.
    async fn reachable(&self, key: &Arc<Key>) -> Option<ServerAddress> {
        loop {
            if !self.is_wanted(key) {
                return None;
            }
            let (mut watch, changed) = (self.database.borrow().watch(), self.pool.backoff.changed());
            let state = watch.borrow_and_update().clone();
            let mut pause = LOOK;
            match state {
                ServerState::Up(address) => match self.pool.backoff.turn(self.pool.nanos(now()), self.random()) {
                    Turn::Now => return Some(address),
                    Turn::Later(later) => pause = pause.min(later),
                },
                // One that failed may be well again: who waits is a reason to try sooner.
                ServerState::Asleep | ServerState::Down(_) => self.database.borrow().want(),
                ServerState::Starting | ServerState::Unable(_) => {}
            }
            tokio::select! {
                biased;
                Ok(()) = watch.changed() => {}
                () = changed => {}
                () = loops::time::sleep(pause) => {}
            }
        }
    }

    /// Somebody waits, or there are fewer than are to be there before anybody asks.
    fn is_wanted(&self, key: &Arc<Key>) -> bool {
        let waits = self.room.borrow_mut().find(key).is_some_and(|shelf| shelf.waiting() > 0);
        waits || !self.draining.get() && self.ledger_of(key).sum().ready() < self.least_of(key)
    }

    /// Whether trying again may help. A server that is full serves with the connections that there are, or will be in a moment.
    fn may_pass(&self, error: &ConnectError, key: &Arc<Key>) -> bool {
        match error {
            ConnectError::Verdict(said) if said.code() == code::TOO_MANY_CONNECTIONS => self.ledger_of(key).sum().servers() > 1,
            other => other.is_passing(),
        }
    }

    fn recovered(&self) {
        self.pool.backoff.forget();
        self.pool.set_trouble(None);
        if self.trouble.take().is_some() {
            self.events.reached_again();
        }
    }

    /// The client is told what the server said; whether it is the file's fault its operator must know.
    fn note_refusal(&self, error: &ConnectError, key: &Key) {
        let is_login = matches!(error, ConnectError::Verdict(said) if said.code().starts_with("28"));
        if !is_login && !matches!(error, ConnectError::Unfit(_)) {
            return;
        }
        let text: Arc<str> = error.to_string().into();
        if self.refusal.replace(Some(text.clone())).is_none_or(|before| before != text) {
            self.events.not_let_in(&key.user, &text, is_login);
        }
    }

    fn note_trouble(&self, error: &ConnectError) {
        let text: Arc<str> = error.to_string().into();
        let is_full = matches!(error, ConnectError::Verdict(said) if said.code() == code::TOO_MANY_CONNECTIONS);
        self.pool.set_trouble(Some(text.clone()));
        // Once for each kind of trouble: the count tells how often.
        if self.trouble.replace(Some(Trouble { text: text.clone(), is_full })).is_none_or(|before| before.text != text) {
            let place = self.address.borrow().as_ref().map_or_else(String::new, |address| format!(" at {address}"));
            self.events.cannot_open(&place, &text, is_full);
        }
    }

    /// Everybody who waits for `key` here is told.
    fn refuse_all(&self, key: &Arc<Key>, refused: &Refused) {
        while let Some(wish) = self.pop_waiting(key) {
            wish.end(Err(refused.clone()));
        }
        self.room.borrow().tell(&self.pool);
    }

    fn pop_waiting(&self, key: &Arc<Key>) -> Option<Rc<super::wish::Wish>> {
        self.room.borrow_mut().find(key)?.pop()
    }

    /// For pauses and ages, not for secrets (xorshift64).
    fn random(&self) -> u64 {
        let mut state = self.random.get() | 1;
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        self.random.set(state);
        state >> 16
    }

    /// How long a new connection may live: not the same for all, so that they do not go together.
    fn life(&self) -> Duration {
        let age = self.shape.borrow().plan.pool.age;
        age - age.mul_f64((self.random() % 1024) as f64 / 1024.0 / f64::from(SPREAD))
    }
}

impl Drop for Opening<'_> {
    fn drop(&mut self) {
        self.0.change_opening(self.1, false);
    }
}

/// A seed that no other loop has.
pub(crate) fn seed() -> u64 {
    RandomState::new().hash_one(0)
}
