//! Moves one body from one side to the other, framed anew, with backpressure: it reads only when all it has is written.
//! Works in both directions; its output begins with a head, so that a small message is one write.

use std::io;
use std::task::{Context, Poll, ready};

use loops::Buffer;
use tokio::io::Interest;
use tokio::net::TcpStream;

use super::pipe::{PIPE_BYTES, Pipe, Pipes};
use crate::accept::{BadChunk, ChunkScanner, Framing, Piece};
use loops::socket::{poll_fill, poll_write};

/// From so many bytes on a body of known length is spliced.
const SPLICE_FROM: u64 = 64 << 10;

/// Bytes moved in one poll; then other tasks have their turn.
const FAIR: u64 = 256 << 10;

/// Why a body was not moved to its end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum PumpError {
    /// The side it comes from failed or ended too early.
    From,
    /// The side it goes to failed.
    To,
    /// Its chunks cannot be understood.
    Bad,
    /// It is longer than allowed.
    TooLong,
}

/// Which side the pump last waited for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) enum Waiting {
    /// The side the body comes from.
    #[default]
    From,
    /// The side it goes to.
    To,
}

/// One body on its way, with the head before it.
#[derive(Debug, Default)]
pub(crate) struct Pump {
    /// What is to be written: a head first, then framed body.
    pub(crate) out: Vec<u8>,
    /// Bytes of the body that came in.
    pub(crate) moved: u64,
    /// Bytes written to the other side.
    pub(crate) written: u64,
    /// Changes with every byte moved.
    pub(crate) steps: u64,
    /// Which side is waited for after `Pending`.
    pub(crate) waiting: Waiting,
    sent: usize,
    /// How the body that comes in ends; a length is what is left.
    framing: Framing,
    scanner: ChunkScanner,
    chunked_out: bool,
    limit: u64,
    keep: usize,
    dropped: bool,
    ended: bool,
    pipe: Option<Pipe>,
}

impl Pump {
    /// Ready for the next message; keeps its memory.
    pub(crate) fn clear(&mut self) {
        // In place, field by field: this is done for every request, and a pump is 200 bytes to move.
        let Pump { out, moved, written, steps, waiting, sent, framing, scanner, chunked_out, limit, keep, dropped, ended, pipe } = self;
        out.clear();
        scanner.clear();
        (*moved, *written, *steps, *sent, *limit, *keep) = (0, 0, 0, 0, 0, 0);
        (*waiting, *framing, *pipe) = (Waiting::default(), Framing::default(), None);
        (*chunked_out, *dropped, *ended) = (false, false, false);
    }

    /// Sets the body that follows the head in `out`. It may be `limit` bytes long; as long as no more than `keep`
    /// bytes were written in all they stay in `out`, so that [`Pump::rewind`] can repeat them.
    pub(crate) fn begin(&mut self, framing: Framing, chunked_out: bool, limit: u64, keep: usize) {
        (self.framing, self.chunked_out, self.limit, self.keep) = (framing, chunked_out, limit, keep);
        self.ended = matches!(framing, Framing::None | Framing::Length(0));
    }

    /// Whether all that was written so far can be written again.
    pub(crate) fn is_replayable(&self) -> bool {
        !self.dropped
    }

    /// Begins again with the first byte.
    pub(crate) fn rewind(&mut self) {
        debug_assert!(self.is_replayable());
        (self.sent, self.written) = (0, 0);
    }

    /// Whether everything is written.
    pub(crate) fn is_done(&self) -> bool {
        self.ended && self.sent == self.out.len() && self.pipe.is_none()
    }

    /// Whether nothing waits to be written.
    pub(crate) fn has_written(&self) -> bool {
        self.sent == self.out.len() && self.pipe.is_none()
    }

    /// Whether the body's length was known beforehand.
    pub(crate) fn has_length(&self) -> bool {
        matches!(self.framing, Framing::Length(_) | Framing::None)
    }

    /// Moves on; ready when everything is written.
    pub(crate) fn poll(
        &mut self,
        context: &mut Context<'_>,
        from: &TcpStream,
        buffer: &mut Buffer,
        to: &TcpStream,
        pipes: &Pipes,
    ) -> Poll<Result<(), PumpError>> {
        let stop = self.moved + FAIR;
        loop {
            if !self.ended && !buffer.is_empty() {
                if self.passes_through(buffer) {
                    ready!(self.poll_pass(context, buffer, to))?;
                } else {
                    self.absorb(buffer)?;
                }
            }
            ready!(self.poll_flush(context, to)).map_err(|_| PumpError::To)?;
            if self.pipe.is_some() {
                ready!(self.poll_splice(context, from, to, stop))?;
            }
            if self.ended {
                return Poll::Ready(Ok(()));
            }
            if self.moved >= stop {
                context.waker().wake_by_ref();
                return Poll::Pending;
            }
            if !buffer.is_empty() {
                continue;
            }
            let is_large = matches!(self.framing, Framing::Length(left) if left >= SPLICE_FROM);
            if is_large && !self.chunked_out && self.has_pipe(pipes) {
                ready!(self.poll_splice(context, from, to, stop))?;
            } else {
                ready!(self.poll_read(context, from, buffer))?;
            }
        }
    }

