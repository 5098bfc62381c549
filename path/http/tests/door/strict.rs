//! Strictness from outside: raw requests that have no single reading, each followed by a request that must not be taken
//! for one, before an origin that reads leniently and records. The cases are those that Http11Probe and the literature
//! on request smuggling try.

use testkit::{Client, Origin, Received, Reply, until};

use crate::setup::Door;

/// Follows every request; an answer to it means that the door and the sender disagree on where the one before ended.
const NEXT: &str = "GET /next HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n";

const TE: &str = "POST /x HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n";

/// A request with these lines after `Host`, then `body`.
fn post(lines: &str, body: &str) -> String {
    format!("POST /x HTTP/1.1\r\nHost: a\r\n{lines}\r\n\r\n{body}")
}

fn get(lines: &str) -> String {
    format!("GET /x HTTP/1.1\r\n{lines}\r\n\r\n")
}

fn chunked(body: &str) -> String {
    format!("{TE}\r\n{body}")
}

/// What is refused before anything reaches the app.
fn refused_heads() -> Vec<(u16, String)> {
    let five = "hello";
    let mut cases = request_lines();
    cases.extend(fields());
    for lines in [
        "Content-Length: 6\r\nTransfer-Encoding: chunked",
        "Transfer-Encoding: chunked\r\nContent-Length: 30",
        "Content-Length: 5\r\nContent-Length: 10",
        "Content-Length: 5\r\nContent-Length: 5",
        "Content-Length: 5, 10",
        "Content-Length: 5, 5",
        "Content-Length: abc",
        "Content-Length: +5",
        "Content-Length: -1",
        "Content-Length: -0",
        "Content-Length: 0x5",
        "Content-Length: 0o5",
        "Content-Length: 1_0",
        "Content-Length: 1 0",
        "Content-Length: 5.0",
        "Content-Length: ",
        "Content-Length: 99999999999999999999",
        "Content-Length: 18446744073709551621",
        "Content-Length : 5",
        "Content-Length\t: 5",
        "Content-Length: 5\x0b",
        "Content-Length: \u{ff15}",
        "Transfer-Encoding: xchunked",
        "Transfer-Encoding: gzip",
        "Transfer-Encoding: identity",
        "Transfer-Encoding: chunked, chunked",
        "Transfer-Encoding: chunked, gzip",
        "Transfer-Encoding: gzip, chunked",
        "Transfer-Encoding: , chunked",
        "Transfer-Encoding: chunked,",
        "Transfer-Encoding: chunked;ext=val",
        "Transfer-Encoding: \"chunked\"",
        "Transfer-Encoding: \x0bchunked",
        "Transfer-Encoding: \x0cchunked",
        "Transfer-Encoding: chunked\0",
        "Transfer-Encoding: \0chunked",
        "Transfer-Encoding: ",
        "Transfer-Encoding : chunked",
        "Transfer-Encoding:\r\n chunked",
        "Transfer-Encoding\r\n: chunked",
        "Transfer-Encoding: chunked\r\nTransfer-Encoding: identity",
        "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked",
        "Transfer-Encoding: chunked \r\nContent-Length: 5",
        "X: y\nTransfer-Encoding: chunked",
        "X: y\rTransfer-Encoding: chunked",
        "\rTransfer-Encoding: chunked",
    ] {
        cases.push((400, post(lines, five)));
    }
    cases.push((400, "POST /x HTTP/1.0\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n".to_owned()));
    cases
}

