//! The keeper's end of the socket: never blocks, so that a stuck server cannot hold up a signal.

use std::collections::VecDeque;
use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::net::UnixStream;

use crate::link;
use crate::wire::{Event, Inbox, Request};

/// Events that wait for a server that does not read; beyond it the server is taken for dead.
const LARGEST: usize = 1 << 20;

#[derive(Debug)]
pub(super) struct Line {
    socket: UnixStream,
    inbox: Inbox,
    descriptors: Vec<OwnedFd>,
    outbox: VecDeque<u8>,
    pub(super) open: bool,
}

impl Line {
    pub(super) fn new(socket: UnixStream) -> io::Result<Line> {
        socket.set_nonblocking(true)?;
        Ok(Line { socket, inbox: Inbox::default(), descriptors: Vec::new(), outbox: VecDeque::new(), open: true })
    }

    pub(super) fn fd(&self) -> BorrowedFd<'_> {
        self.socket.as_fd()
    }

    /// Whether it waits to send.
    pub(super) fn is_sending(&self) -> bool {
        !self.outbox.is_empty()
    }

    /// Sends it, or keeps it until the socket takes it.
    pub(super) fn push(&mut self, event: &Event) {
        self.outbox.extend(event.encode());
        self.send();
        self.open &= self.outbox.len() <= LARGEST;
    }

    pub(super) fn send(&mut self) {
        while !self.outbox.is_empty() {
            let (bytes, _) = self.outbox.as_slices();
            match link::send(&self.socket, bytes, &[]) {
                Ok(sent) => drop(self.outbox.drain(..sent)),
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return,
                // The end is seen by reading.
                Err(_) => return self.outbox.clear(),
            }
        }
    }

    /// What has arrived: requests, each spawn with its two descriptors.
    pub(super) fn receive(&mut self) -> Vec<(Request, Option<[OwnedFd; 2]>)> {
        let mut buffer = [0; 65536];
        loop {
            match link::receive(&self.socket, &mut buffer, &mut self.descriptors) {
                Ok(0) => break self.open = false,
                Ok(count) => self.inbox.push(&buffer[..count]),
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => break,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(_) => break self.open = false,
            }
        }
        let mut requests = Vec::new();
        loop {
            match self.inbox.request() {
                Ok(Some(request @ Request::Spawn { .. })) => requests.push((request, self.outputs())),
                Ok(Some(request)) => requests.push((request, None)),
                Ok(None) => return requests,
                Err(_) => {
                    self.open = false;
                    return requests;
                }
            }
        }
    }

    fn outputs(&mut self) -> Option<[OwnedFd; 2]> {
        let outputs = self.descriptors.drain(..link::DESCRIPTORS.min(self.descriptors.len())).collect::<Vec<_>>();
        outputs.try_into().ok()
    }
}
