//! A client's or server's byte stream: TCP, a Unix socket, or TLS over TCP.

use std::future::poll_fn;
use std::io;
use std::net::SocketAddr;
use std::task::{Context, Poll, ready};

use loops::socket::{self, Seen};
use tokio::net::{TcpStream, UnixStream};

use crate::Tls;

/// A stream registered with this loop; without TLS reads and writes are one system call each.
#[derive(Debug)]
pub enum Stream {
    /// TCP.
    Tcp(TcpStream),
    /// A Unix socket.
    Unix(UnixStream),
    /// TLS over TCP.
    Tls(Box<Tls>),
}

/// A stream registered with no loop, on its way from one to another.
#[derive(Debug)]
pub enum Unregistered {
    /// TCP.
    Tcp(std::net::TcpStream),
    /// A Unix socket.
    Unix(std::os::unix::net::UnixStream),
    /// TLS over TCP.
    Tls(std::net::TcpStream, Box<Tls>),
}

impl Stream {
    /// Reads once into `space`, which is not empty; `Ok(0)` is the end.
    pub fn poll_read(&mut self, context: &mut Context<'_>, space: &mut [u8]) -> Poll<io::Result<usize>> {
        match self {
            Stream::Tcp(stream) => socket::poll_read(stream, context, space),
            Stream::Unix(stream) => socket::poll_read(stream, context, space),
            Stream::Tls(tls) => tls.poll_read(context, space),
        }
    }

    /// As [`Stream::poll_read`]; the caller bounds what it reads in one turn.
    pub fn poll_read_bounded(&mut self, context: &mut Context<'_>, space: &mut [u8]) -> Poll<io::Result<usize>> {
        match self {
            Stream::Tcp(stream) => socket::poll_read_bounded(stream, context, space),
            Stream::Unix(stream) => socket::poll_read_bounded(stream, context, space),
            Stream::Tls(tls) => tls.poll_read(context, space),
        }
    }

    /// Ready when a read has something to give: bytes, the end or an error. It takes nothing and needs no buffer.
    pub fn poll_readable(&mut self, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self {
            Stream::Tcp(stream) => stream.poll_read_ready(context),
            Stream::Unix(stream) => stream.poll_read_ready(context),
            Stream::Tls(tls) => tls.poll_readable(context),
        }
    }

    /// Writes once; returns how much was taken. `bytes` are not empty.
    ///
    /// TLS takes what the kernel may not: that goes while this stream is read or waited for, or is flushed.
    pub fn poll_write(&mut self, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        match self {
            Stream::Tcp(stream) => socket::poll_write(stream, context, bytes),
            Stream::Unix(stream) => socket::poll_write(stream, context, bytes),
            Stream::Tls(tls) => tls.poll_write(context, bytes),
        }
    }

    /// Writes `bytes` from `*done` on until all are with the kernel.
    pub fn poll_write_all(&mut self, context: &mut Context<'_>, bytes: &[u8], done: &mut usize) -> Poll<io::Result<()>> {
        while *done < bytes.len() {
            *done += ready!(self.poll_write(context, &bytes[*done..]))?;
        }
        self.poll_flush(context)
    }

    /// Ready when all that was taken is with the kernel.
    #[inline]
    pub fn poll_flush(&mut self, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self {
            Stream::Tcp(_) | Stream::Unix(_) => Poll::Ready(Ok(())),
            Stream::Tls(tls) => tls.poll_flush(context),
        }
    }

    /// As [`Stream::poll_read`].
    ///
    /// # Errors
    /// The stream's.
    pub async fn read(&mut self, space: &mut [u8]) -> io::Result<usize> {
        poll_fn(|context| self.poll_read(context, space)).await
    }

    /// Writes all of `bytes`, to the kernel.
    ///
    /// # Errors
    /// The stream's; some of the bytes may have been written.
    pub async fn write_all(&mut self, bytes: &[u8]) -> io::Result<()> {
        let mut done = 0;
        poll_fn(|context| self.poll_write_all(context, bytes, &mut done)).await
    }

    /// What lies in it, as far as the loop knows: no system call for one used a moment ago.
    pub fn glance(&self) -> Seen {
        match self {
            Stream::Tcp(stream) => socket::glance(stream),
            Stream::Unix(stream) => socket::glance(stream),
            Stream::Tls(tls) => tls.seen(socket::glance),
        }
    }

    /// Where the other side is; `None`: not at an address, or gone.
    pub fn peer(&self) -> Option<SocketAddr> {
        match self {
            Stream::Tcp(stream) => stream.peer_addr().ok(),
            Stream::Unix(_) => None,
            Stream::Tls(tls) => tls.peer(),
        }
    }

    /// Takes it off this loop, so that another can have it.
    ///
    /// # Errors
    /// The system's; the stream is closed then.
    pub fn unregister(self) -> io::Result<Unregistered> {
        Ok(match self {
            Stream::Tcp(stream) => Unregistered::Tcp(stream.into_std()?),
            Stream::Unix(stream) => Unregistered::Unix(stream.into_std()?),
            Stream::Tls(mut tls) => {
                let socket = tls.take_socket().expect("a stream in use is registered");
                Unregistered::Tls(socket.into_std()?, tls)
            }
        })
    }
}

impl Unregistered {
    /// Registers it with the loop that this runs on.
    ///
    /// # Errors
    /// The process has no descriptor or memory left; the stream is closed then.
    pub fn register(self) -> io::Result<Stream> {
        Ok(match self {
            Unregistered::Tcp(stream) => Stream::Tcp(TcpStream::from_std(stream)?),
            Unregistered::Unix(stream) => Stream::Unix(UnixStream::from_std(stream)?),
            Unregistered::Tls(socket, mut tls) => {
                tls.put_socket(TcpStream::from_std(socket)?);
                Stream::Tls(tls)
            }
        })
    }
}

#[cfg(test)]
mod tests;