fn request_lines() -> Vec<(u16, String)> {
    [
        (400, "GET / HTTP/1.1\nHost: a\r\n\r\n"),
        (400, "GET / HTTP/1.1\rHost: a\r\n\r\n"),
        (400, "GET  / HTTP/1.1\r\nHost: a\r\n\r\n"),
        (400, "GET /  HTTP/1.1\r\nHost: a\r\n\r\n"),
        (400, "GET\t/ HTTP/1.1\r\nHost: a\r\n\r\n"),
        (400, " GET / HTTP/1.1\r\nHost: a\r\n\r\n"),
        (400, "\r\n\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n"),
        (400, "\nGET / HTTP/1.1\r\nHost: a\r\n\r\n"),
        (400, "   \r\n\r\n"),
        (400, "GET HTTP/1.1\r\nHost: a\r\n\r\n"),
        (400, "GET /\r\nHost: a\r\n\r\n"),
        (400, "GET /a b HTTP/1.1\r\nHost: a\r\n\r\n"),
        (400, "GET /#frag HTTP/1.1\r\nHost: a\r\n\r\n"),
        (400, "GET /\0 HTTP/1.1\r\nHost: a\r\n\r\n"),
        (400, "GET /caf\u{e9} HTTP/1.1\r\nHost: a\r\n\r\n"),
        (400, "GET * HTTP/1.1\r\nHost: a\r\n\r\n"),
        (400, "GET x HTTP/1.1\r\nHost: a\r\n\r\n"),
        (400, "GET http://b/ HTTP/1.1\r\nHost: a\r\n\r\n"),
        (400, "GET http://a@b/ HTTP/1.1\r\nHost: b\r\n\r\n"),
        (400, "GET file:///etc/passwd HTTP/1.1\r\nHost: a\r\n\r\n"),
        (400, "G<T / HTTP/1.1\r\nHost: a\r\n\r\n"),
        (400, "GET / HTTP/1\r\nHost: a\r\n\r\n"),
        (400, "GET / HTTP/01.01\r\nHost: a\r\n\r\n"),
        (400, "GET / HTTP/ 1.1\r\nHost: a\r\n\r\n"),
        (400, "GET / http/1.1\r\nHost: a\r\n\r\n"),
        (400, "\x16\x03\x01\x02\0\x01\0\x01\u{fc}\x03\x03\r\n\r\n"),
        (505, "GET / HTTP/9.9\r\nHost: a\r\n\r\n"),
        (400, "GET / HTTP/1.2\r\nX: y\r\n\r\n"),
        (505, "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"),
        (405, "CONNECT example.com:443 HTTP/1.1\r\nHost: example.com:443\r\n\r\n"),
        (405, "TRACE / HTTP/1.1\r\nHost: a\r\n\r\n"),
    ]
    .map(|(status, text)| (status, text.to_owned()))
    .to_vec()
}

fn fields() -> Vec<(u16, String)> {
    let mut cases: Vec<(u16, String)> = [
        "X: y",
        "Host: ",
        "Host: a\r\nHost: a",
        "Host: a\r\nHost: b",
        "Host: a, b",
        "Host: user@a",
        "Host: a/path",
        "Host: a?b",
        "Host: a#b",
        "Host: a b",
        "Host: a:x",
        "Host: a:99999",
        "Host : a",
        "Host: a\nX: y",
        "Host: a\r\nX : y",
        "Host: a\r\nX: y\r\n folded",
        "Host: a\r\nX: y\r\n\tfolded",
        " X: y\r\nHost: a",
        " \r\nHost: a",
        "Host: a\r\n: y",
        "Host: a\r\nno colon",
        "Host: a\r\nBad[Name: y",
        "Host: a\r\nX-\u{e9}: y",
        "Host: a\r\nX: a\0b",
        "Host: a\r\nX: a\x07b",
        "Host: a\r\nX: a\x7fb",
        "Host: a\r\nX: a\rb",
    ]
    .map(|lines| (400, get(lines)))
    .to_vec();
    cases.push((417, get("Host: a\r\nExpect: 200-ok")));
    cases.push((414, format!("GET /{} HTTP/1.1\r\nHost: a\r\n\r\n", "x".repeat(16 << 10))));
    cases.push((431, get(&format!("Host: a\r\nX: {}", "y".repeat(64 << 10)))));
    cases.push((431, get(&format!("Host: a\r\n{}", "y".repeat(64 << 10)))));
    cases.push((431, get(&format!("Host: a\r\n{}X: y", "X: y\r\n".repeat(200)))));
    cases.push((400, format!("{} / HTTP/1.1\r\nHost: a\r\n\r\n", "M".repeat(16 << 10))));
    cases
}

