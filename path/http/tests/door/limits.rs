use std::time::Duration;

use plimsoll_http::{Max, Plan, Timeout};
use testkit::{Client, Origin, until};

use crate::setup::{Door, endpoint, shop};

fn short() -> Timeout {
    let short = Duration::from_millis(300);
    Timeout { head: short, body: short, idle: short, connect: short, first_byte: short, queue: short, ..Timeout::default() }
}

fn status_of(door: &Door, bytes: &str) -> u16 {
    let mut client = door.client();
    client.send(bytes).unwrap();
    let status = client.answer().unwrap().status;
    client.read_to_end().expect("the connection ends without a reset");
    status
}

#[test]
fn what_has_no_single_reading_is_refused_and_closes() {
    let origin = Origin::answering("ok");
    let door = Door::before(&origin);
    for bytes in [
        "GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n",
        "GET / HTTP/1.1\r\n\r\n",
        "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        "GET / HTTP/1.1\nHost: a\n\n",
        "GET /%zz HTTP/1.1\r\nHost: a\r\n\r\n",
        "GET /../x HTTP/1.1\r\nHost: a\r\n\r\n",
    ] {
        // What the path alone makes wrong leaves the connection as it is.
        let bytes = bytes.replace("Host: a\r\n\r\n", "Host: a\r\nConnection: close\r\n\r\n");
        assert_eq!(status_of(&door, &bytes), 400, "{bytes}");
    }
    assert!(origin.received().is_empty());
}

#[test]
fn bad_chunks_are_refused_although_the_head_was_right() {
    let origin = Origin::answering("ok");
    let door = Door::before(&origin);
    assert_eq!(status_of(&door, "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\nab\r\n"), 400);
}

#[test]
fn bounds_have_their_statuses() {
    let origin = Origin::answering("ok");
    let max = Max { head: 16 << 10, headers: 20, body: 1000, ..Max::default() };
    let door = Door::start(Plan { max, ..shop() }, &[("shop", &origin)]);
    let long = "x".repeat(20 << 10);
    assert_eq!(status_of(&door, &format!("GET /{long} HTTP/1.1\r\nHost: a\r\n\r\n")), 414);
    assert_eq!(status_of(&door, &format!("GET / HTTP/1.1\r\nHost: a\r\nX: {long}\r\n\r\n")), 431);
    assert_eq!(status_of(&door, &format!("GET / HTTP/1.1\r\nHost: a\r\n{}\r\n", "X: 1\r\n".repeat(30))), 431);
    assert_eq!(status_of(&door, &format!("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1001\r\n\r\n{}", "x".repeat(1001))), 413);
    let chunk = format!("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n1001\r\n{}", "x".repeat(0x1001));
    assert_eq!(status_of(&door, &chunk), 413);
}

#[test]
fn slow_clients_are_told_or_left() {
    let origin = Origin::answering("ok");
    let door = Door::start(Plan { timeout: short(), ..shop() }, &[("shop", &origin)]);
    assert_eq!(status_of(&door, "GET / HTTP/1.1\r\nHos"), 408);
    assert_eq!(status_of(&door, "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\n\r\nabc"), 408);
    let mut silent = door.client();
    assert_eq!(silent.read_to_end().unwrap(), b"");
    let mut idle = door.client();
    assert_eq!(idle.get("/").unwrap().status, 200);
    assert_eq!(idle.read_to_end().unwrap(), b"");
}

#[test]
fn a_client_that_does_not_read_interim_answers_is_left() {
    let hints = format!("HTTP/1.1 103 Early Hints\r\nLink: <{}>\r\n\r\n", "x".repeat(20_000)).repeat(1600);
    let origin = Origin::with(move |_| testkit::Reply::Bytes(hints.clone().into()));
    let timeout = Timeout { body: Duration::from_millis(300), ..Timeout::default() };
    let door = Door::start(Plan { timeout, ..shop() }, &[("shop", &origin)]);
    let mut client = door.client();
    client.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n").unwrap();
    until("the request is there", || origin.received().len() == 1);
    until("the client is left", || door.handle.connections() == 0 && door.handle.endpoints()[0].1[0].in_flight == 0);
}

#[test]
fn a_silent_app_is_504_and_an_absent_one_502_or_503() {
    let hanging = Origin::hanging();
    let door = Door::start(Plan { timeout: short(), ..shop() }, &[("shop", &hanging)]);
    assert_eq!(door.client().request("POST", "/", &[], b"x").unwrap().status, 504);
    assert_eq!(hanging.received().len(), 1);
    assert_eq!(door.client().get("/").unwrap().status, 504, "there is no other one to ask");
    let none = Door::start(Plan { timeout: short(), ..shop() }, &[]);
    let answer = none.client().get("/").unwrap();
    assert_eq!((answer.status, answer.header("retry-after")), (503, Some("1")));
}

#[test]
fn what_is_not_http_is_502() {
    for bytes in
        ["SSH-2.0-x\r\n", "HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nok", "HTTP/1.1 101 Switching Protocols\r\n\r\n"]
    {
        let origin = Origin::with(move |_| testkit::Reply::Close(bytes.into()));
        let door = Door::before(&origin);
        assert_eq!(door.client().get("/").unwrap().status, 502, "{bytes}");
    }
}

#[test]
fn requests_wait_for_a_first_endpoint_within_the_queue() {
    let origin = Origin::answering("ok");
    let max = Max { queue: 1, ..Max::default() };
    let door = Door::start(Plan { max, ..shop() }, &[]);
    let mut first = door.client();
    first.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n").unwrap();
    until("one waits", || door.metric("http_queue_waiting{app=\"shop\"} 1"));
    assert_eq!(door.client().get("/").unwrap().status, 503, "the queue is full");
    door.lists["shop"].send_replace([endpoint("shop.1", &origin.address())].into());
    assert_eq!(first.answer().unwrap().text(), "ok");
}

#[test]
fn connections_are_limited_in_all_and_by_address() {
    let origin = Origin::answering("ok");
    for max in [Max { connections: 2, ..Max::default() }, Max { connections_per_ip: 2, ..Max::default() }] {
        let door = Door::start(Plan { max, ..shop() }, &[("shop", &origin)]);
        let mut held: Vec<Client> = (0..2).map(|_| door.client()).collect();
        for client in &mut held {
            assert_eq!(client.get("/").unwrap().status, 200);
        }
        assert!(door.client().get("/").is_err(), "the third is closed at once");
        held.pop();
        until("there is room again", || door.client().get("/").is_ok());
    }
}
