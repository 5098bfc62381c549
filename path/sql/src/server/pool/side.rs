//! One loop's side of a pool: lends, takes back, lets wait. What it decides is in `choose.rs`, what it opens in `open.rs`,
//! what it says to other loops in `inbox.rs`.

use std::cell::{Cell, RefCell};
use std::fmt;
use std::rc::Rc;
use std::sync::Arc;
use std::task::{Context, Waker};
use std::time::Instant;

use contract::{Database, ServerAddress, ServerState};
use loops::socket::Seen;
use loops::{Loop, now};
use tokio::sync::Notify;
use tokio::sync::mpsc::UnboundedReceiver;
use tokio::task::{JoinHandle, spawn_local};

use super::choose::{Goes, Step};
use super::inbox::Message;
use super::ledger::{Ledger, less, more};
use super::lent::{Lent, Refused, Trouble};
use super::open::Connect;
use super::room::Room;
use super::shared::{Pool, Slot};
use super::shelf::Kept;
use super::wish::{Waiting, Wish};
use crate::events::{Closed, Events, LoopEvents};
use crate::server::{Connection, Key};
use crate::view::Shape;

/// What a server is told before its connection is closed.
const TERMINATE: &[u8] = b"X\0\0\0\x04";

/// One loop's side of the pool.
pub(crate) struct Side {
    pub(super) here: Loop,
    pub(super) pool: Arc<Pool>,
    pub(super) room: RefCell<Room>,
    pub(super) connect: Connect,
    pub(super) events: Arc<Events>,
    pub(super) shape: RefCell<Arc<Shape>>,
    pub(super) database: RefCell<Database>,
    /// Where connections lead; those that lead elsewhere are closed when they come free.
    pub(super) address: RefCell<Option<ServerAddress>>,
    /// Of the shape; those that were opened under another are closed, too.
    way: Cell<u64>,
    /// Why the server could not be reached the last time.
    pub(super) trouble: RefCell<Option<Trouble>>,
    /// Why it did not let somebody in the last time.
    pub(super) refusal: RefCell<Option<Arc<str>>>,
    /// Some connections may be of users whom the file does not name any more.
    pub(super) unnamed: Cell<bool>,
    /// Until then nothing is idle in databases that no client is in.
    pub(super) vacated: Cell<Option<Instant>>,
    pub(super) draining: Cell<bool>,
    /// Nobody gets a connection any more.
    pub(super) is_cut: Cell<bool>,
    pub(super) random: Cell<u64>,
    /// The time of who waits is being watched.
    pub(super) armed: Cell<bool>,
    /// Somebody waits and is not watched, or the plan is another one.
    pub(super) stirred: Notify,
    /// The server is another one.
    pub(super) swapped: Notify,
}

/// A client that is logged in, counted at its key while it lives.
#[derive(Debug)]
pub(crate) struct Attendance {
    ledger: Arc<Ledger>,
    here: usize,
}

impl Side {
    pub(crate) fn new(
        here: Loop,
        pool: Arc<Pool>,
        events: Arc<Events>,
        shape: Arc<Shape>,
        database: Database,
        connect: Connect,
        seed: u64,
    ) -> Rc<Side> {
        Rc::new(Side {
            room: RefCell::new(Room::new(here.index)),
            way: Cell::new(shape.way),
            here,
            pool,
            connect,
            events,
            shape: RefCell::new(shape),
            database: RefCell::new(database),
            address: RefCell::default(),
            trouble: RefCell::default(),
            refusal: RefCell::default(),
            unnamed: Cell::new(false),
            vacated: Cell::new(None),
            draining: Cell::new(false),
            is_cut: Cell::new(false),
            random: Cell::new(seed),
            armed: Cell::new(false),
            stirred: Notify::new(),
            swapped: Notify::new(),
        })
    }

    /// Starts what it does beside lending: tasks that never end.
    pub(crate) fn start(self: &Rc<Side>, messages: UnboundedReceiver<Message>) -> [JoinHandle<()>; 4] {
        [
            spawn_local(self.clone().follow(messages)),
            spawn_local(self.clone().follow_server()),
            spawn_local(self.clone().end_waits()),
            spawn_local(self.clone().sweep()),
        ]
    }

