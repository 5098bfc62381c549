use std::path::Path;

const ENDINGS: [&str; 9] = ["js", "mjs", "ts", "py", "rb", "go", "rs", "php", "cjs"];
const NOT_OURS: [&str; 8] = ["node_modules", "target", "vendor", "dist", "build", "__pycache__", "venv", "test"];
const FILES_LIMIT: usize = 200;
const SIZE_LIMIT: u64 = 256 << 10;

/// The sources of an app, as far as a quick look goes.
pub struct Sources(Vec<String>);

/// Reads up to 200 source files, three folders deep.
pub fn read(dir: &Path) -> Sources {
    let mut all = Vec::new();
    walk(dir, 3, &mut all);
    Sources(all)
}

impl Sources {
    /// A path that looks like a health check.
    pub fn health(&self) -> Option<String> {
        let quoted = |path: &str| self.mention(&format!("\"{path}\"")) || self.mention(&format!("'{path}'"));
        ["/healthz", "/health", "/up", "/livez"].into_iter().find(|path| quoted(path)).map(String::from)
    }

    /// Whether a source contains this text.
    pub fn mention(&self, text: &str) -> bool {
        self.0.iter().any(|source| source.contains(text))
    }
}

fn walk(dir: &Path, depth: usize, all: &mut Vec<String>) {
    let mut entries: Vec<_> = std::fs::read_dir(dir).into_iter().flatten().flatten().collect();
    entries.sort_by_key(std::fs::DirEntry::file_name);
    for entry in entries {
        let name = entry.file_name().to_string_lossy().into_owned();
        let Ok(data) = entry.metadata() else { continue };
        if all.len() >= FILES_LIMIT || name.starts_with('.') || NOT_OURS.contains(&name.as_str()) {
            continue;
        }
        if data.is_dir() && depth > 0 {
            walk(&entry.path(), depth - 1, all);
        } else if data.is_file() && data.len() <= SIZE_LIMIT && name.rsplit('.').next().is_some_and(|ending| ENDINGS.contains(&ending)) {
            all.extend(std::fs::read_to_string(entry.path()));
        }
    }
}
