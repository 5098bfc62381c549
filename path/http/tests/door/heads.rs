//! Heads at the edge of what is usual: what the app gets of them, and how they are refused.

use std::time::Duration;

use plimsoll_http::{Max, Network, Plan, Timeout};
use testkit::{Answer, Origin, Reply, until};

use crate::setup::{Door, app, plan, shop};

/// The answer to bytes on a connection of their own.
fn answer(door: &Door, bytes: &str) -> Answer {
    let mut client = door.client();
    client.send(bytes).unwrap();
    client.answer().unwrap()
}

#[test]
fn the_app_reads_the_path_that_was_routed() {
    let (shop, echo) = (Origin::answering("shop"), Origin::answering("echo"));
    let routed = Plan { apps: vec![app("shop", &["/"]), app("echo", &["/echo/"])], ..plan() };
    let door = Door::start(routed, &[("shop", &shop), ("echo", &echo)]);
    let mut client = door.client();
    for (sent, app, got) in [
        ("//echo/a", "echo", "/echo/a"),
        ("/x/../echo/%41?q=/../x//", "echo", "/echo/%41?q=/../x//"),
        ("/x/%2e%2E/echo/", "echo", "/echo/"),
        ("/echo/./a%2Fb//c", "echo", "/echo/a%2Fb/c"),
        ("/echo/../x?", "shop", "/x?"),
        ("http://localhost//echo/a?b", "echo", "/echo/a?b"),
        ("/%65cho/a", "echo", "/%65cho/a"),
        ("/x%20y//?//", "shop", "/x%20y/?//"),
    ] {
        assert_eq!(client.get(sent).unwrap().text(), app, "{sent}");
        let origin = if app == "echo" { &echo } else { &shop };
        assert_eq!(origin.received().pop().unwrap().target, got, "{sent}");
    }
}

#[test]
fn without_a_host_the_app_is_told_the_address() {
    let origin = Origin::answering("ok");
    let door = Door::before(&origin);
    assert_eq!(answer(&door, "GET /x HTTP/1.0\r\n\r\n").status, 200);
    let received = origin.received().pop().unwrap();
    let address = door.address();
    assert_eq!((received.header("host"), received.header("x-forwarded-host")), (Some(&*address), Some(&*address)));
    assert_eq!(received.header("forwarded"), Some(&*format!("for=127.0.0.1;host=\"{address}\";proto=http")));
    assert_eq!(answer(&door, "GET http://a:8/x HTTP/1.0\r\n\r\n").status, 200);
    assert_eq!(origin.received().pop().unwrap().header("host"), Some("a:8"), "the target names one");
}

#[test]
fn what_a_trusted_peer_says_is_believed_only_when_it_can_be() {
    let origin = Origin::answering("ok");
    let trust = ["127.0.0.0", "10.0.0.0"].map(|base| Network { base: base.parse().unwrap(), bits: 8 });
    let door = Door::start(Plan { trust: trust.to_vec(), ..shop() }, &[("shop", &origin)]);
    let mut client = door.client();
    for (proto, got) in
        [("HTTPS", "HTTPS"), ("http", "http"), ("javascript", "http"), ("", "http"), ("ftp, https", "https"), ("https, x", "http")]
    {
        client.request("GET", "/", &[("X-Forwarded-Proto", proto)], b"").unwrap();
        assert_eq!(origin.received().pop().unwrap().header("x-forwarded-proto"), Some(got), "{proto}");
    }
    for (chain, got) in [
        ("9.9.9.9, 10.0.0.7", "9.9.9.9, 10.0.0.7, 127.0.0.1"),
        ("<script>, 9.9.9.9:80,,[::1]", "9.9.9.9:80, [::1], 127.0.0.1"),
        ("6.6.6.6, unknown, 10.0.0.7", "10.0.0.7, 127.0.0.1"),
        ("9.9.9.9, _hidden", "127.0.0.1"),
        ("", "127.0.0.1"),
    ] {
        client.request("GET", "/", &[("X-Forwarded-For", chain)], b"").unwrap();
        assert_eq!(origin.received().pop().unwrap().header("x-forwarded-for"), Some(got), "{chain}");
    }
}

#[test]
fn a_method_that_is_not_served_is_told_which_are() {
    let door = Door::start(shop(), &[]);
    for line in ["TRACE / HTTP/1.1\r\nHost: a", "CONNECT a:443 HTTP/1.1\r\nHost: a:443"] {
        let answer = answer(&door, &format!("{line}\r\n\r\n"));
        assert_eq!((answer.status, answer.header("allow")), (405, Some("GET, HEAD, POST, PUT, DELETE, PATCH, OPTIONS")), "{line}");
    }
}

#[test]
fn a_refused_head_is_answered_as_it_accepts() {
    let door = Door::start(Plan { max: Max { head: 1 << 10, ..Max::default() }, ..shop() }, &[]);
    let long = "x".repeat(1 << 10);
    for (status, head) in [
        (400, "GET / HTTP/1.1\r\naccept:application/json\r\n\r\n".to_owned()),
        (400, "GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\nAccept: application/json\r\n\r\n".to_owned()),
        (405, "TRACE / HTTP/1.1\r\nHost: a\r\nAccept: application/json\r\n\r\n".to_owned()),
        (414, format!("GET /{long} HTTP/1.1\r\nHost: a\r\nAccept: application/json\r\n\r\n")),
        (431, format!("GET / HTTP/1.1\r\nHost: a\r\nAccept: application/json\r\nX: {long}\r\n\r\n")),
        (505, "GET / HTTP/3.0\r\nHost: a\r\nAccept: application/json\r\n\r\n".to_owned()),
    ] {
        let json = answer(&door, &head);
        assert_eq!((json.status, json.header("content-type")), (status, Some("application/json")), "{head:.80}");
        assert_eq!(json.json()["request_id"].as_str(), json.header("x-request-id"));
        let page = answer(&door, &head.replace("application/json", "text/html"));
        assert_eq!((page.status, page.header("content-type")), (status, Some("text/html; charset=utf-8")), "{head:.80}");
    }
    let body = answer(&door, "GET / HTTP/1.1\r\n\r\nAccept: application/json\r\n\r\n");
    assert_eq!(body.header("content-type"), Some("text/html; charset=utf-8"), "what follows the head says nothing");
}

#[test]
fn a_request_line_over_the_bound_of_heads_is_414() {
    let door = Door::start(Plan { max: Max { head: 1 << 10, ..Max::default() }, ..shop() }, &[]);
    for length in [1000, 1010, 1020, 1100, 5000] {
        let target = "x".repeat(length);
        let expected = if length + "GET / HTTP/1.1\r\n".len() <= 1 << 10 { 431 } else { 414 };
        assert_eq!(answer(&door, &format!("GET /{target} HTTP/1.1\r\nHost: a\r\nX: y\r\n\r\n")).status, expected, "{length}");
    }
}

#[test]
fn a_client_that_has_said_nothing_is_idle_not_slow() {
    let origin = Origin::with(|request| Reply::text(200, &request.target));
    let timeout = Timeout { head: Duration::from_millis(100), ..Timeout::default() };
    let door = Door::start(Plan { timeout, ..shop() }, &[("shop", &origin)]);
    let mut silent = door.client();
    until("it is let in", || door.handle.connections() == 1);
    for _ in 0..3 {
        assert_eq!(answer(&door, "GET /").status, 408, "the time for a head has passed");
    }
    assert_eq!(silent.get("/late").unwrap().text(), "/late");
}
