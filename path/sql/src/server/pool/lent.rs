use std::ops::{Deref, DerefMut};
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use contract::ServerState;

use super::shelf::Kept;
use super::side::Side;
use crate::error::{Fault, Severity, code};
use crate::events::Closed;
use crate::server::{ConnectError, Connection};

/// A connection in the hands of one client. Dropped without [`Lent::give_back`] it is closed: nobody else may have
/// what it was in the middle of.
#[derive(Debug)]
pub(crate) struct Lent {
    kept: Option<Box<Kept>>,
    side: Rc<Side>,
}

/// Why there is no connection for a client.
#[derive(Debug, Clone)]
pub(crate) enum Refused {
    /// As many wait as may.
    Full {
        /// The bound.
        most: usize,
    },
    /// None came free in time.
    Busy {
        /// How long it waited.
        waited: Duration,
        /// How many there are.
        most: usize,
    },
    /// The server takes no more connections than there are, and none of those came free in time.
    Crowded(Arc<str>),
    /// The server could not be reached in time, or cannot run.
    Away(Rc<str>),
    /// The server cannot run, and waiting would not help.
    Unable(Rc<str>),
    /// The door closes.
    Closing,
    /// The server will not have this user or database, or cannot be used.
    Failed(Rc<ConnectError>),
}

/// Why the server could not be reached.
#[derive(Debug, Clone)]
pub(super) struct Trouble {
    pub(super) text: Arc<str>,
    /// It has as many connections as it takes.
    pub(super) is_full: bool,
}

impl Lent {
    pub(super) fn new(kept: Box<Kept>, side: Rc<Side>) -> Lent {
        Lent { kept: Some(kept), side }
    }

    /// Gives it back: no transaction is open, nothing is outstanding, and it holds nothing of the client's.
    pub(crate) fn give_back(mut self) {
        let kept = self.kept.take().expect("only this and the drop take it");
        self.side.free(kept);
    }
}

impl Deref for Lent {
    type Target = Connection;

    fn deref(&self) -> &Connection {
        &self.kept.as_ref().expect("only giving back and the drop take it").connection
    }
}

impl DerefMut for Lent {
    fn deref_mut(&mut self) -> &mut Connection {
        &mut self.kept.as_mut().expect("only giving back and the drop take it").connection
    }
}

impl Drop for Lent {
    fn drop(&mut self) {
        if let Some(kept) = self.kept.take() {
            self.side.close(*kept, Closed::Broken);
        }
    }
}

impl Refused {
    /// What a client is told that waited for `waited` in vain, when the server is in `state`.
    pub(super) fn late(waited: Duration, most: usize, state: &ServerState, trouble: Option<Trouble>) -> Refused {
        match state {
            ServerState::Down(reason) => Refused::Away(Rc::from(&**reason)),
            ServerState::Unable(reason) => Refused::Unable(Rc::from(&**reason)),
            ServerState::Asleep | ServerState::Starting => Refused::Away("it is still starting".into()),
            ServerState::Up(_) => match trouble {
                None => Refused::Busy { waited, most },
                Some(Trouble { text, is_full: true }) => Refused::Crowded(text),
                Some(Trouble { text, .. }) => Refused::Away(Rc::from(&*text)),
            },
        }
    }

    /// Appends what the client sees whose statement waited.
    pub(crate) fn write(&self, out: &mut Vec<u8>, severity: Severity) {
        match self {
            Refused::Full { most } => Fault::new(code::TOO_MANY_CONNECTIONS, "too many clients wait for a server connection")
                .detail(format!("{most} wait already, which is the bound (pool.client)."))
                .hint("Try again later, or raise pool.server if the server has room for more connections.")
                .write(out, severity),
            Refused::Busy { waited, most } => {
                let message = format!("no server connection came free within {}", in_words(*waited));
                Fault::new(code::TOO_MANY_CONNECTIONS, message)
                    .detail(format!("All {most} (pool.server) were in use for longer than pool.wait; nothing was sent to the server."))
                    .hint(
                        "Look for long transactions (plimsoll db status), and for a thread of the app that holds more than one at a time; raise \
                         pool.server if the server has room, or pool.wait.",
                    )
                    .write(out, severity);
            }
            Refused::Crowded(said) => {
                Fault::new(code::TOO_MANY_CONNECTIONS, format!("the database server takes no more connections: {said}"))
                    .detail("None of those there are came free within pool.wait; nothing was sent to the server.")
                    .hint("Lower pool.server to what the server takes beside others, or raise max_connections there.")
                    .write(out, severity);
            }
            Refused::Away(reason) => Fault::unreachable(reason).write(out, severity),
            Refused::Unable(reason) => Fault::unable(reason).write(out, severity),
            Refused::Closing => Fault::shutting_down().write(out, severity),
            Refused::Failed(error) => error.write(out, severity),
        }
    }
}

fn in_words(waited: Duration) -> String {
    if waited < Duration::from_secs(1) { format!("{} ms", waited.as_millis()) } else { format!("{:.0} s", waited.as_secs_f32()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wait_is_told_in_the_unit_that_suits_it() {
        assert_eq!([301, 999, 1000, 30_020].map(|millis| in_words(Duration::from_millis(millis))), ["301 ms", "999 ms", "1 s", "30 s"]);
    }
}
