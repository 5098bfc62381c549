//! The process the user started: parent of the server and of all that the server runs. Single-threaded, holds
//! nothing else; decides nothing but how everything ends.

mod children;
mod line;
mod signals;

use std::ffi::OsString;
use std::hash::{BuildHasher, RandomState};
use std::io::{self, Write};
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::net::UnixStream;
use std::process::{ExitCode, Stdio};
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::process::{Pid, Signal, getpid, kill_process_group};

use self::children::{Children, ended, kill_each};
use self::line::Line;
use self::signals::Signals;
use crate::command::Exit;
use crate::guard::{Guard, Line as GuardLine};
use crate::wire::{Event, Request};
use crate::{role, scan};

/// When the server is gone, what it ran has that long between SIGTERM and SIGKILL.
const STOP: Duration = Duration::from_secs(5);
/// A server that closed its socket but lives is killed after that long.
const CLOSING: Duration = Duration::from_secs(1);
/// So often a guard is started; one that keeps dying is given up.
const GUARDS: usize = 10;
/// Stops that come that soon after the first, before anybody can have seen it, are the same one: `timeout` and other
/// wrappers signal a process and then its group.
const ECHO: Duration = Duration::from_millis(3);
/// How often a server whose time is up is killed again.
const TICK: Duration = Duration::from_millis(30);
/// After that long even a process that cannot die (stuck in the kernel) is left.
const LONGEST_SWEEP: Duration = Duration::from_secs(5);

/// Runs the keeper around a server of this same binary, started with `arguments` ([`crate::Role::Server`] there).
///
/// Returns when everything has ended, with the server's status, or 1 when the server was killed or a second
/// SIGTERM or SIGINT asked for the end at once. The calling process must have no other thread.
pub fn run(arguments: &[OsString]) -> ExitCode {
    let begun = UnixStream::pair().and_then(|(ours, theirs)| {
        let mut keeper = Keeper::new(ours)?;
        keeper.start_server(arguments, theirs)?;
        Ok(keeper)
    });
    finish(begun)
}

/// Runs a keeper for the process at the other end of standard input.
pub(crate) fn run_beside() -> ExitCode {
    finish(io::stdin().as_fd().try_clone_to_owned().and_then(|socket| Keeper::new(UnixStream::from(socket))))
}

fn finish(keeper: io::Result<Keeper>) -> ExitCode {
    match keeper.and_then(Keeper::keep) {
        Ok(code) => ExitCode::from(code),
        Err(error) => {
            say(&format!("cannot start: {error}"));
            ExitCode::FAILURE
        }
    }
}

struct Keeper {
    marker: String,
    signals: Signals,
    line: Line,
    guard: Option<Guard>,
    /// How many there were.
    guards: usize,
    children: Children,
    server: Option<Pid>,
    /// When the server, whose socket is closed, is killed.
    kill_server_at: Option<Instant>,
    stop_asked: bool,
    /// Set once the end has begun: the exit code.
    code: Option<u8>,
}

impl Keeper {
    fn new(socket: UnixStream) -> io::Result<Keeper> {
        let signals = Signals::listen()?;
        rustix::process::set_child_subreaper(Some(getpid()))?;
        let marker = format!("{:016x}", RandomState::new().hash_one(getpid().as_raw_nonzero()));
        Ok(Keeper {
            guard: Some(Guard::start(&marker)?),
            guards: 1,
            children: Children::new(&marker),
            line: Line::new(socket)?,
            marker,
            signals,
            server: None,
            kill_server_at: None,
            stop_asked: false,
            code: None,
        })
    }

    fn start_server(&mut self, arguments: &[OsString], socket: UnixStream) -> io::Result<()> {
        let mut command = role::server(arguments, Stdio::from(OwnedFd::from(socket)));
        let child = role::spawn_light(command.env(scan::MARKER, format!("{}:0", self.marker)))?;
        let pid = Pid::from_raw(child.id() as i32).expect("a child has a number");
        self.server = Some(pid);
        let start = scan::one(pid).map_or(0, |process| process.start);
        self.tell_guard(&GuardLine::Group(pid, start));
        Ok(())
    }

