//! Processes as /proc shows them.

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
    /// Whether its environment, as it was at its start, has a marker that begins with `value`, or is `value` when `whole`.
    pub(crate) fn is_marked(&self, value: &str, whole: bool) -> bool {
        let wanted = format!("{MARKER}={value}");
        let Ok(environment) = fs::read(format!("/proc/{}/environ", self.pid.as_raw_nonzero())) else { return false };
        environment
            .split(|byte| *byte == 0)
            .any(|variable| if whole { variable == wanted.as_bytes() } else { variable.starts_with(wanted.as_bytes()) })
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
