//! Processes as /proc shows them.

use std::cell::OnceCell;
use std::fs;

use rustix::process::Pid;

/// The variable by which descendants are found: `PLIMSOLL_KEEPER=<keeper>:<number of the child>`.
pub(crate) const MARKER: &str = "PLIMSOLL_KEEPER";

/// One live process (zombies are left out).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Process {
    pub(crate) pid: Pid,
    pub(crate) parent: i32,
    pub(crate) group: i32,
    /// Ticks since boot: tells two lives of one number apart.
    pub(crate) start: u64,
}

impl Process {
    /// Whether its environment, as it was at its start, has a marker of this keeper.
    pub(crate) fn is_of(&self, keeper: &str) -> bool {
        self.markers().iter().any(|marker| marker.strip_prefix(keeper).is_some_and(|rest| rest.starts_with(':')))
    }

    fn markers(&self) -> Vec<String> {
        let Ok(environment) = fs::read(format!("/proc/{}/environ", self.pid.as_raw_nonzero())) else { return Vec::new() };
        let values =
            environment.split(|byte| *byte == 0).filter_map(|variable| variable.strip_prefix(MARKER.as_bytes())?.strip_prefix(b"="));
        values.map(|value| String::from_utf8_lossy(value).into_owned()).collect()
    }
}

/// All live processes at one moment. Environments are read when they are needed, and once.
#[derive(Debug, Default)]
pub(crate) struct Look(Vec<(Process, OnceCell<Vec<String>>)>);

impl Look {
    pub(crate) fn now() -> Look {
        Look(live().into_iter().map(|process| (process, OnceCell::new())).collect())
    }

    /// Those of this group.
    pub(crate) fn of_group(&self, group: Pid) -> impl Iterator<Item = Process> {
        let group = group.as_raw_nonzero().get();
        self.0.iter().map(|(process, _)| *process).filter(move |process| process.group == group)
    }

    /// Those that started at `start` or later and carry this marker.
    pub(crate) fn marked(&self, marker: &str, start: u64) -> impl Iterator<Item = Process> {
        let has = move |(process, markers): &&(Process, OnceCell<Vec<String>>)| {
            process.start >= start && markers.get_or_init(|| process.markers()).iter().any(|found| found == marker)
        };
        self.0.iter().filter(has).map(|(process, _)| *process)
    }
}

/// All live processes.
pub(crate) fn live() -> Vec<Process> {
    let Ok(folders) = fs::read_dir("/proc") else { return Vec::new() };
    folders.flatten().filter_map(|folder| one(Pid::from_raw(folder.file_name().to_str()?.parse().ok()?)?)).collect()
}

/// One process, if it lives.
pub(crate) fn one(pid: Pid) -> Option<Process> {
    parse(pid, &fs::read_to_string(format!("/proc/{}/stat", pid.as_raw_nonzero())).ok()?)
}

/// The fields after the name, which may hold anything: proc(5).
fn parse(pid: Pid, stat: &str) -> Option<Process> {
    let mut fields = stat.rsplit_once(')')?.1.split_ascii_whitespace();
    if matches!(fields.next()?, "Z" | "X" | "x") {
        return None;
    }
    let parent = fields.next()?.parse().ok()?;
    let group = fields.next()?.parse().ok()?;
    Some(Process { pid, parent, group, start: fields.nth(16)?.parse().ok()? })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn this_process_is_found() {
        let this = rustix::process::getpid();
        let found = live().into_iter().find(|process| process.pid == this).unwrap();
        assert_eq!(found.group, rustix::process::getpgrp().as_raw_nonzero().get());
        assert!(found.start > 0);
        assert_eq!(one(this), Some(found));
    }

    #[test]
    fn names_may_hold_anything_and_zombies_are_dead() {
        let pid = Pid::from_raw(7).unwrap();
        let stat = |state: &str| format!("7 (a) Z 1 b) {state} 3 5 5 0 -1 4194304 1 0 0 0 1 2 0 0 20 0 1 0 99 1000 10");
        assert_eq!(parse(pid, &stat("S")), Some(Process { pid, parent: 3, group: 5, start: 99 }));
        assert_eq!(parse(pid, &stat("Z")), None);
    }
}
