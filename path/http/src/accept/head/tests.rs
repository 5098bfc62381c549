use super::*;

const BOUNDS: HeadBounds = HeadBounds { head: 32 << 10, target: 8 << 10, fields: 100 };

fn read(text: &str) -> Result<RequestHead, Refusal> {
    let mut head = RequestHead::default();
    match head.parse(text.as_bytes(), &BOUNDS)? {
        Progress::Whole(length) => assert_eq!(length, head.len()),
        Progress::Partial => panic!("partial: {text:?}"),
    }
    Ok(head)
}

/// A head with this line and these fields, each without its CR LF.
fn with(line: &str, fields: &[&str]) -> Result<RequestHead, Refusal> {
    read(&head_text(line, fields))
}

fn head_text(line: &str, fields: &[&str]) -> String {
    fields.iter().fold(format!("{line}\r\n"), |text, field| text + field + "\r\n") + "\r\n"
}

fn status(result: Result<RequestHead, Refusal>) -> u16 {
    result.map_or_else(|refusal| refusal.status, |_| 200)
}

#[test]
fn a_usual_head_is_taken_apart() {
    let text = head_text("POST /a/b?c=d HTTP/1.1", &["Host: shop.example:8080", "content-length: 12", "X-One:  two \t"]) + "next";
    let head = read(&text).unwrap();
    let bytes = text.as_bytes();
    assert_eq!((head.method, head.form, head.version), (Method::Post, Form::Origin, Version::Http11));
    assert_eq!(head.path(bytes), b"/a/b");
    assert_eq!(head.query.unwrap().of_buffer(bytes), b"c=d");
    assert_eq!(head.target.of_buffer(bytes), b"/a/b?c=d");
    assert_eq!(head.host.of_buffer(bytes), b"shop.example:8080");
    assert_eq!(head.framing, Framing::Length(12));
    assert!(head.keep_alive && !head.expect_continue && !head.websocket);
    assert_eq!(head.fields[2].value.of_buffer(bytes), b"two");
    assert_eq!(&bytes[head.len()..], b"next");
}

const HOST: &str = "Host: a";

#[test]
fn request_lines() {
    let long = format!("GET /{} HTTP/1.1", "x".repeat(8 << 10));
    let fits = format!("GET /{} HTTP/1.1", "x".repeat((8 << 10) - 1));
    let method = format!("{} / HTTP/1.1", "M".repeat(65));
    for (line, expected) in [
        ("GET / HTTP/1.1", 200),
        ("OPTIONS * HTTP/1.1", 200),
        ("OPTIONS /x HTTP/1.1", 200),
        ("PROPFIND /x HTTP/1.1", 200),
        ("get / HTTP/1.1", 200),
        ("GET http://a/x?y HTTP/1.1", 200),
        ("GET HTTP://A:80?y HTTP/1.1", 200),
        ("GET https://a HTTP/1.1", 200),
        ("GET /?a|b{\"c\"}^ HTTP/1.1", 200),
        (&fits, 200),
        (&long, 414),
        ("GET http://b/ HTTP/1.1", 400),
        ("GET http://a:81/ HTTP/1.1", 400),
        ("GET http://u@a/ HTTP/1.1", 400),
        ("GET http:///x HTTP/1.1", 400),
        ("GET ftp://a/ HTTP/1.1", 400),
        ("GET a HTTP/1.1", 400),
        ("GET * HTTP/1.1", 400),
        ("GET /#x HTTP/1.1", 400),
        ("GET /\u{e9} HTTP/1.1", 400),
        ("GET /\0 HTTP/1.1", 400),
        ("GET /\t HTTP/1.1", 400),
        ("GET /a b HTTP/1.1", 400),
        ("GET  / HTTP/1.1", 400),
        ("GET /  HTTP/1.1", 400),
        ("GET / HTTP/1.1 ", 400),
        (" GET / HTTP/1.1", 400),
        ("GET\t/ HTTP/1.1", 400),
        ("G(T / HTTP/1.1", 400),
        ("GET /", 400),
        ("GET", 400),
        ("GET / http/1.1", 400),
        ("GET / HTTP/1.1.1", 400),
        ("GET / HTTP/11", 400),
        ("GET / HTTP/1", 400),
        ("GET / HTTP/1.1\rX", 400),
        (&method, 400),
        ("GET / HTTP/2.0", 505),
        ("GET / HTTP/1.2", 200),
        ("GET / HTTP/1.9", 200),
        ("GET / HTTP/1.10", 400),
        ("GET / HTTP/0.9", 505),
        ("PRI * HTTP/2.0", 505),
        ("CONNECT a:443 HTTP/1.1", 405),
        ("TRACE / HTTP/1.1", 405),
        ("connect / HTTP/1.1", 200),
    ] {
        assert_eq!(status(with(line, &[HOST])), expected, "{line:?}");
    }
}

