//! One source file, with its tests told apart by rustfmt's own layout; no parser.

use std::fs;
use std::path::Path;

pub struct Source {
    /// From the root, with `/`.
    pub path: String,
    pub text: String,
    /// Lines of the product: everything before the tests at the tail, nothing in a file of tests.
    pub product: usize,
}

impl Source {
    /// Every Rust file of the workspace; examples and fuzz targets are not of it.
    pub fn all(root: &Path) -> Vec<Source> {
        let mut sources = Vec::new();
        for folder in ["base", "path", "control", "plimsoll", "testkit", "bench"] {
            walk(&root.join(folder), &mut |path| {
                if path.extension().is_some_and(|ending| ending == "rs") {
                    let name = path.strip_prefix(root).expect("it lies below the root").to_string_lossy().into_owned();
                    let text = fs::read_to_string(path).unwrap();
                    let product = if is_test(&name) { 0 } else { before_tests(&text) };
                    sources.push(Source { path: name, text, product });
                }
            });
        }
        let tests: Vec<String> = sources.iter().flat_map(test_modules).collect();
        sources.iter_mut().filter(|source| tests.contains(&source.path)).for_each(|source| source.product = 0);
        assert!(sources.len() > 50, "the sources were not found below {}", root.display());
        sources
    }

    /// Numbered lines of the product, without comments; numbers from 1.
    pub fn code(&self) -> impl Iterator<Item = (usize, &str)> {
        self.text.lines().enumerate().take(self.product).map(|(at, line)| (at + 1, without_comment(line)))
    }

    /// Numbered lines of the tests, without comments.
    pub fn tests(&self) -> impl Iterator<Item = (usize, &str)> {
        self.text.lines().enumerate().skip(self.product).map(|(at, line)| (at + 1, without_comment(line)))
    }
}

/// Every file below a folder but for what builds leave there.
pub fn walk(folder: &Path, visit: &mut dyn FnMut(&Path)) {
    let mut entries: Vec<_> = fs::read_dir(folder).into_iter().flatten().flatten().collect();
    entries.sort_by_key(|entry| entry.file_name());
    for entry in entries {
        let name = entry.file_name().to_string_lossy().into_owned();
        let kind = entry.file_type().unwrap();
        if kind.is_dir()
            && !["target", "node_modules", ".git", ".venv", ".plimsoll", "corpus", "artifacts", "data", "__pycache__"]
                .contains(&name.as_str())
        {
            walk(&entry.path(), visit);
        } else if kind.is_file() && name != ".git" {
            visit(&entry.path());
        }
    }
}

/// Files that this one declares under `#[cfg(test)]`.
fn test_modules(source: &Source) -> Vec<String> {
    let folder = match source.path.rsplit_once('/').expect("sources lie in folders") {
        (folder, "mod.rs" | "lib.rs" | "main.rs") => folder,
        _ => source.path.trim_end_matches(".rs"),
    };
    let lines: Vec<&str> = source.text.lines().collect();
    let declared = lines.windows(2).filter(|pair| pair[0].starts_with("#[cfg(test)]"));
    let names = declared.filter_map(|pair| pair[1].trim_start_matches("pub(crate) ").strip_prefix("mod ")?.strip_suffix(';'));
    names.map(|name| format!("{folder}/{name}.rs")).collect()
}

fn is_test(path: &str) -> bool {
    path.contains("/tests/") || path.ends_with("/tests.rs") || path.ends_with("_tests.rs")
}

/// The number of lines before `#[cfg(test)]` with a module's body after it.
fn before_tests(text: &str) -> usize {
    let lines: Vec<&str> = text.lines().collect();
    let tail =
        lines.windows(2).position(|pair| pair[0].starts_with("#[cfg(test)]") && pair[1].starts_with("mod ") && pair[1].ends_with('{'));
    tail.unwrap_or(lines.len())
}

fn without_comment(line: &str) -> &str {
    match line.trim_start() {
        comment if comment.starts_with("//") => "",
        _ => line.split(" // ").next().unwrap_or_default(),
    }
}
