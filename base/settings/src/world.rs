use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// What a check may know of the machine: an argument, so that tests choose it.
#[derive(Debug, Clone)]
pub struct World {
    /// Folder that relative paths are relative to, absolute.
    pub folder: PathBuf,
    /// Plimsoll's own environment.
    pub environment: BTreeMap<String, String>,
    /// Whether Plimsoll runs as root.
    pub root: bool,
    /// Whether the machine speaks IPv6: `:80` is then `[::]:80`.
    pub ipv6: bool,
}

impl World {
    /// This machine and this process; `root` says whether it runs as root.
    pub fn here(folder: PathBuf, root: bool) -> World {
        let text = |(name, value): (std::ffi::OsString, std::ffi::OsString)| Some((name.into_string().ok()?, value.into_string().ok()?));
        let ipv6 = std::fs::read_to_string("/proc/net/if_inet6").is_ok_and(|interfaces| !interfaces.trim().is_empty());
        World { folder, environment: std::env::vars_os().filter_map(text).collect(), root, ipv6 }
    }

    /// A path of the file, absolute and without `.` parts.
    pub fn path(&self, path: &str) -> PathBuf {
        let path = self.folder.join(path);
        std::path::absolute(&path).unwrap_or(path)
    }

    /// Whether the machine knows a user of this name.
    pub fn has_user(&self, name: &str) -> bool {
        let users = std::fs::read_to_string("/etc/passwd").unwrap_or_default();
        users.lines().any(|line| line.split(':').next() == Some(name))
    }

    /// Where a program is: a path is taken relative to `dir`, a bare name is looked up in `search` (a `PATH`).
    pub fn program(&self, name: &str, dir: &Path, search: Option<&str>) -> Option<PathBuf> {
        if name.contains('/') {
            return Some(dir.join(name)).filter(|path| is_program(path));
        }
        let search = search.or(self.environment.get("PATH").map(String::as_str)).unwrap_or("/usr/local/bin:/usr/bin:/bin");
        std::env::split_paths(search).map(|folder| dir.join(folder).join(name)).find(|path| is_program(path))
    }
}

fn is_program(path: &Path) -> bool {
    use std::os::unix::fs::PermissionsExt;
    path.metadata().is_ok_and(|data| data.is_file() && data.permissions().mode() & 0o111 != 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn programs_are_found_by_path_and_by_name() {
        let world = World { folder: "/".into(), environment: BTreeMap::new(), root: false, ipv6: true };
        assert!(world.program("sh", Path::new("/"), None).is_some());
        assert!(world.program("./sh", Path::new("/bin"), None).is_some());
        assert!(world.program("sh", Path::new("/"), Some("/proc")).is_none());
        assert_eq!(world.path("./a/b"), PathBuf::from("/a/b"));
    }
}
