//! Signals of the keeper, as bytes in sockets.

use std::io::{self, Read};
use std::os::fd::{AsFd, BorrowedFd};
use std::os::unix::net::UnixStream;

use signal_hook::consts::{SIGCHLD, SIGHUP, SIGINT, SIGTERM};

#[derive(Debug)]
pub(super) struct Signals {
    child: UnixStream,
    terminate: UnixStream,
    interrupt: UnixStream,
    hangup: UnixStream,
}

/// How often each came since the last look.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub(super) struct Seen {
    pub(super) stops: usize,
    pub(super) hangups: usize,
}

impl Signals {
    pub(super) fn listen() -> io::Result<Signals> {
        Ok(Signals { child: listen(SIGCHLD)?, terminate: listen(SIGTERM)?, interrupt: listen(SIGINT)?, hangup: listen(SIGHUP)? })
    }

    pub(super) fn fds(&self) -> [BorrowedFd<'_>; 4] {
        [self.child.as_fd(), self.terminate.as_fd(), self.interrupt.as_fd(), self.hangup.as_fd()]
    }

    pub(super) fn take(&self) -> Seen {
        count(&self.child);
        Seen { stops: count(&self.terminate) + count(&self.interrupt), hangups: count(&self.hangup) }
    }
}

fn listen(signal: i32) -> io::Result<UnixStream> {
    let (reader, writer) = UnixStream::pair()?;
    reader.set_nonblocking(true)?;
    signal_hook::low_level::pipe::register(signal, writer)?;
    Ok(reader)
}

fn count(mut socket: &UnixStream) -> usize {
    let mut buffer = [0; 64];
    // Nothing to read is an error that means none.
    socket.read(&mut buffer).unwrap_or(0)
}
