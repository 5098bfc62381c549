//! However a keeper or a server ends, nothing that it ran is left.

#![allow(clippy::unwrap_used)] // helpers of tests

use std::fs;
use std::io::{BufRead, BufReader, Read};
use std::process::{Child, ChildStdout, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};

/// Far beyond what a loaded machine needs; a test that fails waits that long.
const PATIENCE: Duration = Duration::from_secs(240);

/// Ignores SIGTERM.
const STUBBORN: &str = "trap '' TERM; while :; do sleep 1000; done";
/// Ends at SIGTERM but leaves one that left the group and its parent.
const FORKER: &str = "(setsid sh -c 'trap \"\" TERM; sleep 1000 & while :; do sleep 1000; done' &) ; sleep 1000";

struct Kept {
    keeper: Child,
    stdout: BufReader<ChildStdout>,
    pids: Vec<i32>,
    mark: String,
}

/// A keeper whose server runs `scripts`, once that one has said `ready` and `processes` carry the test's mark.
fn keep(code: &str, scripts: &[&str], processes: usize) -> Kept {
    static NEXT: AtomicU32 = AtomicU32::new(0);
    let mark = format!("KEPT_TEST={}-{}", std::process::id(), NEXT.fetch_add(1, Ordering::Relaxed));
    let (name, value) = mark.split_once('=').unwrap();
    let mut command = Command::new(env!("CARGO_BIN_EXE_kept"));
    command.arg(code).args(scripts).env(name, value).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut keeper = command.spawn().unwrap();
    let mut stdout = BufReader::new(keeper.stdout.take().unwrap());
    let mut line = String::new();
    stdout.read_line(&mut line).unwrap();
    let pids = line.strip_prefix("ready ").unwrap().split_ascii_whitespace().map(|pid| pid.parse().unwrap()).collect();
    let kept = Kept { keeper, stdout, pids, mark };
    until("its processes to start", || kept.marked().len() >= processes);
    kept
}

impl Kept {
    fn send(&self, pid: i32, signal: Signal) {
        kill_process(Pid::from_raw(pid).unwrap(), signal).unwrap();
    }

    /// Live processes that inherited the test's mark.
    fn marked(&self) -> Vec<i32> {
        live().into_iter().filter(|pid| has(&format!("/proc/{pid}/environ"), &self.mark)).collect()
    }

    /// The guard of this keeper.
    fn guard(&self) -> Option<i32> {
        let parent = format!("\nPPid:\t{}\n", self.pids[0]);
        let is_guard = |pid: &i32| {
            has(&format!("/proc/{pid}/cmdline"), "keeper-guard")
                && fs::read_to_string(format!("/proc/{pid}/status")).is_ok_and(|status| status.contains(&parent))
        };
        live().into_iter().find(is_guard)
    }

    /// Waits for the keeper's end and for that of everything else; gives its status and what it said.
    fn end(mut self, guard: i32) -> (Option<i32>, String) {
        let mut said = String::new();
        let mut stderr = self.keeper.stderr.take().unwrap();
        until("the keeper to end", || self.keeper.try_wait().unwrap().is_some());
        until("everything to be gone", || self.marked().is_empty() && !live().contains(&guard));
        stderr.read_to_string(&mut said).unwrap();
        (self.keeper.wait().unwrap().code(), said)
    }
}

fn live() -> Vec<i32> {
    let pids = fs::read_dir("/proc").unwrap().flatten().filter_map(|entry| entry.file_name().to_str()?.parse().ok());
    pids.filter(|pid: &i32| fs::read_to_string(format!("/proc/{pid}/stat")).is_ok_and(|stat| !stat.contains(") Z "))).collect()
}

fn has(file: &str, part: &str) -> bool {
    fs::read(file).is_ok_and(|bytes| bytes.split(|byte| *byte == 0).any(|word| word == part.as_bytes()))
}

fn until(what: &str, mut done: impl FnMut() -> bool) {
    let begun = Instant::now();
    while !done() {
        assert!(begun.elapsed() < PATIENCE, "waited too long for {what}");
        std::thread::park_timeout(Duration::from_millis(10));
    }
}

#[test]
fn a_stop_is_the_servers_and_so_is_its_status() {
    let kept = keep("7", &["sleep 1000", "sleep 1000"], 4);
    let guard = kept.guard().unwrap();
    kept.send(kept.pids[0], Signal::TERM);
    assert_eq!(kept.end(guard), (Some(7), String::new()));
}

#[test]
fn a_hangup_is_passed_on() {
    let mut kept = keep("0", &[], 2);
    let guard = kept.guard().unwrap();
    kept.send(kept.pids[0], Signal::HUP);
    let mut line = String::new();
    kept.stdout.read_line(&mut line).unwrap();
    assert_eq!(line, "reload\n");
    kept.send(kept.pids[0], Signal::INT);
    assert_eq!(kept.end(guard).0, Some(0));
}

#[test]
fn a_killed_server_leaves_nothing() {
    let kept = keep("0", &["sleep 1000", STUBBORN, FORKER], 8);
    let guard = kept.guard().unwrap();
    kept.send(kept.pids[1], Signal::KILL);
    let (status, said) = kept.end(guard);
    assert_eq!(status, Some(1));
    assert!(said.contains("ended by signal 9"), "{said}");
}

#[test]
fn a_killed_keeper_leaves_nothing() {
    let kept = keep("0", &["sleep 1000", STUBBORN, FORKER], 8);
    let guard = kept.guard().unwrap();
    kept.send(kept.pids[0], Signal::KILL);
    assert_eq!(kept.end(guard).0, None);
}

#[test]
fn a_second_stop_ends_everything_at_once() {
    let kept = keep("0", &[STUBBORN, FORKER], 6);
    let guard = kept.guard().unwrap();
    kept.send(kept.pids[0], Signal::INT);
    // The first must have been taken: the forker ends by it, its stubborn descendants do not.
    until("the first to arrive", || !live().contains(&kept.pids[3]));
    kept.send(kept.pids[0], Signal::TERM);
    let (status, said) = kept.end(guard);
    assert_eq!(status, Some(1));
    assert!(said.contains("asked twice"), "{said}");
}

#[test]
fn a_killed_guard_is_replaced() {
    let kept = keep("0", &[STUBBORN, FORKER], 6);
    let first = kept.guard().unwrap();
    kept.send(first, Signal::KILL);
    until("another guard", || !live().contains(&first));
    until("it to be known", || kept.guard().is_some());
    let guard = kept.guard().unwrap();
    kept.send(kept.pids[0], Signal::KILL);
    assert_eq!(kept.end(guard).0, None);
}
