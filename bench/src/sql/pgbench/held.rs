//! A pgbench whose clients log in once and that runs only in its turns: so many clients would log in for longer than they
//! are measured.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use rustix::process::{Pid, Signal, kill_process};
use tempfile::TempDir;

use super::{Lines, Run, Seen, Server, command, logged};
use crate::load::Outcome;
use crate::running::Running;

/// It is stopped between its turns, and killed when dropped.
pub struct Held {
    lines: Lines,
    folder: TempDir,
}

/// When it was let go and when its time was counted from and to, seconds of the epoch.
struct Turn {
    released: f64,
    from: f64,
    to: f64,
}

/// Of a turn, not counted: what was under way when it was stopped ends.
const SETTLE: Duration = Duration::from_millis(500);
/// Every transaction is logged: they are what is counted.
const ALL: &str = "1";

impl Held {
    /// Logs the clients in and stops. `run.measured`: the longest that all turns take together.
    pub fn start(run: Run, pooler: &Running) -> Result<Held, String> {
        let folder = tempfile::tempdir().map_err(|error| error.to_string())?;
        let mut lines = Lines::start(run.cpus, &mut command(run, ALL, pooler.address, folder.path()))?;
        lines.next()?;
        let held = Held { lines, folder };
        held.signal(Signal::STOP);
        Ok(held)
    }

    /// Runs for so long, beside what it takes to begin. An error when pgbench has said anything but its progress.
    pub fn turn(&mut self, measured: Duration, pooler: &Running, server: &Server) -> Result<Seen, String> {
        let released = stamp();
        self.signal(Signal::CONT);
        std::thread::sleep(SETTLE);
        let (from, cpu, others) = (stamp(), pooler.tree().run_time(), server.tree().run_time());
        std::thread::sleep(measured);
        let (to, cpu, others) = (stamp(), pooler.tree().run_time() - cpu, server.tree().run_time().saturating_sub(others));
        self.signal(Signal::STOP);
        self.lines.all_progress()?;
        let outcome = Turn { released, from, to }.outcome(&logged(self.folder.path())?, cpu)?;
        Ok(Seen { outcome, machine: cpu + others })
    }

    fn signal(&self, signal: Signal) {
        // Gone already shows as a turn without transactions.
        let _ = Pid::from_raw(self.lines.child.id() as i32).map(|pid| kill_process(pid, signal));
    }
}

impl Turn {
    /// Of the time until the last that pgbench has logged: it writes some thousand bytes at a time.
    fn outcome(&self, logged: &[(f64, u32)], cpu: Duration) -> Result<Outcome, String> {
        let within = logged.iter().filter(|(end, _)| (self.from..self.to).contains(end));
        let last = within.clone().map(|(end, _)| *end).fold(self.from, f64::max);
        // What began before it was stopped has waited at least since it was let go.
        let mut micros: Vec<u32> = within.map(|(end, micros)| (*micros).min(((end - self.released) * 1e6) as u32)).collect();
        micros.sort_unstable();
        if micros.is_empty() {
            return Err("not one query went through in a turn".into());
        }
        Ok(Outcome { requests: micros.len() as u64, seconds: last - self.from, micros, errors: Vec::new(), cpu, ..Outcome::default() })
    }
}

fn stamp() -> f64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs_f64()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_turn_counts_what_ended_in_it_and_not_the_time_it_stood_still() {
        let turn = Turn { released: 9.5, from: 10.0, to: 11.0 };
        let seen = turn.outcome(&[(9.9, 1), (10.5, 40), (10.75, 5_000_000), (11.1, 1)], Duration::from_secs(1)).unwrap();
        assert_eq!((seen.requests, &*seen.micros, seen.seconds), (2, &[40, 1_250_000][..], 0.75));
        assert!(turn.outcome(&[(12.0, 1)], Duration::ZERO).is_err());
    }
}