#[test]
fn fields() {
    for (field, expected) in [
        ("X: y", 200),
        ("X:y", 200),
        ("X:", 200),
        ("X: \u{e9}\ty", 200),
        ("Expect: 100-Continue", 200),
        ("X : y", 400),
        (" X: y", 400),
        ("\tfolded", 400),
        (": y", 400),
        ("no colon", 400),
        ("X(: y", 400),
        ("X\u{e9}: y", 400),
        ("X: a\0b", 400),
        ("X: a\x01b", 400),
        ("X: a\x7fb", 400),
        ("X: a\rb", 400),
        ("X: a\nY: b", 400),
        ("X: a\r\n b", 400),
        ("X: y\r", 400),
        ("Expect: miracles", 417),
    ] {
        assert_eq!(status(with("GET / HTTP/1.1", &[HOST, field])), expected, "{field:?}");
        assert_eq!(status(with("GET / HTTP/1.1", &[field, HOST])), expected, "{field:?} first");
    }
}

#[test]
fn a_later_minor_is_read_as_the_last_one_known() {
    let text = head_text("\r\nPOST /x HTTP/1.2", &[HOST, "Transfer-Encoding: chunked"]);
    let head = read(&text).unwrap();
    assert_eq!((head.version, head.framing, head.keep_alive), (Version::Http11, Framing::Chunked, true));
    assert_eq!(head.fields[1].value.of_buffer(text.as_bytes()), b"chunked");
    for fields in [&["X: y"][..], &[HOST, "X : y"], &[HOST, "X: a\rb"], &[HOST, "no colon"], &[HOST, HOST], &[]] {
        assert_eq!(status(with("GET / HTTP/1.2", fields)), 400, "{fields:?}");
    }
    let many = vec!["X: y"; 101];
    assert_eq!(status(with("GET / HTTP/1.2", &many)), 431);
}

#[test]
fn hosts() {
    let long = format!("Host: {}", "a".repeat(256));
    for (host, expected) in [
        ("Host: shop.example", 200),
        ("HOST:127.0.0.1:80 ", 200),
        ("Host: [::1]:8080", 200),
        ("Host: [::1]", 200),
        ("Host: my_app-1", 200),
        ("X: y", 400),
        ("Host:", 400),
        ("Host: a b", 400),
        ("Host: a, b", 400),
        ("Host: u@a", 400),
        ("Host: a/b", 400),
        ("Host: a?b", 400),
        ("Host: a\\b", 400),
        ("Host: a%2f", 400),
        ("Host: \u{e9}", 400),
        ("Host: a:", 400),
        ("Host: a:b", 400),
        ("Host: a:65536", 400),
        ("Host: a:080808", 400),
        ("Host: a:99999999999999999999", 400),
        ("Host: a:\u{e9}\u{e9}\u{e9}\u{e9}\u{e9}\u{e9}", 400),
        ("Host: :80", 400),
        ("Host: ::1", 400),
        ("Host: [::1", 400),
        ("Host: [x]", 400),
        ("Host: [::1]x", 400),
        ("Host: a\r\nHost: a", 400),
        ("Host: a\r\nhost: b", 400),
        (&long, 400),
    ] {
        assert_eq!(status(with("GET / HTTP/1.1", &[host])), expected, "{host:?}");
    }
    assert!(with("GET / HTTP/1.0", &[]).unwrap().host.is_empty());
    let text = head_text("GET http://b:8/x HTTP/1.0", &[]);
    assert_eq!(read(&text).unwrap().host.of_buffer(text.as_bytes()), b"b:8", "the target's authority stands in for Host");
}

