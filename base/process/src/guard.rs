//! The guard: a tiny process that outlives a killed keeper, ends everything the keeper had started, and ends.
//!
//! It learns of each process group through a pipe, its standard input. `end` on it is a normal stop; the end of the
//! pipe without `end` is the keeper's death.

use std::collections::HashMap;
use std::fmt;
use std::io::{self, BufRead, PipeWriter, Write};
use std::process::{ExitCode, Stdio};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process, kill_process_group};

use crate::{role, scan};

/// After that long even a process that cannot die (stuck in the kernel) is left.
const LONGEST: Duration = Duration::from_secs(10);
const PAUSE: Duration = Duration::from_millis(5);

/// One line of the pipe.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Line {
    /// The keeper's marker.
    Keeper(String),
    /// A group, by its number, and when its leader started.
    Group(Pid, u64),
    /// A group that has ended.
    Gone(Pid),
    /// A normal stop.
    End,
}

impl fmt::Display for Line {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Line::Keeper(keeper) => writeln!(out, "keeper {keeper}"),
            Line::Group(group, start) => writeln!(out, "group {} {start}", group.as_raw_nonzero()),
            Line::Gone(group) => writeln!(out, "gone {}", group.as_raw_nonzero()),
            Line::End => writeln!(out, "end"),
        }
    }
}

impl Line {
    fn parse(line: &str) -> Option<Line> {
        let mut words = line.split(' ');
        let word = words.next()?;
        let mut number = || Pid::from_raw(words.next()?.parse().ok()?);
        match word {
            "keeper" => Some(Line::Keeper(words.next()?.to_string())),
            "group" => Some(Line::Group(number()?, words.next()?.parse().ok()?)),
            "gone" => Some(Line::Gone(number()?)),
            "end" => Some(Line::End),
            _ => None,
        }
    }
}

/// The keeper's end of the pipe.
#[derive(Debug)]
pub(crate) struct Guard {
    pub(crate) pid: Pid,
    pipe: PipeWriter,
}

impl Guard {
    /// Starts a guard for the keeper with this marker.
    pub(crate) fn start(keeper: &str) -> io::Result<Guard> {
        let (reader, mut pipe) = io::pipe()?;
        // It waits in the pipe: a keeper killed right after the start of its guard leaves one that knows whom to look for.
        pipe.write_all(Line::Keeper(keeper.to_string()).to_string().as_bytes())?;
        let child = role::spawn_light(&mut role::guard(Stdio::from(reader)))?;
        let pid = Pid::from_raw(child.id() as i32).expect("a child has a number");
        Ok(Guard { pid, pipe })
    }

    /// Tells it; a dead guard is noticed elsewhere.
    pub(crate) fn tell(&mut self, line: &Line) {
        let _ = self.pipe.write_all(line.to_string().as_bytes());
    }
}

#[derive(Debug, Default)]
struct Known {
    keeper: String,
    groups: HashMap<Pid, u64>,
}

/// The whole life of the guard.
pub(crate) fn run() -> ExitCode {
    // A service manager that signals every process must not take the guard away before its time.
    let ignored = std::sync::Arc::new(std::sync::atomic::AtomicBool::new(false));
    for signal in [signal_hook::consts::SIGTERM, signal_hook::consts::SIGINT, signal_hook::consts::SIGHUP] {
        let _ = signal_hook::flag::register(signal, ignored.clone());
    }
    let mut known = Known::default();
    for line in io::stdin().lock().lines() {
        let Ok(line) = line else { break };
        match Line::parse(&line) {
            Some(Line::Keeper(keeper)) => known.keeper = keeper,
            Some(Line::Group(group, start)) => {
                known.groups.insert(group, start);
            }
            Some(Line::Gone(group)) => {
                known.groups.remove(&group);
            }
            Some(Line::End) => return ExitCode::SUCCESS,
            None => {}
        }
    }
    clear_away(&known);
    ExitCode::SUCCESS
}

/// Kills until two looks in a row find nothing: what was being forked at the first is seen at the second.
fn clear_away(known: &Known) {
    let (begun, mut clean) = (Instant::now(), 0);
    while clean < 2 && begun.elapsed() < LONGEST {
        // Stopped, they start nothing more whose parent would be unknown once they are dead.
        signal(&targets(known, &scan::live()), Signal::STOP);
        let targets = targets(known, &scan::live());
        clean = if targets.is_empty() { clean + 1 } else { 0 };
        signal(&targets, Signal::KILL);
        std::thread::sleep(PAUSE);
    }
}