/// Bodies that break off at their first wrong byte; their beginning may have reached the app, no more.
fn refused_bodies() -> Vec<String> {
    [
        "0x5\r\nhello\r\n0\r\n\r\n",
        "1_0\r\nhello world!!!!!\r\n0\r\n\r\n",
        " 5\r\nhello\r\n0\r\n\r\n",
        "5 \r\nhello\r\n0\r\n\r\n",
        "-1\r\nhello\r\n0\r\n\r\n",
        "+5\r\nhello\r\n0\r\n\r\n",
        "\r\nhello\r\n0\r\n\r\n",
        "5;\r\nhello\r\n0\r\n\r\n",
        "5;\nhello\r\n0\r\n\r\n",
        "5;\0ext\r\nhello\r\n0\r\n\r\n",
        "5;a\rX\r\nhello\r\n0\r\n\r\n",
        "5\nhello\r\n0\r\n\r\n",
        "5\rhello\r\n0\r\n\r\n",
        "5\r\nhello0\r\n\r\n",
        "5\r\nhello!!\r\n0\r\n\r\n",
        "5\r\nhello\n0\r\n\r\n",
        "5\r\nhello\r\n0\r\n\n",
        "5\r\nhello\r\n0\r\nX: y\n\r\n",
        "5\r\nhello\r\n0\r\nX : y\r\n\r\n",
        "5\r\nhello\r\n0\r\nX: y\r\n folded\r\n\r\n",
        "FFFFFFFFFFFFFFFF0\r\nhello\r\n0\r\n\r\n",
        "10000000000000005\r\nhello\r\n0\r\n\r\n",
    ]
    .into_iter()
    .map(chunked)
    .chain([chunked(&format!("5;a={}\r\nhello\r\n0\r\n\r\n", "b".repeat(64 << 10)))])
    .collect()
}

/// What is accepted: the request, then method, target and body as the app must get them.
fn accepted() -> Vec<(String, &'static str, &'static str, &'static str)> {
    let line = |line: &str| format!("{line}\r\nHost: a\r\n\r\n");
    vec![
        (line("GET /x HTTP/1.1"), "GET", "/x", ""),
        (line("\r\nGET /x HTTP/1.1"), "GET", "/x", ""),
        (line("GET /x HTTP/1.2"), "GET", "/x", ""),
        (line("get /x HTTP/1.1"), "get", "/x", ""),
        (line("BREW /x HTTP/1.1"), "BREW", "/x", ""),
        (line("OPTIONS * HTTP/1.1"), "OPTIONS", "*", ""),
        (line("GET http://a/x?y HTTP/1.1"), "GET", "/x?y", ""),
        (line("GET http://A:80?y HTTP/1.1"), "GET", "/?y", ""),
        (line("GET /path\\file HTTP/1.1"), "GET", "/path\\file", ""),
        (post("Content-Length: 5", "hello"), "POST", "/x", "hello"),
        (post("Content-Length:  5 ", "hello"), "POST", "/x", "hello"),
        (post("Content-Length:\t5", "hello"), "POST", "/x", "hello"),
        (post("Content-Length: 005", "hello"), "POST", "/x", "hello"),
        (post("Content-Length: 0", ""), "POST", "/x", ""),
        (post("X: y", ""), "POST", "/x", ""),
        (post("Transfer_Encoding: chunked\r\nContent-Length: 5", "hello"), "POST", "/x", "hello"),
        (post("Content_Length: 5", ""), "POST", "/x", ""),
        (post("Connection: Content-Length\r\nContent-Length: 5", "hello"), "POST", "/x", "hello"),
        (post("Connection: Transfer-Encoding\r\nTransfer-Encoding: Chunked", "5\r\nhello\r\n0\r\n\r\n"), "POST", "/x", "hello"),
        (get("Host: a\r\nContent-Length: 5") + "hello", "GET", "/x", "hello"),
        (chunked("5\r\nhello\r\n6\r\n world\r\n0\r\n\r\n"), "POST", "/x", "hello world"),
        (chunked("0A\r\nhelloworld\r\n000\r\n\r\n"), "POST", "/x", "helloworld"),
        (chunked("5;ext=\"a b\"\r\nhello\r\n0\r\n\r\n"), "POST", "/x", "hello"),
        (chunked("0\r\n\r\n"), "POST", "/x", ""),
        (chunked("5\r\nhello\r\n0\r\nX-Checksum: abc\r\n\r\n"), "POST", "/x", "hello"),
        (chunked("5\r\nhello\r\n0\r\nContent-Length: 50\r\nHost: evil\r\nTransfer-Encoding: chunked\r\n\r\n"), "POST", "/x", "hello"),
        (chunked("5\r\n0\r\n\r\n\r\n0\r\n\r\n"), "POST", "/x", "0\r\n\r\n"),
    ]
}

