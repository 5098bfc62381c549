//! Reads and writes of one system call each on a shared socket, polled so that one task can wait for several.
//!
//! A read that did not fill its space has emptied the socket: readiness is cleared without a second read that
//! would only say "would block". So a small exchange costs one read and one write on each side.

use std::future::poll_fn;
use std::io;
use std::os::fd::AsFd;
use std::task::{Context, Poll, ready};

use tokio::io::Interest;
use tokio::net::{TcpStream, UnixStream};

use crate::Buffer;

/// Bytes a read should have room for.
const LEAST_SPACE: usize = 4096;

/// A stream socket registered with this loop.
pub trait Socket: AsFd {
    /// As of tokio's streams.
    fn poll_read_ready(&self, context: &mut Context<'_>) -> Poll<io::Result<()>>;
    /// As of tokio's streams.
    fn poll_write_ready(&self, context: &mut Context<'_>) -> Poll<io::Result<()>>;
    /// As of tokio's streams.
    fn try_io<R>(&self, interest: Interest, io: impl FnOnce() -> io::Result<R>) -> io::Result<R>;
}

macro_rules! socket {
    ($($stream:ty),*) => {$(
        impl Socket for $stream {
            fn poll_read_ready(&self, context: &mut Context<'_>) -> Poll<io::Result<()>> {
                self.poll_read_ready(context)
            }
            fn poll_write_ready(&self, context: &mut Context<'_>) -> Poll<io::Result<()>> {
                self.poll_write_ready(context)
            }
            fn try_io<R>(&self, interest: Interest, io: impl FnOnce() -> io::Result<R>) -> io::Result<R> {
                self.try_io(interest, io)
            }
        }
    )*};
}

socket!(TcpStream, UnixStream);

/// Reads once into `space`; `Ok(0)` is the end of the stream. `space` is not empty.
pub fn poll_read(stream: &impl Socket, context: &mut Context<'_>, space: &mut [u8]) -> Poll<io::Result<usize>> {
    loop {
        ready!(stream.poll_read_ready(context))?;
        if let Poll::Ready(read) = try_read(stream, space) {
            return Poll::Ready(read);
        }
    }
}

/// As [`poll_read`], but what is there costs none of the task's budget: the caller bounds what it reads in one turn.
pub fn poll_read_bounded(stream: &impl Socket, context: &mut Context<'_>, space: &mut [u8]) -> Poll<io::Result<usize>> {
    match try_read(stream, space) {
        Poll::Ready(read) => Poll::Ready(read),
        Poll::Pending => poll_read(stream, context, space),
    }
}

/// Reads once, if the loop knows of anything to read.
fn try_read(stream: &impl Socket, space: &mut [u8]) -> Poll<io::Result<usize>> {
    let mut read = None;
    let result = stream.try_io(Interest::READABLE, || {
        // Not `read`: the kernel has less to do before it is at the socket.
        let (_, count) = rustix::net::recv(stream, &mut *space, rustix::net::RecvFlags::empty())?;
        read = Some(count);
        if count > 0 && count < space.len() { Err(io::ErrorKind::WouldBlock.into()) } else { Ok(()) }
    });
    match (read, result) {
        (Some(count), _) => Poll::Ready(Ok(count)),
        (None, Err(error)) if !is_again(&error) => Poll::Ready(Err(error)),
        _ => Poll::Pending,
    }
}

/// Reads once behind what `buffer` holds, which must have room.
pub fn poll_fill(stream: &impl Socket, context: &mut Context<'_>, buffer: &mut Buffer) -> Poll<io::Result<usize>> {
    buffer.compact();
    let count = ready!(poll_read(stream, context, buffer.space()))?;
    buffer.filled(count);
    Poll::Ready(Ok(count))
}

/// Writes once; returns how much the kernel took. `bytes` are not empty.
pub fn poll_write(stream: &impl Socket, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
    loop {
        let mut written = None;
        let result = stream.try_io(Interest::WRITABLE, || {
            let count = rustix::net::send(stream, bytes, rustix::net::SendFlags::NOSIGNAL)?;
            written = Some(count);
            if count < bytes.len() { Err(io::ErrorKind::WouldBlock.into()) } else { Ok(()) }
        });
        match (written, result) {
            (Some(count), _) => return Poll::Ready(Ok(count)),
            (None, Err(error)) if !is_again(&error) => return Poll::Ready(Err(error)),
            // Nearly every socket takes what it is given: only one that is full is asked to wake the task.
            _ => ready!(stream.poll_write_ready(context))?,
        }
    }
}

/// Writes `bytes` from `*done` on until all are written.
pub fn poll_write_all(stream: &impl Socket, context: &mut Context<'_>, bytes: &[u8], done: &mut usize) -> Poll<io::Result<()>> {
    while *done < bytes.len() {
        *done += ready!(poll_write(stream, context, &bytes[*done..]))?;
    }
    Poll::Ready(Ok(()))
}

/// Writes all of `bytes`.
///
/// # Errors
/// The stream's; some of the bytes may have been written.
pub async fn write_all(stream: &impl Socket, bytes: &[u8]) -> io::Result<()> {
    let mut done = 0;
    poll_fn(|context| poll_write_all(stream, context, bytes, &mut done)).await
}

/// Reads once behind what `buffer` holds.
pub async fn fill(stream: &impl Socket, buffer: &mut Buffer) -> io::Result<usize> {
    if buffer.space().len() < LEAST_SPACE {
        buffer.compact();
    }
    poll_fn(|context| poll_fill(stream, context, buffer)).await
}

/// What lies in a socket.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Seen {
    /// Nothing yet.
    Nothing,
    /// Bytes.
    Bytes,
    /// The other side has ended.
    End,
    /// It failed: a reset.
    Failed,
}

/// Looks without taking anything. One system call: what the loop knows of a socket is as old as its last look at all of
/// them, and bytes too many that have come since must not become the answer to another request.
pub fn look(stream: &impl Socket) -> Seen {
    let flags = rustix::net::RecvFlags::PEEK | rustix::net::RecvFlags::DONTWAIT;
    match rustix::net::recv(stream, &mut [0; 1], flags) {
        Ok((_, 0)) => Seen::End,
        Ok(_) => Seen::Bytes,
        Err(rustix::io::Errno::AGAIN) => Seen::Nothing,
        Err(_) => Seen::Failed,
    }
}

/// As [`look`], but asks the system only when the loop's last look at all sockets found something here: no system call
/// for a socket used a moment ago. A spent budget of the task does not matter.
pub fn glance(stream: &impl Socket) -> Seen {
    let mut seen = Seen::Nothing;
    // Its error says only that the loop knows of nothing.
    let _ = stream.try_io(Interest::READABLE, || {
        seen = look(stream);
        if seen == Seen::Nothing { Err(io::ErrorKind::WouldBlock.into()) } else { Ok(()) }
    });
    seen
}

/// Whether a connection could not be made for want of a descriptor, a port or memory here: no fault of the other side.
pub fn is_of_this_side(error: &io::Error) -> bool {
    use rustix::io::Errno;
    let own = [Errno::MFILE, Errno::NFILE, Errno::ADDRNOTAVAIL, Errno::NOBUFS, Errno::NOMEM, Errno::NOSPC];
    Errno::from_io_error(error).is_some_and(|errno| own.contains(&errno))
}

fn is_again(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::Interrupted)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_glance_sees_what_the_loop_knows_with_a_spent_budget_too() {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let stream = TcpStream::connect(listener.local_addr().unwrap()).await.unwrap();
        let (mut other, _) = listener.accept().unwrap();
        assert_eq!(glance(&stream), Seen::Nothing);
        io::Write::write_all(&mut other, b"x").unwrap();
        stream.readable().await.unwrap();
        let mut context = Context::from_waker(std::task::Waker::noop());
        while tokio::task::coop::has_budget_remaining() {
            // The budget is all that matters.
            let _ = stream.poll_write_ready(&mut context);
        }
        assert_eq!(glance(&stream), Seen::Bytes);
    }

