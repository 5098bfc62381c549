//! What one loop keeps for its clients.

use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{SystemTime, UNIX_EPOCH};

use loops::{Loop, Seats};

use crate::events::{Events, LoopEvents};
use crate::plan::Plan;
use crate::store::{Ms, Store};
use crate::visit::Desk;

/// Desks kept for the next busy client.
const DESKS: usize = 64;

/// What all loops of the tier share.
#[derive(Debug)]
pub(crate) struct Shared {
    pub(crate) seats: Arc<Seats>,
    pub(crate) events: Arc<Events>,
    pub(crate) store: Arc<Store>,
    /// Client connections open on all loops; drained when zero.
    pub(crate) open: AtomicU64,
    clients: AtomicU64,
}

/// One loop's part of the tier.
#[derive(Debug)]
pub(crate) struct Door {
    pub(crate) here: Loop,
    pub(crate) common: Arc<Shared>,
    plan: RefCell<Arc<Plan>>,
    // A box is what a visit holds, so that its future stays small.
    #[allow(clippy::vec_box)]
    desks: RefCell<Vec<Box<Desk>>>,
    draining: Cell<bool>,
}

/// Milliseconds since 1970.
pub(crate) fn now() -> Ms {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_millis() as Ms)
}

impl Shared {
    pub(crate) fn new(seats: Arc<Seats>, events: Arc<Events>, store: Arc<Store>) -> Shared {
        Shared { seats, events, store, open: AtomicU64::new(0), clients: AtomicU64::new(0) }
    }
}

impl Door {
    pub(crate) fn new(here: Loop, common: Arc<Shared>, plan: Arc<Plan>) -> Rc<Door> {
        Rc::new(Door { here, common, plan: RefCell::new(plan), desks: RefCell::default(), draining: Cell::new(false) })
    }

    /// The plan that holds now.
    pub(crate) fn plan(&self) -> Arc<Plan> {
        self.plan.borrow().clone()
    }

    pub(crate) fn set_plan(&self, plan: Arc<Plan>) {
        *self.plan.borrow_mut() = plan;
    }

    /// What this loop counts.
    pub(crate) fn events(&self) -> &LoopEvents {
        &self.common.events.loops[self.here.index]
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

    /// From now on clients are closed between two commands; idle ones are woken to be closed.
    pub(crate) fn drain(&self) {
        self.draining.set(true);
        self.here.alarms.wake_all();
    }

    pub(crate) fn opened(&self) {
        self.common.open.fetch_add(1, Ordering::Relaxed);
    }

    pub(crate) fn closed(&self) {
        self.common.open.fetch_sub(1, Ordering::Release);
    }
}
