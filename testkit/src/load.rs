//! Constant load: clients that ask one request after the other until they are told to stop; what failed is kept.

use std::io;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use crate::{Answer, Client, until};

/// A request of the load: method, path, body.
pub type Ask = (&'static str, String, String);

/// One request that did not end in 2xx.
#[derive(Clone, Debug)]
pub struct Failure {
    /// What was asked.
    pub ask: Ask,
    /// The answer, or why there was none.
    pub what: String,
    /// When it was sent.
    pub sent: Instant,
    /// When it had failed.
    pub failed: Instant,
}

/// Running clients.
pub struct Load {
    shared: Arc<Shared>,
    clients: Vec<JoinHandle<()>>,
}

struct Shared {
    stop: AtomicBool,
    answered: AtomicU64,
    asked: AtomicU64,
    failures: Mutex<Vec<Failure>>,
}

impl Load {
    /// Starts `clients`, each with a kept-alive connection and `pause` between two requests; `ask` gets the request's number.
    pub fn start(address: &str, clients: usize, pause: Duration, ask: impl Fn(u64) -> Ask + Send + Sync + 'static) -> Load {
        let shared = Arc::new(Shared {
            stop: AtomicBool::new(false),
            answered: AtomicU64::new(0),
            asked: AtomicU64::new(0),
            failures: Mutex::default(),
        });
        let ask = Arc::new(ask);
        let spawn = |_| {
            let (shared, ask, address) = (shared.clone(), ask.clone(), address.to_owned());
            thread::spawn(move || shared.run(&address, pause, &*ask))
        };
        let clients = (0..clients).map(spawn).collect();
        Load { shared, clients }
    }

    /// Requests answered with 2xx so far.
    pub fn answered(&self) -> u64 {
        self.shared.answered.load(Ordering::SeqCst)
    }

    /// Waits until every client had time for further answers.
    pub fn flows(&self) {
        let goal = self.answered() + 5 * self.clients.len() as u64;
        until("the load gets answers", || self.answered() >= goal);
    }

    /// Stops the clients; every failure, oldest first.
    pub fn end(self) -> Vec<Failure> {
        self.shared.stop.store(true, Ordering::SeqCst);
        for client in self.clients {
            client.join().expect("a client does not panic");
        }
        self.shared.failures.lock().unwrap_or_else(|poisoned| poisoned.into_inner()).clone()
    }
}

impl Shared {
    fn run(&self, address: &str, pause: Duration, ask: &dyn Fn(u64) -> Ask) {
        let mut client = None;
        while !self.stop.load(Ordering::SeqCst) {
            let ask = ask(self.asked.fetch_add(1, Ordering::SeqCst));
            let sent = Instant::now();
            match exchange(&mut client, address, &ask) {
                Ok(answer) if (200..300).contains(&answer.status) => drop(self.answered.fetch_add(1, Ordering::SeqCst)),
                other => {
                    client = None;
                    let what = other.map_or_else(|error| error.to_string(), |answer| answer.head);
                    let failure = Failure { ask, what, sent, failed: Instant::now() };
                    self.failures.lock().unwrap_or_else(|poisoned| poisoned.into_inner()).push(failure);
                }
            }
            thread::park_timeout(pause);
        }
    }
}

/// On the kept connection; one that its server has announced to close is left.
fn exchange(kept: &mut Option<Client>, address: &str, (method, path, body): &Ask) -> io::Result<Answer> {
    let mut client = kept.take().map_or_else(|| Client::connect(address), Ok)?;
    let answer = client.request(method, path, &[], body.as_bytes())?;
    if answer.header("connection").is_none_or(|value| !value.eq_ignore_ascii_case("close")) {
        *kept = Some(client);
    }
    Ok(answer)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Origin, Reply};

    #[test]
    fn answers_are_counted_and_failures_kept() {
        let origin = Origin::with(|request| Reply::text(if request.target == "/3" { 500 } else { 200 }, "x"));
        let load = Load::start(&origin.address(), 2, Duration::ZERO, |number| ("GET", format!("/{number}"), String::new()));
        load.flows();
        let failures = load.end();
        assert_eq!((failures.len(), failures[0].ask.1.as_str()), (1, "/3"));
    }
}
