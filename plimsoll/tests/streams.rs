//! What is large goes through the SQL door in pieces: COPY both ways, one row, one parameter, and Plimsoll stays small.
//! `PLIMSOLL_STREAMS=full`: a COPY of 1 GB, a row and a parameter of 256 MB.
#![allow(clippy::unwrap_used)]

use testkit::wire::Login;
use testkit::wire::frames::{copy_data, copy_done, query};
use testkit::{Plimsoll, Postgres, Up, Wire, peak_memory, until};

const BINARY: &str = env!("CARGO_BIN_EXE_plimsoll");
const MEGABYTE: usize = 1 << 20;
/// What Plimsoll's processes may take at most, together.
const MEMORY: u64 = 64 << 20;

fn size(usual: usize, full: usize) -> usize {
    let is_full = std::env::var("PLIMSOLL_STREAMS").is_ok_and(|value| value == "full");
    MEGABYTE * if is_full { full } else { usual }
}

fn door() -> (Postgres, Plimsoll, Wire) {
    let server = Postgres::start();
    let primary = server.url("app", "app");
    let file = format!(
        "name = \"streams\"\n[http]\nlisten = [\"127.0.0.1:0\"]\n[sql.main]\nlisten = \"127.0.0.1:0\"\nprimary = \"{primary}\"\npool = {{ server = 2 }}\n"
    );
    let plimsoll = Up::new(BINARY, &file).ready();
    let wire = Wire::connect(plimsoll.sql(), &Login::new("app", "app")).unwrap();
    (server, plimsoll, wire)
}

#[track_caller]
fn stays_small(plimsoll: &Plimsoll) {
    let peak: u64 = plimsoll.family().iter().filter_map(|(pid, _)| peak_memory(*pid)).sum();
    println!("at most {} MB", peak / MEGABYTE as u64);
    assert!(peak > 0 && peak < MEMORY, "{peak} bytes");
}

/// The tag of what comes next, notices aside.
fn next(wire: &mut Wire) -> testkit::wire::Message {
    loop {
        let message = wire.receive().unwrap();
        if !matches!(message.tag, b'N' | b'S') {
            return message;
        }
    }
}

#[test]
fn a_copy_in_and_out() {
    let (server, plimsoll, mut wire) = door();
    let rows = size(64, 1024) / 8192;
    wire.query("CREATE UNLOGGED TABLE large (n int, text text)").unwrap().fine();
    wire.send(&query("COPY large FROM STDIN")).unwrap();
    assert_eq!(next(&mut wire).tag, b'G');
    let text = "0123456789abcdef".repeat(512);
    for number in 0..rows {
        wire.send(&copy_data(format!("{number}\t{}\n", &text[..8180]).as_bytes())).unwrap();
    }
    wire.send(&copy_done()).unwrap();
    assert_eq!(wire.answer().unwrap().fine().tags, [format!("COPY {rows}")]);
    let sum = rows * (rows - 1) / 2;
    assert_eq!(server.psql("SELECT count(*), sum(n), min(length(text)), max(length(text)) FROM large"), format!("{rows}|{sum}|8180|8180"));
    wire.send(&query("COPY large TO STDOUT")).unwrap();
    assert_eq!(next(&mut wire).tag, b'H');
    let (mut count, mut numbers) = (0, 0);
    loop {
        let message = next(&mut wire);
        if message.tag != b'd' {
            assert_eq!(message.tag, b'c');
            break;
        }
        let line = String::from_utf8(message.body).unwrap();
        let (number, rest) = line.split_once('\t').unwrap();
        assert!(rest.trim_end() == &text[..8180], "row {number}");
        count += 1;
        numbers += number.parse::<usize>().unwrap();
    }
    wire.answer().unwrap().fine();
    assert_eq!((count, numbers), (rows, sum));
    stays_small(&plimsoll);
}

#[test]
fn a_row_of_one_large_value() {
    let (_server, plimsoll, mut wire) = door();
    let size = size(32, 256);
    let answer = wire.query(&format!("SELECT repeat('0123456789abcdef', {})", size / 16)).unwrap();
    let value = answer.value();
    assert!(value.len() == size && value.as_bytes().chunks(16).all(|chunk| chunk == b"0123456789abcdef"), "{} bytes", value.len());
    stays_small(&plimsoll);
}

#[test]
fn a_parameter_of_one_large_value() {
    let (_server, plimsoll, mut wire) = door();
    let value = "0123456789abcdef".repeat(size(32, 256) / 16);
    let answer = wire.ask("SELECT length($1::text) || ' ' || md5($1::text)", &[&value]).unwrap();
    let direct = format!("SELECT {} || ' ' || md5(repeat('0123456789abcdef', {}))", value.len(), value.len() / 16);
    assert_eq!(answer.value(), wire.query(&direct).unwrap().value());
    stays_small(&plimsoll);
}

/// A client that stops reading in the middle of much holds back the server, not Plimsoll's memory.
#[test]
fn a_reader_that_stops_fills_nothing() {
    let (server, plimsoll, mut wire) = door();
    let rows = size(64, 1024) / 8192;
    wire.send(&query(&format!("SELECT n, repeat('x', 8180) FROM generate_series(1, {rows}) n"))).unwrap();
    until("the server waits for its reader", || {
        server.psql("SELECT count(*) FROM pg_stat_activity WHERE usename = 'app' AND wait_event = 'ClientWrite'") == "1"
    });
    stays_small(&plimsoll);
    assert_eq!(wire.answer().unwrap().fine().rows.len(), rows);
    stays_small(&plimsoll);
}
