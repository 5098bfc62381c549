use std::io;
use std::sync::Arc;
use std::time::Instant;

use contract::ServerAddress;

use super::cancel::Target;
use super::key::Key;
use super::prepared::Prepared;
use crate::session::{Parameters, Reported, Traces};
use tls::{Stream, Unregistered};

/// One connection to a server, logged in. It belongs to one loop at a time; what it remembers moves with it. Between two
/// loops its stream is registered with neither.
#[derive(Debug)]
pub(crate) struct Connection<S = Stream> {
    /// A number of its own, for logs and for whoever must find the same one again.
    pub(crate) id: u64,
    pub(crate) stream: S,
    pub(crate) key: Arc<Key>,
    pub(crate) address: ServerAddress,
    /// Of the shape that it was opened by.
    pub(crate) way: u64,
    /// How what it does is cancelled; not for reuse while that is not quiet.
    pub(crate) cancel: Arc<Target>,
    /// `ParameterStatus` as the server last told.
    pub(crate) reported: Arc<Reported>,
    /// What was set on it beyond what a new connection has.
    pub(crate) parameters: Arc<Parameters>,
    /// The statements that it keeps.
    pub(crate) prepared: Prepared,
    /// The client that used it last.
    pub(crate) last: Option<u64>,
    /// Whose use of sequences it may remember.
    pub(crate) traces: Traces,
    /// When it was logged in.
    pub(crate) opened: Instant,
    /// When it was last given back.
    pub(crate) used: Instant,
}

impl Connection {
    /// The server's process.
    pub(crate) fn process(&self) -> u32 {
        self.cancel.process()
    }

    /// Takes it off this loop, so that another can have it.
    pub(super) fn unregister(self) -> io::Result<Connection<Unregistered>> {
        self.with_stream(Stream::unregister)
    }
}

impl Connection<Unregistered> {
    /// Makes it one of the loop that this runs on.
    pub(super) fn register(self) -> io::Result<Connection> {
        self.with_stream(Unregistered::register)
    }
}

impl<S> Connection<S> {
    fn with_stream<T>(self, change: impl FnOnce(S) -> io::Result<T>) -> io::Result<Connection<T>> {
        Ok(Connection {
            id: self.id,
            stream: change(self.stream)?,
            key: self.key,
            address: self.address,
            way: self.way,
            cancel: self.cancel,
            reported: self.reported,
            parameters: self.parameters,
            prepared: self.prepared,
            last: self.last,
            traces: self.traces,
            opened: self.opened,
            used: self.used,
        })
    }
}

/// What `BackendKeyData` gave: 4 to 256 bytes of secret (4 before protocol 3.2).
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct CancelKey {
    pub(crate) process: u32,
    pub(crate) secret: Box<[u8]>,
}

impl CancelKey {
    /// From the body of `BackendKeyData`.
    pub(crate) fn read(body: &[u8]) -> Option<CancelKey> {
        let (process, secret) = body.split_first_chunk()?;
        (4..=256).contains(&secret.len()).then(|| CancelKey { process: u32::from_be_bytes(*process), secret: secret.into() })
    }
}
