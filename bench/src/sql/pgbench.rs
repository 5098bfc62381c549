//! One run of `pgbench -S`: what each query cost the pooler and the whole machine, how many went through, how long they took.

mod held;

use std::io::{BufRead, BufReader};
use std::net::SocketAddr;
use std::path::Path;
use std::process::{Child, ChildStderr, Command, Stdio};
use std::sync::mpsc::{self, Receiver};
use std::time::{Duration, Instant};

pub use held::Held;

use super::server::{NAME, Server, client};
use crate::load::Outcome;
use crate::machine;
use crate::running::Running;

/// How pgbench sends its queries.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    Simple,
    Extended,
    Prepared,
}

/// What one run is.
#[derive(Debug, Clone, Copy)]
pub struct Run<'a> {
    pub mode: Mode,
    pub clients: usize,
    pub measured: Duration,
    pub cpus: &'a [usize],
}

/// What came of it.
#[derive(Debug)]
pub struct Seen {
    /// CPU is that of the pooler's process tree; latencies are a sample.
    pub outcome: Outcome,
    /// CPU of the pooler and of Postgres with all its processes.
    pub machine: Duration,
}

impl Mode {
    pub const ALL: [Mode; 3] = [Mode::Simple, Mode::Extended, Mode::Prepared];

    /// As pgbench calls it.
    pub fn name(self) -> &'static str {
        match self {
            Mode::Simple => "simple",
            Mode::Extended => "extended",
            Mode::Prepared => "prepared",
        }
    }
}

/// The longest that pgbench may be silent: it logs in a thousand clients one by one, then speaks each second.
const PATIENCE: Duration = Duration::from_secs(60);
/// It is killed when the last line is there and never runs so long by itself.
const LONGER: Duration = Duration::from_secs(30);
/// What a line may lack to the full time, seconds.
const LATE: f64 = 0.5;
/// Of its latencies, this part is logged.
const SAMPLE: &str = "0.2";

/// A second of warm-up, then the measured time, between two of pgbench's progress lines.
pub fn run(run: Run, pooler: &Running, server: &Server) -> Result<Seen, String> {
    let folder = tempfile::tempdir().map_err(|error| error.to_string())?;
    let mut lines = Lines::start(run.cpus, &mut command(run, SAMPLE, pooler.address, folder.path()))?;
    let warm = lines.next()?;
    let (began, before, others) = (Instant::now(), pooler.tree().cpu(), server.tree().cpu());
    let (mut queries, mut last) = (0.0, warm.stamp);
    // A line that is late takes the place of those that it missed.
    while last - warm.stamp < run.measured.as_secs_f64() - LATE {
        let line = lines.next()?;
        queries += line.tps * (line.stamp - last);
        last = line.stamp;
    }
    let seconds = began.elapsed().as_secs_f64();
    let (cpu, others) = (pooler.tree().cpu() - before, server.tree().cpu().saturating_sub(others));
    drop(lines);
    if queries < 1.0 {
        return Err("not one query went through".into());
    }
    let micros = latencies(folder.path(), warm.stamp)?;
    let outcome = Outcome { requests: queries as u64, seconds, micros, cpu, ..Outcome::default() };
    Ok(Seen { outcome, machine: cpu + others })
}

fn command(run: Run, logged: &str, address: SocketAddr, folder: &Path) -> Command {
    let mut pgbench = client("pgbench");
    pgbench.args(["-n", "-S", "-j", "1", "-P", "1", "--progress-timestamp", "-M", run.mode.name(), "-c", &run.clients.to_string()]);
    pgbench.args(["-T", &(run.measured + LONGER).as_secs().to_string()]);
    pgbench.args(["-h", "127.0.0.1", "-p", &address.port().to_string(), "-U", NAME]);
    pgbench.arg("-l").arg("--sampling-rate").arg(logged).arg("--log-prefix").arg(folder.join("log")).arg(NAME);
    pgbench.stdout(Stdio::null()).stderr(Stdio::piped());
    pgbench
}

/// A pgbench and what it says; killed when dropped.
struct Lines {
    child: Child,
    lines: Receiver<String>,
}

