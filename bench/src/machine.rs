//! The machine under the bench: which CPUs, how much CPU and memory a process tree took.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use rustix::process::{Pid, Resource, Rlimit, getrlimit, setrlimit};
use rustix::thread::{CpuSet, sched_getaffinity, sched_setaffinity};

/// Where the contender and the load run.
#[derive(Debug, Clone)]
pub struct Pins {
    /// The contender's CPUs.
    pub contender: Vec<usize>,
    /// Those of the load generator and of the origin.
    pub load: Vec<usize>,
}

impl Pins {
    /// METHOD's `pin`: the contender alone on the first CPU, the load on the second (on the same one when there is one).
    pub fn apart() -> Pins {
        let all = cpus();
        Pins { contender: vec![all[0]], load: vec![*all.get(1).unwrap_or(&all[0])] }
    }

    /// METHOD's `free`: everybody on the first two CPUs.
    pub fn free() -> Pins {
        let two: Vec<usize> = cpus().into_iter().take(2).collect();
        Pins { contender: two.clone(), load: two }
    }
}

/// The CPUs that this process may use, at least one.
pub fn cpus() -> Vec<usize> {
    let set = sched_getaffinity(None).unwrap_or_default();
    let all: Vec<usize> = (0..CpuSet::MAX_CPU).filter(|cpu| set.is_set(*cpu)).collect();
    if all.is_empty() { vec![0] } else { all }
}

/// Ties the calling thread, and what it starts, to `cpus`.
pub fn pin(cpus: &[usize]) {
    pin_thread(None, cpus);
}

/// What `does` returns on a thread tied to `cpus`; processes that it starts are tied too.
pub fn pinned<T: Send>(cpus: &[usize], does: impl FnOnce() -> T + Send) -> T {
    std::thread::scope(|scope| {
        let thread = scope.spawn(|| {
            pin(cpus);
            does()
        });
        thread.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))
    })
}

/// Ties every thread of `pids` to `cpus`.
pub fn pin_processes(pids: &[u32], cpus: &[usize]) {
    for pid in pids {
        for task in tasks(*pid) {
            let thread = task.file_name().and_then(|name| name.to_str()?.parse().ok()).and_then(Pid::from_raw);
            pin_thread(thread, cpus);
        }
    }
}

/// The folders of a process's threads.
fn tasks(pid: u32) -> Vec<PathBuf> {
    fs::read_dir(format!("/proc/{pid}/task")).into_iter().flatten().flatten().map(|task| task.path()).collect()
}

fn pin_thread(thread: Option<Pid>, cpus: &[usize]) {
    let mut set = CpuSet::new();
    cpus.iter().for_each(|cpu| set.set(*cpu));
    if let Err(error) = sched_setaffinity(thread, &set) {
        eprintln!("bench: CPUs {cpus:?} could not be chosen: {error}");
    }
}

/// As many descriptors as the machine allows.
pub fn raise_descriptors() {
    let maximum = getrlimit(Resource::Nofile).maximum;
    // What is there already is enough for all but the largest rows, which say what failed.
    let _ = setrlimit(Resource::Nofile, Rlimit { current: maximum, maximum });
}

/// A process and all its descendants, as they are now.
#[derive(Debug, Clone)]
pub struct Tree(pub Vec<u32>);

impl Tree {
    /// The tree under `root`.
    pub fn of(root: u32) -> Tree {
        let mut pids = vec![root];
        pids.extend(testkit::descendants(root));
        Tree(pids)
    }

    /// User and system time of all of them since they began.
    pub fn cpu(&self) -> Duration {
        self.0.iter().map(|pid| cpu(*pid).unwrap_or_default()).sum()
    }

    /// The same to the nanosecond, without threads that have ended: for what takes too short a time for [`Tree::cpu`].
    pub fn run_time(&self) -> Duration {
        self.0.iter().flat_map(|pid| tasks(*pid)).filter_map(|task| run_time(&task)).sum()
    }

    /// Resident bytes of all of them, shared pages counted in each.
    pub fn rss(&self) -> u64 {
        self.0.iter().map(|pid| rss(*pid).unwrap_or_default()).sum()
    }
}

/// Clock ticks of /proc are 10 ms on every Linux that Rust runs on.
const TICK: Duration = Duration::from_millis(10);

fn cpu(pid: u32) -> Option<Duration> {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    let mut fields = stat.rsplit_once(") ")?.1.split(' ').skip(11);
    let user: u32 = fields.next()?.parse().ok()?;
    let system: u32 = fields.next()?.parse().ok()?;
    Some(TICK * (user + system))
}

fn run_time(task: &Path) -> Option<Duration> {
    let text = fs::read_to_string(task.join("schedstat")).ok()?;
    Some(Duration::from_nanos(text.split(' ').next()?.parse().ok()?))
}

/// What the calling thread has taken, to the nanosecond.
pub fn this_thread() -> Duration {
    run_time(Path::new("/proc/thread-self")).unwrap_or_default()
}

fn rss(pid: u32) -> Option<u64> {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
    Some(line.trim().trim_end_matches(" kB").parse::<u64>().ok()? * 1024)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn this_process_has_a_cpu_memory_and_a_tree() {
        assert!(!cpus().is_empty());
        let mut sum = 0u64;
        while Tree::of(std::process::id()).cpu() < TICK * 2 || this_thread() < TICK {
            sum = (0..100_000u64).fold(sum, |sum, number| std::hint::black_box(sum ^ number));
        }
        let tree = Tree::of(std::process::id());
        assert!(this_thread() <= tree.run_time());
        assert!(tree.rss() > 100 << 10 && tree.run_time() >= TICK, "{sum}");
        assert_eq!(pinned(&cpus()[..1], cpus), &cpus()[..1]);
    }
}
