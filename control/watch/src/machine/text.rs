//! Readers of the kernel's text files: pure, and silent about what is not there.

/// The order of the columns of a `cpu` line in /proc/stat, as node_exporter names them. Guest time is inside user and nice.
pub(super) const CPU_MODES: [&str; 8] = ["user", "nice", "system", "idle", "iowait", "irq", "softirq", "steal"];

/// What is read of /proc/PID/stat, see proc_pid_stat(5).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct ProcessStat {
    pub parent: u32,
    /// User and system time of the process, all its threads included.
    pub own_ticks: u64,
    /// The same of children that ended and were waited for, and theirs.
    pub ended_ticks: u64,
    /// After boot.
    pub start_ticks: u64,
    pub resident_pages: u64,
}

/// Reads /proc/PID/stat. The name in parentheses may hold anything, so fields count from the last parenthesis.
pub(super) fn process_stat(text: &str) -> Option<ProcessStat> {
    let fields: Vec<&str> = text.rsplit_once(')')?.1.split_ascii_whitespace().collect();
    // The first here is field 3, the state.
    let number = |field: usize| fields.get(field - 3)?.parse::<u64>().ok();
    Some(ProcessStat {
        parent: u32::try_from(number(4)?).ok()?,
        own_ticks: number(14)? + number(15)?,
        ended_ticks: number(16)? + number(17)?,
        start_ticks: number(22)?,
        resident_pages: number(24)?,
    })
}

/// Ticks in each of [`CPU_MODES`].
pub(super) type CpuTicks = [u64; CPU_MODES.len()];

/// The `cpu0`, `cpu1`, … lines of /proc/stat: a processor's number and its ticks.
pub(super) fn processors(stat: &str) -> Vec<(&str, CpuTicks)> {
    stat.lines()
        .filter_map(|line| {
            let (number, rest) = line.strip_prefix("cpu")?.split_once(' ')?;
            (!number.is_empty()).then(|| (number, ticks(rest)))
        })
        .collect()
}

/// All processors' ticks together: the `cpu` line of /proc/stat.
pub(super) fn all_processors(stat: &str) -> CpuTicks {
    stat.lines().find_map(|line| line.strip_prefix("cpu ")).map(ticks).unwrap_or_default()
}

fn ticks(columns: &str) -> CpuTicks {
    let mut ticks = CpuTicks::default();
    for (place, column) in ticks.iter_mut().zip(columns.split_ascii_whitespace()) {
        *place = column.parse().unwrap_or(0);
    }
    ticks
}

/// Seconds since 1970 when the machine booted, of /proc/stat.
pub(super) fn boot_time(stat: &str) -> u64 {
    stat.lines().find_map(|line| line.strip_prefix("btime ")?.trim().parse().ok()).unwrap_or(0)
}

/// One line of /proc/meminfo in bytes.
pub(super) fn memory(meminfo: &str, name: &str) -> Option<u64> {
    let value = meminfo.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(':'))?;
    value.trim().strip_suffix(" kB")?.trim().parse::<u64>().ok().map(|kilobytes| kilobytes * 1024)
}

/// Devices of /proc/net/dev with their bytes received and sent.
pub(super) fn network(net_dev: &str) -> Vec<(&str, u64, u64)> {
    net_dev
        .lines()
        .filter_map(|line| {
            let (device, counts) = line.rsplit_once(':')?;
            let counts: Vec<&str> = counts.split_ascii_whitespace().collect();
            Some((device.trim(), counts.first()?.parse().ok()?, counts.get(8)?.parse().ok()?))
        })
        .collect()
}

/// The first figure of /proc/loadavg: processes that ran or waited, over one minute.
pub(super) fn load1(loadavg: &str) -> f64 {
    loadavg.split_ascii_whitespace().next().and_then(|figure| figure.parse().ok()).unwrap_or(0.0)
}

