//! Pipes through which `splice` moves large bodies from socket to socket without copying them through memory.

use std::cell::RefCell;
use std::io;
use std::os::fd::OwnedFd;
use std::rc::Rc;

use rustix::pipe::{PipeFlags, SpliceFlags, fcntl_setpipe_size, pipe_with, splice};
use tokio::net::TcpStream;

/// Bytes a pipe holds; the system's default is used where this is not allowed.
pub(crate) const PIPE_BYTES: usize = 256 << 10;

/// Empty pipes a loop keeps.
const KEPT: usize = 16;

/// The free pipes of one loop.
#[derive(Clone, Debug, Default)]
pub(crate) struct Pipes(Rc<RefCell<Vec<Ends>>>);

#[derive(Debug)]
struct Ends {
    read: OwnedFd,
    write: OwnedFd,
}

/// A pipe in use; goes back to its loop when it is dropped empty.
#[derive(Debug)]
pub(crate) struct Pipe {
    ends: Option<Ends>,
    home: Pipes,
    held: usize,
    /// The last draw got all it asked for: more is likely to lie there.
    was_full: bool,
}

impl Pipes {
    /// An empty pipe.
    pub(crate) fn take(&self) -> io::Result<Pipe> {
        let kept = self.0.borrow_mut().pop();
        let ends = match kept {
            Some(ends) => ends,
            None => {
                let (read, write) = pipe_with(PipeFlags::CLOEXEC | PipeFlags::NONBLOCK)?;
                // Not allowed beyond the user's share: the default size works too.
                let _ = fcntl_setpipe_size(&write, PIPE_BYTES);
                Ends { read, write }
            }
        };
        Ok(Pipe { ends: Some(ends), home: self.clone(), held: 0, was_full: false })
    }
}

impl Pipe {
    /// Bytes inside.
    pub(crate) fn held(&self) -> usize {
        self.held
    }

    /// Moves up to `most` bytes in; 0 is the end of the stream. Only when nothing is held: "would block" then means the socket.
    pub(crate) fn draw(&mut self, from: &TcpStream, most: usize) -> io::Result<usize> {
        let ends = self.ends.as_ref().expect("taken only by drop");
        let count = splice(from, None, &ends.write, None, most, SpliceFlags::MOVE | SpliceFlags::NONBLOCK)?;
        self.held += count;
        self.was_full = count == most;
        Ok(count)
    }

    /// Moves out what `to` takes. `MORE` (the kernel may wait up to 200 ms for a full packet) only when more has come
    /// already: not to the last bytes that an app has sent before it pauses.
    pub(crate) fn pour(&mut self, to: &TcpStream, more_follows: bool) -> io::Result<usize> {
        let ends = self.ends.as_ref().expect("taken only by drop");
        let more = if more_follows && self.was_full { SpliceFlags::MORE } else { SpliceFlags::empty() };
        let count = splice(&ends.read, None, to, None, self.held, SpliceFlags::MOVE | SpliceFlags::NONBLOCK | more)?;
        self.held -= count;
        Ok(count)
    }
}

impl Drop for Pipe {
    fn drop(&mut self) {
        let mut kept = self.home.0.borrow_mut();
        if self.held == 0 && kept.len() < KEPT {
            kept.extend(self.ends.take());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_draw_that_emptied_the_socket_promises_no_more() {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let mut app = std::net::TcpStream::connect(listener.local_addr().unwrap()).unwrap();
        let (stream, _) = listener.accept().await.unwrap();
        std::io::Write::write_all(&mut app, &[b'x'; 20]).unwrap();
        let mut pipe = Pipes::default().take().unwrap();
        stream.readable().await.unwrap();
        assert_eq!((pipe.draw(&stream, 8).unwrap(), pipe.was_full), (8, true));
        assert_eq!((pipe.draw(&stream, PIPE_BYTES).unwrap(), pipe.was_full), (12, false));
    }
}
