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
        Ok(Pipe { ends: Some(ends), home: self.clone(), held: 0 })
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
        Ok(count)
    }

    /// Moves out what `to` takes.
    pub(crate) fn pour(&mut self, to: &TcpStream, more_follows: bool) -> io::Result<usize> {
        let ends = self.ends.as_ref().expect("taken only by drop");
        let more = if more_follows { SpliceFlags::MORE } else { SpliceFlags::empty() };
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
