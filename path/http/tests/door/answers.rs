//! What an app answers is read as strictly as what a client asks: an answer without a single reading is 502, and
//! nothing of it is taken for the next answer.

use testkit::{Origin, Reply};

use crate::setup::Door;

/// An origin that answers `/bad` with `bytes` and everything else with its target, and a door before it.
fn before(bytes: &'static [u8]) -> (Origin, Door) {
    let origin = Origin::with(move |request| match request.target.as_str() {
        "/bad" => Reply::Bytes(bytes.to_vec()),
        other => Reply::text(200, other),
    });
    let door = Door::before(&origin);
    (origin, door)
}

#[test]
fn an_answer_without_one_reading_is_502() {
    for bytes in [
        &b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"[..],
        b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\nabc",
        b"HTTP/1.1 200 OK\r\nContent-Length: 2, 2\r\n\r\nab",
        b"HTTP/1.1 200 OK\r\nContent-Length: x\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nX: a\r\n folded\r\nContent-Length: 0\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nX : a\r\nContent-Length: 0\r\n\r\n",
        b"HTTP/1.1 200 OK\nContent-Length: 0\n\n",
        b"HTTP/1.1 200 OK\r\nX: a\rSet-Cookie: b\r\nContent-Length: 0\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nX: a\0b\r\nContent-Length: 0\r\n\r\n",
        b"HTTP/1.1 20 OK\r\nContent-Length: 0\r\n\r\n",
        b"HTTP/2 200\r\nContent-Length: 0\r\n\r\n",
        b"HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: websocket\r\n\r\n",
        b"hello\r\n\r\n",
        b"SSH-2.0-x",
    ] {
        let (_origin, door) = before(bytes);
        let mut client = door.client();
        let answer = client.request("POST", "/bad", &[], b"x").unwrap();
        assert_eq!(answer.status, 502, "{}", bytes.escape_ascii());
        let mut client = if answer.header("connection") == Some("close") { door.client() } else { client };
        assert_eq!(client.get("/good").unwrap().text(), "/good", "after {}", bytes.escape_ascii());
    }
}

#[test]
fn bytes_behind_an_answer_are_no_answer() {
    let (_origin, door) = before(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nokHTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nevil");
    let mut client = door.client();
    for _ in 0..3 {
        assert_eq!(client.get("/bad").unwrap().text(), "ok");
        assert_eq!(client.get("/good").unwrap().text(), "/good");
    }
}

#[test]
fn answers_without_a_body_have_none() {
    for (method, bytes, status) in [
        ("GET", &b"HTTP/1.1 204 No Content\r\nContent-Length: 4\r\n\r\n"[..], 204),
        ("GET", b"HTTP/1.1 304 Not Modified\r\nContent-Length: 4\r\n\r\n", 304),
        ("GET", b"HTTP/1.1 304 Not Modified\r\nTransfer-Encoding: chunked\r\n\r\n", 304),
        ("HEAD", b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\n", 200),
        ("HEAD", b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", 200),
    ] {
        let (_origin, door) = before(bytes);
        let mut client = door.client();
        let answer = client.request(method, "/bad", &[], b"").unwrap();
        assert_eq!((answer.status, answer.body.as_slice()), (status, &b""[..]), "{}", bytes.escape_ascii());
        assert_eq!(client.get("/good").unwrap().text(), "/good", "after {}", bytes.escape_ascii());
    }
}

#[test]
fn a_chunked_answer_that_breaks_off_is_no_whole_one() {
    for bytes in [
        &b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhelloX\r\n0\r\n\r\n"[..],
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0x5\r\nworld\r\n0\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\n0\r\n\r\n",
    ] {
        let (_origin, door) = before(bytes);
        match door.client().get("/bad") {
            Ok(answer) => assert_eq!(answer.status, 502, "{}", bytes.escape_ascii()),
            Err(_) => assert_eq!(door.client().get("/good").unwrap().text(), "/good"),
        }
    }
}
