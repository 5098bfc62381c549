//! Scripts that tell what they see, in lines.

use std::fmt::Write;
use std::path::{Path, PathBuf};
use std::process::Command;

/// A file of `scripts/` beside this one.
pub fn script(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/clients/scripts").join(name)
}

/// Whether `./test` could not install what this needs; it says so at its end.
pub fn without(what: &str) -> bool {
    std::env::var("PLIMSOLL_TEST_WITHOUT").unwrap_or_default().split(' ').any(|missing| missing == what)
}

/// Runs a program to its end; what it printed on both streams.
pub fn run(command: &mut Command) -> String {
    let output = command.output().unwrap_or_else(|error| panic!("{command:?}: {error}"));
    let (out, err) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    format!("{out}\n--- stderr\n{err}\n--- {}\n", output.status)
}

/// What is told through the door must be what is told directly.
#[track_caller]
pub fn same(name: &str, expected: &str, told: &str) {
    assert!(told == expected, "{name}: through the door it tells something else:\n{}", difference(expected, told));
}

/// The first lines that differ, with what stands before them.
fn difference(expected: &str, told: &str) -> String {
    let (left, right): (Vec<&str>, Vec<&str>) = (expected.lines().collect(), told.lines().collect());
    let same = left.iter().zip(&right).take_while(|(a, b)| a == b).count();
    let mut text = String::new();
    left[same.saturating_sub(8)..same].iter().for_each(|line| writeln!(text, "       {line:.300}").unwrap());
    left[same..].iter().take(12).for_each(|line| writeln!(text, "direct {line:.300}").unwrap());
    right[same..].iter().take(12).for_each(|line| writeln!(text, "door   {line:.300}").unwrap());
    text
}
