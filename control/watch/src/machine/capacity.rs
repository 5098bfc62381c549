use contract::Load;
use telemetry::GroupCpu;

use super::text::CpuTicks;

/// Something used of something there is, in one unit.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub(super) struct Share {
    pub used: f64,
    pub of: f64,
}

/// What the machine gives and what is taken of it, at one moment.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub(super) struct Capacity {
    /// In cores, over the last interval.
    pub cpu: Share,
    /// In bytes.
    pub memory: Share,
    /// In bytes, of the file system that holds `state`.
    pub disk: Share,
    /// Of this process.
    pub descriptors: Share,
}

/// CPU counters at one moment.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub(super) struct CpuReading {
    pub ticks: CpuTicks,
    pub processors: usize,
    pub group: Option<GroupCpu>,
    /// Of a monotonic clock.
    pub seconds: f64,
}

/// The cores used between two readings: of the machine or of the group's quota, whichever is nearer its end.
pub(super) fn cpu_share(before: &CpuReading, now: &CpuReading) -> Share {
    let host = host_share(before, now);
    let (Some(earlier), Some(group)) = (before.group, now.group) else { return host };
    let elapsed = now.seconds - before.seconds;
    if elapsed <= 0.0 {
        return host;
    }
    let group = Share { used: (group.used_seconds - earlier.used_seconds).max(0.0) / elapsed, of: group.cores };
    if group.used * host.of > host.used * group.of { group } else { host }
}

fn host_share(before: &CpuReading, now: &CpuReading) -> Share {
    let moved = |mode: usize| now.ticks[mode].saturating_sub(before.ticks[mode]);
    let all: u64 = (0..now.ticks.len()).map(moved).sum();
    // Idle and iowait are what is left to use.
    let busy = all - moved(3) - moved(4);
    let cores = now.processors as f64;
    Share { used: if all == 0 { 0.0 } else { busy as f64 / all as f64 * cores }, of: cores }
}

/// The machine's load line: the measure nearest its end decides.
pub(super) fn load(capacity: &Capacity) -> Load {
    let of = |measure: &'static str, share: Share, reason: String| Load::of("machine", measure, share.used, share.of, reason);
    let percent = |share: Share| if share.of > 0.0 { share.used / share.of * 100.0 } else { 0.0 };
    let Capacity { cpu, memory, disk, descriptors } = *capacity;
    of("CPU", cpu, format!("CPU {:.0} % of {} {}", percent(cpu), short(cpu.of), if cpu.of == 1.0 { "core" } else { "cores" }))
        .max(of("memory", memory, format!("memory {:.0} % of {}", percent(memory), bytes(memory.of))))
        .max(of("disk", disk, format!("disk {:.0} % of {}", percent(disk), bytes(disk.of))))
        .max(of("descriptors", descriptors, format!("descriptors {:.0} of {:.0}", descriptors.used, descriptors.of)))
}

fn short(number: f64) -> String {
    let text = format!("{number:.1}");
    text.strip_suffix(".0").unwrap_or(&text).to_string()
}

/// Bytes in the file's units: powers of 1024.
fn bytes(count: f64) -> String {
    let units = ["B", "KB", "MB", "GB", "TB"];
    let power = (0..units.len() - 1).find(|power| count < 1024f64.powi(*power as i32 + 1)).unwrap_or(units.len() - 1);
    format!("{} {}", short(count / 1024f64.powi(power as i32)), units[power])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reading(busy: u64, idle: u64, seconds: f64, group: Option<(f64, f64)>) -> CpuReading {
        let mut ticks = CpuTicks::default();
        (ticks[0], ticks[3]) = (busy, idle);
        CpuReading { ticks, processors: 4, group: group.map(|(cores, used_seconds)| GroupCpu { cores, used_seconds }), seconds }
    }

    #[test]
    fn cores_used_of_the_machine() {
        let share = cpu_share(&reading(100, 100, 0.0, None), &reading(150, 250, 2.0, None));
        assert_eq!(share, Share { used: 1.0, of: 4.0 });
        assert_eq!(cpu_share(&reading(1, 1, 0.0, None), &reading(1, 1, 0.0, None)).used, 0.0);
    }

    #[test]
    fn a_quota_that_is_nearer_its_end_decides() {
        let (before, now) = (reading(100, 100, 0.0, Some((0.5, 1.0))), reading(150, 250, 2.0, Some((0.5, 1.8))));
        assert_eq!(cpu_share(&before, &now), Share { used: 0.4, of: 0.5 });
        let idle = reading(150, 250, 2.0, Some((0.5, 1.0)));
        assert_eq!(cpu_share(&before, &idle), Share { used: 1.0, of: 4.0 });
    }

    #[test]
    fn the_first_measure_at_its_end_decides_and_says_so() {
        let capacity = Capacity {
            cpu: Share { used: 0.4, of: 1.0 },
            memory: Share { used: 1.5 * 1024f64.powi(3), of: 2.0 * 1024f64.powi(3) },
            disk: Share { used: 1.0, of: 3.0 },
            descriptors: Share { used: 100.0, of: 1024.0 },
        };
        let memory = load(&capacity);
        assert_eq!((memory.load, memory.reason.as_str()), (1.25, "memory 75 % of 2 GB"));
        let cpu = load(&Capacity { memory: Share::default(), ..capacity });
        assert_eq!(cpu.reason, "CPU 40 % of 1 core");
        let all = Share { used: 1024.0, of: 1024.0 };
        assert_eq!(load(&Capacity { descriptors: all, ..capacity }).reason, "descriptors 1024 of 1024");
        assert_eq!(load(&Capacity::default()).load, 0.0);
    }
}
