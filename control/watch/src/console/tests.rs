use telemetry::{Collect, Exposition};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use super::*;
use crate::bind;

struct One;

impl Collect for One {
    fn collect(&self, out: &mut Exposition) {
        out.counter("things_total", "Things.", &[], 1);
    }
}

fn start(checks: Vec<Check>) -> Handle {
    let registry = Registry::default();
    registry.add(Arc::new(One));
    let (listener, _) = bind("127.0.0.1:0".parse().unwrap(), true).unwrap();
    Tier::start(listener, Arc::new(Sources { registry, checks })).unwrap()
}

async fn ask(handle: &Handle, request: &str) -> String {
    let mut stream = TcpStream::connect(handle.address()).await.unwrap();
    stream.write_all(format!("{request} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n").as_bytes()).await.unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    answer
}

#[tokio::test]
async fn metrics_are_prometheus_text() {
    let handle = start(Vec::new());
    let answer = ask(&handle, "GET /metrics").await;
    assert!(answer.starts_with("HTTP/1.1 200 OK\r\n"), "{answer}");
    assert!(answer.contains("content-type: text/plain; version=0.0.4; charset=utf-8\r\n"), "{answer}");
    assert!(answer.ends_with("# TYPE things_total counter\nthings_total 1\n"), "{answer}");
}

#[tokio::test]
async fn health_says_what_is_wrong() {
    let well = start(Vec::new());
    let answer = ask(&well, "GET /healthz?x").await;
    assert!(answer.starts_with("HTTP/1.1 200 OK\r\n") && answer.ends_with("{\"ok\":true,\"problems\":[]}\n"), "{answer}");
    let unwell = start(vec![Check::new("log", || async { Err("disk full".to_string()) })]);
    let answer = ask(&unwell, "GET /healthz").await;
    assert!(answer.starts_with("HTTP/1.1 503 Service Unavailable\r\n"), "{answer}");
    assert!(answer.ends_with("{\"ok\":false,\"problems\":[\"log: disk full\"]}\n"), "{answer}");
}

#[tokio::test]
async fn anything_else_is_refused_with_a_hint() {
    let handle = start(Vec::new());
    assert!(ask(&handle, "GET /").await.contains("404 Not Found") && ask(&handle, "GET /").await.contains("Try /metrics"));
    let answer = ask(&handle, "POST /metrics").await;
    assert!(answer.contains("405 Method Not Allowed") && answer.contains("allow: GET, HEAD"), "{answer}");
    assert!(ask(&handle, "HEAD /metrics").await.ends_with("\r\n\r\n"));
}

#[tokio::test]
async fn a_dropped_handle_closes_the_listener_and_its_connections() {
    let handle = start(Vec::new());
    let address = handle.address();
    let mut open = TcpStream::connect(address).await.unwrap();
    open.write_all(b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n").await.unwrap();
    assert!(open.read(&mut [0; 512]).await.unwrap() > 0);
    drop(handle);
    // The abort is carried out by the runtime: until then bytes may come, then the end.
    while !matches!(open.read(&mut [0; 512]).await, Ok(0) | Err(_)) {}
    assert!(TcpStream::connect(address).await.is_err());
}

#[tokio::test]
async fn beyond_loopback_is_refused() {
    let listener = StdListener::bind("0.0.0.0:0").unwrap();
    let sources = Arc::new(Sources { registry: Registry::default(), checks: Vec::new() });
    let error = Tier::start(listener, sources).unwrap_err().to_string();
    assert!(error.contains("without authentication"), "{error}");
}

#[tokio::test]
async fn connections_are_bounded() {
    let handle = start(Vec::new());
    let mut held = Vec::new();
    for _ in 0..CONNECTIONS {
        let mut stream = TcpStream::connect(handle.address()).await.unwrap();
        stream.write_all(b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n").await.unwrap();
        assert!(stream.read(&mut [0; 512]).await.unwrap() > 0);
        held.push(stream);
    }
    let mut beyond = TcpStream::connect(handle.address()).await.unwrap();
    assert!(matches!(beyond.read(&mut [0; 512]).await, Ok(0) | Err(_)));
}