    /// Follows another plan from now on, and another server if it is one. New bounds hold for what comes.
    pub(crate) fn swap(&self, shape: Arc<Shape>, database: Database) {
        let way = shape.way;
        *self.shape.borrow_mut() = shape;
        *self.database.borrow_mut() = database;
        if self.way.replace(way) != way {
            self.pool.backoff.forget();
            self.close_idle(Closed::Moved, |kept| kept.connection.way != way);
        }
        self.unnamed.set(self.pool.ledgers().iter().any(|ledger| !self.is_named(&ledger.key)));
        if self.unnamed.get() {
            self.close_idle(Closed::Unnamed, |kept| !self.is_named(&kept.connection.key));
        }
        self.swapped.notify_one();
        self.stirred.notify_one();
    }

    /// The one key of a user and a database: found by its address, without comparing names.
    pub(crate) fn key(&self, user: &str, database: &str) -> Arc<Key> {
        self.pool.ledger(user, database).key.clone()
    }

    /// Counts a client that is logged in.
    pub(crate) fn attend(&self, key: &Key) -> Attendance {
        let ledger = self.pool.ledger(&key.user, &key.database);
        more(&ledger.cell(self.here.index).clients);
        Attendance { ledger, here: self.here.index }
    }

    /// An idle connection of this loop that is alive and silent, the last given back first, but one that `fits` before others.
    pub(crate) fn try_lend(self: &Rc<Side>, key: &Arc<Key>, fits: impl Fn(&Connection) -> bool) -> Option<Lent> {
        Some(Lent::new(self.lend_living(key, fits)?, self.clone()))
    }

    /// The idle connection of number `id`, if it is here.
    pub(crate) fn try_lend_home(self: &Rc<Side>, key: &Arc<Key>, id: u64) -> Option<Lent> {
        let kept = self.room.borrow_mut().find(key)?.lend_first(|kept| kept.connection.id == id)?;
        if kept.connection.stream.glance() == Seen::Nothing {
            return Some(Lent::new(kept, self.clone()));
        }
        self.close(*kept, Closed::Died);
        None
    }

    pub(super) fn lend_living(&self, key: &Arc<Key>, fits: impl Fn(&Connection) -> bool) -> Option<Box<Kept>> {
        loop {
            let kept = self.room.borrow_mut().find(key)?.lend(&fits)?;
            if kept.connection.stream.glance() == Seen::Nothing {
                return Some(kept);
            }
            self.close(*kept, Closed::Died);
        }
    }

    /// A connection: an idle one, a new one, one of another loop, the place of one of another key, or the next that comes
    /// free. Whoever drops the future waits no more.
    ///
    /// # Errors
    /// [`Refused`], after at most the plan's `pool.wait`.
    pub(crate) async fn lend(self: &Rc<Side>, key: &Arc<Key>) -> Result<Lent, Refused> {
        match self.try_lend(key, |_| true) {
            Some(lent) => Ok(lent),
            None => self.wait(key)?.await,
        }
    }

