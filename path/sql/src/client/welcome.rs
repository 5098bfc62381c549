//! What a client is told once it is in: the server's parameters, its key, that it may begin.

use std::cell::RefCell;
use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use tokio::time::Instant;

use super::Client;
use crate::frame;
use crate::server::Key;
use crate::session::{Parameters, Reported};

/// How long a server's parameters are believed: what an administrator changes is seen after that.
const FRESH: Duration = Duration::from_secs(60);

/// Most combinations of user, database and startup parameters that a loop remembers.
const MOST: usize = 256;

/// What a loop knows to tell, by user, database and startup parameters.
#[derive(Debug, Default)]
pub(crate) struct Welcomes(RefCell<HashMap<Arc<Key>, Vec<Told>>>);

/// Parameters as a server told them.
#[derive(Debug)]
struct Told {
    startup: Arc<Parameters>,
    reported: Arc<Reported>,
    since: Instant,
}

/// What is known for a client.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Known {
    /// Tell it this.
    Fresh(Arc<Reported>),
    /// Ask a server if one is to be had at once, else tell it this.
    Stale(Arc<Reported>),
    /// Ask a server.
    Nothing,
}

impl Welcomes {
    /// What is known for a client of `key` that asked for `startup`.
    pub(crate) fn known(&self, key: &Arc<Key>, startup: &Arc<Parameters>) -> Known {
        let known = self.0.borrow();
        let Some(told) = known.get(key).and_then(|all| all.iter().find(|told| told.startup.is(startup))) else { return Known::Nothing };
        let reported = told.reported.clone();
        if told.since.elapsed() < FRESH { Known::Fresh(reported) } else { Known::Stale(reported) }
    }

    /// Remembers what a server `reported` on a connection of `key` that is set to `startup`.
    pub(crate) fn note(&self, key: &Arc<Key>, startup: &Arc<Parameters>, reported: Arc<Reported>) {
        let mut known = self.0.borrow_mut();
        if known.values().map(Vec::len).sum::<usize>() >= MOST {
            known.clear();
        }
        let all = known.entry(key.clone()).or_default();
        all.retain(|told| !told.startup.is(startup));
        all.push(Told { startup: startup.clone(), reported, since: Instant::now() });
    }

    /// Forgets all: the server is another one.
    pub(crate) fn clear(&self) {
        self.0.borrow_mut().clear();
    }
}

/// Appends all that a client is told before its first statement.
pub(crate) fn greet(out: &mut Vec<u8>, client: &Client, reported: &Reported) {
    reported.write(out);
    client.seat.write(out);
    frame::message(out, b'Z', |out| out.push(b'I'));
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parameters(value: &str) -> Arc<Parameters> {
        Arc::new([(Box::from("a"), Box::from(value))].into_iter().collect())
    }

    #[tokio::test(start_paused = true)]
    async fn what_was_told_is_known_for_a_while() {
        let (welcomes, key) = (Welcomes::default(), Arc::new(Key { user: "u".into(), database: "d".into() }));
        let first = parameters("1");
        assert_eq!(welcomes.known(&key, &first), Known::Nothing);
        let mut told = Arc::new(Reported::default());
        told.set("TimeZone", b"UTC");
        welcomes.note(&key, &first, told.clone());
        let same = parameters("1");
        assert_eq!(welcomes.known(&key, &same), Known::Fresh(told.clone()));
        assert_eq!(welcomes.known(&key, &parameters("2")), Known::Nothing);
        tokio::time::advance(FRESH).await;
        assert_eq!(welcomes.known(&key, &same), Known::Stale(told.clone()));
        for count in 0..MOST {
            welcomes.note(&key, &parameters(&count.to_string()), told.clone());
        }
        assert!(welcomes.0.borrow()[&key].len() <= MOST);
    }
}
