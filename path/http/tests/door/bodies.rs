use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};

use plimsoll_http::{Max, Plan, Timeout};
use testkit::{Origin, Reply, WebSocket, until};

use crate::setup::{Door, shop};

/// An app of one connection at a time that a test plays by hand.
pub struct ByHand(TcpListener);

impl ByHand {
    pub fn new() -> ByHand {
        ByHand(TcpListener::bind("127.0.0.1:0").unwrap())
    }

    pub fn address(&self) -> String {
        self.0.local_addr().unwrap().to_string()
    }

    /// The next connection that sends something (health checks only connect), and what it sent up to the empty line.
    pub fn accept(&self) -> (TcpStream, String) {
        loop {
            let (mut stream, _) = self.0.accept().unwrap();
            stream.set_read_timeout(Some(testkit::DEADLINE)).unwrap();
            let head = read_head(&mut stream);
            if !head.is_empty() {
                return (stream, head);
            }
        }
    }
}

pub fn read_head(stream: &mut TcpStream) -> String {
    let (mut head, mut byte) = (Vec::new(), [0]);
    while !head.ends_with(b"\r\n\r\n") && stream.read(&mut byte).unwrap_or(0) == 1 {
        head.push(byte[0]);
    }
    String::from_utf8(head).unwrap()
}

pub fn read_some(stream: &mut TcpStream, length: usize) -> Vec<u8> {
    let mut bytes = vec![0; length];
    stream.read_exact(&mut bytes).unwrap();
    bytes
}