    /// The whole life: until everything has ended.
    fn keep(mut self) -> io::Result<u8> {
        loop {
            self.wait()?;
            let mut seen = self.signals.take();
            if seen.stops > 0 {
                if self.stop_asked {
                    say("asked twice to stop: ending everything at once");
                    self.children.kill_all();
                    return Ok(self.end(1));
                }
                self.stop_asked = true;
                std::thread::sleep(ECHO);
                seen.hangups += self.signals.take().hangups;
                self.stop();
            }
            if seen.hangups > 0 {
                self.line.push(&Event::Reload);
            }
            self.serve();
            self.look(Instant::now());
            if let Some(code) = self.code
                && self.children.is_empty()
            {
                return Ok(self.end(code));
            }
        }
    }

    fn wait(&self) -> io::Result<()> {
        let mut fds: Vec<PollFd<'_>> = self.signals.fds().iter().map(|fd| PollFd::from_borrowed_fd(*fd, PollFlags::IN)).collect();
        if self.line.open {
            let flags = if self.line.is_sending() { PollFlags::IN | PollFlags::OUT } else { PollFlags::IN };
            fds.push(PollFd::from_borrowed_fd(self.line.fd(), flags));
        }
        let patience =
            self.patience(Instant::now()).map(|wait| Timespec { tv_sec: wait.as_secs() as _, tv_nsec: wait.subsec_nanos() as _ });
        match poll(&mut fds, patience.as_ref()) {
            Ok(_) | Err(rustix::io::Errno::INTR) => Ok(()),
            Err(error) => Err(error.into()),
        }
    }

    /// How long nobody need look unless something comes.
    fn patience(&self, now: Instant) -> Option<Duration> {
        let server = self.kill_server_at.map(|kill_at| kill_at.saturating_duration_since(now).max(TICK));
        self.children.patience(now).into_iter().chain(server).min()
    }

    /// The first request to stop: the server's to answer, if there is one.
    fn stop(&mut self) {
        match self.server {
            Some(_) if self.line.open => self.line.push(&Event::Stop),
            _ => self.begin_end(0),
        }
    }

    /// Does what the server asks.
    fn serve(&mut self) {
        if !self.line.open {
            return;
        }
        self.line.send();
        for (request, outputs) in self.line.receive() {
            match (request, outputs) {
                (Request::Spawn { id, command }, Some(outputs)) => self.spawn(id, command, outputs),
                (Request::Spawn { id, .. }, None) => self.line.push(&Event::Failed { id, errno: rustix::io::Errno::BADF.raw_os_error() }),
                (Request::Signal { id, signal }, _) => {
                    if let Some(signal) = Signal::from_named_raw(signal) {
                        self.children.signal(id, signal);
                    }
                }
            }
        }
    }

    /// A line is closed by the server, or for a server that does not read what it is told.
    fn look_at_line(&mut self, now: Instant) {
        match self.server {
            _ if self.line.open => {}
            Some(_) => drop(self.kill_server_at.get_or_insert(now + CLOSING)),
            None => self.begin_end(0),
        }
    }

    fn spawn(&mut self, id: u64, command: crate::Command, outputs: [OwnedFd; 2]) {
        let event = match self.children.spawn(id, command, outputs) {
            Ok((pid, start)) => {
                self.tell_guard(&GuardLine::Group(pid, start));
                Event::Spawned { id, pid: pid.as_raw_nonzero().get() as u32 }
            }
            Err(error) => Event::Failed { id, errno: error.raw_os_error().unwrap_or(rustix::io::Errno::IO.raw_os_error()) },
        };
        self.line.push(&event);
    }

    /// Looks at everything that may have ended.
    fn look(&mut self, now: Instant) {
        let (events, gone) = self.children.look(now, scan::Look::now);
        events.iter().for_each(|event| self.line.push(event));
        gone.into_iter().for_each(|group| self.tell_guard(&GuardLine::Gone(group)));
        self.look_at_line(now);
        if let (Some(server), Some(kill_at)) = (self.server, self.kill_server_at)
            && kill_at <= now
        {
            let _ = kill_process_group(server, Signal::KILL);
        }
        self.look_at_server();
        self.look_at_guard();
        self.reap_strangers();
    }

    fn look_at_server(&mut self) {
        let Some((server, exit)) = self.server.and_then(|server| Some((server, ended(server, false)?))) else { return };
        // Nothing of its group may outlive it; its number is free only after this.
        let _ = kill_process_group(server, Signal::KILL);
        ended(server, true);
        self.server = None;
        self.kill_server_at = None;
        self.tell_guard(&GuardLine::Gone(server));
        self.line.open = false;
        match exit {
            Exit::Status(status) => self.begin_end(status as u8),
            Exit::Signal(signal) => {
                say(&format!("the server was ended by signal {signal}; stopping everything it ran"));
                self.begin_end(1);
            }
        }
    }

