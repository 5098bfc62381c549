//! Processes as /proc shows them: found by a mark in their environment, which every descendant inherits.

use std::fs;
use std::path::Path;

use rustix::process::{Pid, Signal, kill_process};

/// Living processes (no zombies) whose environment holds `mark` (`NAME=value`), with their command lines.
pub fn marked(mark: &str) -> Vec<(u32, String)> {
    pids().filter(|&pid| has_mark(pid, mark)).map(|pid| (pid, command_line(pid))).collect()
}

/// The children of `pid`, their children and so on; `pid` itself is not among them.
pub fn descendants(pid: u32) -> Vec<u32> {
    let parents: Vec<(u32, u32)> = pids().filter_map(|child| Some((child, parent(child)?))).collect();
    let mut found = vec![pid];
    let mut next = 0;
    while next < found.len() {
        let of = found[next];
        found.extend(parents.iter().filter(|(_, parent)| *parent == of).map(|(child, _)| *child));
        next += 1;
    }
    found.split_off(1)
}

/// Living processes whose working folder is `folder`, with their command lines.
pub fn inside(folder: &Path) -> Vec<(u32, String)> {
    let works = |pid: &u32| fs::read_link(format!("/proc/{pid}/cwd")).is_ok_and(|cwd| cwd == folder);
    pids().filter(works).map(|pid| (pid, command_line(pid))).collect()
}

/// The first of `pids` that listens on the port.
pub fn listens(port: u16, pids: &[u32]) -> Option<u32> {
    let table = fs::read_to_string("/proc/net/tcp").ok()?;
    let lines = table.lines().skip(1).map(|line| line.split_whitespace().collect::<Vec<_>>());
    let listening =
        |fields: &Vec<&str>| fields.get(1).is_some_and(|at| at.ends_with(&format!(":{port:04X}"))) && fields.get(3) == Some(&"0A");
    let links: Vec<String> = lines.filter(listening).filter_map(|fields| Some(format!("socket:[{}]", fields.get(9)?))).collect();
    let holds = |pid: &u32| {
        let open = fs::read_dir(format!("/proc/{pid}/fd")).into_iter().flatten().flatten();
        let mut open = open.filter_map(|entry| fs::read_link(entry.path()).ok());
        open.any(|link| link.to_str().is_some_and(|link| links.iter().any(|known| known == link)))
    };
    pids.iter().copied().find(|pid| holds(pid))
}

/// The most memory that `pid` ever had resident, in bytes.
pub fn peak_memory(pid: u32) -> Option<u64> {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    Some(line.trim().trim_end_matches(" kB").parse::<u64>().ok()? * 1024)
}

/// Whether `pid` is a living process; a zombie is not.
pub fn exists(pid: u32) -> bool {
    stat(pid).is_some_and(|(state, _)| state != 'Z' && state != 'X')
}

/// SIGKILL; a process that is gone already is no error.
pub fn kill(pid: u32) {
    signal(pid, Signal::KILL);
}

/// SIGTERM; a process that is gone already is no error.
pub fn terminate(pid: u32) {
    signal(pid, Signal::TERM);
}

pub(crate) fn signal(pid: u32, signal: Signal) {
    if let Some(pid) = Pid::from_raw(pid as i32) {
        let _ = kill_process(pid, signal);
    }
}

fn pids() -> impl Iterator<Item = u32> {
    let entries = fs::read_dir("/proc").into_iter().flatten().flatten();
    entries.filter_map(|entry| entry.file_name().to_str()?.parse().ok())
}

fn has_mark(pid: u32, mark: &str) -> bool {
    let environment = fs::read(format!("/proc/{pid}/environ")).unwrap_or_default();
    environment.split(|&byte| byte == 0).any(|variable| variable == mark.as_bytes()) && exists(pid)
}

fn command_line(pid: u32) -> String {
    let bytes = fs::read(format!("/proc/{pid}/cmdline")).unwrap_or_default();
    String::from_utf8_lossy(&bytes).replace('\0', " ").trim_end().to_owned()
}

fn parent(pid: u32) -> Option<u32> {
    stat(pid).map(|(_, parent)| parent)
}

/// State and parent out of /proc/PID/stat; the name in brackets before them may hold anything.
fn stat(pid: u32) -> Option<(char, u32)> {
    let text = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    let mut fields = text.rsplit_once(") ")?.1.split(' ');
    Some((fields.next()?.chars().next()?, fields.next()?.parse().ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::process::Command;

    #[test]
    fn a_marked_child_is_found_and_after_its_death_it_is_not() {
        let mark = format!("TESTKIT_MARK={}", std::process::id());
        let (name, value) = mark.split_once('=').unwrap();
        let mut child = Command::new("sleep").arg("600").env(name, value).spawn().unwrap();
        crate::until("the child is found", || marked(&mark).iter().any(|(_, line)| line == "sleep 600"));
        assert!(descendants(std::process::id()).contains(&child.id()));
        kill(child.id());
        crate::until("a zombie is not alive", || !exists(child.id()));
        child.wait().unwrap();
        assert_eq!(marked(&mark), []);
    }
}
