use std::collections::HashMap;

use super::text::{ProcessStat, process_stat};

/// What a process and all its descendants have used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Tree {
    pub processes: u64,
    /// Those that ended included, so that it only grows.
    pub cpu_ticks: u64,
    pub resident_pages: u64,
}

/// Every process of the machine by its id.
pub(super) fn processes() -> HashMap<u32, ProcessStat> {
    let Ok(entries) = std::fs::read_dir("/proc") else { return HashMap::new() };
    entries
        .flatten()
        .filter_map(|entry| {
            let id = entry.file_name().to_str()?.parse().ok()?;
            // One that has just ended is not there.
            let stat = std::fs::read_to_string(entry.path().join("stat")).ok()?;
            Some((id, process_stat(&stat)?))
        })
        .collect()
}

/// Sums `root` and its descendants.
pub(super) fn sum(processes: &HashMap<u32, ProcessStat>, root: u32) -> Tree {
    let mut tree = Tree::default();
    for (id, stat) in processes {
        if descends(processes, *id, root) {
            tree.processes += 1;
            tree.cpu_ticks += stat.own_ticks + stat.ended_ticks;
            tree.resident_pages += stat.resident_pages;
        }
    }
    tree
}

fn descends(processes: &HashMap<u32, ProcessStat>, mut id: u32, root: u32) -> bool {
    // Bounded: the list was not read at one instant, a reused id could close a circle.
    for _ in 0..64 {
        if id == root {
            return true;
        }
        match processes.get(&id) {
            Some(stat) => id = stat.parent,
            None => return false,
        }
    }
    false
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stat(parent: u32, own_ticks: u64, ended_ticks: u64) -> ProcessStat {
        ProcessStat { parent, own_ticks, ended_ticks, start_ticks: 0, resident_pages: 10 }
    }

    #[test]
    fn descendants_are_summed_and_strangers_not() {
        let processes =
            HashMap::from([(1, stat(0, 900, 900)), (5, stat(1, 1, 2)), (6, stat(5, 4, 0)), (7, stat(6, 8, 0)), (9, stat(1, 16, 0))]);
        assert_eq!(sum(&processes, 5), Tree { processes: 3, cpu_ticks: 15, resident_pages: 30 });
        assert_eq!(sum(&processes, 77), Tree::default());
    }

    #[test]
    fn a_circle_ends() {
        let processes = HashMap::from([(3, stat(4, 1, 0)), (4, stat(3, 1, 0))]);
        assert_eq!(sum(&processes, 5).processes, 0);
    }
}
