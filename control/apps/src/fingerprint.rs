//! Whether anything in an app's folder changed: names, times and sizes, not contents.

use std::hash::{DefaultHasher, Hash, Hasher};
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

/// Made by tools or by the app itself; that one of them exists counts, what is in them does not.
const MADE: [&str; 5] = ["target", "node_modules", "venv", ".venv", "vendor/bundle"];
/// Written while an app runs.
const WRITTEN: [&str; 6] = ["__pycache__", "data", "tmp", "log", "logs", "uploads"];
const WRITTEN_ENDINGS: [&str; 10] = [".log", ".pid", ".sock", ".pyc", ".db", ".sqlite", ".sqlite3", "-wal", "-shm", "-journal"];
/// Plimsoll's own file: what it changes is seen by comparing plans.
const OURS: &str = "plimsoll.toml";
/// A folder with more is taken as changed every time.
const LARGEST: usize = 200_000;

/// Which files count.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Files {
    /// All but what is made or written: a build may need any of them.
    All,
    /// Code and what names its dependencies: what a running app itself writes beside it is no new version of it.
    Code,
}

const CODE_ENDINGS: [&str; 30] = [
    "py", "rb", "js", "mjs", "cjs", "jsx", "ts", "mts", "tsx", "php", "go", "rs", "java", "kt", "cs", "ex", "exs", "erl", "clj", "scala",
    "lua", "pl", "sh", "ru", "vue", "svelte", "erb", "jinja", "ejs", "wasm",
];
const CODE_NAMES: [&str; 14] = [
    "package.json",
    "package-lock.json",
    "yarn.lock",
    "pnpm-lock.yaml",
    "requirements.txt",
    "pyproject.toml",
    "poetry.lock",
    "uv.lock",
    "Gemfile",
    "Gemfile.lock",
    "composer.json",
    "composer.lock",
    "go.mod",
    "Cargo.toml",
];

impl Files {
    fn count(self, name: &str) -> bool {
        match self {
            Files::All => !WRITTEN_ENDINGS.iter().any(|ending| name.ends_with(ending)),
            Files::Code => CODE_NAMES.contains(&name) || name.rsplit_once('.').is_some_and(|(_, ending)| CODE_ENDINGS.contains(&ending)),
        }
    }
}

/// The fingerprint of `files` in `dir`, without the folder `state`; `extra` is part of it. Blocks on the disk.
///
/// # Errors
/// A folder that cannot be read, or one with too many files.
pub(crate) fn of(dir: &Path, state: &Path, files: Files, extra: impl Hash) -> io::Result<u64> {
    let (dir, mut lines) = (dir.canonicalize()?, Vec::new());
    let state = state.canonicalize().unwrap_or_else(|_| state.to_path_buf());
    walk(&dir, &dir, &state, files, &mut lines)?;
    lines.sort_unstable();
    let mut hasher = DefaultHasher::new();
    (extra, lines).hash(&mut hasher);
    Ok(hasher.finish())
}

/// What tells one version of a file from another; 0 when it is missing.
pub(crate) fn of_file(file: &Path) -> u64 {
    let Ok(metadata) = std::fs::metadata(file) else { return 0 };
    let mut hasher = DefaultHasher::new();
    (metadata.mtime(), metadata.mtime_nsec(), metadata.size(), metadata.ino()).hash(&mut hasher);
    hasher.finish()
}

fn walk(root: &Path, dir: &Path, state: &Path, files: Files, lines: &mut Vec<String>) -> io::Result<()> {
    for entry in std::fs::read_dir(dir)? {
        let (path, name) = entry.map(|entry| (entry.path(), entry.file_name()))?;
        let name = name.to_string_lossy();
        // Gone since the folder was read: not part of it.
        let Ok(metadata) = std::fs::symlink_metadata(&path) else { continue };
        let inside = path.strip_prefix(root).unwrap_or(&path).to_string_lossy().into_owned();
        if path == state || (metadata.is_dir() && WRITTEN.contains(&&*name)) {
            continue;
        }
        if metadata.is_dir() && MADE.iter().any(|made| *made == name || *made == inside) {
            lines.push(inside);
        } else if metadata.is_dir() && !name.starts_with('.') {
            walk(root, &path, state, files, lines)?;
        } else if !metadata.is_dir() && inside != OURS && files.count(&name) {
            lines.push(format!("{inside} {} {} {}", metadata.mtime(), metadata.mtime_nsec(), metadata.size()));
        }
        if lines.len() > LARGEST {
            return Err(io::Error::other(format!("more than {LARGEST} files in {}", root.display())));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn sources_count_and_what_is_made_or_written_does_not() {
        let folder = tempfile::tempdir().unwrap();
        let dir = folder.path();
        let state = dir.join("kept");
        let print = || of(dir, &state, Files::All, "make").unwrap();
        fs::create_dir_all(dir.join("src")).unwrap();
        fs::write(dir.join("src/main.rs"), "1").unwrap();
        let first = print();
        for path in ["kept/logs/a", ".git/HEAD", "__pycache__/a.pyc", "log/production.txt"] {
            fs::create_dir_all(dir.join(path).parent().unwrap()).unwrap();
            fs::write(dir.join(path), "x").unwrap();
        }
        fs::write(dir.join("shop.db-wal"), "x").unwrap();
        fs::write(dir.join("plimsoll.toml"), "x").unwrap();
        assert_eq!(print(), first);
        fs::write(dir.join("src/main.rs"), "22").unwrap();
        let second = print();
        assert_ne!(second, first);
        fs::create_dir(dir.join("node_modules")).unwrap();
        let third = print();
        assert_ne!(third, second);
        fs::write(dir.join("node_modules/x"), "x").unwrap();
        assert_eq!(print(), third);
        assert_ne!(of(dir, &state, Files::All, "make all").unwrap(), third);
    }

    #[test]
    fn what_an_app_writes_is_no_code() {
        let folder = tempfile::tempdir().unwrap();
        let print = || of(folder.path(), Path::new("/none"), Files::Code, ()).unwrap();
        let first = print();
        fs::write(folder.path().join("orders.json"), "x").unwrap();
        fs::write(folder.path().join("count"), "x").unwrap();
        assert_eq!(print(), first);
        fs::write(folder.path().join("app.py"), "x").unwrap();
        let second = print();
        assert_ne!(second, first);
        fs::write(folder.path().join("package.json"), "{}").unwrap();
        assert_ne!(print(), second);
    }

    #[test]
    fn a_missing_folder_is_an_error_and_a_missing_file_is_nothing() {
        let folder = tempfile::tempdir().unwrap();
        assert!(of(&folder.path().join("no"), folder.path(), Files::All, ()).is_err());
        assert_eq!(of_file(&folder.path().join("no")), 0);
    }
}
