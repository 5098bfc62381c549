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
use crate::scan::{self, Look};
use crate::wire::Event;

/// What a child that died by itself leaves behind has that long between SIGTERM and SIGKILL.
const LEFT_BEHIND: Duration = Duration::from_secs(2);

/// Between two looks at what no signal tells. Nearly every end is told by one: what loses its parent becomes the
/// keeper's child.
const FIRST_PAUSE: Duration = Duration::from_millis(30);
const LONGEST_PAUSE: Duration = Duration::from_millis(500);

#[derive(Debug)]
pub(super) struct Children {
    keeper: String,
    list: BTreeMap<u64, Kept>,
    /// Doubles with every look that finds nothing new.
    pause: Duration,
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
        Children { keeper: keeper.to_string(), list: BTreeMap::new(), pause: FIRST_PAUSE }
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

    /// How long nobody need look unless a signal comes; `None`: for ever.
    pub(super) fn patience(&self, now: Instant) -> Option<Duration> {
        let waits = self.list.values().filter_map(|child| match child.kill_at {
            Some(kill_at) if kill_at > now => Some(self.pause.min(kill_at - now)),
            None if !child.ended => None,
            _ => Some(self.pause),
        });
        waits.min()
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
        if signal == Signal::KILL {
            self.pause = FIRST_PAUSE;
            return child.kill(&marker, &Look::now());
        }
        child.asked |= matches!(signal, Signal::TERM | Signal::INT | Signal::QUIT);
        let _ = kill_process_group(child.pid, signal);
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
        let look = Look::now();
        for (id, child) in &mut self.list {
            child.kill(&marker(&self.keeper, *id), &look);
        }
    }

    /// Looks at every child: who ended, who is gone, whose time is up. The pids are of groups that are gone.
    ///
    /// However many children there are, `see` is asked once, and only when descendants matter.
    pub(super) fn look(&mut self, now: Instant, see: impl FnOnce() -> Look) -> (Vec<Event>, Vec<Pid>) {
        let (mut events, mut gone) = (Vec::new(), Vec::new());
        let mut exits = self.ends();
        if !self.list.values().any(|child| child.ended || child.is_due(now)) {
            return (events, gone);
        }
        let (look, keeper) = (see(), self.keeper.clone());
        self.list.retain(|id, child| {
            let marker = marker(&keeper, *id);
            if let Some(exit) = exits.remove(id) {
                events.push(Event::Exited { id: *id, exit });
                child.tell_the_rest(&marker, &look, now);
            }
            let alone = child.ended && !child.has_members(&marker, &look);
            if alone {
                ended(child.pid, true);
                events.push(Event::Gone { id: *id });
                gone.push(child.pid);
            } else if child.is_due(now) {
                kill_each(child.members(&marker, &look), Signal::KILL);
            }
            !alone
        });
        self.pause = if events.is_empty() { (self.pause * 2).min(LONGEST_PAUSE) } else { FIRST_PAUSE };
        (events, gone)
    }

    /// Those that have ended since the last look.
    fn ends(&mut self) -> BTreeMap<u64, Exit> {
        let mut exits = BTreeMap::new();
        for (id, child) in self.list.iter_mut().filter(|(_, child)| !child.ended) {
            if let Some(exit) = ended(child.pid, false) {
                child.ended = true;
                exits.insert(*id, exit);
            }
        }
        exits
    }

    fn marker(&self, id: u64) -> String {
        marker(&self.keeper, id)
    }
}

fn marker(keeper: &str, id: u64) -> String {
    format!("{keeper}:{id}")
}

impl Kept {
    fn is_due(&self, now: Instant) -> bool {
        self.kill_at.is_some_and(|kill_at| kill_at <= now)
    }

    /// Its live descendants and itself: its group, and who left the group but carries the marker.
    fn members(&self, marker: &str, look: &Look) -> Vec<scan::Process> {
        let outside = look.marked(marker, self.start).filter(|process| process.group != self.pid.as_raw_nonzero().get());
        look.of_group(self.pid).chain(outside).collect()
    }

    /// Whether there are any; the group is looked at first, which costs no look at environments.
    fn has_members(&self, marker: &str, look: &Look) -> bool {
        look.of_group(self.pid).next().is_some() || look.marked(marker, self.start).next().is_some()
    }

    fn kill(&mut self, marker: &str, look: &Look) {
        self.asked = true;
        let _ = kill_process_group(self.pid, Signal::KILL);
        kill_each(self.members(marker, look), Signal::KILL);
        // What forks meanwhile is found by looking again.
        self.kill_at = Some(Instant::now());
    }

    /// The leader has ended: those who have not heard SIGTERM hear it, and without a caller who watches they have a bounded time.
    fn tell_the_rest(&mut self, marker: &str, look: &Look, now: Instant) {
        let group = self.pid.as_raw_nonzero().get();
        let rest = self.members(marker, look).into_iter().filter(|process| !self.asked || process.group != group);
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

#[cfg(test)]
mod tests {
    use std::cell::Cell;

    use super::*;

    /// One that has ended and whose group, this test's own, lives.
    fn ended_but_not_alone(count: u64) -> Children {
        let mut children = Children::new("0123456789abcdef");
        let kept = || Kept { pid: rustix::process::getpgrp(), start: 0, asked: true, ended: true, kill_at: None };
        children.list.extend((0..count).map(|id| (id, kept())));
        children
    }

    #[test]
    fn all_children_share_one_look_and_none_is_taken_for_nothing() {
        let looks = Cell::new(0);
        let see = || {
            looks.set(looks.get() + 1);
            Look::now()
        };
        ended_but_not_alone(0).look(Instant::now(), see);
        assert_eq!(looks.get(), 0);
        let mut three = ended_but_not_alone(3);
        three.look(Instant::now(), see);
        assert_eq!((looks.get(), three.list.len()), (1, 3));
    }

    #[test]
    fn looks_that_find_nothing_new_get_rarer_but_a_kill_is_on_time() {
        let (mut children, now) = (ended_but_not_alone(1), Instant::now());
        let mut waits = Vec::new();
        for _ in 0..6 {
            waits.push(children.patience(now).unwrap().as_millis());
            assert!(children.look(now, Look::now).0.is_empty());
        }
        assert_eq!(waits, [30, 60, 120, 240, 480, 500]);
        let soon = now + Duration::from_millis(7);
        children.list.values_mut().for_each(|child| child.kill_at = Some(soon));
        assert_eq!(children.patience(now), Some(Duration::from_millis(7)));
        children.list.values_mut().for_each(|child| (child.ended, child.kill_at) = (false, None));
        assert_eq!(children.patience(now), None);
    }
}
