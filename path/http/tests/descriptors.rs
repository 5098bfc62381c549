//! The door when the process has no descriptor left. A process of its own, since the limit is the process's.

#![allow(clippy::unwrap_used)] // a test's helpers are tests

#[path = "door/setup.rs"]
#[allow(dead_code)] // the other tests use it all
mod setup;

use std::time::Duration;

use plimsoll_http::balance::State;
use plimsoll_http::{Plan, Timeout};
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use setup::{Door, shop};
use testkit::{Origin, Reply, until};

/// No descriptor can be opened while it lives.
struct NoneLeft(Rlimit);

impl NoneLeft {
    fn begin() -> NoneLeft {
        let before = getrlimit(Resource::Nofile);
        setrlimit(Resource::Nofile, Rlimit { current: Some(3), ..before }).unwrap();
        NoneLeft(before)
    }
}

impl Drop for NoneLeft {
    fn drop(&mut self) {
        setrlimit(Resource::Nofile, self.0).unwrap();
    }
}

#[test]
fn without_descriptors_what_needs_none_goes_on_and_the_rest_is_our_fault() {
    let large = "x".repeat(5 << 20);
    let body = large.clone();
    let origin = Origin::with(move |request| match request.target.as_str() {
        "/large" => Reply::text(200, &body),
        "/last" => Reply::Close(b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\nConnection: close\r\n\r\nlast".to_vec()),
        _ => Reply::text(200, "ok"),
    });
    let timeout = Timeout { upstream_idle: Duration::from_secs(60), ..Timeout::default() };
    let door = Door::start(Plan { timeout, ..shop() }, &[("shop", &origin)]);
    until("the origin is up", || door.handle.is_ready());
    let mut client = door.client();
    assert_eq!(client.get("/").unwrap().text(), "ok");
    let none_left = NoneLeft::begin();
    assert!(client.get("/large").unwrap().text() == large, "copied when there is no pipe, on the idle connection");
    assert_eq!(client.get("/last").unwrap().text(), "last");
    for method in ["GET", "POST"] {
        let answer = client.request(method, "/", &[], b"").unwrap();
        assert_eq!((answer.status, answer.header("retry-after")), (503, Some("1")), "{method}");
        assert_eq!(door.handle.endpoints()[0].1[0].state, State::Up, "the app is well");
    }
    drop(none_left);
    assert_eq!(client.get("/").unwrap().text(), "ok");
}
