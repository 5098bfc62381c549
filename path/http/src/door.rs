//! What one loop keeps for its HTTP connections.

use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::SystemTime;

use loops::{Loop, Seats};
use telemetry::Ids;

use crate::access::AccessLines;
use crate::admit::per_address::Addresses;
use crate::answer::Clock;
use crate::balance::pipe::Pipes;
use crate::balance::pool::Pool;
use crate::events::Events;
use crate::view::View;
use crate::visit::Desk;

/// Desks kept for the next busy connection.
const DESKS: usize = 64;

/// What all loops of the tier share; nothing here is written per request.
#[derive(Debug)]
pub(crate) struct Shared {
    pub(crate) seats: Arc<Seats>,
    pub(crate) addresses: Arc<Addresses>,
    pub(crate) events: Arc<Events>,
    /// Connections open on all loops; drained when zero.
    pub(crate) open: AtomicU64,
}

/// One loop's part of the tier.
pub(crate) struct Door {
    pub(crate) here: Loop,
    pub(crate) common: Arc<Shared>,
    pub(crate) pool: Pool,
    pub(crate) pipes: Pipes,
    pub(crate) access: AccessLines,
    view: RefCell<Rc<View>>,
    clock: RefCell<Clock>,
    ids: RefCell<Ids>,
    // A box is what a visit holds, so that its future stays small.
    #[allow(clippy::vec_box)]
    desks: RefCell<Vec<Box<Desk>>>,
    draining: Cell<bool>,
    /// Connections that keep their state between two requests.
    pub(crate) warm: Cell<usize>,
}

impl Door {
    pub(crate) fn new(here: Loop, common: Arc<Shared>, view: Rc<View>, access: AccessLines) -> Rc<Door> {
        Rc::new(Door {
            here,
            common,
            pool: Pool::default(),
            pipes: Pipes::default(),
            access,
            view: RefCell::new(view),
            clock: RefCell::default(),
            ids: RefCell::new(Ids::from_os()),
            desks: RefCell::default(),
            draining: Cell::new(false),
            warm: Cell::new(0),
        })
    }

    pub(crate) fn view(&self) -> Rc<View> {
        self.view.borrow().clone()
    }

    /// Replaces `seen` if there is a newer one.
    pub(crate) fn refresh(&self, seen: &mut Rc<View>) {
        let now = self.view.borrow();
        if !Rc::ptr_eq(&now, seen) {
            *seen = now.clone();
        }
    }

    pub(crate) fn set_view(&self, view: Rc<View>) {
        *self.view.borrow_mut() = view;
    }

    /// The `Date` of now.
    pub(crate) fn date(&self) -> [u8; 29] {
        *self.clock.borrow_mut().date(SystemTime::now())
    }

    /// Appends a new id of 32 hexadecimal digits.
    pub(crate) fn new_id(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(&self.ids.borrow_mut().id());
    }

    /// Appends a new span id of 16 hexadecimal digits.
    pub(crate) fn new_span(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(&self.ids.borrow_mut().span());
    }

    pub(crate) fn is_draining(&self) -> bool {
        self.draining.get()
    }

    /// From now on answers close their connections; idle ones are woken to close.
    pub(crate) fn drain(&self) {
        self.draining.set(true);
        self.here.alarms.wake_all();
    }

    pub(crate) fn take_desk(&self) -> Box<Desk> {
        self.desks.borrow_mut().pop().unwrap_or_default()
    }

    pub(crate) fn give_back(&self, mut desk: Box<Desk>) {
        let mut desks = self.desks.borrow_mut();
        if desks.len() < DESKS {
            (desk.input, desk.answer) = (None, None);
            desks.push(desk);
        }
    }

    pub(crate) fn opened(&self) {
        self.common.open.fetch_add(1, Ordering::Relaxed);
    }

    pub(crate) fn closed(&self) {
        self.common.open.fetch_sub(1, Ordering::Release);
    }
}
