use std::io::Write;

use super::*;
use crate::{FilesAndStderr, Rotation, Sink};

fn texts(lines: &[LogLine]) -> Vec<&str> {
    lines.iter().map(LogLine::message).collect()
}

fn append(path: &Path, text: &str) {
    fs::OpenOptions::new().create(true).append(true).open(path).unwrap().write_all(text.as_bytes()).unwrap();
}

#[test]
fn the_last_lines_reach_back_over_rotated_files() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("shop.log.1"), "one\ntwo\n").unwrap();
    fs::write(folder.path().join("shop.log"), "three\n\nfour\n").unwrap();
    let last = |count| last_lines(folder.path(), "shop", count).unwrap();
    assert_eq!(texts(&last(3)), ["two", "three", "four"]);
    assert_eq!(texts(&last(9)), ["one", "two", "three", "four"]);
    assert_eq!(texts(&last(1)), ["four"]);
    assert!(last(0).is_empty() && last_lines(folder.path(), "api", 5).unwrap().is_empty());
}

#[test]
fn long_files_are_read_from_their_end() {
    let folder = tempfile::tempdir().unwrap();
    let text: String = (0..50_000).map(|number| format!("line {number}\n")).collect();
    fs::write(folder.path().join("shop.log"), text).unwrap();
    let lines = last_lines(folder.path(), "shop", 20_000).unwrap();
    assert_eq!((lines.len(), lines[0].text.as_str(), lines[19_999].text.as_str()), (20_000, "line 30000", "line 49999"));
}

#[test]
fn a_line_knows_its_time() {
    let line = |text: &str| LogLine::new("shop", text.as_bytes());
    let app = line("2026-11-30T17:27:19.042Z shop.1 | hello");
    assert_eq!((app.time.as_deref(), app.message()), (Some("2026-11-30T17:27:19.042Z"), "shop.1 | hello"));
    let access = line("{\"time\":\"2026-11-30T17:27:19.042Z\",\"status\":200}");
    assert_eq!(access.time.as_deref(), Some("2026-11-30T17:27:19.042Z"));
    assert!(access.message().starts_with('{'));
    assert_eq!(line("2026-11-30 is a day, no moment").time, None);
    assert_eq!(line("…").time, None);
}

#[test]
fn what_the_sink_writes_is_followed_across_rotations() {
    let folder = tempfile::tempdir().unwrap();
    let logs = folder.path().join("logs");
    let (mut sink, _) = FilesAndStderr::new(&logs, Rotation { bytes: 20, files: 5 });
    let mut follow = Follow::from_end(&logs, "access").unwrap();
    assert!(follow.read().unwrap().is_empty());
    let mut write = |number: u32| {
        sink.write("access", format!("{{\"number\":{number:05}}}\n").as_bytes());
        sink.flush();
    };
    write(1);
    assert_eq!(texts(&follow.read().unwrap()), ["{\"number\":00001}"]);
    // Two rotations and more between two looks.
    (2..=6).for_each(&mut write);
    let seen = follow.read().unwrap();
    assert_eq!(texts(&seen).concat(), (2..=6).map(|number| format!("{{\"number\":{number:05}}}")).collect::<String>());
    write(7);
    assert_eq!(follow.read().unwrap().len(), 1);
    assert!(follow.read().unwrap().is_empty());
}

#[test]
fn half_lines_wait_and_emptied_files_begin_anew() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("shop.log");
    append(&path, "before\n");
    let mut follow = Follow::from_end(folder.path(), "shop").unwrap();
    append(&path, "ha");
    assert!(follow.read().unwrap().is_empty());
    append(&path, "lf\nnext\n");
    assert_eq!(texts(&follow.read().unwrap()), ["half", "next"]);
    fs::write(&path, "new\n").unwrap();
    assert_eq!(texts(&follow.read().unwrap()), ["new"]);
    fs::remove_file(&path).unwrap();
    append(&path, "another file\n");
    assert_eq!(texts(&follow.read().unwrap()), ["another file"]);
}

#[test]
fn streams_are_the_log_files() {
    let folder = tempfile::tempdir().unwrap();
    assert!(streams(&folder.path().join("none")).unwrap().is_empty());
    for name in ["shop.log", "plimsoll.log", "shop.log.1", "notes.txt"] {
        append(&folder.path().join(name), "");
    }
    assert_eq!(streams(folder.path()).unwrap(), ["plimsoll", "shop"]);
}
