use std::io::Write;
use std::time::Duration;

use plimsoll_http::{Plan, Site, Timeout};
use testkit::{Client, Origin, Reply, WebSocket, holds_within, until};

use crate::bodies::{ByHand, SWITCH, read_some};
use crate::setup::{Door, app, endpoint, plan, shop};

#[test]
fn a_client_that_leaves_cancels_its_request() {
    let app = ByHand::new();
    let door = Door::start_at(shop(), &[("shop", app.address())]);
    let mut client = door.client();
    client.send("GET /slow HTTP/1.1\r\nHost: a\r\n\r\n").unwrap();
    let (mut stream, _) = app.accept();
    drop(client);
    assert_eq!(std::io::Read::read(&mut stream, &mut [0]).unwrap_or(0), 0, "the app sees the end");
    until("nothing is in flight", || door.handle.endpoints()[0].1[0].in_flight == 0);
    assert!(door.metric("http_clients_gone_total 1"));
}

#[test]
fn a_client_that_leaves_a_stream_cancels_it() {
    let app = ByHand::new();
    let door = Door::start_at(shop(), &[("shop", app.address())]);
    let mut client = door.client();
    client.send("GET /events HTTP/1.1\r\nHost: a\r\n\r\n").unwrap();
    let (mut stream, _) = app.accept();
    stream.write_all(b"HTTP/1.1 200 OK\r\n\r\nfirst").unwrap();
    client.read_until(b"first").unwrap();
    drop(client);
    assert_eq!(std::io::Read::read(&mut stream, &mut [0]).unwrap_or(0), 0, "the app sees the end");
}

#[test]
fn a_client_that_only_closes_its_side_still_gets_its_answer() {
    let origin = Origin::slow(Duration::from_millis(300), "late");
    let door = Door::before(&origin);
    let mut client = door.client();
    client.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n").unwrap();
    client.finish().unwrap();
    assert_eq!(client.answer().unwrap().text(), "late");
}

#[test]
fn an_app_that_breaks_off_is_seen_by_the_client() {
    let app = ByHand::new();
    let door = Door::start_at(shop(), &[("shop", app.address())]);
    for head in ["Content-Length: 100", "Transfer-Encoding: chunked"] {
        let mut client = door.client();
        client.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n").unwrap();
        let (mut stream, _) = app.accept();
        stream.write_all(format!("HTTP/1.1 200 OK\r\n{head}\r\n\r\n4\r\nhalf").as_bytes()).unwrap();
        client.read_until(b"half").unwrap();
        drop(stream);
        assert!(client.read_to_end().is_err(), "a reset, not an end");
    }
}

#[test]
fn a_reload_keeps_connections_and_follows_the_new_routes() {
    let (old, new) = (Origin::answering("old"), Origin::answering("new"));
    let door = Door::before(&old);
    let mut client = door.client();
    assert_eq!(client.get("/").unwrap().text(), "old");
    let (list, reader) = contract::endpoints(vec![endpoint("new.1", &new.address())]);
    let next = Plan { apps: vec![app("shop", &["/"]), app("new", &["/new"])], ..door.plan.clone() };
    let mut readers = door.readers();
    readers.insert("new".into(), reader);
    let address = door.address();
    door.handle.swap(next, readers).unwrap();
    assert_eq!((client.get("/").unwrap().text(), client.get("/new").unwrap().text()), ("old".into(), "new".into()));
    assert_eq!(door.address(), address);
    drop(list);
}

#[test]
fn a_reload_with_a_taken_address_changes_nothing() {
    let origin = Origin::answering("ok");
    let door = Door::before(&origin);
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let mut next = Plan { apps: Vec::new(), ..door.plan.clone() };
    next.listen[0].address = taken.local_addr().unwrap();
    assert!(door.handle.swap(next, door.readers()).unwrap_err().is_taken());
    assert_eq!(door.client().get("/").unwrap().text(), "ok");
}

#[test]
fn a_drain_finishes_what_has_begun_and_closes_what_is_idle() {
    let app = ByHand::new();
    let door = Door::start_at(shop(), &[("shop", app.address())]);
    let (mut busy, mut idle) = (door.client(), door.client());
    busy.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n").unwrap();
    let (mut stream, _) = app.accept();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
    // It returns when every loop has been told, so that the answer comes after that.
    assert!(!runtime.block_on(door.handle.drain(Duration::ZERO)));
    assert_eq!(idle.read_to_end().unwrap(), b"", "the idle one is closed");
    stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok").unwrap();
    let answer = busy.answer().unwrap();
    assert_eq!((answer.text().as_str(), answer.header("connection")), ("ok", Some("close")));
    assert!(runtime.block_on(door.handle.drain(testkit::DEADLINE)));
    assert!(Client::connect(&door.plan.listen[0].address.to_string()).is_err());
}

#[test]
fn a_drain_gives_up_at_its_deadline() {
    let origin = Origin::hanging();
    let door = Door::before(&origin);
    let mut client = door.client();
    client.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n").unwrap();
    until("the request is there", || origin.received().len() == 1);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
    assert!(!runtime.block_on(door.handle.drain(Duration::from_millis(100))));
}

