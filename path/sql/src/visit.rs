//! A client that is busy: it has a desk, and a server connection while somebody must answer it.

use std::future::{Future, poll_fn};
use std::pin::pin;
use std::rc::Rc;
use std::task::{Context, Poll};

use crate::client::Guest;
use crate::client::cancel::Lending;
use crate::door::Door;
use crate::events::add;
use crate::exchange::{Clock, Desk, Flow, Reuse, Rules, Stopped};
use crate::path::path;
use crate::server::Lent;
use crate::view::View;

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
    pub(crate) shape: View,
    pub(crate) desk: Box<Desk>,
    pub(crate) hold: Option<Hold>,
    rules: Rules,
    /// What the plan's limits count.
    pub(crate) clock: Clock,
}

/// Serves a client that is logged in until one of both leaves.
pub(crate) async fn serve(door: Rc<Door>, mut guest: Guest) {
    guest.watch_for_drain().await;
    while guest.speaks(&door).await {
        let mut visit = Visit::new(&mut guest, &door);
        let after = loop {
            let after = visit.serve().await;
            if after == After::Close || visit.is_at_rest() {
                break after;
            }
            // What is answered here, without a server, has cost none of it.
            tokio::task::consume_budget().await;
        };
        visit.end();
        if after == After::Close {
            return guest.last_words().await;
        }
    }
}

impl<'g> Visit<'g> {
    fn new(guest: &'g mut Guest, door: &'g Rc<Door>) -> Visit<'g> {
        let (shape, desk) = (door.shape(), door.take_desk());
        let mut visit = Visit { guest, door, shape, desk, hold: None, rules: Rules::default(), clock: Clock::default() };
        visit.follow_session();
        if !visit.guest.early.is_empty() {
            visit.take_early();
        }
        visit
    }

    /// What came with the last word of the login.
    fn take_early(&mut self) {
        let early = std::mem::take(&mut self.guest.early);
        add(&self.door.events().bytes_in, early.len() as u64);
        self.desk.open(&self.door.here.buffers, &early);
        self.frame();
    }

    /// The path, unless the door is cut meanwhile: then the client is closed, wherever it stands.
    async fn serve(&mut self) -> After {
        let door = self.door;
        let served = {
            let mut path = pin!(path(self));
            poll_fn(|context| if door.is_cut() { Poll::Ready(None) } else { path.as_mut().poll(context).map(Some) }).await
        };
        match served {
            Some(after) => after,
            None => Box::pin(self.cut()).await,
        }
    }

    /// The client's session may be another: what is made of it is made anew.
    pub(crate) fn follow_session(&mut self) {
        let Guest { session, traits, number, seat, .. } = &mut *self.guest;
        if traits.follow(session) {
            seat.work().is_of(session.client(), session.told());
        }
        self.desk.done.strings = traits.strings;
        let (plan, is_pinned) = (&self.shape.plan, session.is_pinned());
        let reuse = match (plan.reuse && !is_pinned, traits.plans_anew) {
            (false, _) => Reuse::Never,
            (true, true) => Reuse::Always,
            (true, false) => Reuse::Lookups,
        };
        self.rules = Rules {
            client: *number,
            process: seat.process(),
            environment: traits.parameters.plan(),
            most: plan.pool.statements,
            is_private: is_pinned,
            reuse,
        };
    }

    /// Tells all loops if what the client did may give names in texts another meaning.
    pub(crate) fn tell_definitions(&mut self) {
        if std::mem::take(&mut self.desk.intake.defines) {
            self.door.common.begin_generation();
        }
    }

    /// Whether nothing is left to do: the client may be silent for long.
    fn is_at_rest(&self) -> bool {
        self.hold.is_none() && self.desk.is_empty()
    }

    fn end(mut self) {
        self.tell_definitions();
        self.guest.names.rest(&self.door.resting);
        self.door.give_back(self.desk);
    }

    /// Moves bytes both ways until something else must be done.
    pub(crate) fn poll_flow(&mut self, context: &mut Context<'_>) -> Poll<Stopped> {
        if self.desk.is_between_transactions() {
            if self.door.is_draining() {
                return Poll::Ready(Stopped::Drained);
            }
            self.hear(context);
        }
        let polled = self.flow().expect("bytes flow to a connection that is held").poll(context);
        self.count_told();
        if polled.is_ready() {
            return polled;
        }
        self.show();
        if self.shape.plan.limits.is_any() { self.poll_limits(context) } else { polled }
    }

    /// Lets others see what the client does with the connection that it holds.
    fn show(&self) {
        if let Some(Hold { cancel, .. }) = &self.hold {
            cancel.shows(self.desk.doing(), self.desk.came);
        }
    }

    /// The bytes between the client and the connection that it holds.
    pub(crate) fn flow(&mut self) -> Option<Flow<'_>> {
        let rules = self.rules;
        let Hold { lent, .. } = self.hold.as_mut()?;
        Some(Flow {
            desk: &mut self.desk,
            client: &mut self.guest.stream,
            server: lent,
            session: &mut self.guest.session,
            names: &mut self.guest.names,
            key: &self.guest.key,
            door: self.door,
            rules,
        })
    }

    /// Writes what is to be told to the client; ready when it is, and whether the client may go on.
    pub(crate) fn poll_tell(&mut self, context: &mut Context<'_>) -> Poll<After> {
        let told = self.desk.tell(context, &mut self.guest.stream);
        self.count_told();
        match told {
            Err(_) => Poll::Ready(After::Close),
            Ok(_) if self.desk.has_told() => Poll::Ready(After::Again),
            Ok(_) => Poll::Pending,
        }
    }

    fn count_told(&mut self) {
        add(&self.door.events().bytes_out, self.desk.count_told());
    }
}