    fn poll_read(&mut self, context: &mut Context<'_>, from: &TcpStream, buffer: &mut Buffer) -> Poll<Result<(), PumpError>> {
        self.waiting = Waiting::From;
        let count = ready!(poll_fill(from, context, buffer)).map_err(|_| PumpError::From)?;
        self.steps += 1;
        if count == 0 {
            if self.framing != Framing::Close {
                return Poll::Ready(Err(PumpError::From));
            }
            self.make_room(0);
            self.end();
        }
        Poll::Ready(Ok(()))
    }

    fn poll_flush(&mut self, context: &mut Context<'_>, to: &TcpStream) -> Poll<io::Result<()>> {
        while self.sent < self.out.len() {
            self.waiting = Waiting::To;
            let count = ready!(poll_write(to, context, &self.out[self.sent..]))?;
            self.wrote(count);
            self.sent += count;
        }
        Poll::Ready(Ok(()))
    }

    /// Bytes that need no new frame and need not be kept go straight from the buffer.
    fn passes_through(&self, buffer: &Buffer) -> bool {
        let is_raw = !self.chunked_out && matches!(self.framing, Framing::Length(_) | Framing::Close);
        is_raw && self.sent == self.out.len() && self.out.len() + buffer.len() > self.keep
    }

    fn poll_pass(&mut self, context: &mut Context<'_>, buffer: &mut Buffer, to: &TcpStream) -> Poll<Result<(), PumpError>> {
        self.waiting = Waiting::To;
        let most = if let Framing::Length(left) = self.framing { left.min(buffer.len() as u64) as usize } else { buffer.len() };
        let count = ready!(poll_write(to, context, &buffer.unread()[..most])).map_err(|_| PumpError::To)?;
        self.dropped = true;
        self.wrote(count);
        buffer.consume(count);
        Poll::Ready(self.count(count as u64))
    }

    /// Takes a pipe unless it has one. Without a descriptor left for one, bodies are copied.
    fn has_pipe(&mut self, pipes: &Pipes) -> bool {
        if self.pipe.is_none() {
            self.pipe = pipes.take().ok();
        }
        self.pipe.is_some()
    }

    fn poll_splice(&mut self, context: &mut Context<'_>, from: &TcpStream, to: &TcpStream, stop: u64) -> Poll<Result<(), PumpError>> {
        let Some(mut pipe) = self.pipe.take() else { return Poll::Ready(Ok(())) };
        self.dropped = true;
        let result = self.poll_pipe(&mut pipe, context, from, to, stop);
        if pipe.held() > 0 || result.is_pending() {
            self.pipe = Some(pipe);
        }
        result
    }

    /// Ready when the fair share was moved or the body ended.
    fn poll_pipe(
        &mut self,
        pipe: &mut Pipe,
        context: &mut Context<'_>,
        from: &TcpStream,
        to: &TcpStream,
        stop: u64,
    ) -> Poll<Result<(), PumpError>> {
        loop {
            while pipe.held() > 0 {
                self.waiting = Waiting::To;
                ready!(to.poll_write_ready(context)).map_err(|_| PumpError::To)?;
                let more = !matches!(self.framing, Framing::Length(0));
                match to.try_io(Interest::WRITABLE, || pipe.pour(to, more)) {
                    Ok(count) => self.wrote(count),
                    Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                    Err(_) => return Poll::Ready(Err(PumpError::To)),
                }
            }
            let Framing::Length(left) = self.framing else { return Poll::Ready(Ok(())) };
            if left == 0 || self.moved >= stop {
                return Poll::Ready(Ok(()));
            }
            self.waiting = Waiting::From;
            ready!(from.poll_read_ready(context)).map_err(|_| PumpError::From)?;
            let most = left.min(PIPE_BYTES as u64) as usize;
            match from.try_io(Interest::READABLE, || pipe.draw(from, most)) {
                Ok(0) => return Poll::Ready(Err(PumpError::From)),
                Ok(count) => self.count(count as u64)?,
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                Err(_) => return Poll::Ready(Err(PumpError::From)),
            }
        }
    }

