//! Hostile and long load: thousands of slow clients beside ordinary ones, and mixed load whose traces stay flat.
//! `PLIMSOLL_SOAK_SECONDS` (10 unless set) says how long each lasts.
#![allow(clippy::unwrap_used)]

use std::fs;
use std::io::Write;
use std::net::TcpStream;
use std::time::{Duration, Instant};

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use testkit::{Client, Load, Origin, Plimsoll, Reply, WebSocket, until};

const BINARY: &str = env!("CARGO_BIN_EXE_plimsoll");

fn seconds() -> Duration {
    Duration::from_secs(std::env::var("PLIMSOLL_SOAK_SECONDS").map_or(10, |text| text.parse().unwrap()))
}

/// Raises the limit of open files as far as allowed and returns it; Plimsoll inherits it.
fn open_files() -> usize {
    let limit = getrlimit(Resource::Nofile);
    let _ = setrlimit(Resource::Nofile, Rlimit { current: limit.maximum, maximum: limit.maximum });
    getrlimit(Resource::Nofile).current.map_or(usize::MAX, |limit| limit as usize)
}

/// Bytes of memory, open files and threads of Plimsoll's own processes.
#[derive(Debug, Clone, Copy)]
struct Traces {
    memory: u64,
    files: usize,
    threads: usize,
}

fn traces(plimsoll: &Plimsoll) -> Traces {
    let mut sum = Traces { memory: 0, files: 0, threads: 0 };
    for (pid, _) in plimsoll.family() {
        let status = fs::read_to_string(format!("/proc/{pid}/status")).unwrap_or_default();
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap_or("0 kB");
        sum.memory += 1024 * line.trim().trim_end_matches(" kB").parse::<u64>().unwrap();
        sum.files += fs::read_dir(format!("/proc/{pid}/fd")).map_or(0, Iterator::count);
        sum.threads += fs::read_dir(format!("/proc/{pid}/task")).map_or(0, Iterator::count);
    }
    sum
}

/// A connection on which `bytes` were sent; more may follow, slowly.
fn slow(address: &str, bytes: &str) -> TcpStream {
    let mut stream = TcpStream::connect(address).unwrap();
    stream.write_all(bytes.as_bytes()).unwrap();
    stream
}

#[test]
fn thousands_of_slow_clients_do_not_harm_ordinary_ones() {
    let room = open_files().saturating_sub(500) / 5;
    let (heads, bodies) = (room.min(500) * 4, room.min(500));
    let origin = Origin::with(|_| Reply::text(200, "ordinary"));
    let plimsoll = Plimsoll::start(
        BINARY,
        &format!(
            "name = \"slow\"\n[http]\nlisten = [\"127.0.0.1:0\"]\n[http.max]\nconnections_per_ip = 10000\nconnections = 10000\n\
             [app.shop]\nexternal = [{:?}]\n",
            origin.address()
        ),
    );
    let load = Load::start(plimsoll.http(), 4, Duration::from_millis(5), |_| ("GET", "/".into(), String::new()));
    load.flows();
    let mut slow: Vec<TcpStream> = (0..heads).map(|_| slow(plimsoll.http(), "GET / HTTP/1.1\r\nHost: x\r\nX-Slow: ")).collect();
    let body = "POST /slow HTTP/1.1\r\nHost: x\r\nContent-Length: 1000000\r\n\r\n";
    slow.extend((0..bodies).map(|_| self::slow(plimsoll.http(), body)));
    let end = Instant::now() + seconds();
    while Instant::now() < end {
        load.flows();
        // a byte each now and then; those that were told 408 are closed
        slow.retain_mut(|stream| stream.write_all(b"a").is_ok());
    }
    load.flows();
    let memory = traces(&plimsoll).memory;
    assert!(memory < 256 * 1024 * 1024, "{memory} bytes for {} slow clients", heads + bodies);
    let failures = load.end();
    assert!(failures.is_empty(), "{failures:?}");
}

#[test]
fn mixed_load_leaves_memory_files_and_threads_flat() {
    let origin = Origin::on("127.0.0.1:0", false, |request| match request.target.as_str() {
        "/close" => Reply::Close(b"HTTP/1.1 200 OK\r\nContent-Length: 6\r\nConnection: close\r\n\r\nclosed".into()),
        "/chunks" => Reply::Bytes(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nchunk\r\n0\r\n\r\n".into()),
        _ => Reply::text(200, &"x".repeat(20_000)),
    });
    let plimsoll = Plimsoll::start(
        BINARY,
        &format!("name = \"mixed\"\n[http]\nlisten = [\"127.0.0.1:0\"]\n[app.shop]\nexternal = [{:?}]\n", origin.address()),
    );
    let load = Load::start(plimsoll.http(), 16, Duration::from_millis(2), |number| match number % 4 {
        0 => ("POST", "/post".into(), "y".repeat(5_000)),
        1 => ("GET", "/chunks".into(), String::new()),
        2 => ("GET", "/close".into(), String::new()),
        _ => ("GET", "/large".into(), String::new()),
    });
    round(&plimsoll);
    load.flows();
    let early = traces(&plimsoll);
    let end = Instant::now() + seconds();
    while Instant::now() < end {
        load.flows();
        round(&plimsoll);
    }
    let flat =
        |now: Traces| now.memory < early.memory * 3 / 2 + (32 << 20) && now.files < early.files + 64 && now.threads <= early.threads + 4;
    until("memory, files and threads are as they were", || flat(traces(&plimsoll)));
    let failures = load.end();
    assert!(failures.is_empty(), "{failures:?}");
}

/// Clients that leave in every way: in the head, in the body, before the answer, out of a refused request.
fn round(plimsoll: &Plimsoll) {
    for _ in 0..20 {
        drop(slow(plimsoll.http(), "GET / HT"));
        drop(slow(plimsoll.http(), "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\nhalf"));
        drop(slow(plimsoll.http(), "GET /large HTTP/1.1\r\nHost: x\r\n\r\n"));
        let mut refused = Client::connect(plimsoll.http()).unwrap();
        refused.send("GET / HTTP/1.1\r\n\r\n").unwrap();
        assert_eq!(refused.answer().unwrap().status, 400);
        // the origin does not know WebSockets and says 200
        assert!(WebSocket::open(plimsoll.http(), "/no").is_err());
    }
}