    fn wait<'a>(self: &Rc<Side>, key: &'a Arc<Key>) -> Result<Waiting<'a>, Refused> {
        if self.is_cut.get() {
            return Err(Refused::Closing);
        }
        if let ServerState::Unable(reason) = self.database.borrow().state() {
            // It is looked whether somebody has put it right; this client need not wait for that.
            self.database.borrow().want();
            return Err(Refused::Unable(Rc::from(&*reason)));
        }
        let most = self.shape.borrow().plan.pool.client;
        let mut room = self.room.borrow_mut();
        let waiting = room.waiting();
        if waiting >= most {
            return Err(Refused::Full { most });
        }
        let wish = Wish::new(self.pool.nanos(now()));
        let can_hope = room.push(&self.pool, key, wish.clone());
        drop(room);
        if !self.armed.get() {
            self.stirred.notify_one();
        }
        let waiting = Waiting::new(self.clone(), key, wish);
        if can_hope {
            self.serve();
        }
        Ok(waiting)
    }

    /// A connection came free: to whoever waits longest, or idle.
    pub(super) fn free(self: &Rc<Side>, mut kept: Box<Kept>) {
        let now = now();
        kept.connection.used = now;
        if let Some(why) = self.is_unfit(&kept, now) {
            return self.close(*kept, why);
        }
        loop {
            let goes = match self.pool.anybody_waits() {
                true => self.room.borrow_mut().goes(&self.pool, &kept.connection.key, self.pool.nanos(now)),
                false => Goes::Idle,
            };
            match goes {
                Goes::Idle if self.draining.get() => return self.close(*kept, Closed::Drained),
                Goes::Idle => match self.room.borrow_mut().shelve(&self.pool, kept) {
                    Some(wanted) => kept = wanted,
                    None => return,
                },
                Goes::Here => return self.hand(kept),
                Goes::Reopened => return self.reopen(*kept),
                Goes::Moved(index) => return self.offer(index, *kept),
            }
        }
    }

    /// Whether the server is elsewhere than where a connection leads, or would be entered otherwise than it was.
    pub(crate) fn has_moved(&self, connection: &Connection) -> bool {
        connection.way != self.way.get() || self.address.borrow().as_ref().is_some_and(|address| *address != connection.address)
    }

    /// Why a connection that came free may not be used again.
    fn is_unfit(&self, kept: &Kept, now: Instant) -> Option<Closed> {
        let connection = &kept.connection;
        if connection.stream.glance() != Seen::Nothing {
            Some(Closed::Died)
        } else if self.has_moved(connection) {
            Some(Closed::Moved)
        } else if self.unnamed.get() && !self.is_named(&connection.key) {
            Some(Closed::Unnamed)
        } else if now >= kept.until {
            Some(Closed::Aged)
        } else if self.pool.total.surplus() > 0 {
            Some(Closed::Surplus)
        } else {
            None
        }
    }

    /// Whether the file still names the user.
    fn is_named(&self, key: &Key) -> bool {
        self.shape.borrow().gate.password(&key.user).is_some()
    }

    /// Hands a connection to the first client of its key that waits here.
    fn hand(&self, kept: Box<Kept>) {
        let mut room = self.room.borrow_mut();
        let first = room.find(&kept.connection.key).and_then(|shelf| shelf.pop()).expect("it was seen that somebody waits");
        room.tell(&self.pool);
        first.end(Ok(kept));
    }

    /// Gives the place of a connection to the first client of another key that waits here.
    fn reopen(&self, kept: Kept) {
        let next = self.room.borrow().longest_of_another(&kept.connection.key);
        match next {
            Some(key) => {
                let slot = self.dismiss(kept, Closed::Surplus);
                self.begin_opening(key, slot);
            }
            None => self.close(kept, Closed::Surplus),
        }
    }

    /// Closes a connection; its place is for whoever waits.
    pub(super) fn close(&self, kept: Kept, why: Closed) {
        drop(self.dismiss(kept, why));
    }

    /// Closes a connection and keeps its place.
    pub(super) fn dismiss(&self, kept: Kept, why: Closed) -> Slot {
        let Kept { mut connection, slot, .. } = kept;
        if !matches!(why, Closed::Died | Closed::Broken) {
            // Whether the farewell arrives does not matter: the end of the stream says the same.
            let _ = connection.stream.poll_write(&mut Context::from_waker(Waker::noop()), TERMINATE);
        }
        let mut room = self.room.borrow_mut();
        room.shelf(&self.pool, &connection.key).leave();
        room.tell(&self.pool);
        self.told().closed(why);
        slot
    }

    /// Does all that can be done for those who wait here.
    pub(super) fn serve(self: &Rc<Side>) {
        loop {
            let step = self.room.borrow_mut().next_step(&self.pool);
            match step {
                Some((key, Step::Open)) => {
                    if let Some(slot) = self.pool.slot() {
                        self.begin_opening(key, slot);
                    }
                }
                Some((key, Step::Ask(index))) => {
                    if !self.ask(index, &key) {
                        return;
                    }
                }
                Some((key, Step::Replace)) => {
                    let other = self.room.borrow_mut().lend_of_another(&key);
                    if let Some(kept) = other {
                        let slot = self.dismiss(*kept, Closed::Surplus);
                        self.begin_opening(key, slot);
                    }
                }
                Some((_, Step::Wait | Step::Dry)) | None => return,
            }
        }
    }

    /// As [`Side::serve`], after something has changed that those who wait did not see.
    pub(super) fn look_again(self: &Rc<Side>) {
        self.room.borrow_mut().hope();
        self.serve();
    }

    /// A client waits no more.
    pub(super) fn leave(&self, key: &Arc<Key>, wish: &Rc<Wish>) {
        let mut room = self.room.borrow_mut();
        if let Some(shelf) = room.find(key) {
            shelf.remove(wish);
        }
        room.tell(&self.pool);
    }

    /// A client that waited since then has its answer.
    pub(super) fn waited(&self, since: u64) {
        self.told().waited.record(self.pool.nanos(now()).saturating_sub(since));
    }

    pub(super) fn told(&self) -> &LoopEvents {
        &self.events.loops[self.here.index]
    }
}

impl fmt::Debug for Side {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "Side {} of {}", self.here.index, self.events.name)
    }
}

impl Drop for Attendance {
    fn drop(&mut self) {
        less(&self.ledger.cell(self.here).clients);
    }
}