#[test]
fn framings() {
    use Framing::{Chunked, Length};
    for (version, fields, expected) in [
        ("1.1", &[][..], Ok(Framing::None)),
        ("1.1", &["Content-Length: 0"], Ok(Length(0))),
        ("1.1", &["Content-Length: 9999999999999999999"], Ok(Length(9_999_999_999_999_999_999))),
        ("1.1", &["Transfer-Encoding: Chunked"], Ok(Chunked)),
        ("1.0", &["Content-Length: 5"], Ok(Length(5))),
        ("1.0", &["Transfer-Encoding: chunked"], Err(400)),
        ("1.1", &["Content-Length: 5", "Transfer-Encoding: chunked"], Err(400)),
        ("1.1", &["Transfer-Encoding: chunked", "Content-Length: 5"], Err(400)),
        ("1.1", &["Content-Length: 5", "Content-Length: 5"], Err(400)),
        ("1.1", &["Content-Length: 5, 5"], Err(400)),
        ("1.1", &["Content-Length: +5"], Err(400)),
        ("1.1", &["Content-Length: -5"], Err(400)),
        ("1.1", &["Content-Length: 5 5"], Err(400)),
        ("1.1", &["Content-Length: 0x5"], Err(400)),
        ("1.1", &["Content-Length: 5.0"], Err(400)),
        ("1.1", &["Content-Length:"], Err(400)),
        ("1.1", &["Content-Length: 10000000000000000000"], Err(400)),
        ("1.1", &["Transfer-Encoding: chunked", "Transfer-Encoding: chunked"], Err(400)),
        ("1.1", &["Transfer-Encoding: chunked, chunked"], Err(400)),
        ("1.1", &["Transfer-Encoding: gzip, chunked"], Err(400)),
        ("1.1", &["Transfer-Encoding: identity"], Err(400)),
        ("1.1", &["Transfer-Encoding: xchunked"], Err(400)),
        ("1.1", &["Transfer-Encoding: chunked;x"], Err(400)),
        ("1.1", &["Transfer-Encoding: \x0bchunked"], Err(400)),
        ("1.1", &["Transfer-Encoding:"], Err(400)),
        ("1.1", &["Transfer-Encoding : chunked"], Err(400)),
    ] {
        let fields: Vec<&str> = [HOST].iter().chain(fields).copied().collect();
        let got = with(&format!("POST / HTTP/{version}"), &fields);
        assert_eq!(got.map(|head| head.framing).map_err(|refusal| refusal.status), expected, "{version} {fields:?}");
    }
}

#[test]
fn connections() {
    for (version, fields, expected) in [
        ("1.1", &[][..], true),
        ("1.1", &["Connection: CLOSE"], false),
        ("1.1", &["Connection: x, ,close"], false),
        ("1.1", &["Connection: keep-alive", "Connection: close"], false),
        ("1.0", &[], false),
        ("1.0", &["Connection: Keep-Alive"], true),
    ] {
        let fields: Vec<&str> = [HOST].iter().chain(fields).copied().collect();
        assert_eq!(with(&format!("GET / HTTP/{version}"), &fields).unwrap().keep_alive, expected, "{version} {fields:?}");
    }
    let many = format!("Connection: {}", "a,".repeat(40));
    assert_eq!(status(with("GET / HTTP/1.1", &[HOST, &many])), 400);
}

#[test]
fn fields_for_this_connection_only_are_marked() {
    let names =
        ["Host: a", "Connection: x-secret, Host, content-length, TE", "X-Secret: 1", "X-Secret-2: 1", "TE: trailers", "Content-Length: 1"];
    let more = ["Upgrade: h2c", "Keep-Alive: 5", "Proxy-Connection: x", "X_Forwarded_For: 1.1.1.1", "Cookie: a"];
    let head = with("POST / HTTP/1.1", &[&names[..], &more].concat()).unwrap();
    let marked: Vec<bool> = head.fields.iter().map(|field| field.hop).collect();
    assert_eq!(marked, [false, true, true, false, true, false, true, true, true, true, false]);
    assert!(head.trailers && !head.websocket);
}

#[test]
fn a_websocket_is_asked_for_properly() {
    let asks = |line: &str, fields: &[&str]| with(line, &[&[HOST], fields].concat()).unwrap().websocket;
    assert!(asks("GET /ws HTTP/1.1", &["Connection: keep-alive, Upgrade", "Upgrade: WebSocket"]));
    assert!(asks("GET /ws HTTP/1.1", &["Upgrade: h2c, websocket", "Connection: upgrade"]));
    assert!(!asks("GET /ws HTTP/1.1", &["Upgrade: websocket"]));
    assert!(!asks("GET /ws HTTP/1.0", &["Connection: upgrade", "Upgrade: websocket"]));
    assert!(!asks("POST /ws HTTP/1.1", &["Connection: upgrade", "Upgrade: websocket"]));
    assert!(!asks("GET /ws HTTP/1.1", &["Connection: upgrade", "Upgrade: websocket", "Content-Length: 3"]));
    assert!(!asks("GET /ws HTTP/1.1", &["Connection: upgrade", "Upgrade: h2c"]));
}