    fn begin_end(&mut self, code: u8) {
        if self.code.is_none() {
            self.code = Some(code);
            self.children.stop_all(Instant::now() + STOP);
        }
    }

    /// A guard that was killed is replaced.
    fn look_at_guard(&mut self) {
        if self.guard.as_ref().is_none_or(|guard| ended(guard.pid, true).is_none()) {
            return;
        }
        self.guards += 1;
        self.guard = if self.guards < GUARDS { Guard::start(&self.marker).ok() } else { None };
        match &mut self.guard {
            None => say("the guard died again: a kill -9 of this process would now leave its apps running"),
            Some(guard) => {
                let server = self.server.and_then(|server| Some((server, scan::one(server)?.start)));
                self.children.groups().chain(server).for_each(|(group, start)| guard.tell(&GuardLine::Group(group, start)));
            }
        }
    }

    /// Descendants whose parents died became children of this process.
    fn reap_strangers(&self) {
        let this = getpid().as_raw_nonzero();
        let Ok(children) = std::fs::read_to_string(format!("/proc/{this}/task/{this}/children")) else { return };
        for pid in children.split_ascii_whitespace().filter_map(|pid| Pid::from_raw(pid.parse().ok()?)) {
            if !self.is_ours(pid) {
                ended(pid, true);
            }
        }
    }

    fn is_ours(&self, pid: Pid) -> bool {
        self.children.has(pid) || self.server == Some(pid) || self.guard.as_ref().is_some_and(|guard| guard.pid == pid)
    }

    fn tell_guard(&mut self, line: &GuardLine) {
        if let Some(guard) = &mut self.guard {
            guard.tell(line);
        }
    }

    /// Kills whatever is left, sends the guard home, and gives the exit code.
    fn end(mut self, code: u8) -> u8 {
        let begun = Instant::now();
        let guard = self.guard.as_ref().map(|guard| guard.pid);
        let this = getpid();
        while begun.elapsed() < LONGEST_SWEEP {
            let mut left = scan::live();
            left.retain(|process| {
                let mine = process.parent == this.as_raw_nonzero().get() || process.is_of(&self.marker);
                mine && process.pid != this && Some(process.pid) != guard
            });
            if left.is_empty() {
                break;
            }
            kill_each(left, Signal::KILL);
            std::thread::sleep(Duration::from_millis(5));
        }
        self.tell_guard(&GuardLine::End);
        while begun.elapsed() < LONGEST_SWEEP && guard.is_some_and(|guard| ended(guard, false).is_none()) {
            std::thread::sleep(Duration::from_millis(2));
        }
        code
    }
}

fn say(text: &str) {
    // Nobody is left to tell when stderr is gone.
    let _ = writeln!(io::stderr(), "error keeper: {text}");
}

#[cfg(test)]
mod tests {
    use std::os::unix::process::CommandExt;

    use super::*;

    #[test]
    #[allow(clippy::zombie_processes)] // the keeper reaps it
    fn a_server_that_does_not_read_is_killed() {
        let (ours, _never_read) = UnixStream::pair().unwrap();
        let mut sleep = std::process::Command::new("sleep");
        let server = sleep.arg("1000").process_group(0).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
        let mut keeper = Keeper {
            marker: "0123456789abcdef".into(),
            signals: Signals::listen().unwrap(),
            line: Line::new(ours).unwrap(),
            guard: None,
            guards: GUARDS,
            children: Children::new("0123456789abcdef"),
            server: Pid::from_raw(server.id() as i32),
            kill_server_at: None,
            stop_asked: false,
            code: None,
        };
        while keeper.line.open {
            keeper.line.push(&Event::Failed { id: 1, errno: 2 });
        }
        let begun = Instant::now();
        keeper.serve();
        keeper.look(begun);
        assert_eq!(keeper.patience(begun), Some(CLOSING));
        while keeper.server.is_some() {
            assert!(begun.elapsed() < Duration::from_secs(240));
            keeper.look(begun + CLOSING);
            std::thread::park_timeout(Duration::from_millis(1));
        }
        assert_eq!(keeper.code, Some(1));
    }
}
