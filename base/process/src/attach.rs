use std::collections::HashMap;
use std::io::{self, Write};
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::net::UnixStream as Socket;
use std::path::Path;
use std::process::Stdio;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use rustix::process::Signal;
use tokio::io::Interest;
use tokio::net::UnixStream;
use tokio::net::unix::pipe;
use tokio::sync::{mpsc, watch};

use crate::asked::{Ordered, Orders, listen_to_signals};
use crate::child::{Child, Life, Process};
use crate::command::Command;
use crate::wire::{Event, Inbox, Request};
use crate::{link, role};

/// Requests on their way to the keeper; a caller beyond it waits.
const QUEUE: usize = 64;

/// The server's end of the link to its keeper. Clones share it.
///
/// Dropping it stops nothing: what runs goes on until it is signalled or the process ends.
#[derive(Debug, Clone)]
pub struct Keeper(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    next: AtomicU64,
    requests: mpsc::Sender<Outgoing>,
    children: Children,
}

type Children = Arc<Mutex<HashMap<u64, watch::Sender<Life>>>>;

#[derive(Debug)]
struct Outgoing {
    bytes: Vec<u8>,
    descriptors: Vec<OwnedFd>,
}

impl Keeper {
    /// Joins the keeper that started this process ([`crate::Role::Server`]). Call it once, inside the control runtime.
    ///
    /// The socket is this process's standard input and stays open there: only the end of the process tells the keeper
    /// that the server is gone. Should the keeper end, so does this process, at once.
    ///
    /// # Errors
    /// When standard input is no socket, or the system has no descriptor or signal handler left.
    pub fn attach() -> io::Result<(Keeper, Orders)> {
        rustix::process::set_parent_process_death_signal(Some(Signal::KILL))?;
        let socket = Socket::from(io::stdin().as_fd().try_clone_to_owned()?);
        let (ordered, orders) = watch::channel(Ordered::default());
        listen_to_signals(&ordered)?;
        let keeper = start(socket, true, ordered, || {
            // Nobody is left to tell when stderr is gone.
            let _ = writeln!(io::stderr(), "error keeper: the keeper is gone; exiting at once");
            std::process::exit(1);
        })?;
        Ok((keeper, Orders::new(orders)))
    }

    /// Starts a keeper as a child of this process, for tests: `program` is one that asks [`crate::Role::of`].
    /// When this process ends, or the last clone is dropped, it stops what it runs and ends.
    ///
    /// # Errors
    /// When `program` cannot be started.
    pub fn beside(program: &Path) -> io::Result<Keeper> {
        let (socket, theirs) = Socket::pair()?;
        let mut child = role::beside(program, Stdio::from(OwnedFd::from(theirs))).spawn()?;
        let (ordered, _) = watch::channel(Ordered::default());
        start(socket, false, ordered, move || {
            // It closes the socket by exiting: this takes no time.
            let _ = child.wait();
        })
    }

    /// Starts `command` in a process group of its own; returns when it runs.
    ///
    /// # Errors
    /// Why it does not run: no such program, folder or user, no right, no descriptor left; or the keeper is gone.
    pub async fn spawn(&self, command: Command) -> io::Result<Child> {
        let (stdout_writer, stdout) = pipe::pipe()?;
        let (stderr_writer, stderr) = pipe::pipe()?;
        let descriptors = vec![stdout_writer.into_blocking_fd()?, stderr_writer.into_blocking_fd()?];
        let id = self.0.next.fetch_add(1, Ordering::Relaxed);
        let (sender, mut life) = watch::channel(Life::Asked);
        self.0.children.lock().unwrap_or_else(PoisonError::into_inner).insert(id, sender);
        let bytes = Request::Spawn { id, command }.encode();
        self.0.requests.send(Outgoing { bytes, descriptors }).await.map_err(|_| gone())?;
        let begun = *life.wait_for(|life| *life != Life::Asked).await.map_err(|_| gone())?;
        match begun {
            Life::Failed(errno) => Err(io::Error::from_raw_os_error(errno)),
            Life::Running(pid) => Ok(Child { pid, stdout, stderr, process: Process { id, pid, life, keeper: self.clone() } }),
            // It was so quick that the number was overwritten.
            _ => Ok(Child { pid: 0, stdout, stderr, process: Process { id, pid: 0, life, keeper: self.clone() } }),
        }
    }

