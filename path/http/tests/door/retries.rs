use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use plimsoll_http::{Plan, Timeout};
use testkit::{Origin, Reply, until};

use crate::bodies::ByHand;
use crate::setup::{Door, endpoint, shop};

/// An address where nothing listens.
fn nowhere() -> String {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    listener.local_addr().unwrap().to_string()
}

#[test]
fn what_reached_nobody_goes_elsewhere_whatever_it_is() {
    let origin = Origin::answering("ok");
    let door = Door::start_at(shop(), &[("shop", nowhere()), ("shop", origin.address())]);
    for _ in 0..4 {
        assert_eq!(door.client().request("POST", "/", &[], b"once").unwrap().text(), "ok");
    }
    assert_eq!(origin.received().len(), 4);
}

#[test]
fn a_closed_idle_connection_is_replaced_for_a_get() {
    let served = Arc::new(AtomicUsize::new(0));
    let count = served.clone();
    // Every second request of a connection finds it closed, as with an app whose keep-alive ends just now.
    let origin = Origin::with(move |_| match count.fetch_add(1, Ordering::SeqCst) % 2 {
        0 => Reply::text(200, "ok"),
        _ => Reply::Close(Vec::new()),
    });
    let door = Door::before(&origin);
    let mut client = door.client();
    assert_eq!(client.get("/1").unwrap().text(), "ok");
    assert_eq!(client.get("/2").unwrap().text(), "ok", "asked again on a fresh connection");
    let targets: Vec<_> = origin.received().iter().map(|request| request.target.clone()).collect();
    assert_eq!(targets, ["/1", "/2", "/2"]);
}

#[test]
fn what_may_have_been_executed_is_not_sent_twice() {
    let origin = Origin::closing();
    let other = Origin::closing();
    let door = Door::start(shop(), &[("shop", &origin), ("shop", &other)]);
    until("both are up", || door.handle.endpoints()[0].1.iter().all(|peer| peer.state == plimsoll_http::balance::State::Up));
    assert_eq!(door.client().request("POST", "/", &[], b"x").unwrap().status, 502);
    assert_eq!(origin.received().len() + other.received().len(), 1);
    assert_eq!(door.client().get("/").unwrap().status, 502);
    assert_eq!(origin.received().len() + other.received().len(), 3, "a GET is tried once elsewhere");
}

#[test]
fn a_body_that_is_kept_is_sent_again_whole() {
    let origin = Origin::with(|request| Reply::text(200, &String::from_utf8_lossy(&request.body)));
    let door = Door::start_at(shop(), &[("shop", nowhere()), ("shop", origin.address())]);
    let body = "0123456789".repeat(1000);
    for _ in 0..3 {
        assert_eq!(door.client().request("PUT", "/", &[], body.as_bytes()).unwrap().text(), body);
    }
}

#[test]
fn an_endpoint_that_leaves_the_list_finishes_what_it_has() {
    let old = Origin::slow(Duration::from_millis(300), "old");
    let new = Origin::answering("new");
    let door = Door::before(&old);
    let mut client = door.client();
    client.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n").unwrap();
    until("the request is there", || old.received().len() == 1);
    door.lists["shop"].send_replace([endpoint("shop.2", &new.address())].into());
    assert_eq!(client.answer().unwrap().text(), "old");
    assert_eq!(client.get("/").unwrap().text(), "new");
}

#[test]
fn a_get_moves_when_its_endpoint_is_found_down() {
    let (app, other) = (ByHand::new(), Origin::answering("moved"));
    let timeout = Timeout { first_byte: Duration::from_secs(3600), ..Timeout::default() };
    let door = Door::start_at(Plan { timeout, ..shop() }, &[("shop", app.address())]);
    let mut client = door.client();
    client.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n").unwrap();
    let _held = app.accept();
    let first = door.lists["shop"].borrow()[0].clone();
    door.lists["shop"].send_replace([first, endpoint("shop.2", &other.address())].into());
    drop(app);
    assert_eq!(client.answer().unwrap().text(), "moved");
}

#[test]
fn a_refusal_in_the_apps_place_leaves_the_next_request_whole() {
    let door = Door::start_at(shop(), &[("shop", nowhere())]);
    let mut client = door.client();
    client.send("GET /1 HTTP/1.1\r\nHost: a\r\n\r\nGET /2 HTTP/1.1\r\nHost: a\r\n\r\n").unwrap();
    for _ in 0..2 {
        assert!(matches!(client.answer().unwrap().status, 502 | 503));
    }
    assert!(door.metric("http_panics_total 0"));
}
