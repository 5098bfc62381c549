//! The machine that Plimsoll runs on and its own processes: their metrics and their load line.

use std::fs::read_to_string;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use contract::Load;
use telemetry::{Collect, ControlGroup, Exposition, GroupMemory, Registry};

use crate::{BuildInfo, Loads};

mod capacity;
mod metrics;
mod text;
mod tree;

use capacity::{Capacity, CpuReading, Share, cpu_share};

/// How often CPU use is measured; the load line speaks of the last interval.
const INTERVAL: Duration = Duration::from_secs(2);

/// This machine, measured. Its metrics are read when they are asked for, its load every two seconds.
pub struct Machine {
    /// Absolute, for the mount that holds it.
    state: PathBuf,
    /// The process whose descendants are all of Plimsoll: the keeper.
    root: u32,
    begun: Instant,
    load: Mutex<Measured>,
}

#[derive(Default)]
struct Measured {
    cpu: CpuReading,
    capacity: Capacity,
}

/// Adds this machine and Plimsoll's own processes to what is scraped and to the load lines, and measures from now on.
///
/// Call it inside the control runtime, in the server: its parent is the keeper, whose descendants are all of Plimsoll.
pub fn host(state: &Path, registry: &Registry, loads: &Loads) {
    let root = rustix::process::getppid().unwrap_or_else(rustix::process::getpid);
    let machine = Machine::new(state, root.as_raw_nonzero().get().unsigned_abs());
    registry.add(Arc::new(BuildInfo(env!("CARGO_PKG_VERSION"))));
    registry.add(machine.clone());
    loads.add({
        let machine = machine.clone();
        move || vec![machine.load()]
    });
    tokio::spawn(machine.watch());
}

impl Machine {
    /// The machine with the state folder `state`; `root` is the process id of the keeper.
    pub fn new(state: &Path, root: u32) -> Arc<Machine> {
        let state = state.canonicalize().unwrap_or_else(|_| state.to_path_buf());
        let machine = Machine { state, root, begun: Instant::now(), load: Mutex::default() };
        machine.measure();
        Arc::new(machine)
    }

    /// Measures every two seconds, for ever; run it as a task of the control runtime.
    pub async fn watch(self: Arc<Machine>) {
        let mut ticks = tokio::time::interval(INTERVAL);
        ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        loop {
            ticks.tick().await;
            let machine = self.clone();
            // A disk that hangs must not hold up the runtime; a panic was printed by its hook.
            let _ = tokio::task::spawn_blocking(move || machine.measure()).await;
        }
    }

    /// The machine's load line as last measured.
    pub fn load(&self) -> Load {
        capacity::load(&self.load.lock().unwrap_or_else(PoisonError::into_inner).capacity)
    }

    fn measure(&self) {
        let group = ControlGroup::of_this_process();
        let stat = read("/proc/stat");
        let cpu = CpuReading {
            ticks: text::all_processors(&stat),
            processors: text::processors(&stat).len(),
            group: group.cpu,
            seconds: self.begun.elapsed().as_secs_f64(),
        };
        let (memory, disk, descriptors) = (memory_share(group.memory), disk_share(&self.state), descriptor_share());
        let mut measured = self.load.lock().unwrap_or_else(PoisonError::into_inner);
        let before = std::mem::replace(&mut measured.cpu, cpu);
        // The first reading has none before it: everything since boot would count.
        let cpu = if before.processors == 0 { Share { used: 0.0, of: cpu.processors as f64 } } else { cpu_share(&before, &cpu) };
        measured.capacity = Capacity { cpu, memory, disk, descriptors };
    }
}

impl Collect for Machine {
    fn collect(&self, out: &mut Exposition) {
        metrics::process(out);
        metrics::tree(out, self.root);
        metrics::host(out);
        metrics::filesystem(out, &self.state);
    }
}

/// A file of the kernel; empty when it is not there.
fn read(path: &str) -> String {
    read_to_string(path).unwrap_or_default()
}

/// The machine's memory or the group's, whichever is nearer its end.
fn memory_share(group: Option<GroupMemory>) -> Share {
    let meminfo = read("/proc/meminfo");
    let total = text::memory(&meminfo, "MemTotal").unwrap_or(0);
    let available = text::memory(&meminfo, "MemAvailable").unwrap_or(total);
    let host = Share { used: total.saturating_sub(available) as f64, of: total as f64 };
    let Some(group) = group else { return host };
    let group = Share { used: group.used as f64, of: group.limit as f64 };
    if group.used * host.of > host.used * group.of { group } else { host }
}

/// As df counts: what is kept for root is neither used nor available.
fn disk_share(state: &Path) -> Share {
    let Ok(disk) = rustix::fs::statvfs(state) else { return Share::default() };
    let bytes = |blocks: u64| blocks as f64 * disk.f_frsize as f64;
    let used = bytes(disk.f_blocks.saturating_sub(disk.f_bfree));
    Share { used, of: used + bytes(disk.f_bavail) }
}

fn descriptor_share() -> Share {
    let most = rustix::process::getrlimit(rustix::process::Resource::Nofile).current;
    Share { used: open_descriptors() as f64, of: most.map_or(0.0, |most| most as f64) }
}

/// Since Linux 6.2 the folder's size is the count; before, it is listed.
fn open_descriptors() -> u64 {
    let size = std::fs::metadata("/proc/self/fd").map_or(0, |folder| folder.len());
    if size > 0 { size } else { std::fs::read_dir("/proc/self/fd").map_or(0, |entries| entries.count().saturating_sub(1) as u64) }
}

#[cfg(test)]
mod tests;