#[test]
fn chunks_are_framed_anew_and_trailers_kept() {
    let origin = Origin::with(|_| {
        Reply::Bytes(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTrailer: X-Sum\r\n\r\n3;ext=1\r\nabc\r\n2\r\nde\r\n0\r\nX-Sum: 7\r\nContent-Length: 3\r\n\r\n".to_vec())
    });
    let door = Door::before(&origin);
    let mut client = door.client();
    client
        .send("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n4;x\r\nwiki\r\n5\r\npedia\r\n0\r\nX-T: 1\r\n\r\n")
        .unwrap();
    let answer = client.head().unwrap();
    assert_eq!(answer.header("transfer-encoding"), Some("chunked"));
    assert_eq!(client.read_until(b"0\r\nX-Sum: 7\r\n\r\n").unwrap(), b"3\r\nabc\r\n2\r\nde\r\n0\r\nX-Sum: 7\r\n\r\n");
    assert_eq!(origin.received()[0].body, b"wikipedia");
    assert_eq!(client.get("/again").unwrap().text(), "abcde", "the connection is at the next request");
}

#[test]
fn large_bodies_go_both_ways_whole() {
    let origin = Origin::with(|request| {
        let mut answer = format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n", request.body.len()).into_bytes();
        answer.extend_from_slice(&request.body);
        Reply::Bytes(answer)
    });
    let door = Door::start(Plan { max: Max { body: 64 << 20, ..Max::default() }, ..shop() }, &[("shop", &origin)]);
    let body: Vec<u8> = (0..20_000_000u32).map(|at| (at.wrapping_mul(2_654_435_761) >> 24) as u8).collect();
    let mut client = door.client();
    for length in [70_000, 20_000_000, 16_384, 1 << 20] {
        let answer = std::thread::scope(|scope| {
            let mut writer = client.stream().try_clone().unwrap();
            let body = &body[..length];
            scope.spawn(move || {
                writer.write_all(format!("PUT / HTTP/1.1\r\nHost: a\r\nContent-Length: {length}\r\n\r\n").as_bytes()).unwrap();
                writer.write_all(body).unwrap();
            });
            client.answer().unwrap()
        });
        assert!(answer.body == body[..length], "{length} bytes came back");
    }
}

#[test]
fn an_answer_streams_while_it_is_made() {
    let app = ByHand::new();
    let door = Door::start_at(shop(), &[("shop", app.address())]);
    let mut client = door.client();
    client.send("GET /events HTTP/1.1\r\nHost: a\r\n\r\n").unwrap();
    let (mut stream, _) = app.accept();
    stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\ndata: 1\n\n").unwrap();
    assert_eq!(client.head().unwrap().header("transfer-encoding"), Some("chunked"));
    assert_eq!(client.read_until(b"data: 1\n\n\r\n").unwrap(), b"9\r\ndata: 1\n\n\r\n");
    stream.write_all(b"data: 2\n\n").unwrap();
    assert_eq!(client.read_until(b"data: 2\n\n\r\n").unwrap(), b"9\r\ndata: 2\n\n\r\n");
    drop(stream);
    assert_eq!(client.read_exact(5).unwrap(), b"0\r\n\r\n");
}

#[test]
fn a_body_streams_while_it_is_sent_and_may_be_answered_before_its_end() {
    let app = ByHand::new();
    let door = Door::start_at(shop(), &[("shop", app.address())]);
    let mut client = door.client();
    client.send("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\nfirst").unwrap();
    let (mut stream, _) = app.accept();
    assert_eq!(read_some(&mut stream, 5), b"first");
    stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhalf").unwrap();
    let answer = client.head().unwrap();
    assert_eq!((answer.status, answer.header("connection")), (200, Some("close")));
    assert_eq!(client.read_exact(4).unwrap(), b"half");
    client.send("other").unwrap();
    assert_eq!(read_some(&mut stream, 5), b"other");
    stream.write_all(b" done").unwrap();
    assert_eq!(client.read_to_end().unwrap(), b" done");
}

#[test]
fn an_app_that_reads_slowly_slows_the_client_down() {
    let app = ByHand::new();
    let door = Door::start_at(Plan { max: Max { body: 1 << 30, ..Max::default() }, ..shop() }, &[("shop", app.address())]);
    let client = door.client();
    let mut stream = client.stream().try_clone().unwrap();
    stream.write_all(b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1000000000\r\n\r\n").unwrap();
    let (_held, _) = app.accept();
    stream.set_nonblocking(true).unwrap();
    let (piece, mut taken) = (vec![0; 1 << 20], 0);
    // The kernel's buffers and one pipe fill up, then nothing more is taken.
    let mut quiet = 0;
    until("the client is held back", || {
        match stream.write(&piece) {
            Ok(count) => (taken, quiet) = (taken + count, 0),
            Err(_) => quiet += 1,
        }
        quiet > 50
    });
    assert!(taken < 100 << 20, "{taken} bytes were taken from the client");
}

#[test]
fn a_client_that_waits_for_100_gets_it_once_and_the_app_never_sees_it() {
    let origin = Origin::with(|request| Reply::text(200, &format!("{}", request.body.len())));
    let door = Door::before(&origin);
    let mut client = door.client();
    client.send("POST / HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 4\r\n\r\n").unwrap();
    assert_eq!(client.head().unwrap().status, 100);
    client.send("body").unwrap();
    assert_eq!(client.answer().unwrap().text(), "4");
    assert_eq!(origin.received()[0].header("expect"), None);
}

#[test]
fn a_client_that_waits_for_100_is_refused_before_it_sends_too_much() {
    let origin = Origin::answering("ok");
    let door = Door::before(&origin);
    let mut client = door.client();
    client.send("POST / HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 99999999999\r\n\r\n").unwrap();
    assert_eq!(client.head().unwrap().status, 413);
    assert!(origin.received().is_empty());
}

#[test]
fn a_head_request_has_the_length_and_no_body() {
    let origin = Origin::with(|_| Reply::Bytes(b"HTTP/1.1 200 OK\r\nContent-Length: 500\r\n\r\n".to_vec()));
    let door = Door::before(&origin);
    let mut client = door.client();
    for _ in 0..2 {
        let answer = client.request("HEAD", "/", &[], b"").unwrap();
        assert_eq!((answer.status, answer.header("content-length")), (200, Some("500")));
    }
    assert_eq!(origin.received()[0].connection, origin.received()[1].connection);
}

#[test]
fn interim_answers_are_passed_on() {
    let early = "HTTP/1.1 103 Early Hints\r\nLink: </a.css>; rel=preload\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";
    let origin = Origin::with(move |_| Reply::Bytes(early.into()));
    let door = Door::before(&origin);
    let mut client = door.client();
    client.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n").unwrap();
    let hints = client.head().unwrap();
    assert_eq!((hints.status, hints.header("link")), (103, Some("</a.css>; rel=preload")));
    assert_eq!(client.answer().unwrap().text(), "ok");
}

#[test]
fn an_old_client_gets_no_chunks() {
    let origin = Origin::with(|_| Reply::Bytes(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n".to_vec()));
    let door = Door::before(&origin);
    let mut client = door.client();
    client.send("GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n").unwrap();
    let answer = client.head().unwrap();
    assert_eq!((answer.header("transfer-encoding"), answer.header("connection")), (None, Some("close")));
    assert_eq!(client.read_to_end().unwrap(), b"ok");
    let received = &origin.received()[0];
    assert!(received.head.starts_with(&format!("GET / HTTP/1.1\r\nHost: {}\r\n", door.address())), "{}", received.head);
}

/// What an app answers that opens a WebSocket.
pub const SWITCH: &[u8] = b"HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n";

#[test]
fn a_websocket_is_copied_both_ways_and_counted() {
    let origin = Origin::with(|request| {
        assert_eq!((request.header("connection"), request.header("upgrade")), (Some("Upgrade"), Some("websocket")));
        Reply::Echo(SWITCH.to_vec())
    });
    let door = Door::before(&origin);
    let mut socket = WebSocket::open(&door.address(), "/ws").unwrap();
    for text in ["hello", "again"] {
        socket.client().send(text).unwrap();
        assert_eq!(socket.client().read_exact(5).unwrap(), text.as_bytes());
    }
    let upgraded = || door.handle.endpoints()[0].1[0].upgraded;
    assert_eq!((upgraded(), door.handle.endpoints()[0].1[0].in_flight), (1, 0));
    drop(socket);
    until("the upgraded connection is gone", || upgraded() == 0 && door.handle.connections() == 0);
}

#[test]
fn a_websocket_whose_client_stops_reading_is_closed() {
    let origin = Origin::with(|_| {
        Reply::Echo(b"HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n".to_vec())
    });
    let timeout = Timeout { body: std::time::Duration::from_millis(500), ..Timeout::default() };
    let door = Door::start(Plan { timeout, ..shop() }, &[("shop", &origin)]);
    let mut socket = WebSocket::open(&door.address(), "/ws").unwrap();
    let (mut client, piece) = (socket.client().stream(), vec![0; 1 << 16]);
    client.set_nonblocking(true).unwrap();
    until("the connection is closed", || {
        // As much as is taken; nothing of the echo is read.
        while client.write(&piece).is_ok() {}
        door.handle.connections() == 0 && door.handle.endpoints()[0].1[0].upgraded == 0
    });
}

#[test]
fn only_websockets_are_upgraded() {
    let origin = Origin::answering("plain");
    let door = Door::before(&origin);
    let answer = door
        .client()
        .request("GET", "/", &[("Connection", "Upgrade, HTTP2-Settings"), ("Upgrade", "h2c"), ("HTTP2-Settings", "x")], b"")
        .unwrap();
    assert_eq!(answer.text(), "plain");
    let received = &origin.received()[0];
    assert_eq!((received.header("upgrade"), received.header("connection"), received.header("http2-settings")), (None, None, None));
}