#[test]
fn continue_is_awaited_only_before_a_body() {
    let awaits =
        |version: &str, body: &str| with(&format!("POST / HTTP/{version}"), &[HOST, "Expect: 100-continue", body]).unwrap().expect_continue;
    assert!(awaits("1.1", "Content-Length: 1"));
    assert!(awaits("1.1", "Transfer-Encoding: chunked"));
    assert!(!awaits("1.1", "Content-Length: 0"));
    assert!(!awaits("1.1", "X: y"));
    assert!(!awaits("1.0", "Content-Length: 1"));
}

#[test]
fn one_empty_line_before_the_head_is_skipped() {
    let text = format!("\r\n{}", head_text("GET /x HTTP/1.1", &[HOST]));
    let head = read(&text).unwrap();
    assert_eq!((head.len(), head.path(text.as_bytes())), (text.len(), &b"/x"[..]));
    assert_eq!(status(read(&format!("\r\n{text}"))), 400);
}

#[test]
fn bounds_hold_to_the_byte() {
    let text = head_text("GET /x HTTP/1.1", &[HOST, "X: y"]);
    let parse = |head: usize, fields: usize| {
        RequestHead::default().parse(text.as_bytes(), &HeadBounds::new(head, fields)).map_err(|refusal| refusal.status)
    };
    assert_eq!(parse(text.len(), 2), Ok(Progress::Whole(text.len())));
    assert_eq!(parse(text.len() - 1, 2), Err(431));
    assert_eq!(parse(text.len(), 1), Err(431));
    assert_eq!(parse(17, 2), Err(431), "the line fits, the head does not");
    assert_eq!(parse(16, 2), Err(414), "a bound so small that the line does not fit");
    assert_eq!(parse(6, 2), Err(414));
}

#[test]
fn a_head_without_an_end_is_refused_as_soon_as_it_cannot_be_one() {
    let refused = |text: &str| RequestHead::default().parse(text.as_bytes(), &BOUNDS).map_err(|refusal| refusal.status);
    assert_eq!(refused("\x16\x03\x01"), Err(400), "a TLS greeting");
    assert_eq!(refused("GET / HTTP/1.1\nHost"), Err(400));
    assert_eq!(refused(&"M".repeat(65)), Err(400));
    assert_eq!(refused(&format!("GET /{}", "x".repeat(8 << 10))), Err(414));
    assert_eq!(refused(&format!("GET / HTTP/1.1\r\nX: {}", "x".repeat(32 << 10))), Err(431));
    assert_eq!(refused("GET / HTTP/2.0\r\nHost: a\r\n"), Err(505));
    assert_eq!(refused(&format!("G(T /{}", "x".repeat(8 << 10))), Err(400), "the method is looked at before the target");
    assert_eq!(refused("GET / HTTP/1.1\r\nHost: a\r\n"), Ok(Progress::Partial));
}

#[test]
fn a_head_is_reused_without_a_trace_of_the_last_one() {
    let mut head = RequestHead::default();
    let first = head_text("GET http://a HTTP/1.1", &[HOST, "Connection: close, upgrade", "Upgrade: websocket", "TE: trailers"]);
    assert_eq!(head.parse(first.as_bytes(), &BOUNDS), Ok(Progress::Whole(first.len())));
    assert_eq!(head.forward_target(first.as_bytes()), (&b"/"[..], &b""[..]));
    let memory = head.fields.as_ptr();
    head.clear();
    let second = head_text("HEAD /y HTTP/1.1", &["Host: b"]);
    assert_eq!(head.parse(second.as_bytes(), &BOUNDS), Ok(Progress::Whole(second.len())));
    let fresh = read(&second).unwrap();
    assert_eq!(format!("{head:?}"), format!("{fresh:?}"));
    assert_eq!(memory, head.fields.as_ptr(), "and with the memory of the last one");
}
