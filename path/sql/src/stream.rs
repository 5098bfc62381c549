//! A client's or server's byte stream: TCP or a Unix socket.

use std::io;
use std::task::{Context, Poll};

use loops::socket::{self, Seen};
use tokio::net::{TcpStream, UnixStream};

/// A stream registered with this loop; reads and writes are one system call each.
#[derive(Debug)]
pub(crate) enum Stream {
    /// TCP.
    Tcp(TcpStream),
    /// A Unix socket.
    Unix(UnixStream),
}

macro_rules! each {
    ($self:ident, $stream:ident => $do:expr) => {
        match $self {
            Stream::Tcp($stream) => $do,
            Stream::Unix($stream) => $do,
        }
    };
}

impl Stream {
    /// Reads once into `space`, which is not empty; `Ok(0)` is the end.
    pub(crate) fn poll_read(&mut self, context: &mut Context<'_>, space: &mut [u8]) -> Poll<io::Result<usize>> {
        each!(self, stream => socket::poll_read(stream, context, space))
    }

    /// Writes once; returns how much was taken. `bytes` are not empty.
    pub(crate) fn poll_write(&mut self, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        each!(self, stream => socket::poll_write(stream, context, bytes))
    }

    /// What lies in it, as far as the loop knows: no system call for one used a moment ago.
    pub(crate) fn glance(&self) -> Seen {
        each!(self, stream => socket::glance(stream))
    }

    /// What lies in it; one system call.
    pub(crate) fn look(&self) -> Seen {
        each!(self, stream => socket::look(stream))
    }
}