/// `progress: 1799999999.123 s, 24242.3 tps, lat 0.656 ms stddev 0.2, 0 failed`.
#[derive(Debug, PartialEq)]
struct Progress {
    /// Seconds of the epoch.
    stamp: f64,
    /// Since the line before.
    tps: f64,
}

impl Lines {
    fn start(cpus: &[usize], command: &mut Command) -> Result<Lines, String> {
        let mut child = machine::pinned(cpus, || command.spawn()).map_err(|error| format!("pgbench could not be started: {error}"))?;
        let stderr = child.stderr.take().expect("it was piped");
        let (sender, lines) = mpsc::channel();
        std::thread::spawn(move || read(stderr, &sender));
        Ok(Lines { child, lines })
    }

    /// The next progress; anything else that pgbench says voids the run.
    fn next(&mut self) -> Result<Progress, String> {
        let line = self.lines.recv_timeout(PATIENCE).map_err(|reason| format!("pgbench says nothing more: {reason}"))?;
        Progress::parse(&line).ok_or_else(|| format!("pgbench: {line}"))
    }

    /// An error when anything that it has said meanwhile is not progress.
    fn all_progress(&mut self) -> Result<(), String> {
        self.lines.try_iter().find(|line| Progress::parse(line).is_none()).map_or(Ok(()), |line| Err(format!("pgbench: {line}")))
    }
}

impl Drop for Lines {
    fn drop(&mut self) {
        // Gone already is what is wanted.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn read(stderr: ChildStderr, sender: &mpsc::Sender<String>) {
    for line in BufReader::new(stderr).lines().map_while(Result::ok) {
        if sender.send(line).is_err() {
            return;
        }
    }
}

impl Progress {
    fn parse(line: &str) -> Option<Progress> {
        let mut parts = line.strip_prefix("progress: ")?.split(", ");
        let stamp = parts.next()?.strip_suffix(" s")?.parse().ok()?;
        let tps = parts.next()?.strip_suffix(" tps")?.parse().ok()?;
        let failed = parts.find_map(|part| part.strip_suffix(" failed")).unwrap_or("0");
        (failed == "0").then_some(Progress { stamp, tps })
    }
}

/// Microseconds of the logged transactions that ended after `from`, sorted.
fn latencies(folder: &Path, from: f64) -> Result<Vec<u32>, String> {
    let mut micros: Vec<u32> = logged(folder)?.into_iter().filter(|(at, _)| *at >= from).map(|(_, micros)| micros).collect();
    micros.sort_unstable();
    if micros.is_empty() { Err("pgbench logged no latency".into()) } else { Ok(micros) }
}

/// The logged transactions: when each ended, seconds of the epoch, and the microseconds that it took.
fn logged(folder: &Path) -> Result<Vec<(f64, u32)>, String> {
    let fault = |error: std::io::Error| format!("pgbench's log: {error}");
    let mut all = Vec::new();
    for entry in std::fs::read_dir(folder).map_err(fault)? {
        let text = std::fs::read_to_string(entry.map_err(fault)?.path()).map_err(fault)?;
        // The last line may have been cut.
        let whole = text.rsplit_once('\n').map_or("", |(whole, _)| whole);
        all.extend(whole.lines().filter_map(latency));
    }
    Ok(all)
}

/// `client transaction micros script epoch-seconds micros-of-it`: when it ended, and how long it took.
fn latency(line: &str) -> Option<(f64, u32)> {
    let mut fields = line.split(' ').skip(2);
    let micros = fields.next()?.parse().ok()?;
    let seconds: f64 = fields.nth(1)?.parse().ok()?;
    let rest: f64 = fields.next()?.parse().ok()?;
    Some((seconds + rest / 1e6, micros))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn progress_and_latency_are_read() {
        let line = "progress: 1700000001.250 s, 24242.3 tps, lat 0.656 ms stddev 0.200, 0 failed";
        assert_eq!(Progress::parse(line), Some(Progress { stamp: 1_700_000_001.25, tps: 24242.3 }));
        assert_eq!(Progress::parse(&line.replace("0 failed", "2 failed")), None);
        assert_eq!(Progress::parse("pgbench: error: client 3 aborted in command 1"), None);
        assert_eq!(latency("12 830 656 0 1700000001 250000"), Some((1_700_000_001.25, 656)));
        assert_eq!(latency("12 830 6"), None);
    }
}