/// Sends `request` and `NEXT` and gives everything that comes back until the door closes.
fn exchange(door: &Door, request: &str) -> String {
    let mut client = door.client();
    client.send(format!("{request}{NEXT}")).expect("the door takes bytes");
    let bytes = client.read_to_end().unwrap_or_else(|error| panic!("{request:.200?}: {error}"));
    String::from_utf8_lossy(&bytes).into_owned()
}

fn statuses(answers: &str) -> Vec<u16> {
    answers.split("HTTP/1.1 ").skip(1).filter_map(|answer| answer.get(..3)?.parse().ok()).collect()
}

#[test]
fn a_head_without_one_reading_never_reaches_the_app() {
    let origin = Origin::answering("ok");
    let door = Door::before(&origin);
    for (status, request) in refused_heads() {
        let answers = exchange(&door, &request);
        assert_eq!(statuses(&answers), [status], "{request:.200?}: {answers}");
        assert!(answers.to_ascii_lowercase().contains("\r\nconnection: close\r\n"), "{request:.200?}: {answers}");
    }
    let received = origin.received();
    assert!(received.is_empty(), "{received:?}");
}

#[test]
fn a_path_with_two_readings_never_reaches_the_app() {
    let origin = Origin::answering("ok");
    let door = Door::before(&origin);
    let paths =
        ["/%00", "/x%0d%0aX:%20y", "/%7f", "/%", "/%zz", "/../x", "/a/../../x", "/%2e%2e/x", "/..%2f..%2fetc/passwd", "/..%5cx", "/..;/x"];
    for path in paths {
        let answers = exchange(&door, &format!("GET {path} HTTP/1.1\r\nHost: a\r\n\r\n"));
        assert_eq!(statuses(&answers), [400, 200], "{path}: the framing was sound, so the next request is served: {answers}");
    }
    assert!(origin.received().iter().all(|request| request.target == "/next"));
}

#[test]
fn a_body_without_one_reading_ends_the_connection_and_no_app_takes_it_for_whole() {
    let origin = Origin::answering("ok");
    let door = Door::before(&origin);
    for request in refused_bodies() {
        let answers = exchange(&door, &request);
        assert_eq!(statuses(&answers), [400], "{request:.200?}: {answers}");
    }
    let received = origin.received();
    assert!(received.is_empty(), "{received:?}");
}

#[test]
fn what_is_accepted_reaches_the_app_with_one_reading() {
    for (request, method, target, body) in accepted() {
        let origin = Origin::with(|_| Reply::text(200, ""));
        let door = Door::before(&origin);
        let answers = exchange(&door, &request);
        assert_eq!(statuses(&answers), [200, 200], "{request:?}: {answers}");
        let received = origin.received();
        let targets: Vec<&str> = received.iter().map(|request| request.target.as_str()).collect();
        assert_eq!(targets, [target, "/next"], "{request:?}");
        assert_eq!((received[0].method.as_str(), received[0].body.as_slice()), (method, body.as_bytes()), "{request:?}");
        has_one_reading(&received[0]);
    }
}

/// One Host, one framing, and no line that a lenient reader could split otherwise.
fn has_one_reading(request: &Received) {
    let count = |name: &str| request.headers.iter().filter(|(known, _)| known.replace('_', "-") == name).count();
    assert_eq!(count("host"), 1, "{}", request.head);
    assert!(count("content-length") + count("transfer-encoding") <= 1, "{}", request.head);
    for line in request.head.trim_end().split("\r\n") {
        assert!(!line.contains(['\r', '\n', '\0']) && !line.starts_with([' ', '\t']) && !line.is_empty(), "{line:?}");
    }
}

#[test]
fn an_unfinished_request_reaches_no_app_as_a_whole_one() {
    let origin = Origin::answering("ok");
    let door = Door::before(&origin);
    for request in [
        "",
        "GET / HTTP/1.1\r\nHost: a\r\nX: y",
        "GET /\r\n",
        "POST /x HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\nhello",
        "POST /x HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n",
    ] {
        let mut client: Client = door.client();
        client.send(request).unwrap();
        client.finish().unwrap();
        let answers = String::from_utf8_lossy(&client.read_to_end().unwrap()).into_owned();
        assert!(statuses(&answers).iter().all(|status| *status == 400), "{request:?}: {answers}");
    }
    assert!(origin.received().is_empty());
    // and the door is as well as before
    until("the door answers", || door.client().get("/").is_ok_and(|answer| answer.status == 200));
}
