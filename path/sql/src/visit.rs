//! One client: small while it is silent, with a desk and a server connection while it has something to say.

use std::future::poll_fn;
use std::rc::Rc;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use loops::Alarm;

use crate::client::cancel::{Lending, Seat};
use crate::door::Door;
use crate::events::add;
use crate::exchange::{Clock, Desk, Flow, Reuse, Rules, Stopped};
use crate::parse::Strings;
use crate::path::path;
use crate::server::{Attendance, Key, Lent};
use crate::session::{Names, Parameters, Reported, Session};
use crate::stream::Stream;
use crate::view::View;

/// How long a client that is closed may take to read what it was told.
const LAST_WORDS: Duration = Duration::from_secs(10);

/// A client that is logged in, busy or not.
#[derive(Debug)]
pub(crate) struct Guest {
    pub(crate) stream: Stream,
    pub(crate) key: Arc<Key>,
    pub(crate) seat: Seat,
    pub(crate) session: Session,
    pub(crate) names: Names,
    pub(crate) alarm: Alarm,
    pub(crate) _attendance: Attendance,
    /// A number that no other client of the door has.
    pub(crate) number: u64,
    /// What came before it could know that it is in.
    pub(crate) early: Box<[u8]>,
    pub(crate) traits: Traits,
}

/// What is made of a session once, until it is another.
#[derive(Debug)]
pub(crate) struct Traits {
    parameters: Arc<Parameters>,
    told: Arc<Reported>,
    /// How the server reads the client's texts.
    strings: Strings,
    /// All statements are planned each time.
    plans_anew: bool,
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
            let after = path(&mut visit).await;
            if after == After::Close || visit.is_at_rest() {
                break after;
            }
        };
        visit.end();
        if after == After::Close {
            return guest.last_words().await;
        }
    }
}

impl Guest {
    /// Whoever drains the door wakes every task that once looked at an alarm.
    async fn watch_for_drain(&self) {
        poll_fn(|context| {
            let _ = self.alarm.poll_rung(context);
            Poll::Ready(())
        })
        .await;
    }

    /// Waits until the client says something or there is something to tell it; `false`: it is gone.
    async fn speaks(&mut self, door: &Rc<Door>) -> bool {
        if !self.early.is_empty() {
            return true;
        }
        let mut has_waited = false;
        poll_fn(|context| {
            // Woken: whatever it is for is found by who looks next, without having asked twice.
            if has_waited || door.is_draining() || self.session.poll_heard(context).is_ready() {
                return Poll::Ready(true);
            }
            has_waited = true;
            self.stream.poll_readable(context).map(|readable| readable.is_ok())
        })
        .await
    }

    /// Lets the client have what it was told last, if TLS still has it.
    async fn last_words(mut self) {
        self.alarm.set(LAST_WORDS);
        // Whether it hears them is its own affair.
        let _ = self.alarm.limit(poll_fn(|context| self.stream.poll_flush(context))).await;
    }
}

impl Traits {
    /// Of a session as it is now.
    pub(crate) fn of(session: &Session) -> Traits {
        let parameters = session.parameters().clone();
        let plans_anew = parameters.get("plan_cache_mode") == Some(b"force_custom_plan");
        Traits { plans_anew, parameters, told: session.told().clone(), strings: session.strings() }
    }

    /// Of the session as it is by now: two pointers, nearly always.
    fn follow(&mut self, session: &Session) {
        if !Arc::ptr_eq(&self.parameters, session.parameters()) || !Arc::ptr_eq(&self.told, session.told()) {
            *self = Traits::of(session);
        }
    }
}

impl<'g> Visit<'g> {
    fn new(guest: &'g mut Guest, door: &'g Rc<Door>) -> Visit<'g> {
        let (shape, mut desk) = (door.shape(), door.take_desk());
        desk.open(&door.here.buffers, &std::mem::take(&mut guest.early));
        let mut visit = Visit { guest, door, shape, desk, hold: None, rules: Rules::default(), clock: Clock::default() };
        visit.follow_session();
        visit
    }

    /// The client's session may be another: what is made of it is made anew.
    pub(crate) fn follow_session(&mut self) {
        let Guest { session, traits, number, seat, .. } = &mut *self.guest;
        traits.follow(session);
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
            generation: self.door.common.generation(),
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

    /// Whether what is known of the session was made before names in texts may have got another meaning.
    pub(crate) fn is_outdated(&self) -> bool {
        self.rules.generation != self.door.common.generation()
    }

    /// How the server reads the client's texts.
    pub(crate) fn strings(&self) -> Strings {
        self.guest.traits.strings
    }

    /// Whether nothing is left to do: the client may be silent for long.
    fn is_at_rest(&self) -> bool {
        self.hold.is_none() && self.desk.is_empty()
    }

    fn end(mut self) {
        self.tell_definitions();
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
        if polled.is_pending() && self.shape.plan.limits.is_any() { self.poll_limits(context) } else { polled }
    }

    /// The bytes between the client and the connection that it holds.
    pub(crate) fn flow(&mut self) -> Option<Flow<'_>> {
        let (rules, strings) = (self.rules, self.guest.traits.strings);
        let Hold { lent, .. } = self.hold.as_mut()?;
        Some(Flow {
            desk: &mut self.desk,
            client: &mut self.guest.stream,
            server: lent,
            session: &mut self.guest.session,
            names: &mut self.guest.names,
            key: &self.guest.key,
            door: self.door,
            strings,
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