#[test]
fn the_site_answers_what_no_app_takes() {
    let folder = tempfile::tempdir().unwrap();
    let large = vec![b'x'; 3 << 20];
    std::fs::write(folder.path().join("index.html"), "<h1>hello</h1>").unwrap();
    std::fs::write(folder.path().join("large.bin"), &large).unwrap();
    let origin = Origin::with(|request| Reply::text(200, &request.target));
    let site = Some(Site { dir: folder.path().canonicalize().unwrap(), first: false });
    let door = Door::start(Plan { site, apps: vec![app("api", &["/api"])], ..plan() }, &[("api", &origin)]);
    let mut client = door.client();
    assert_eq!(client.get("/").unwrap().text(), "<h1>hello</h1>");
    assert_eq!(client.get("/large.bin").unwrap().body, large);
    let part = client.request("GET", "/large.bin", &[("Range", "bytes=10-19")], b"").unwrap();
    assert_eq!((part.status, part.body.len()), (206, 10));
    assert_eq!(client.get("/api/x").unwrap().text(), "/api/x");
    assert_eq!(client.get("/missing.css").unwrap().status, 404);
    assert_eq!(client.get("/").unwrap().status, 200, "the connection has stayed");
}

#[test]
fn idle_connections_to_the_app_are_closed_before_it_closes_them() {
    let app = ByHand::new();
    let timeout = Timeout { upstream_idle: Duration::from_millis(200), ..Timeout::default() };
    let door = Door::start_at(Plan { timeout, ..shop() }, &[("shop", app.address())]);
    let mut client = door.client();
    client.send("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\n\r\nx").unwrap();
    let (mut stream, _) = app.accept();
    read_some(&mut stream, 1);
    stream.write_all(b"HTTP/1.1 204 No Content\r\n\r\n").unwrap();
    assert_eq!(client.answer().unwrap().status, 204);
    assert_eq!(std::io::Read::read(&mut stream, &mut [0]).unwrap(), 0);
    assert!(holds_within(testkit::DEADLINE, || door.handle.connections() == 1), "the client's stays");
}

#[test]
fn a_websocket_does_not_keep_a_site_that_a_reload_replaced() {
    let (old, new) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let site = |folder: &tempfile::TempDir| Some(Site { dir: folder.path().canonicalize().unwrap(), first: false });
    std::fs::write(old.path().join("large.bin"), vec![b'x'; 1 << 20]).unwrap();
    let origin = Origin::with(|_| Reply::Echo(SWITCH.to_vec()));
    let door = Door::start(Plan { site: site(&old), apps: vec![app("api", &["/api"])], ..plan() }, &[("api", &origin)]);
    assert_eq!(door.client().get("/large.bin").unwrap().body.len(), 1 << 20);
    let mut socket = WebSocket::open(&door.address(), "/api/ws").unwrap();
    socket.client().send("hello").unwrap();
    assert_eq!(socket.client().read_exact(5).unwrap(), b"hello");
    assert!(has_open(old.path()), "the door keeps the file open");
    let idle = door.client();
    door.handle.swap(Plan { site: site(&old), ..door.plan.clone() }, door.readers()).unwrap();
    assert!(has_open(old.path()), "the same folder: what is remembered stays");
    door.handle.swap(Plan { site: site(&new), ..door.plan.clone() }, door.readers()).unwrap();
    until("nothing of the old site is open", || !has_open(old.path()));
    socket.client().send("still").unwrap();
    assert_eq!(socket.client().read_exact(5).unwrap(), b"still");
    drop(idle);
}

#[test]
fn an_aborted_download_counts_what_went_out() {
    let folder = tempfile::tempdir().unwrap();
    let length = 256 << 20;
    std::fs::File::create(folder.path().join("film.bin")).unwrap().set_len(length).unwrap();
    let site = Some(Site { dir: folder.path().canonicalize().unwrap(), first: false });
    let door = Door::start(Plan { site, ..plan() }, &[]);
    let mut client = door.client();
    client.send("GET /film.bin HTTP/1.1\r\nHost: a\r\n\r\n").unwrap();
    client.read_exact(64 << 10).unwrap();
    drop(client);
    until("the download is given up", || door.handle.connections() == 0);
    let text = door.registry.render();
    let sent = text.lines().find_map(|line| line.strip_prefix("http_response_bytes_total ")).unwrap().parse::<f64>().unwrap();
    assert!(sent >= 65536.0 && sent < length as f64, "{sent}");
}

/// Whether this process has a file below `folder` open.
fn has_open(folder: &std::path::Path) -> bool {
    let folder = folder.canonicalize().unwrap();
    let open = std::fs::read_dir("/proc/self/fd").unwrap();
    open.flatten().any(|entry| std::fs::read_link(entry.path()).is_ok_and(|file| file.starts_with(&folder)))
}
