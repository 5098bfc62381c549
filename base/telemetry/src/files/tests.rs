use std::time::{Duration, UNIX_EPOCH};

use super::*;

const STAMP: &str = "2026-11-23T00:00:00.000Z";

fn clock() -> SystemTime {
    UNIX_EPOCH + Duration::from_secs(1_795_392_000)
}

struct Place {
    folder: tempfile::TempDir,
    sink: FilesAndStderr,
    health: LogHealth,
}

fn place(rotation: Rotation) -> Place {
    let folder = tempfile::tempdir().unwrap();
    let screen = std::fs::File::create(folder.path().join("stderr")).unwrap();
    let (sink, health) = FilesAndStderr::onto(&folder.path().join("logs"), rotation, Screen::over(Some(screen)), clock);
    Place { folder, sink, health }
}

impl Place {
    fn read(&self, name: &str) -> String {
        std::fs::read_to_string(self.folder.path().join(name)).unwrap()
    }
}

#[test]
fn each_stream_has_its_file_and_all_go_to_stderr() {
    let mut place = place(Rotation::default());
    place.sink.write("", b"info plimsoll: ready\n");
    place.sink.write("access", b"{\"status\":200}\n");
    place.sink.write("shop", b"shop.1 | hello\nshop.1 | world\n");
    place.sink.flush();
    assert_eq!(place.read("logs/plimsoll.log"), format!("{STAMP} info plimsoll: ready\n"));
    assert_eq!(place.read("logs/access.log"), "{\"status\":200}\n");
    assert_eq!(place.read("logs/shop.log"), format!("{STAMP} shop.1 | hello\n{STAMP} shop.1 | world\n"));
    assert_eq!(place.read("stderr"), format!("{STAMP} info plimsoll: ready\n{{\"status\":200}}\nshop.1 | hello\nshop.1 | world\n"));
}

#[test]
fn wild_lines_are_tamed() {
    let mut place = place(Rotation::default());
    place.sink.write("shop", b"caf\xe9\r\n\nno newline");
    place.sink.write("shop", &vec![b'y'; LINE_LIMIT + 7]);
    place.sink.flush();
    let long = format!("{} … (7 more bytes)", "y".repeat(LINE_LIMIT));
    assert_eq!(place.read("stderr"), format!("caf\u{fffd}\n\nno newline\n{long}\n"));
}

#[test]
fn quoted_text_cannot_command_a_terminal_and_an_apps_colours_stay() {
    let mut place = place(Rotation::default());
    place.sink.write("", b"info http: path /\x1b[2J\n");
    place.sink.write("shop", b"shop.1 | \x1b[32mgreen\x1b[0m\n");
    place.sink.flush();
    assert_eq!(place.read("stderr"), format!("{STAMP} info http: path /?[2J\nshop.1 | \x1b[32mgreen\x1b[0m\n"));
}

#[test]
fn files_are_rotated_and_the_oldest_goes() {
    let mut place = place(Rotation { bytes: 10, files: 3 });
    for number in 1..=5 {
        place.sink.write("access", format!("line number {number}\n").as_bytes());
        place.sink.flush();
    }
    assert_eq!(place.read("logs/access.log"), "line number 5\n");
    assert_eq!(place.read("logs/access.log.1"), "line number 4\n");
    assert_eq!(place.read("logs/access.log.2"), "line number 3\n");
    assert!(!place.folder.path().join("logs/access.log.3").exists());
}

#[test]
fn a_full_disk_is_said_once_and_stops_nothing() {
    let mut place = place(Rotation::default());
    let full = place.folder.path().join("logs/access.log");
    std::fs::create_dir(place.folder.path().join("logs")).unwrap();
    std::os::unix::fs::symlink("/dev/full", &full).unwrap();
    for _ in 0..3 {
        place.sink.write("access", b"{}\n");
        place.sink.flush();
    }
    assert!(place.health.problem().unwrap().contains("access.log cannot be written"), "{:?}", place.health.problem());
    assert_eq!(place.read("stderr").matches("cannot be written").count(), 1);
    std::fs::remove_file(&full).unwrap();
    place.sink.write("access", b"{}\n");
    place.sink.flush();
    assert_eq!(place.health.problem(), None);
    assert!(place.read("stderr").ends_with("the files can be written again\n"), "{}", place.read("stderr"));
    // The write that failed may have left half a line: the first after it starts a new one.
    assert_eq!(place.read("logs/access.log"), "\n{}\n");
}

#[test]
fn a_folder_that_cannot_be_made_stops_nothing() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("logs"), "a file").unwrap();
    let (mut sink, health) = FilesAndStderr::onto(&folder.path().join("logs"), Rotation::default(), Screen::over(None), clock);
    sink.write("", b"info plimsoll: hello\n");
    sink.flush();
    assert!(health.problem().is_some());
}

#[test]
fn many_streams_do_not_hold_many_files() {
    let mut place = place(Rotation::default());
    for number in 0..OPEN_STREAMS + 5 {
        place.sink.write(&format!("app{number}"), b"hello\n");
    }
    place.sink.flush();
    assert!(place.sink.files.len() <= OPEN_STREAMS);
    assert!(place.read("logs/app0.log").ends_with("hello\n"));
}
