use std::fs::read_to_string;
use std::path::{Path, PathBuf};

/// The tightest limits of the control groups that this process is in, its own and those above (cgroup version 2, or 1 on older
/// machines). `None`: there is none, the machine is the limit.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct ControlGroup {
    /// Of the group with the smallest quota.
    pub cpu: Option<GroupCpu>,
    /// Of the group with the smallest limit.
    pub memory: Option<GroupMemory>,
}

/// A quota of processor time (cgroup v2 `cpu.max`).
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct GroupCpu {
    /// Cores that the quota amounts to.
    pub cores: f64,
    /// CPU seconds that the group has used.
    pub used_seconds: f64,
}

/// A limit of memory (cgroup v2 `memory.max`), in bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct GroupMemory {
    /// What the group may use.
    pub limit: u64,
    /// Without the page cache that can be dropped at once.
    pub used: u64,
}

impl ControlGroup {
    /// As they are now: reads some small files of the kernel's.
    pub fn of_this_process() -> ControlGroup {
        read(Path::new("/sys/fs/cgroup"), &read_to_string("/proc/self/cgroup").unwrap_or_default())
    }
}

/// Reads the groups' files under `root`; `membership` is /proc/self/cgroup.
fn read(root: &Path, membership: &str) -> ControlGroup {
    ControlGroup { cpu: tightest_cpu(root, membership), memory: tightest_memory(root, membership) }
}

fn tightest_cpu(root: &Path, membership: &str) -> Option<GroupCpu> {
    let second = levels(root, membership, "").filter_map(|folder| cpu_2(&folder));
    let first = levels(root, membership, "cpu").filter_map(|folder| cpu_1(root, &folder));
    second.chain(first).min_by(|a, b| a.cores.total_cmp(&b.cores))
}

fn tightest_memory(root: &Path, membership: &str) -> Option<GroupMemory> {
    let second = levels(root, membership, "").filter_map(|folder| memory(&folder, "memory.max", "memory.current", "inactive_file"));
    let first = levels(root, membership, "memory")
        .filter_map(|folder| memory(&folder, "memory.limit_in_bytes", "memory.usage_in_bytes", "total_inactive_file"));
    second.chain(first).min_by_key(|memory| memory.limit)
}

/// The folders of a controller from this process's group up to the root; the empty name is version 2.
fn levels(root: &Path, membership: &str, controller: &str) -> impl Iterator<Item = PathBuf> {
    let path = membership.lines().find_map(|line| {
        let (_, rest) = line.split_once(':')?;
        let (names, path) = rest.split_once(':')?;
        names.split(',').any(|name| name == controller).then(|| path.trim_matches('/').to_string())
    });
    let base = root.join(controller);
    let deepest = path.map(|path| base.join(path));
    let depth = deepest.as_ref().map_or(0, |deepest| deepest.components().count() - base.components().count() + 1);
    deepest.into_iter().flat_map(move |deepest| deepest.ancestors().take(depth).map(PathBuf::from).collect::<Vec<_>>())
}

/// cpu.max is `quota period` or `max period`, in microseconds.
fn cpu_2(folder: &Path) -> Option<GroupCpu> {
    let text = read_to_string(folder.join("cpu.max")).ok()?;
    let (quota, period) = text.trim().split_once(' ')?;
    let cores = quota.parse::<f64>().ok()? / period.parse::<f64>().ok()?;
    let used = field(&read_to_string(folder.join("cpu.stat")).ok()?, "usage_usec")?;
    Some(GroupCpu { cores, used_seconds: used as f64 / 1e6 })
}

/// A quota of -1 means none.
fn cpu_1(root: &Path, folder: &Path) -> Option<GroupCpu> {
    let quota = number(&folder.join("cpu.cfs_quota_us"))?;
    let period = number(&folder.join("cpu.cfs_period_us"))?;
    let inside = folder.strip_prefix(root.join("cpu")).ok()?;
    let used = number(&root.join("cpuacct").join(inside).join("cpuacct.usage"))?;
    Some(GroupCpu { cores: quota as f64 / period as f64, used_seconds: used as f64 / 1e9 })
}

fn memory(folder: &Path, limit: &str, usage: &str, droppable: &str) -> Option<GroupMemory> {
    // Version 1 says "no limit" with a number near 2^63, version 2 with a word.
    let limit = number(&folder.join(limit)).filter(|limit| *limit < 1 << 60)?;
    let cache = read_to_string(folder.join("memory.stat")).ok().and_then(|stat| field(&stat, droppable)).unwrap_or(0);
    Some(GroupMemory { limit, used: number(&folder.join(usage))?.saturating_sub(cache) })
}

fn number(path: &Path) -> Option<u64> {
    read_to_string(path).ok()?.trim().parse().ok()
}

fn field(text: &str, name: &str) -> Option<u64> {
    text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(' ')?.trim().parse().ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tree(files: &[(&str, &str)]) -> tempfile::TempDir {
        let root = tempfile::tempdir().unwrap();
        for (path, text) in files {
            let path = root.path().join(path);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, text).unwrap();
        }
        root
    }

    #[test]
    fn version_2_and_the_tightest_level() {
        let root = tree(&[
            ("a/cpu.max", "150000 100000\n"),
            ("a/cpu.stat", "usage_usec 2500000\nuser_usec 1\n"),
            ("a/b/cpu.max", "max 100000\n"),
            ("a/b/cpu.stat", "usage_usec 1\n"),
            ("a/b/memory.max", "1000\n"),
            ("a/b/memory.current", "700\n"),
            ("a/b/memory.stat", "anon 1\ninactive_file 200\n"),
            ("a/memory.max", "3000\n"),
            ("a/memory.current", "900\n"),
            ("memory.max", "max\n"),
        ]);
        let group = read(root.path(), "0::/a/b\n");
        assert_eq!(group.cpu, Some(GroupCpu { cores: 1.5, used_seconds: 2.5 }));
        assert_eq!(group.memory, Some(GroupMemory { limit: 1000, used: 500 }));
    }

    #[test]
    fn version_1_has_its_own_files_and_says_no_limit_with_numbers() {
        let root = tree(&[
            ("cpu/x/cpu.cfs_quota_us", "50000\n"),
            ("cpu/x/cpu.cfs_period_us", "100000\n"),
            ("cpuacct/x/cpuacct.usage", "3000000000\n"),
            ("cpu/cpu.cfs_quota_us", "-1\n"),
            ("memory/y/memory.limit_in_bytes", "9223372036854771712\n"),
            ("memory/y/memory.usage_in_bytes", "5\n"),
        ]);
        let group = read(root.path(), "4:memory:/y\n1:cpu,cpuacct:/x\n0::/\n");
        assert_eq!(group, ControlGroup { cpu: Some(GroupCpu { cores: 0.5, used_seconds: 3.0 }), memory: None });
    }

    #[test]
    fn no_group_is_no_limit() {
        let root = tree(&[]);
        assert_eq!(read(root.path(), "0::/gone\n"), ControlGroup::default());
        assert_eq!(read(root.path(), ""), ControlGroup::default());
    }
}
