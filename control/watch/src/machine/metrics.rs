use std::path::Path;

use rustix::param::{clock_ticks_per_second, page_size};
use rustix::process::{Resource, getrlimit};
use telemetry::Exposition;

use super::{open_descriptors, read, text, tree};

/// /proc/meminfo's name, the family's name, its help.
const MEMORY: [(&str, &str, &str); 7] = [
    ("MemTotal", "node_memory_MemTotal_bytes", "Memory of the machine."),
    ("MemFree", "node_memory_MemFree_bytes", "Memory that nothing uses."),
    ("MemAvailable", "node_memory_MemAvailable_bytes", "Memory that can be had without swapping."),
    ("Buffers", "node_memory_Buffers_bytes", "Memory of block device buffers."),
    ("Cached", "node_memory_Cached_bytes", "Memory of the page cache."),
    ("SwapTotal", "node_memory_SwapTotal_bytes", "Swap space."),
    ("SwapFree", "node_memory_SwapFree_bytes", "Swap space that is free."),
];

/// Plimsoll's serving process, with the names that Prometheus's own clients use.
pub(super) fn process(out: &mut Exposition) {
    let Some(own) = text::process_stat(&read("/proc/self/stat")) else { return };
    let boot = text::boot_time(&read("/proc/stat")) as f64;
    out.counter_seconds("process_cpu_seconds_total", "CPU time of the serving process.", &[], seconds(own.own_ticks));
    let resident = own.resident_pages * page_size() as u64;
    out.gauge("process_resident_memory_bytes", "Resident memory of the serving process.", &[], resident as f64);
    out.gauge("process_open_fds", "Descriptors that the serving process has open.", &[], open_descriptors() as f64);
    let most = getrlimit(Resource::Nofile).current.map_or(f64::INFINITY, |most| most as f64);
    out.gauge("process_max_fds", "Descriptors that the serving process may have open.", &[], most);
    let start = boot + seconds(own.start_ticks);
    out.gauge("process_start_time_seconds", "When the serving process began, in seconds since 1970.", &[], start);
}

/// Plimsoll as a whole: keeper, server, apps and what they started.
pub(super) fn tree(out: &mut Exposition, root: u32) {
    let tree = tree::sum(&tree::processes(), root);
    let help = "CPU time of the keeper and all its descendants, those that ended included.";
    out.counter_seconds("process_tree_cpu_seconds_total", help, &[], seconds(tree.cpu_ticks));
    let resident = (tree.resident_pages * page_size() as u64) as f64;
    out.gauge("process_tree_resident_memory_bytes", "Resident memory of the keeper and all its descendants.", &[], resident);
    out.gauge("process_tree_processes", "The keeper and all its descendants.", &[], tree.processes as f64);
}

/// The machine, with node_exporter's names.
pub(super) fn host(out: &mut Exposition) {
    for (cpu, ticks) in text::processors(&read("/proc/stat")) {
        for (mode, ticks) in text::CPU_MODES.into_iter().zip(ticks) {
            let labels = [("cpu", cpu), ("mode", mode)];
            out.counter_seconds("node_cpu_seconds_total", "Time that a processor spent in a mode.", &labels, seconds(ticks));
        }
    }
    let meminfo = read("/proc/meminfo");
    for (name, family, help) in MEMORY {
        if let Some(bytes) = text::memory(&meminfo, name) {
            out.gauge(family, help, &[], bytes as f64);
        }
    }
    for (device, received, sent) in text::network(&read("/proc/net/dev")) {
        out.counter("node_network_receive_bytes_total", "Bytes that a network device received.", &[("device", device)], received);
        out.counter("node_network_transmit_bytes_total", "Bytes that a network device sent.", &[("device", device)], sent);
    }
    out.gauge("node_load1", "Processes that ran or waited to run, over one minute.", &[], text::load1(&read("/proc/loadavg")));
}

/// The file system that holds the state folder.
pub(super) fn filesystem(out: &mut Exposition, state: &Path) {
    let Ok(disk) = rustix::fs::statvfs(state) else { return };
    let mounts = read("/proc/self/mounts");
    let mount = text::mount_of(&mounts, state);
    let labels = match &mount {
        Some(mount) => [("device", mount.device.as_str()), ("fstype", &mount.kind), ("mountpoint", &mount.mountpoint)],
        None => [("device", ""), ("fstype", ""), ("mountpoint", "/")],
    };
    let size = disk.f_blocks as f64 * disk.f_frsize as f64;
    let available = disk.f_bavail as f64 * disk.f_frsize as f64;
    out.gauge("node_filesystem_size_bytes", "Size of the file system that holds the state folder.", &labels, size);
    out.gauge("node_filesystem_avail_bytes", "What of it a user without rights may still fill.", &labels, available);
}

fn seconds(ticks: u64) -> f64 {
    ticks as f64 / clock_ticks_per_second() as f64
}
