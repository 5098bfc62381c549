//! What the keeper runs: each child leads a group, and is gone when no descendant lives.
//!
//! The leader stays a zombie until then, so that the group's number cannot be given to another process.

use std::collections::BTreeMap;
use std::io;
use std::os::fd::OwnedFd;
use std::os::unix::process::CommandExt;
use std::process::Stdio;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, WaitId, WaitIdOptions, kill_process, kill_process_group, waitid};

use crate::command::{Command, Exit};
use crate::scan;
use crate::wire::Event;

/// What a child that died by itself leaves behind has that long between SIGTERM and SIGKILL.
const LEFT_BEHIND: Duration = Duration::from_secs(2);

#[derive(Debug)]
pub(super) struct Children {
    keeper: String,
    list: BTreeMap<u64, Kept>,
}

#[derive(Debug)]
struct Kept {
    pid: Pid,
    start: u64,
    /// Somebody sent TERM or KILL: its descendants know.
    asked: bool,
    ended: bool,
    kill_at: Option<Instant>,
}

impl Children {
    pub(super) fn new(keeper: &str) -> Children {
        Children { keeper: keeper.to_string(), list: BTreeMap::new() }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.list.is_empty()
    }

    /// Whether this is a child's number.
    pub(super) fn has(&self, pid: Pid) -> bool {
        self.list.values().any(|child| child.pid == pid)
    }

    /// Every group with its leader's start.
    pub(super) fn groups(&self) -> impl Iterator<Item = (Pid, u64)> {
        self.list.values().map(|child| (child.pid, child.start))
    }

    /// Whether somebody must look again soon without being told by a signal.
    pub(super) fn is_waiting(&self) -> bool {
        self.list.values().any(|child| child.ended || child.kill_at.is_some())
    }

    /// Starts it; the descriptors are its stdout and stderr.
    pub(super) fn spawn(&mut self, id: u64, command: Command, outputs: [OwnedFd; 2]) -> io::Result<(Pid, u64)> {
        let [stdout, stderr] = outputs;
        let mut process = std::process::Command::new(&command.program);
        process.args(&command.arguments).env_clear().envs(command.env).env(scan::MARKER, self.marker(id));
        process.current_dir(&command.dir).stdin(Stdio::null()).stdout(stdout).stderr(stderr).process_group(0);
        if let Some(user) = command.user {
            process.uid(user.uid).gid(user.gid);
        }
        let pid = Pid::from_raw(process.spawn()?.id() as i32).expect("a child has a number");
        // Already a zombie: no start is known, and none is needed to tell it from another process.
        let start = scan::one(pid).map_or(0, |process| process.start);
        self.list.insert(id, Kept { pid, start, asked: false, ended: false, kill_at: None });
        Ok((pid, start))
    }

    /// Signals a child's group; KILL reaches its descendants outside the group as well.
    pub(super) fn signal(&mut self, id: u64, signal: Signal) {
        let marker = self.marker(id);
        let Some(child) = self.list.get_mut(&id) else { return };
        child.asked |= matches!(signal, Signal::TERM | Signal::INT | Signal::QUIT | Signal::KILL);
        let _ = kill_process_group(child.pid, signal);
        if signal == Signal::KILL {
            kill_each(child.members(&marker), Signal::KILL);
            // What forks meanwhile is found by looking again.
            child.kill_at = Some(Instant::now());
        }
    }

    /// Asks all to stop, the youngest first, and kills at `kill_at` what is left.
    pub(super) fn stop_all(&mut self, kill_at: Instant) {
        for child in self.list.values_mut().rev() {
            child.asked = true;
            child.kill_at = Some(child.kill_at.map_or(kill_at, |earlier| earlier.min(kill_at)));
            let _ = kill_process_group(child.pid, Signal::TERM);
        }
    }

    /// Kills all, now.
    pub(super) fn kill_all(&mut self) {
        for id in self.list.keys().copied().collect::<Vec<_>>() {
            self.signal(id, Signal::KILL);
        }
    }

    /// Looks at every child: who ended, who is gone, whose time is up. The pids are of groups that are gone.
    pub(super) fn look(&mut self, now: Instant) -> (Vec<Event>, Vec<Pid>) {
        let (mut events, mut gone) = (Vec::new(), Vec::new());
        let keeper = self.keeper.clone();
        self.list.retain(|id, child| {
            let marker = format!("{keeper}:{id}");
            if !child.ended
                && let Some(exit) = ended(child.pid, false)
            {
                child.ended = true;
                events.push(Event::Exited { id: *id, exit });
                child.tell_the_rest(&marker, now);
            }
            let due = child.kill_at.is_some_and(|kill_at| kill_at <= now);
            if !child.ended && !due {
                return true;
            }
            let alone = child.ended && !child.has_members(&marker);
            if alone {
                ended(child.pid, true);
                events.push(Event::Gone { id: *id });
                gone.push(child.pid);
            } else if due {
                kill_each(child.members(&marker), Signal::KILL);
            }
            !alone
        });
        (events, gone)
    }

    fn marker(&self, id: u64) -> String {
        format!("{}:{id}", self.keeper)
    }
}

impl Kept {
    /// Its live descendants and itself: its group, and who left the group but carries the marker.
    fn members(&self, marker: &str) -> Vec<scan::Process> {
        let group = self.pid.as_raw_nonzero().get();
        let ours = |process: &scan::Process| process.group == group || (process.start >= self.start && process.is_marked(marker, true));
        scan::live().into_iter().filter(ours).collect()
    }

    /// Whether there are any; the group is looked at first, which costs no look at environments.
    fn has_members(&self, marker: &str) -> bool {
        let (live, group) = (scan::live(), self.pid.as_raw_nonzero().get());
        live.iter().any(|process| process.group == group)
            || live.iter().any(|process| process.start >= self.start && process.is_marked(marker, true))
    }

    /// The leader has ended: those who have not heard SIGTERM hear it, and without a caller who watches they have a bounded time.
    fn tell_the_rest(&mut self, marker: &str, now: Instant) {
        let group = self.pid.as_raw_nonzero().get();
        let rest = self.members(marker).into_iter().filter(|process| !self.asked || process.group != group);
        kill_each(rest.collect(), Signal::TERM);
        if !self.asked {
            self.kill_at = Some(now + LEFT_BEHIND);
        }
    }
}

/// How a child ended, if it has; `reap` frees its number.
pub(super) fn ended(pid: Pid, reap: bool) -> Option<Exit> {
    let mut options = WaitIdOptions::EXITED | WaitIdOptions::NOHANG;
    options.set(WaitIdOptions::NOWAIT, !reap);
    let status = waitid(WaitId::Pid(pid), options).ok()??;
    Some(match status.exit_status() {
        Some(status) => Exit::Status(status),
        None => Exit::Signal(status.terminating_signal().unwrap_or(0)),
    })
}

/// An error says that it is gone.
pub(super) fn kill_each(processes: Vec<scan::Process>, signal: Signal) {
    for process in processes {
        let _ = kill_process(process.pid, signal);
    }
}
