//! What loops say to each other about connections: one is offered, one is wanted, there is room.

use std::rc::Rc;
use std::sync::Arc;
use std::time::Instant;

use tokio::sync::mpsc::UnboundedReceiver;

use super::shared::Slot;
use super::shelf::Kept;
use super::side::Side;
use crate::events::Closed;
use crate::server::Connection;
use crate::server::Key;
use tls::Unregistered;

/// A connection between two loops; dropping it closes it and frees its place.
#[derive(Debug)]
pub(crate) struct Parcel {
    connection: Connection<Unregistered>,
    slot: Slot,
    until: Instant,
}

/// What a loop is told.
#[derive(Debug)]
pub(crate) enum Message {
    /// A connection for whoever waits longest there.
    Offer(Box<Parcel>),
    /// Loop `by` has nothing idle for `key`.
    Want {
        /// Who asks.
        by: usize,
        /// What for.
        key: Arc<Key>,
    },
    /// The answer: an idle one.
    Brought(Box<Parcel>),
    /// The answer: none, but the place of one of another key.
    Place(Arc<Key>, Slot),
    /// The answer: none.
    Nothing(Arc<Key>),
    /// Open a connection in this place; a loop tells itself.
    Open(Arc<Key>, Slot),
    /// There is room for a new connection.
    Look,
    /// Somebody wants databases to himself: see [`Side::vacate`].
    Vacate,
}

impl Side {
    /// Follows what the other loops say, until this one ends.
    pub(super) async fn follow(self: Rc<Side>, mut inbox: UnboundedReceiver<Message>) {
        while let Some(message) = inbox.recv().await {
            match message {
                Message::Offer(parcel) => self.unpack(*parcel),
                Message::Want { by, key } => self.answer(by, key),
                Message::Brought(parcel) => {
                    self.was_answered(&parcel.connection.key);
                    self.unpack(*parcel);
                }
                Message::Place(key, slot) => {
                    self.was_answered(&key);
                    self.take_place(key, slot);
                }
                Message::Nothing(key) => {
                    self.was_answered(&key);
                    self.look_again();
                }
                Message::Open(key, slot) => drop(tokio::task::spawn_local(self.clone().open(key, slot))),
                Message::Look => self.look_again(),
                Message::Vacate => self.begin_vacating(),
            }
        }
    }

    /// Asks loop `index` for an idle connection; `false` when that loop has ended.
    pub(super) fn ask(&self, index: usize, key: &Arc<Key>) -> bool {
        let want = Message::Want { by: self.here.index, key: key.clone() };
        let is_sent = self.pool.send(index, want);
        self.room.borrow_mut().shelf(&self.pool, key).asked += usize::from(is_sent);
        is_sent
    }

    fn was_answered(&self, key: &Arc<Key>) {
        self.room.borrow_mut().shelf(&self.pool, key).asked -= 1;
    }

    /// Another loop wants one of `key`.
    fn answer(self: &Rc<Side>, by: usize, key: Arc<Key>) {
        let answer = match self.lend_living(&key, |_| true).and_then(|kept| self.pack(*kept)) {
            Some(parcel) => Message::Brought(parcel),
            None => self.place_of_another(&key).map_or(Message::Nothing(key.clone()), |slot| Message::Place(key, slot)),
        };
        self.pool.send(by, answer);
    }

    /// When there is no room for a new connection: that of an idle one of another key than `key`.
    fn place_of_another(&self, key: &Key) -> Option<Slot> {
        if self.pool.total.free() > 0 {
            return None;
        }
        let kept = self.room.borrow_mut().lend_of_another(key)?;
        Some(self.dismiss(*kept, Closed::Surplus))
    }

    /// Sends a connection to a loop on which somebody waits.
    pub(super) fn offer(&self, index: usize, kept: Kept) {
        if let Some(parcel) = self.pack(kept) {
            self.pool.send(index, Message::Offer(parcel));
        }
    }

    /// Takes a connection off this loop. If that fails it is closed, and those who wait are told.
    fn pack(&self, kept: Kept) -> Option<Box<Parcel>> {
        let Kept { connection, slot, until } = kept;
        let mut room = self.room.borrow_mut();
        room.shelf(&self.pool, &connection.key).leave();
        room.tell(&self.pool);
        drop(room);
        match connection.unregister() {
            Ok(connection) => {
                self.told().moved();
                Some(Box::new(Parcel { connection, slot, until }))
            }
            Err(_) => {
                self.told().closed(Closed::Broken);
                None
            }
        }
    }

    /// A connection of another loop is one of this loop's.
    fn unpack(self: &Rc<Side>, parcel: Parcel) {
        let Parcel { connection, slot, until } = parcel;
        match connection.register() {
            Ok(connection) => self.enter(Kept { connection, slot, until }),
            Err(_) => self.told().closed(Closed::Broken),
        }
    }

    /// A connection that was not here before, to whoever waits.
    pub(super) fn enter(self: &Rc<Side>, kept: Kept) {
        let mut room = self.room.borrow_mut();
        room.shelf(&self.pool, &kept.connection.key).enter();
        room.tell(&self.pool);
        drop(room);
        self.free(Box::new(kept));
    }
}
