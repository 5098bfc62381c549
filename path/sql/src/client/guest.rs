//! A client that is logged in: small while it is silent.

use std::future::poll_fn;
use std::rc::Rc;
use std::sync::Arc;
use std::task::Poll;
use std::time::Duration;

use loops::Alarm;

use super::cancel::Seat;
use crate::door::Door;
use crate::parse::Strings;
use crate::server::{Attendance, Key};
use crate::session::{Names, Parameters, Reported, Session};
use tls::Stream;

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
    pub(crate) parameters: Arc<Parameters>,
    told: Arc<Reported>,
    /// How the server reads the client's texts.
    pub(crate) strings: Strings,
    /// All statements are planned each time.
    pub(crate) plans_anew: bool,
}

impl Guest {
    /// Whoever drains the door wakes every task that once looked at an alarm.
    pub(crate) async fn watch_for_drain(&self) {
        poll_fn(|context| {
            let _ = self.alarm.poll_rung(context);
            Poll::Ready(())
        })
        .await;
    }

    /// Waits until the client says something or there is something to tell it; `false`: it is gone.
    pub(crate) async fn speaks(&mut self, door: &Rc<Door>) -> bool {
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
    pub(crate) async fn last_words(mut self) {
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

    /// Of the session as it is by now: two pointers, nearly always. Whether it is another.
    pub(crate) fn follow(&mut self, session: &Session) -> bool {
        let is_another = !Arc::ptr_eq(&self.parameters, session.parameters()) || !Arc::ptr_eq(&self.told, session.told());
        if is_another {
            *self = Traits::of(session);
        }
        is_another
    }
}