    /// Sends `signal` to the group of child `id`. Fails only when the keeper is gone, and with it what it ran.
    pub(crate) async fn signal(&self, id: u64, signal: Signal) {
        let bytes = Request::Signal { id, signal: signal.as_raw() }.encode();
        let _ = self.0.requests.send(Outgoing { bytes, descriptors: Vec::new() }).await;
    }
}

fn start(socket: Socket, attached: bool, ordered: watch::Sender<Ordered>, at_end: impl FnOnce() + Send + 'static) -> io::Result<Keeper> {
    socket.set_nonblocking(true)?;
    let socket = Arc::new(UnixStream::from_std(socket)?);
    let (requests, queue) = mpsc::channel(QUEUE);
    let children = Children::default();
    tokio::spawn(write(socket.clone(), queue, attached));
    tokio::spawn(read(socket, children.clone(), ordered, at_end));
    Ok(Keeper(Arc::new(Shared { next: AtomicU64::new(1), requests, children })))
}

async fn write(socket: Arc<UnixStream>, mut queue: mpsc::Receiver<Outgoing>, attached: bool) {
    while let Some(Outgoing { bytes, mut descriptors }) = queue.recv().await {
        let mut rest = &bytes[..];
        while !rest.is_empty() {
            let borrowed: Vec<_> = descriptors.iter().map(AsFd::as_fd).collect();
            match socket.async_io(Interest::WRITABLE, || link::send(&socket, rest, &borrowed)).await {
                Ok(sent) => rest = &rest[sent..],
                Err(_) => return,
            }
            descriptors.clear();
        }
    }
    // Nobody asks any more: the end for a keeper beside a test, nothing for the server's.
    if !attached {
        let _ = rustix::net::shutdown(&socket, rustix::net::Shutdown::Write);
    }
}

async fn read(socket: Arc<UnixStream>, children: Children, ordered: watch::Sender<Ordered>, at_end: impl FnOnce()) {
    let (mut inbox, mut buffer, mut none) = (Inbox::default(), [0; 4096], Vec::new());
    loop {
        let received = socket.async_io(Interest::READABLE, || link::receive(&socket, &mut buffer, &mut none)).await;
        let Ok(1..) = received else { break };
        inbox.push(&buffer[..received.unwrap_or(0)]);
        while let Ok(Some(event)) = inbox.event() {
            note(event, &children, &ordered);
        }
    }
    children.lock().unwrap_or_else(PoisonError::into_inner).clear();
    at_end();
}

fn note(event: Event, children: &Children, ordered: &watch::Sender<Ordered>) {
    let (id, life) = match event {
        Event::Stop => return ordered.send_modify(|now| now.stop = true),
        Event::Reload => return ordered.send_modify(|now| now.reloads += 1),
        Event::Spawned { id, pid } => (id, Life::Running(pid)),
        Event::Failed { id, errno } => (id, Life::Failed(errno)),
        Event::Exited { id, exit } => (id, Life::Exited(exit)),
        Event::Gone { id } => (id, Life::Asked),
    };
    let mut children = children.lock().unwrap_or_else(PoisonError::into_inner);
    match event {
        Event::Gone { .. } | Event::Failed { .. } => {
            let Some(child) = children.remove(&id) else { return };
            child.send_modify(|now| {
                *now = match *now {
                    Life::Exited(exit) => Life::Gone(exit),
                    _ => life,
                }
            });
        }
        _ => {
            if let Some(child) = children.get(&id) {
                child.send_replace(life);
            }
        }
    }
}

fn gone() -> io::Error {
    io::Error::new(io::ErrorKind::BrokenPipe, "the keeper is gone")
}