    /// Frames what `buffer` holds of the body behind what `out` holds.
    fn absorb(&mut self, buffer: &mut Buffer) -> Result<(), PumpError> {
        self.make_room(buffer.len());
        match self.framing {
            Framing::None => self.ended = true,
            Framing::Length(left) => {
                let count = left.min(buffer.len() as u64) as usize;
                frame(&mut self.out, &buffer.unread()[..count], self.chunked_out);
                buffer.consume(count);
                self.count(count as u64)?;
            }
            Framing::Close => {
                let count = buffer.len();
                frame(&mut self.out, buffer.unread(), self.chunked_out);
                buffer.consume(count);
                self.count(count as u64)?;
            }
            Framing::Chunked => self.absorb_chunks(buffer)?,
        }
        Ok(())
    }

    fn absorb_chunks(&mut self, buffer: &mut Buffer) -> Result<(), PumpError> {
        loop {
            let (taken, piece) = self.scanner.scan(buffer.unread()).map_err(|_: BadChunk| PumpError::Bad)?;
            let mut count = 0;
            if let Piece::Data(range) = &piece {
                count = range.len() as u64;
                frame(&mut self.out, &buffer.unread()[range.clone()], self.chunked_out);
            }
            buffer.consume(taken);
            self.count(count)?;
            match piece {
                Piece::Data(_) => {}
                Piece::More => return Ok(()),
                Piece::End => {
                    self.end();
                    return Ok(());
                }
            }
        }
    }

    /// Forgets what is written when it is more than may be kept.
    fn make_room(&mut self, more: usize) {
        if self.sent == self.out.len() && self.out.len() + more > self.keep {
            self.dropped |= self.sent > 0;
            self.out.clear();
            self.sent = 0;
        }
    }

    fn count(&mut self, bytes: u64) -> Result<(), PumpError> {
        self.moved += bytes;
        self.steps += 1;
        if let Framing::Length(left) = &mut self.framing {
            *left -= bytes;
            if *left == 0 {
                self.end();
            }
        }
        if self.moved > self.limit { Err(PumpError::TooLong) } else { Ok(()) }
    }

    fn wrote(&mut self, count: usize) {
        self.steps += 1;
        self.written += count as u64;
    }

    fn end(&mut self) {
        self.ended = true;
        if self.chunked_out {
            self.out.extend_from_slice(b"0\r\n");
            self.out.extend_from_slice(self.scanner.trailers());
            self.out.extend_from_slice(b"\r\n");
        }
    }
}

/// Appends `data`, as one chunk when `chunked`.
fn frame(out: &mut Vec<u8>, data: &[u8], chunked: bool) {
    if !chunked {
        return out.extend_from_slice(data);
    }
    if data.is_empty() {
        return;
    }
    let mut size = [0; 18];
    let mut at = 16;
    let mut left = data.len();
    size[16..].copy_from_slice(b"\r\n");
    while left > 0 {
        at -= 1;
        size[at] = b"0123456789abcdef"[left & 15];
        left >>= 4;
    }
    out.extend_from_slice(&size[at..]);
    out.extend_from_slice(data);
    out.extend_from_slice(b"\r\n");
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn chunks_carry_their_size_in_hexadecimal() {
        let mut out = Vec::new();
        frame(&mut out, &[b'x'; 26], true);
        frame(&mut out, b"", true);
        assert_eq!(out, [b"1a\r\n".as_slice(), &[b'x'; 26], b"\r\n"].concat());
    }

    #[test]
    fn small_messages_can_be_repeated_large_ones_not() {
        let mut pump = Pump::default();
        let mut buffer = loops::Buffers::default().take();
        pump.out.extend_from_slice(b"head");
        pump.begin(Framing::Length(8), false, 100, 10);
        buffer.push(b"body");
        pump.absorb(&mut buffer).unwrap();
        pump.sent = 8;
        assert!(pump.is_replayable() && !pump.ended);
        buffer.push(b"more");
        assert!(pump.passes_through(&buffer), "12 bytes are more than the 10 that are kept");
        pump.absorb(&mut buffer).unwrap();
        assert!(!pump.is_replayable() && pump.ended);
        assert_eq!(pump.out, b"more");
    }

    #[test]
    fn a_body_over_its_limit_is_an_error() {
        let mut pump = Pump::default();
        let mut buffer = loops::Buffers::default().take();
        pump.begin(Framing::Chunked, true, 3, 0);
        buffer.push(b"4\r\nbody\r\n0\r\n\r\n");
        assert!(matches!(pump.absorb(&mut buffer), Err(PumpError::TooLong)));
    }
}
