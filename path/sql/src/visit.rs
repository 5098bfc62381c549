//! One client: small while it is silent, with a desk and a server connection while it has something to say.

use std::cell::Cell;
use std::future::poll_fn;
use std::rc::Rc;
use std::sync::Arc;
use std::task::{Context, Poll};

use loops::Alarm;

use crate::client::{Lending, Seat};
use crate::door::Door;
use crate::error::{Fault, Severity};
use crate::exchange::{Desk, Flow, Reuse, Rules, Stopped};
use crate::parse::Strings;
use crate::path::path;
use crate::server::{Key, Lent};
use crate::session::{Names, Session};
use crate::shape::Shape;
use crate::stream::Stream;

/// A client that is logged in, busy or not.
#[derive(Debug)]
pub(crate) struct Guest {
    pub(crate) stream: Stream,
    pub(crate) key: Arc<Key>,
    pub(crate) seat: Seat,
    pub(crate) session: Session,
    pub(crate) names: Names,
    pub(crate) alarm: Alarm,
    /// A number that no other client of the door has.
    pub(crate) number: u64,
    /// What came before it could know that it is in.
    pub(crate) early: Box<[u8]>,
}

/// What happens to a client after what it sent was dealt with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum After {
    /// It may send more.
    Again,
    /// It is closed.
    Close,
}

/// A connection in a client's hands, and the way for a cancel to reach it.
#[derive(Debug)]
pub(crate) struct Hold {
    // Dropped first: no cancel may come to a connection that was given back.
    pub(crate) cancel: Lending,
    pub(crate) lent: Lent,
}

/// A client that is busy.
pub(crate) struct Visit<'g> {
    pub(crate) guest: &'g mut Guest,
    pub(crate) door: &'g Rc<Door>,
    /// The plan as it was when the client began to be busy.
    pub(crate) shape: Rc<Arc<Shape>>,
    pub(crate) desk: Box<Desk>,
    pub(crate) hold: Option<Hold>,
}

/// Serves a client that is logged in until one of both leaves.
pub(crate) async fn serve(door: Rc<Door>, mut guest: Guest) {
    while guest.speaks(&door).await {
        let mut visit = Visit::new(&mut guest, &door);
        let after = loop {
            let after = path(&mut visit).await;
            if after == After::Close || visit.is_at_rest() {
                break after;
            }
        };
        visit.end();
        if after == After::Close {
            return;
        }
    }
}

impl Guest {
    /// Waits until the client says something; `false`: it is to leave.
    async fn speaks(&mut self, door: &Rc<Door>) -> bool {
        if !self.early.is_empty() {
            return true;
        }
        let spoke = poll_fn(|context| {
            // The alarm is off; whoever drains the door wakes all that poll one.
            let _ = self.alarm.poll_rung(context);
            if door.is_draining() {
                return Poll::Ready(None);
            }
            self.stream.poll_readable(context).map(Some)
        });
        match spoke.await {
            Some(readable) => readable.is_ok(),
            None => {
                self.dismiss(&Fault::terminated());
                false
            }
        }
    }

    /// Tells a client that has everything else why it must leave.
    fn dismiss(&mut self, fault: &Fault) {
        let mut bytes = Vec::new();
        fault.write(&mut bytes, Severity::Fatal);
        // Whether it still takes it is its own affair.
        let _ = self.stream.poll_write(&mut Context::from_waker(std::task::Waker::noop()), &bytes);
    }

    /// How the server reads its texts.
    pub(crate) fn strings(&self) -> Strings {
        self.session.strings()
    }
}

impl<'g> Visit<'g> {
    fn new(guest: &'g mut Guest, door: &'g Rc<Door>) -> Visit<'g> {
        let (shape, mut desk) = (door.shape(), door.take_desk());
        desk.open(&door.here.buffers, &std::mem::take(&mut guest.early));
        Visit { guest, door, shape, desk, hold: None }
    }

    /// Whether nothing is left to do: the client may be silent for long.
    fn is_at_rest(&self) -> bool {
        self.hold.is_none() && self.desk.is_empty()
    }

    fn end(self) {
        self.door.give_back(self.desk);
    }

    /// Moves bytes both ways until something else must be done, or `interrupts` says so.
    pub(crate) fn poll_flow(&mut self, context: &mut Context<'_>) -> Poll<Stopped> {
        let rules = self.rules();
        let strings = self.guest.strings();
        let hold = self.hold.as_mut().expect("bytes flow to a connection that is held");
        Flow {
            desk: &mut self.desk,
            client: &mut self.guest.stream,
            server: &mut hold.lent,
            session: &mut self.guest.session,
            names: &mut self.guest.names,
            key: &self.guest.key,
            memory: &self.door.memory,
            buffers: &self.door.here.buffers,
            strings,
            rules,
        }
        .poll(context)
    }

    /// Writes what is to be told to the client; ready when it is, and whether the client may go on.
    pub(crate) fn poll_tell(&mut self, context: &mut Context<'_>) -> Poll<After> {
        match self.desk.tell(context, &mut self.guest.stream) {
            Err(_) => Poll::Ready(After::Close),
            Ok(_) if self.desk.has_told() => Poll::Ready(After::Again),
            Ok(_) => Poll::Pending,
        }
    }

    fn rules(&self) -> Rules {
        let parameters = self.guest.session.parameters();
        let plan = &self.shape.plan;
        let reuse = match (plan.reuse, parameters.get("plan_cache_mode")) {
            (false, _) => Reuse::Never,
            (true, Some(b"force_custom_plan")) => Reuse::Always,
            (true, _) => Reuse::Lookups,
        };
        let reuse = if self.guest.session.is_pinned() { Reuse::Never } else { reuse };
        Rules { client: self.guest.number, environment: parameters.plan(), most: plan.pool.statements, reuse }
    }
}