/// Signals groups (`true`) and single processes.
fn signal(targets: &[(scan::Process, bool)], signal: Signal) {
    for (process, in_group) in targets {
        // An error says that it is gone.
        let _ = if *in_group { kill_process_group(process.pid, signal) } else { kill_process(process.pid, signal) };
    }
}

/// What to kill: group leaders' numbers with `true`, single processes with `false`.
fn targets(known: &Known, live: &[scan::Process]) -> Vec<(scan::Process, bool)> {
    let this = rustix::process::getpid();
    let reused = |group: Pid, start: u64| live.iter().any(|process| process.pid == group && process.start != start);
    let mut targets = Vec::new();
    let mut found = Vec::new();
    for process in live.iter().filter(|process| process.pid != this) {
        let group = Pid::from_raw(process.group).and_then(|group| known.groups.get_key_value(&group));
        match group {
            Some((group, start)) if !reused(*group, *start) => targets.push((scan::Process { pid: *group, ..*process }, true)),
            _ if !known.keeper.is_empty() && process.is_of(&known.keeper) => targets.push((*process, false)),
            _ => continue,
        }
        found.push(process.pid);
    }
    targets.extend(descendants(found, live).into_iter().map(|process| (process, false)));
    targets
}

/// Children of `found`, theirs and so on: one that left its group may have written over its environment, as Postgres does.
fn descendants(mut found: Vec<Pid>, live: &[scan::Process]) -> Vec<scan::Process> {
    let (this, mut more, mut next) = (rustix::process::getpid(), Vec::new(), 0);
    while next < found.len() {
        let of = found[next].as_raw_nonzero().get();
        let children = live.iter().filter(|process| process.parent == of && process.pid != this && !found.contains(&process.pid));
        let children: Vec<_> = children.copied().collect();
        found.extend(children.iter().map(|process| process.pid));
        more.extend(children);
        next += 1;
    }
    more
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pid(number: i32) -> Pid {
        Pid::from_raw(number).unwrap()
    }

    #[test]
    fn lines_come_back() {
        for line in [Line::Keeper("ab".into()), Line::Group(pid(7), 99), Line::Gone(pid(7)), Line::End] {
            assert_eq!(Line::parse(line.to_string().trim_end()), Some(line));
        }
        assert_eq!(Line::parse("group x"), None);
    }

    #[test]
    fn members_of_known_groups_are_targets_unless_the_number_was_reused() {
        let process = |number, group, start| scan::Process { pid: pid(number), parent: 1, group, start };
        // No such processes: their environment cannot be read, so only the group decides.
        let (leader, member, other) = (
            process(2_000_000_001, 2_000_000_001, 50),
            process(2_000_000_002, 2_000_000_001, 60),
            process(2_000_000_003, 2_000_000_003, 60),
        );
        let known = |start| Known { keeper: "k".into(), groups: HashMap::from([(pid(2_000_000_001), start)]) };
        let found = targets(&known(50), &[leader, member, other]);
        assert_eq!(found.iter().map(|(target, group)| (target.pid, *group)).collect::<Vec<_>>(), [(leader.pid, true), (leader.pid, true)]);
        assert_eq!(targets(&known(50), &[member]).len(), 1);
        assert!(targets(&known(49), &[leader, member, other]).is_empty());
    }

    #[test]
    fn descendants_are_targets_however_they_hide() {
        let process = |number, parent, group| scan::Process { pid: pid(number), parent, group, start: 50 };
        let leader = process(2_000_000_001, 1, 2_000_000_001);
        let (child, grandchild) =
            (process(2_000_000_002, 2_000_000_001, 2_000_000_002), process(2_000_000_003, 2_000_000_002, 2_000_000_003));
        let stranger = process(2_000_000_004, 1, 2_000_000_004);
        let known = Known { keeper: "k".into(), groups: HashMap::from([(leader.pid, 50)]) };
        let found = targets(&known, &[grandchild, stranger, child, leader]);
        let found: Vec<_> = found.iter().map(|(target, group)| (target.pid, *group)).collect();
        assert_eq!(found, [(leader.pid, true), (child.pid, false), (grandchild.pid, false)]);
    }
}