    #[tokio::test]
    async fn what_came_is_seen_although_the_loop_has_not_looked_and_its_budget_is_spent() {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let stream = TcpStream::connect(listener.local_addr().unwrap()).await.unwrap();
        let (mut other, _) = listener.accept().unwrap();
        let spent = async || {
            let mut context = Context::from_waker(std::task::Waker::noop());
            while tokio::task::coop::has_budget_remaining() {
                // The budget is all that matters.
                let _ = stream.poll_write_ready(&mut context);
            }
            look(&stream)
        };
        assert_eq!(spent().await, Seen::Nothing);
        io::Write::write_all(&mut other, b"x").unwrap();
        assert_eq!(spent().await, Seen::Bytes);
        let mut byte = [0];
        assert_eq!(rustix::net::recv(&stream, &mut byte, rustix::net::RecvFlags::empty()).unwrap().0, 1);
        drop(other);
        assert_eq!(spent().await, Seen::End);
    }

    #[test]
    fn only_what_is_lacking_here_is_of_this_side() {
        use rustix::io::Errno;
        assert!(is_of_this_side(&Errno::MFILE.into()) && is_of_this_side(&Errno::ADDRNOTAVAIL.into()));
        assert!(!is_of_this_side(&Errno::CONNREFUSED.into()) && !is_of_this_side(&io::ErrorKind::TimedOut.into()));
    }
}
