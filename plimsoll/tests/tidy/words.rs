//! Words that need a reason: `unsafe`, `unwrap`, globals, sleeps in tests, private places.

use std::fs;
use std::path::Path;

use crate::allowed::{GLOBALS, LONG_FILES, UNSAFE};
use crate::source::{Source, walk};

pub fn offences(source: &Source) -> Vec<String> {
    let path = &source.path;
    let mut offences = Vec::new();
    for (line, code) in source.code() {
        let at = format!("{path}:{line}");
        if code.contains(".unwrap()") {
            offences.push(format!("{at}: return the error, or `.expect(\"the invariant that makes this impossible\")`"));
        }
        if has_unsafe(code) && !listed(UNSAFE, path) {
            offences.push(format!("{at}: ask rustix or socket2 for a safe call; else list the file in tidy/allowed.rs with the reason"));
        }
        if is_global(code) && !listed(GLOBALS, path) {
            offences.push(format!("{at}: no globals: hand it in as an argument; else list the file in tidy/allowed.rs with the reason"));
        }
        if has_timer(path, code) {
            offences.push(format!("{at}: a loop's runtime has no timers: take those of `loops::time`"));
        }
        if code.contains("todo!(") || code.contains("unimplemented!(") || code.contains("dbg!(") {
            offences.push(format!("{at}: finish it or take it out"));
        }
    }
    let sleeps = source.tests().filter(|(_, code)| code.contains(concat!("thread::", "sleep(")));
    offences.extend(
        sleeps.map(|(line, _)| format!("{path}:{line}: wait for a condition (testkit::until) or use tokio's paused clock, not time")),
    );
    offences
}

/// Exceptions whose file is gone or no longer needs them.
pub fn stale(sources: &[Source]) -> Vec<String> {
    let holds =
        |path: &str, what: fn(&str) -> bool| sources.iter().any(|source| source.path == path && source.code().any(|(_, code)| what(code)));
    let long = |path: &str| sources.iter().any(|source| source.path == path && source.product > 400);
    let gone = UNSAFE.iter().filter(|(path, _)| !holds(path, has_unsafe)).map(|(path, _)| path);
    let gone = gone.chain(GLOBALS.iter().filter(|(path, _)| !holds(path, is_global)).map(|(path, _)| path));
    let gone = gone.chain(LONG_FILES.iter().filter(|(path, _)| !long(path)).map(|(path, _)| path));
    gone.map(|path| format!("tidy/allowed.rs: {path} no longer needs its exception; take the line out")).collect()
}

/// Names of places on somebody's machine, anywhere in the tree.
pub fn private_places(root: &Path) -> Vec<String> {
    // in two pieces, so that this file does not name them
    let places = [concat!("/tmp", "/w/"), concat!("/wo", "rk/"), concat!("/ro", "ot/"), concat!("/ho", "me/")];
    let mut offences = Vec::new();
    walk(root, &mut |path| {
        let Ok(text) = fs::read_to_string(path) else { return };
        for (at, line) in text.lines().enumerate() {
            if let Some(place) = places.iter().find(|place| names_place(line, place)) {
                offences.push(format!(
                    "{}:{}: {place} is a place on one machine; write a relative path or a variable",
                    path.display(),
                    at + 1
                ));
            }
        }
    });
    offences
}

/// Whether a path on the line begins with `place`.
fn names_place(line: &str, place: &str) -> bool {
    line.match_indices(place).any(|(at, _)| !line[..at].ends_with(|c: char| c.is_alphanumeric() || "._-*}/".contains(c)))
}

fn listed(list: &[(&str, &str)], path: &str) -> bool {
    list.iter().any(|(allowed, _)| *allowed == path)
}

fn has_unsafe(code: &str) -> bool {
    ["unsafe {", "unsafe fn", "unsafe impl", "unsafe extern", "unsafe(", "allow(unsafe_code)"].iter().any(|form| code.contains(form))
}

/// A timer of tokio's where loops run.
fn has_timer(path: &str, code: &str) -> bool {
    let is_on_loops =
        path.starts_with("path/") || path.starts_with("base/tls/") || path.starts_with("base/loops/") && path != "base/loops/src/time.rs";
    is_on_loops && code.contains("tokio::time") && ["sleep", "timeout", "interval"].iter().any(|timer| code.contains(timer))
}

/// A static that changes.
fn is_global(code: &str) -> bool {
    let code = code.trim_start().trim_start_matches("pub ").trim_start_matches("pub(crate) ");
    let changes = ["Atomic", "Mutex", "RwLock", "OnceLock", "OnceCell", "ArcSwap"];
    code.starts_with("static mut ") || code.starts_with("static ") && changes.iter().any(|kind| code.contains(kind))
}

#[test]
fn the_words_are_seen_in_code_and_not_in_comments_or_tests() {
    let text = "//! Head.\nlet a = b.unwrap();\n// b.unwrap()\nunsafe { x() }\nstatic A: AtomicU64 = AtomicU64::new(0);\n#[cfg(test)]\nmod tests {\nb.unwrap();\n";
    let source = Source { path: "path/http/src/x.rs".into(), text: text.into(), product: 5 };
    assert_eq!(offences(&source).len(), 3);
    assert!(
        has_timer("path/kv/src/x.rs", "use tokio::time::{Instant, sleep};") && !has_timer("path/kv/src/x.rs", "use tokio::time::Instant;")
    );
    assert!(names_place(&format!("in {}x", concat!("/ho", "me/")), concat!("/ho", "me/")));
    assert!(!names_place(&format!("net{}x", concat!("/wo", "rk/")), concat!("/wo", "rk/")));
}
