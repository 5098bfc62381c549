//! Who lives in a data directory: its `postmaster.pid`, and the processes that /proc shows there.

use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

use rustix::process::{Pid, Signal, kill_process};

/// The line of `postmaster.pid` that says how far the server is.
const STATUS: usize = 7;

/// What `postmaster.pid` says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct PidFile {
    pub(crate) pid: u32,
    /// It takes connections.
    pub(crate) ready: bool,
}

/// A process that lives in the data directory.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Inhabitant {
    pub(crate) pid: u32,
    pub(crate) kind: Kind,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// A postmaster that some keeper started, or a server of one session.
    Kept,
    /// One that somebody else started.
    Foreign,
    /// A postmaster's child.
    Child,
}

/// Reads `postmaster.pid`; nothing when there is none, or not a whole one yet.
pub(crate) fn pid_file(data: &Path) -> Option<PidFile> {
    parse(&fs::read_to_string(data.join("postmaster.pid")).ok()?)
}

fn parse(text: &str) -> Option<PidFile> {
    let mut lines = text.lines();
    let pid = lines.next()?.trim().parse().ok()?;
    let status = lines.nth(STATUS - 1).unwrap_or_default().trim();
    Some(PidFile { pid, ready: matches!(status, "ready" | "standby") })
}

/// Every Postgres process that lives there, a dead postmaster's leftovers included: all stand in the data directory.
pub(crate) fn inhabitants(data: &Path) -> Vec<Inhabitant> {
    let Ok(place) = fs::metadata(data) else { return Vec::new() };
    let is_there = |pid: &u32| {
        let folder = format!("/proc/{pid}");
        let is_postgres = fs::read_to_string(format!("{folder}/comm")).is_ok_and(|name| matches!(name.trim(), "postgres" | "postmaster"));
        is_postgres && fs::metadata(format!("{folder}/cwd")).is_ok_and(|found| (found.dev(), found.ino()) == (place.dev(), place.ino()))
    };
    let entries = fs::read_dir("/proc").into_iter().flatten().flatten();
    let pids: Vec<u32> = entries.filter_map(|entry| entry.file_name().to_str()?.parse().ok()).filter(is_there).collect();
    pids.into_iter().map(|pid| Inhabitant { pid, kind: kind(pid) }).collect()
}

/// Children write what they do over their arguments and their environment; a postmaster does not.
fn kind(pid: u32) -> Kind {
    let read = |file: &str| fs::read(format!("/proc/{pid}/{file}")).unwrap_or_default();
    if read("cmdline").starts_with(b"postgres: ") {
        return Kind::Child;
    }
    let kept = read("environ").split(|byte| *byte == 0).any(|variable| variable.starts_with(b"PLIMSOLL_KEEPER="));
    if kept { Kind::Kept } else { Kind::Foreign }
}

/// Whether a process has this number, a zombie included.
pub(crate) fn is_taken(pid: u32) -> bool {
    Path::new(&format!("/proc/{pid}")).exists()
}

/// An error says that it is gone.
pub(crate) fn signal(pid: u32, signal: Signal) {
    if let Some(pid) = Pid::from_raw(pid as i32) {
        let _ = kill_process(pid, signal);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pid_file_tells_how_far_it_is() {
        let text = "123\n/data\n1700000000\n5432\n/run\n\n  5432001    131072\n";
        assert_eq!(parse(&format!("{text}starting\n")), Some(PidFile { pid: 123, ready: false }));
        assert_eq!(parse(&format!("{text}ready   \n")), Some(PidFile { pid: 123, ready: true }));
        assert_eq!(parse(text), Some(PidFile { pid: 123, ready: false }));
        assert_eq!(parse(""), None);
    }

    #[test]
    fn nobody_but_postgres_lives_in_a_folder() {
        let here = std::env::current_dir().unwrap();
        assert_eq!(inhabitants(&here), []);
        assert!(is_taken(std::process::id()) && !is_taken(0));
    }
}
