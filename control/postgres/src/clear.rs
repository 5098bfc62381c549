//! Never two servers on a data directory: what an earlier life left there is ended, what is somebody else's is refused.

use std::fs;
use std::path::Path;
use std::time::Duration;

use process::Signal;
use telemetry::Log;
use tokio::time::{Instant, sleep};

use crate::events;
use crate::postmaster::{self, Inhabitant, Kind};

/// How long somebody else's server may take to end, if it is about to.
const FOREIGN: Duration = Duration::from_secs(2);
/// From SIGINT, which ends every transaction, to SIGKILL.
const IN_ORDER: Duration = Duration::from_secs(5);
/// Between two looks: nobody is told when the children of a process end that was another's.
const PAUSE: Duration = Duration::from_millis(5);
/// After SIGKILL even a process that cannot die (stuck in the kernel) is left.
const LONGEST: Duration = Duration::from_secs(20);

/// What to do about who lives in a data directory that is to be started.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Step {
    /// It is free.
    Go,
    Wait,
    Signal(Vec<u32>, Signal),
    Refuse(u32),
}

/// Waits until nobody lives in the data directory of a server that is ours; call it with the tier's lock held.
///
/// # Errors
/// A server that no Plimsoll started lives there, or one cannot be ended.
pub(crate) async fn clear(data: &Path, run: &Path, log: &Log) -> Result<(), String> {
    let (begun, mut told) = (Instant::now(), false);
    loop {
        let inhabitants = postmaster::inhabitants(data);
        match step(&inhabitants, begun.elapsed()) {
            Step::Go => break,
            Step::Wait => {}
            Step::Refuse(pid) => {
                return Err(format!("another Postgres (pid {pid}) runs over {}: stop it (`kill -INT {pid}`)", data.display()));
            }
            Step::Signal(pids, signal) => {
                if !told {
                    events::leftovers(log, &pids);
                    told = true;
                    pids.iter().for_each(|pid| postmaster::signal(*pid, signal));
                } else if signal == Signal::KILL {
                    pids.iter().for_each(|pid| postmaster::signal(*pid, signal));
                }
            }
        }
        sleep(PAUSE).await;
    }
    remove_stale(data, run);
    Ok(())
}

fn step(inhabitants: &[Inhabitant], since: Duration) -> Step {
    let of = |kind: Kind| inhabitants.iter().filter(|one| one.kind == kind).map(|one| one.pid).collect::<Vec<_>>();
    let (kept, foreign) = (of(Kind::Kept), of(Kind::Foreign));
    match foreign.first() {
        _ if inhabitants.is_empty() => Step::Go,
        Some(pid) if since >= FOREIGN => Step::Refuse(*pid),
        Some(_) => Step::Wait,
        None if since >= LONGEST => Step::Refuse(inhabitants[0].pid),
        None if since < IN_ORDER && !kept.is_empty() => Step::Signal(kept, Signal::INT),
        // A postmaster that is gone writes no more; neither may its children.
        None => Step::Signal(inhabitants.iter().map(|one| one.pid).collect(), Signal::KILL),
    }
}

/// Files of a server that is gone, whose number another process may have by now.
fn remove_stale(data: &Path, run: &Path) {
    // The server would take that process, or the zombie that nobody has buried yet, for the old one.
    if postmaster::pid_file(data).is_some_and(|stale| postmaster::is_taken(stale.pid)) {
        let _ = fs::remove_file(data.join("postmaster.pid"));
    }
    let _ = fs::remove_file(run.join(format!("{}.lock", crate::socket::FILE)));
}

#[cfg(test)]
mod tests {
    use super::*;

    fn inhabitants(kinds: &[Kind]) -> Vec<Inhabitant> {
        kinds.iter().zip(1..).map(|(kind, pid)| Inhabitant { pid, kind: *kind }).collect()
    }

    #[test]
    fn ours_are_ended_in_order_and_others_refused() {
        let (now, later) = (Duration::ZERO, Duration::from_secs(6));
        assert_eq!(step(&[], now), Step::Go);
        let ours = inhabitants(&[Kind::Kept, Kind::Child]);
        assert_eq!(step(&ours, now), Step::Signal(vec![1], Signal::INT));
        assert_eq!(step(&ours, later), Step::Signal(vec![1, 2], Signal::KILL));
        assert_eq!(step(&inhabitants(&[Kind::Child]), now), Step::Signal(vec![1], Signal::KILL));
        let others = inhabitants(&[Kind::Child, Kind::Foreign]);
        assert_eq!((step(&others, now), step(&others, later)), (Step::Wait, Step::Refuse(2)));
    }

    #[test]
    fn a_number_that_another_process_has_by_now_is_no_hindrance() {
        let (data, run) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let pid_file = data.path().join("postmaster.pid");
        fs::write(&pid_file, format!("{}\n", std::process::id())).unwrap();
        remove_stale(data.path(), run.path());
        assert!(!pid_file.exists());
    }
}
