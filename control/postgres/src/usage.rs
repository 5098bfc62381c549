//! What the server's processes take, from /proc.

use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::sync::{Mutex, PoisonError, Weak};
use std::time::{Duration, Instant};

use crate::postmaster;
use crate::tier::Shared;
use crate::view::Phase;

/// Between two looks.
const PAUSE: Duration = Duration::from_secs(10);

/// The last look, and processor time over all lives.
#[derive(Debug, Default)]
pub(crate) struct Usage(Mutex<(Option<Look>, f64)>);

#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Look {
    /// 1.0 = one core, since the look before.
    pub(crate) cpu: f64,
    /// Memory, what processes share counted once, in bytes.
    pub(crate) memory: u64,
    /// Size of the data directory, bytes.
    pub(crate) data: u64,
    /// Processor time of this life so far.
    seconds: f64,
    at: Instant,
}

impl Usage {
    /// `None` while the server does not run.
    pub(crate) fn last(&self) -> Option<Look> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).0
    }

    /// Processor time of all lives so far.
    pub(crate) fn seconds(&self) -> f64 {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).1
    }

    fn note(&self, sums: Option<Sums>, at: Instant) {
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let (last, total) = &mut *known;
        *last = sums.map(|Sums { seconds, memory, data }| {
            // The time of a session that has just ended is missing until its parent has counted it.
            let used = (seconds - last.map_or(0.0, |last| last.seconds)).max(0.0);
            *total += used;
            let cpu = last.map_or(0.0, |last| used / at.duration_since(last.at).as_secs_f64().max(0.001));
            Look { cpu, memory, data, seconds, at }
        });
    }
}

/// What is counted at one look.
#[derive(Debug, Default)]
struct Sums {
    seconds: f64,
    memory: u64,
    data: u64,
}

/// Looks again and again, as long as the tier lives.
pub(crate) async fn sample(shared: Weak<Shared>) {
    loop {
        tokio::time::sleep(PAUSE).await;
        let Some(shared) = shared.upgrade() else { return };
        let view = shared.view.borrow().clone();
        let sums = match (view.phase, view.ground) {
            (Phase::Up, Some(ground)) => tokio::task::spawn_blocking(move || sums(&ground.data())).await.ok(),
            (Phase::Stopped, _) => return,
            _ => None,
        };
        shared.usage.note(sums, Instant::now());
    }
}

/// Of all that live in a data directory, and of itself.
fn sums(data: &Path) -> Sums {
    let ticks = rustix::param::clock_ticks_per_second() as f64;
    let of = |file: String| fs::read_to_string(file).unwrap_or_default();
    let mut sums = Sums { data: size(data), ..Sums::default() };
    for one in postmaster::inhabitants(data) {
        sums.seconds += used(&of(format!("/proc/{}/stat", one.pid))).unwrap_or(0) as f64 / ticks;
        sums.memory += proportional(&of(format!("/proc/{}/smaps_rollup", one.pid))).unwrap_or(0);
    }
    sums
}

fn size(folder: &Path) -> u64 {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    // What has gone meanwhile has no size.
    let of =
        |entry: fs::DirEntry| entry.metadata().map_or(0, |found| if found.is_dir() { size(&entry.path()) } else { found.blocks() * 512 });
    entries.map(of).sum()
}

/// Ticks of a process and of its dead children: proc(5).
fn used(stat: &str) -> Option<u64> {
    let fields: Vec<&str> = stat.rsplit_once(')')?.1.split_ascii_whitespace().collect();
    (11..=14).map(|index| fields.get(index)?.parse::<u64>().ok()).sum()
}

fn proportional(rollup: &str) -> Option<u64> {
    let line = rollup.lines().find_map(|line| line.strip_prefix("Pss:"))?;
    Some(line.trim().strip_suffix(" kB")?.trim().parse::<u64>().ok()? << 10)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_of_the_kernel_are_read() {
        assert_eq!(used("7 (a) b) S 3 5 5 0 -1 4194304 1 0 0 0 10 20 30 40 20 0 1 0 99 1000 10"), Some(100));
        assert_eq!(proportional("00400000-7ffd rollup\nRss:   1852 kB\nPss:    1024 kB\n"), Some(1 << 20));
    }

    #[test]
    fn shares_come_from_two_looks() {
        let (usage, begun) = (Usage::default(), Instant::now());
        usage.note(Some(Sums { seconds: 1.0, memory: 7, data: 1 }), begun);
        usage.note(Some(Sums { seconds: 2.0, memory: 9, data: 2 }), begun + Duration::from_secs(2));
        assert_eq!(usage.last().map(|look| (look.cpu, look.memory)), Some((0.5, 9)));
        usage.note(None, begun + Duration::from_secs(4));
        assert_eq!((usage.last(), usage.seconds()), (None, 2.0));
    }
}
