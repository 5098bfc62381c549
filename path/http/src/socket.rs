//! Reads and writes of one system call each on a shared `TcpStream`, polled so that one task can wait for several.
//!
//! A read that did not fill its space has emptied the socket: readiness is cleared without a second read that
//! would only say "would block". So a small exchange costs one read and one write on each side.

use std::future::poll_fn;
use std::io;
use std::task::{Context, Poll, ready};

use loops::Buffer;
use tokio::io::Interest;
use tokio::net::TcpStream;

/// Bytes a read should have room for.
const LEAST_SPACE: usize = 4096;

/// Reads once into `space`; `Ok(0)` is the end of the stream. `space` is not empty.
pub(crate) fn poll_read(stream: &TcpStream, context: &mut Context<'_>, space: &mut [u8]) -> Poll<io::Result<usize>> {
    loop {
        ready!(stream.poll_read_ready(context))?;
        let mut read = None;
        let result = stream.try_io(Interest::READABLE, || {
            let count = rustix::io::read(stream, &mut *space)?;
            read = Some(count);
            if count > 0 && count < space.len() { Err(io::ErrorKind::WouldBlock.into()) } else { Ok(()) }
        });
        match (read, result) {
            (Some(count), _) => return Poll::Ready(Ok(count)),
            (None, Err(error)) if !is_again(&error) => return Poll::Ready(Err(error)),
            _ => {}
        }
    }
}

/// Reads once behind what `buffer` holds, which must have room.
pub(crate) fn poll_fill(stream: &TcpStream, context: &mut Context<'_>, buffer: &mut Buffer) -> Poll<io::Result<usize>> {
    buffer.compact();
    let count = ready!(poll_read(stream, context, buffer.space()))?;
    buffer.filled(count);
    Poll::Ready(Ok(count))
}

/// Writes once; returns how much the kernel took. `bytes` are not empty.
pub(crate) fn poll_write(stream: &TcpStream, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
    loop {
        ready!(stream.poll_write_ready(context))?;
        let mut written = None;
        let result = stream.try_io(Interest::WRITABLE, || {
            let count = rustix::net::send(stream, bytes, rustix::net::SendFlags::NOSIGNAL)?;
            written = Some(count);
            if count < bytes.len() { Err(io::ErrorKind::WouldBlock.into()) } else { Ok(()) }
        });
        match (written, result) {
            (Some(count), _) => return Poll::Ready(Ok(count)),
            (None, Err(error)) if !is_again(&error) => return Poll::Ready(Err(error)),
            _ => {}
        }
    }
}

/// Writes `bytes` from `*done` on until all are written.
pub(crate) fn poll_write_all(stream: &TcpStream, context: &mut Context<'_>, bytes: &[u8], done: &mut usize) -> Poll<io::Result<()>> {
    while *done < bytes.len() {
        *done += ready!(poll_write(stream, context, &bytes[*done..]))?;
    }
    Poll::Ready(Ok(()))
}

/// Writes all of `bytes`.
pub(crate) async fn write_all(stream: &TcpStream, bytes: &[u8]) -> io::Result<()> {
    let mut done = 0;
    poll_fn(|context| poll_write_all(stream, context, bytes, &mut done)).await
}

/// Reads once behind what `buffer` holds.
pub(crate) async fn fill(stream: &TcpStream, buffer: &mut Buffer) -> io::Result<usize> {
    if buffer.space().len() < LEAST_SPACE {
        buffer.compact();
    }
    poll_fn(|context| poll_fill(stream, context, buffer)).await
}

/// Whether nothing has come and nothing ended since the last read, as far as the loop knows (no system call).
pub(crate) fn is_quiet(stream: &TcpStream) -> bool {
    let mut context = Context::from_waker(std::task::Waker::noop());
    stream.poll_read_ready(&mut context).is_pending()
}

fn is_again(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::Interrupted)
}
