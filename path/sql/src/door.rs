//! What one loop keeps for its clients.

use loops::{Loop, Seats, now};
use std::cell::{Cell, RefCell};
use std::ops::Deref;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use crate::client::Welcomes;
use crate::client::cancel::{Registry, Ways};
use crate::events::{Events, Failure, LoopEvents};
use crate::exchange::{Desk, Measured, Memory};
use crate::listening::Listeners;
use crate::pins::PinBoard;
use crate::server::{Key, Pool, Side};
use crate::session::{Readers, Resting, Sessions};
use crate::top::{Measure, Top};
use crate::view::{Shape, View};

/// Desks kept for the next busy client.
const DESKS: usize = 64;

/// What all loops of the tier share; nothing here is written per statement.
#[derive(Debug)]
pub(crate) struct Shared {
    pub(crate) seats: Arc<Seats>,
    pub(crate) events: Arc<Events>,
    pub(crate) pool: Arc<Pool>,
    pub(crate) top: Arc<Top>,
    /// How a cancel finds the loop of its client.
    pub(crate) ways: Arc<Ways>,
    /// The way to who listens for clients.
    pub(crate) listeners: Listeners,
    /// What clients are told when they come.
    pub(crate) welcomes: Welcomes,
    /// Whose clients read what their sequences left.
    pub(crate) readers: Arc<Readers>,
    /// Client connections open on all loops; drained when zero.
    pub(crate) open: AtomicU64,
    clients: AtomicU64,
    /// See [`Shared::generation`].
    generation: AtomicU64,
}

/// One loop's part of the tier.
#[derive(Debug)]
pub(crate) struct Door {
    pub(crate) here: Loop,
    pub(crate) common: Arc<Shared>,
    /// Connections to the server.
    pub(crate) side: Rc<Side>,
    /// Clients as a cancel finds them.
    pub(crate) registry: Rc<Registry>,
    /// Which statements there are.
    pub(crate) measure: RefCell<Measure>,
    /// What the sessions of this loop share.
    pub(crate) sessions: Rc<Sessions>,
    /// Texts and statements that have come here.
    pub(crate) memory: RefCell<Memory>,
    /// Long statements of its clients that rest.
    pub(crate) resting: Resting,
    // A box is what a visit holds, so that its future stays small.
    #[allow(clippy::vec_box)]
    desks: RefCell<Vec<Box<Desk>>>,
    view: RefCell<View>,
    draining: Cell<bool>,
    cut: Cell<bool>,
    refusing: Cell<usize>,
}

impl Shared {
    pub(crate) fn new(
        seats: Arc<Seats>,
        events: Arc<Events>,
        pool: Arc<Pool>,
        top: Arc<Top>,
        ways: Arc<Ways>,
        listeners: Listeners,
    ) -> Shared {
        let (welcomes, readers) = Default::default();
        Shared {
            seats,
            events,
            pool,
            top,
            ways,
            listeners,
            welcomes,
            readers,
            open: AtomicU64::new(0),
            clients: AtomicU64::new(0),
            generation: AtomicU64::new(0),
        }
    }

    /// Counts what may give names in a text another meaning: a table made nearer on the `search_path` is not found by a
    /// statement that was parsed before.
    pub(crate) fn generation(&self) -> u64 {
        self.generation.load(Ordering::Relaxed)
    }

    /// Names may mean something else from now on.
    pub(crate) fn begin_generation(&self) {
        self.generation.fetch_add(1, Ordering::Relaxed);
    }
}

fn sessions(here: &Loop, common: &Shared, shape: &Shape) -> Rc<Sessions> {
    let pins = PinBoard::new(here.index, common.events.clone());
    Sessions::new(pins, common.listeners.clone(), common.readers.clone(), shape.plan.pool.wait)
}

impl Door {
    pub(crate) fn new(here: Loop, common: Arc<Shared>, side: Rc<Side>, shape: Arc<Shape>) -> Rc<Door> {
        Rc::new(Door {
            registry: Registry::new(here.index, common.ways.clone()),
            measure: RefCell::new(Measure::new(common.top.clone(), here.index)),
            sessions: sessions(&here, &common, &shape),
            memory: RefCell::default(),
            resting: Resting::default(),
            desks: RefCell::default(),
            here,
            common,
            side,
            view: RefCell::new(View::new(shape)),
            draining: Cell::new(false),
            cut: Cell::new(false),
            refusing: Cell::new(0),
        })
    }

    /// The plan that holds now, ready made. Cloned without writing anything that cores share.
    pub(crate) fn shape(&self) -> View {
        self.view.borrow().clone()
    }

    /// A plan that came with another server makes what the one before told worthless.
    pub(crate) fn set_shape(&self, shape: Arc<Shape>) {
        self.sessions.patience.set(shape.plan.pool.wait);
        *self.view.borrow_mut() = View::new(shape);
        self.common.welcomes.clear();
    }

    /// What this loop counts.
    pub(crate) fn events(&self) -> &LoopEvents {
        &self.common.events.loops[self.here.index]
    }

    /// Statements of `whose` have ended.
    pub(crate) fn measured(&self, ended: impl ExactSizeIterator<Item = Measured>, whose: &Key) {
        if ended.len() == 0 {
            return;
        }
        let (now, events, mut measure) = (now(), self.events(), self.measure.borrow_mut());
        for Measured { mark, rows, failed } in ended {
            events.queries.record(measure.done(mark, now, rows, failed, whose));
            if failed {
                events.failed(Failure::Server);
            }
        }
    }

    /// A client is told that it cannot come in, if not `most` are just being told so.
    pub(crate) fn begin_refusing(self: &Rc<Door>, most: usize) -> Option<Refusing> {
        let refusing = self.refusing.get();
        (refusing < most).then(|| {
            self.refusing.set(refusing + 1);
            Refusing(self.clone())
        })
    }

    pub(crate) fn take_desk(&self) -> Box<Desk> {
        self.desks.borrow_mut().pop().unwrap_or_default()
    }

    pub(crate) fn give_back(&self, mut desk: Box<Desk>) {
        let mut desks = self.desks.borrow_mut();
        if desks.len() < DESKS {
            desk.clear();
            desks.push(desk);
        }
    }

    /// A number for a client that no other of this tier has.
    pub(crate) fn new_client(&self) -> u64 {
        self.common.clients.fetch_add(1, Ordering::Relaxed) + 1
    }

    pub(crate) fn is_draining(&self) -> bool {
        self.draining.get()
    }

    /// From now on clients are told to leave between two transactions; idle ones are woken to be told.
    pub(crate) fn drain(&self) {
        self.draining.set(true);
        self.side.drain();
        self.here.alarms.wake_all();
    }

    /// Whether nobody may stay any longer.
    pub(crate) fn is_cut(&self) -> bool {
        self.cut.get()
    }

    /// From now on every client is closed, whatever it does; all are woken to be told.
    pub(crate) fn cut(&self) {
        self.draining.set(true);
        self.cut.set(true);
        self.side.cut();
        self.here.alarms.wake_all();
    }

    pub(crate) fn opened(&self) {
        self.common.open.fetch_add(1, Ordering::Relaxed);
    }

    pub(crate) fn closed(&self) {
        self.common.open.fetch_sub(1, Ordering::Release);
    }
}

/// A client that is being told that it cannot come in.
pub(crate) struct Refusing(Rc<Door>);

impl Deref for Refusing {
    type Target = Rc<Door>;

    fn deref(&self) -> &Rc<Door> {
        &self.0
    }
}

impl Drop for Refusing {
    fn drop(&mut self) {
        self.0.refusing.set(self.0.refusing.get() - 1);
    }
}
