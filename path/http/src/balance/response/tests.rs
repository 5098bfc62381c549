use super::*;

const BOUNDS: HeadBounds = HeadBounds { head: 32 << 10, target: 8 << 10, fields: 100 };

fn read_asked(text: &str, asked: Asked) -> Result<ResponseHead, BadResponse> {
    let mut head = ResponseHead::default();
    match head.parse(text.as_bytes(), &BOUNDS, asked)? {
        Progress::Whole(length) => assert_eq!(length, head.len()),
        Progress::Partial => panic!("partial: {text:?}"),
    }
    Ok(head)
}

fn read(text: &str) -> Result<ResponseHead, BadResponse> {
    read_asked(text, Asked::default())
}

#[test]
fn a_usual_answer_is_taken_apart() {
    let text = "HTTP/1.1 404 Not Found\r\nContent-Type: text/html\r\nContent-Length: 5\r\nConnection: x-hop\r\nX-Hop: 1\r\n\r\nhello";
    let head = read(text).unwrap();
    let bytes = text.as_bytes();
    assert_eq!((head.status, head.version, head.reason.of_buffer(bytes)), (404, Version::Http11, &b"Not Found"[..]));
    assert_eq!((head.framing, head.content_length, head.keep_alive), (Framing::Length(5), Some(5), true));
    assert_eq!((head.fields[0].known, head.fields[0].value.of_buffer(bytes)), (Known::ContentType, &b"text/html"[..]));
    assert_eq!(head.fields.iter().map(|field| field.hop).collect::<Vec<_>>(), [false, false, true, true]);
    assert_eq!(&bytes[head.len()..], b"hello");
}

#[test]
fn bodies_are_framed_by_status_and_fields() {
    use Framing::{Chunked, Close, Length};
    for (text, body, keep_alive) in [
        ("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", Length(0), true),
        ("HTTP/1.1 200 \r\nTransfer-Encoding: Chunked\r\n\r\n", Chunked, true),
        ("HTTP/1.1 200\r\n\r\n", Close, false),
        ("HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 1\r\n\r\n", Length(1), false),
        ("HTTP/1.0 200 OK\r\nContent-Length: 1\r\n\r\n", Length(1), false),
        ("HTTP/1.0 200 OK\r\nContent-Length: 1\r\nConnection: keep-alive\r\n\r\n", Length(1), true),
        ("HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 1\r\n\r\n", Length(1), true),
        ("HTTP/1.1 204 No Content\r\n\r\n", Framing::None, true),
        ("HTTP/1.1 204 No Content\r\nContent-Length: 7\r\n\r\n", Framing::None, true),
        ("HTTP/1.1 304 Not Modified\r\nContent-Length: 7\r\n\r\n", Framing::None, true),
        ("HTTP/1.1 304 Not Modified\r\nTransfer-Encoding: chunked\r\n\r\n", Framing::None, true),
        ("HTTP/1.1 100 Continue\r\n\r\n", Framing::None, true),
        ("HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n", Framing::None, true),
    ] {
        let head = read(text).unwrap();
        assert_eq!((head.framing, head.keep_alive), (body, keep_alive), "{text:?}");
        assert_eq!(head.is_interim(), head.status < 200);
        let asked = Asked { head: true, ..Asked::default() };
        assert_eq!(read_asked(text, asked).unwrap().framing, Framing::None, "{text:?} to a HEAD");
    }
    let head = read_asked("HTTP/1.1 200 OK\r\nContent-Length: 7\r\n\r\n", Asked { head: true, ..Asked::default() }).unwrap();
    assert_eq!((head.content_length, head.keep_alive), (Some(7), true));
    assert_eq!(read("HTTP/1.1 204 x\r\nContent-Length: 7\r\n\r\n").unwrap().content_length, None);
    let repeated = read("HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 1\r\n\r\n").unwrap();
    assert_eq!(repeated.fields.iter().map(|field| field.hop).collect::<Vec<_>>(), [false, true]);
}

#[test]
fn answers_without_one_reading_are_bad() {
    for text in [
        "HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n",
        "HTTP/1.1 200 OK\r\nContent-Length: 1, 1\r\n\r\n",
        "HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n",
        "HTTP/1.1 200 OK\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n\r\n",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n",
        "HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n",
        "HTTP/1.1 304 x\r\nContent-Length: x\r\n\r\n",
        "HTTP/1.1 2000 OK\r\n\r\n",
        "HTTP/1.1 20 OK\r\n\r\n",
        "HTTP/1.1 099 OK\r\n\r\n",
        "HTTP/1.1  200 OK\r\n\r\n",
        "HTTP/1.1 200 O\0K\r\n\r\n",
        "HTTP/1.1\t200 OK\r\n\r\n",
        "HTTP/2.0 200 OK\r\n\r\n",
        "http/1.1 200 OK\r\n\r\n",
        " HTTP/1.1 200 OK\r\n\r\n",
        "\r\nHTTP/1.1 200 OK\r\n\r\n",
        "HTTP/1.1 200 OK\nContent-Length: 1\r\n\r\n",
        "HTTP/1.1 200 OK\r\nX: a\rb\r\n\r\n",
        "HTTP/1.1 200 OK\r\nX: a\r\n b\r\n\r\n",
        "HTTP/1.1 200 OK\r\nX : a\r\n\r\n",
        "HTTP/1.1 200 OK\r\n X: a\r\n\r\n",
        "HTTP/1.1 200 OK\r\nX: a\0\r\n\r\n",
        "HTTP/1.1 200 OK\r\nno colon\r\n\r\n",
        "HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: websocket\r\n\r\n",
        "SSH-2.0-OpenSSH_9.2",
        "<html>",
    ] {
        assert!(read(text).is_err(), "{text:?}");
    }
}

#[test]
fn a_websocket_is_granted_only_as_asked() {
    let asked = Asked { websocket: true, ..Asked::default() };
    let head = read_asked("HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: WebSocket\r\n\r\n", asked).unwrap();
    assert!(head.switches && !head.keep_alive && !head.is_interim() && head.framing == Framing::None);
    assert!(read_asked("HTTP/1.1 101 x\r\nConnection: Upgrade\r\nUpgrade: h2c\r\n\r\n", asked).is_err());
    assert!(read_asked("HTTP/1.1 101 x\r\nUpgrade: websocket\r\n\r\n", asked).is_err());
    assert!(!read_asked("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", asked).unwrap().switches);
}

#[test]
fn heads_are_bounded_and_partial_until_whole() {
    let text = b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\nX: y\r\n\r\n";
    let mut head = ResponseHead::default();
    for end in 0..text.len() {
        assert_eq!(head.parse(&text[..end], &BOUNDS, Asked::default()), Ok(Progress::Partial));
    }
    assert_eq!(head.parse(text, &BOUNDS, Asked::default()), Ok(Progress::Whole(text.len())));
    let parse = |bound: usize, fields: usize| ResponseHead::default().parse(text, &HeadBounds::new(bound, fields), Asked::default());
    assert!(parse(text.len(), 2).is_ok());
    assert!(parse(text.len() - 1, 2).is_err());
    assert!(parse(text.len(), 1).is_err());
}
