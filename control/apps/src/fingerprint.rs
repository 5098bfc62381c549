//! Whether anything in an app's folder changed: names, times and sizes, not contents.

use std::collections::{BTreeMap, BTreeSet};
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

/// Files by their paths in a folder, each with what tells its versions apart.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Look(BTreeMap<String, String>);

impl Look {
    /// `files` in `dir`, without the folder `state`. Blocks on the disk.
    ///
    /// # Errors
    /// A folder that cannot be read, or one with too many files.
    pub(crate) fn at(dir: &Path, state: &Path, files: Files) -> io::Result<Look> {
        let (dir, mut look) = (dir.canonicalize()?, Look::default());
        let state = state.canonicalize().unwrap_or_else(|_| state.to_path_buf());
        walk(&dir, &dir, &state, files, &mut look.0)?;
        Ok(look)
    }

    /// Its fingerprint; `extra` is part of it.
    pub(crate) fn print(&self, extra: impl Hash) -> u64 {
        let mut hasher = DefaultHasher::new();
        (extra, &self.0).hash(&mut hasher);
        hasher.finish()
    }

    /// What is new or another version.
    pub(crate) fn changed_since(&self, before: &Look) -> BTreeSet<String> {
        self.0.iter().filter(|(path, version)| before.0.get(*path) != Some(version)).map(|(path, _)| path.clone()).collect()
    }

    /// What a build that found this and left `after` was a build of: of this, with what it made as it is afterwards. It made
    /// what is new and what of `made` it wrote; other files were saved meanwhile, and nobody knows whether before it read them.
    pub(crate) fn built(mut self, after: &Look, made: &BTreeSet<String>) -> Look {
        for (path, version) in &after.0 {
            if made.contains(path) || !self.0.contains_key(path) {
                self.0.insert(path.clone(), version.clone());
            }
        }
        self
    }
}

/// What tells one version of a file from another; 0 when it is missing.
pub(crate) fn of_file(file: &Path) -> u64 {
    let Ok(metadata) = std::fs::metadata(file) else { return 0 };
    let mut hasher = DefaultHasher::new();
    (metadata.mtime(), metadata.mtime_nsec(), metadata.size(), metadata.ino()).hash(&mut hasher);
    hasher.finish()
}

fn walk(root: &Path, dir: &Path, state: &Path, files: Files, found: &mut BTreeMap<String, String>) -> io::Result<()> {
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
            found.insert(inside, String::new());
        } else if metadata.is_dir() && !name.starts_with('.') {
            walk(root, &path, state, files, found)?;
        } else if !metadata.is_dir() && inside != OURS && files.count(&name) {
            found.insert(inside, format!("{} {} {}", metadata.mtime(), metadata.mtime_nsec(), metadata.size()));
        }
        if found.len() > LARGEST {
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
        let print = || Look::at(dir, &state, Files::All).unwrap().print("make");
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
        assert_ne!(Look::at(dir, &state, Files::All).unwrap().print("make all"), third);
    }

    #[test]
    fn what_an_app_writes_is_no_code() {
        let folder = tempfile::tempdir().unwrap();
        let print = || Look::at(folder.path(), Path::new("/none"), Files::Code).unwrap().print(());
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
    fn a_build_is_of_what_it_found_and_of_what_it_made() {
        let look = |files: &[(&str, &str)]| Look(files.iter().map(|(path, version)| (path.to_string(), version.to_string())).collect());
        let before = look(&[("a.ts", "1"), ("b.ts", "1"), ("dist/a.js", "1")]);
        let after = look(&[("a.ts", "1"), ("b.ts", "2"), ("dist/a.js", "2"), ("dist/b.js", "2")]);
        let wrote = after.changed_since(&before);
        assert_eq!(wrote, ["b.ts", "dist/a.js", "dist/b.js"].map(String::from).into());
        // Nobody knows who wrote what was there: built once more.
        assert_ne!(before.clone().built(&after, &BTreeSet::new()), after);
        // The next build writes its own files again.
        let again = look(&[("a.ts", "1"), ("b.ts", "2"), ("dist/a.js", "3"), ("dist/b.js", "3")]);
        assert_eq!(after.built(&again, &wrote), again);
    }

    #[test]
    fn a_missing_folder_is_an_error_and_a_missing_file_is_nothing() {
        let folder = tempfile::tempdir().unwrap();
        assert!(Look::at(&folder.path().join("no"), folder.path(), Files::All).is_err());
        assert_eq!(of_file(&folder.path().join("no")), 0);
    }
}