/// A mounted file system.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Mount {
    pub device: String,
    pub mountpoint: String,
    pub kind: String,
}

/// The mount of /proc/self/mounts that holds `path` (absolute): the longest mount point above it, the last of equals.
pub(super) fn mount_of(mounts: &str, path: &std::path::Path) -> Option<Mount> {
    let mut best: Option<Mount> = None;
    for line in mounts.lines() {
        let mut fields = line.split(' ').map(|field| field.replace("\\040", " "));
        let (Some(device), Some(mountpoint), Some(kind)) = (fields.next(), fields.next(), fields.next()) else { continue };
        let longer = best.as_ref().is_none_or(|best| mountpoint.len() >= best.mountpoint.len());
        if longer && path.starts_with(&mountpoint) {
            best = Some(Mount { device, mountpoint, kind });
        }
    }
    best
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;

    const STAT: &str =
        "cpu  26503 1 5126 138215 766 2 101 69 5 0\ncpu0 12906 0 2307 69697 414 0 29 30 0 0\ncpu1 1 2 3\nintr 319925\nbtime 1796058982\n";

    #[test]
    fn a_process_with_a_wild_name() {
        let text = "42 (a) R (b) S 7 42 42 0 -1 4194304 127 0 0 0 11 22 3 4 20 0 9 0 85539 3133440 390 18446744073709551615 1\n";
        let expected = ProcessStat { parent: 7, own_ticks: 33, ended_ticks: 7, start_ticks: 85539, resident_pages: 390 };
        assert_eq!(process_stat(text), Some(expected));
        assert_eq!(process_stat(""), None);
        assert_eq!(process_stat("42 (sh) S 7"), None);
    }

    #[test]
    fn processors_one_by_one_and_together() {
        assert_eq!(processors(STAT), [("0", [12906, 0, 2307, 69697, 414, 0, 29, 30]), ("1", [1, 2, 3, 0, 0, 0, 0, 0])]);
        assert_eq!(all_processors(STAT), [26503, 1, 5126, 138215, 766, 2, 101, 69]);
        assert_eq!(boot_time(STAT), 1_796_058_982);
        assert_eq!((processors("").len(), all_processors(""), boot_time("")), (0, CpuTicks::default(), 0));
    }

    #[test]
    fn memory_is_in_bytes_and_only_what_is_counted_in_kilobytes() {
        let text = "MemTotal:       24684092 kB\nMemFree:        21625956 kB\nHugePages_Total:       0\n";
        assert_eq!(memory(text, "MemFree"), Some(21_625_956 * 1024));
        assert_eq!(memory(text, "Mem"), None);
        assert_eq!(memory(text, "HugePages_Total"), None);
    }

    #[test]
    fn devices_even_with_a_colon_in_the_name() {
        let text = "Inter-|   Receive    |  Transmit\n face |bytes packets|bytes packets\n    lo:    5304      63    0    0    0     0          0         0     77       63    0    0    0     0       0          0\neth0:1: 5 0 0 0 0 0 0 0 6 0 0 0 0 0 0 0\n";
        assert_eq!(network(text), [("lo", 5304, 77), ("eth0:1", 5, 6)]);
    }

    #[test]
    fn the_load_of_one_minute_comes_first() {
        assert_eq!(load1("2.17 0.86 0.35 4/111 12008\n"), 2.17);
        assert_eq!(load1(""), 0.0);
    }

    #[test]
    fn the_deepest_mount_holds_a_path() {
        let mounts = "overlay / overlay rw 0 0\n/dev/vdb /srv/my\\040data ext4 rw 0 0\ntmpfs /srv tmpfs rw 0 0\n";
        let of = |path: &str| mount_of(mounts, Path::new(path)).unwrap().device;
        assert_eq!([of("/srv/my data/shop"), of("/srv/x"), of("/srvx")], ["/dev/vdb", "tmpfs", "overlay"]);
        assert_eq!(mount_of("", Path::new("/")), None);
    }
}
