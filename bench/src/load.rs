//! The load generator: one thread, epoll, every answer checked.

mod connection;
mod run;

use std::net::{SocketAddr, TcpStream};
use std::sync::Arc;
use std::time::{Duration, Instant};

pub use connection::Connection;
pub use run::run;

/// One connection of a load: it sends requests, reads their answers, and says when an exchange is over.
pub trait Client: Sized {
    /// What it is told to do.
    type Exchange;
    /// An open loop that finds every connection busy opens more, up to this many times what it began with.
    const GROWTH: usize;

    /// The one of this number.
    fn open(address: SocketAddr, exchange: &Self::Exchange, number: usize) -> std::io::Result<Self>;
    fn stream(&self) -> &TcpStream;
    /// Requests of an exchange.
    fn requests(&self) -> u64;
    /// Begins the next exchange.
    fn begin(&mut self, intended: Instant) -> Step;
    /// Sends what the socket takes.
    fn write(&mut self) -> Step;
    /// Reads what is there, once or until `space` is not filled.
    fn read(&mut self, space: &mut [u8]) -> Step;
    /// Ends the exchange at hand, if there is one: its intended start.
    fn end(&mut self) -> Option<Instant>;
}

/// What a step led to.
#[derive(Debug, PartialEq, Eq)]
pub enum Step {
    /// Wait for the socket.
    Waiting,
    /// Wait until it takes more of the request.
    Blocked,
    /// The answer is whole and right; whether the server closes now.
    Done { closes: bool },
    /// The connection is of no more use.
    Failed(String),
}

/// One kind of request and the answer it must get.
#[derive(Debug, Clone)]
pub struct Exchange {
    /// The whole request.
    pub request: Arc<[u8]>,
    /// The body that a 200 must carry.
    pub body: Arc<[u8]>,
}

impl Exchange {
    /// A GET of `path`.
    pub fn get(path: &str, body: &Arc<[u8]>) -> Exchange {
        let request = format!("GET {path} HTTP/1.1\r\nHost: bench.example\r\nUser-Agent: bench\r\nAccept: */*\r\n\r\n");
        Exchange { request: request.into_bytes().into(), body: body.clone() }
    }

    /// A POST of `sent` to `path`.
    pub fn post(path: &str, sent: &[u8], body: &Arc<[u8]>) -> Exchange {
        let head = format!(
            "POST {path} HTTP/1.1\r\nHost: bench.example\r\nUser-Agent: bench\r\nAccept: */*\r\nContent-Type: application/octet-stream\r\nContent-Length: {}\r\n\r\n",
            sent.len()
        );
        Exchange { request: [head.as_bytes(), sent].concat().into(), body: body.clone() }
    }
}

/// When the next request begins.
#[derive(Debug, Clone, Copy)]
pub enum Pace {
    /// As soon as the connection's last one is answered.
    Closed,
    /// So many a second, whatever comes back; latency counts from the intended start.
    Open(f64),
}

/// What to do to a server.
pub struct Load<C: Client = Connection> {
    pub address: SocketAddr,
    pub exchange: C::Exchange,
    pub connections: usize,
    pub pace: Pace,
    /// Not counted.
    pub warm_up: Duration,
    /// Counted.
    pub measured: Duration,
}

/// What came of it.
#[derive(Debug, Default)]
pub struct Outcome {
    /// Answers that were right, in the measured time.
    pub requests: u64,
    /// The measured time, as it was.
    pub seconds: f64,
    /// Of each exchange that was right, sorted.
    pub micros: Vec<u32>,
    /// Answers that were wrong, by what was wrong, warm-up included.
    pub errors: Vec<(String, u64)>,
    /// CPU that the server took in the measured time.
    pub cpu: Duration,
    /// CPU that the generator took, where it is one of this crate.
    pub generator: Duration,
}

impl Outcome {
    /// Latency in microseconds at quantile `q`.
    pub fn quantile(&self, q: f64) -> f64 {
        let last = self.micros.len().saturating_sub(1);
        self.micros.get(((self.micros.len() as f64 * q) as usize).min(last)).map_or(0.0, |micros| f64::from(*micros))
    }

    /// CPU microseconds of one request.
    pub fn cpu_micros(&self) -> f64 {
        self.cpu.as_secs_f64() * 1e6 / self.requests.max(1) as f64
    }

    /// The same of the generator.
    pub fn generator_micros(&self) -> f64 {
        self.generator.as_secs_f64() * 1e6 / self.requests.max(1) as f64
    }

    /// Wrong answers in all.
    pub fn failed(&self) -> u64 {
        self.errors.iter().map(|(_, count)| count).sum()
    }

    pub(crate) fn fail(&mut self, what: String) {
        match self.errors.iter_mut().find(|(known, _)| *known == what) {
            Some((_, count)) => *count += 1,
            None => self.errors.push((what, 1)),
        }
    }
}
