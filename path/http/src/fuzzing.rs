//! The promises of the codecs, as functions of any bytes that panic when one is broken: the input cut anywhere reads the
//! same, and what is accepted, written anew as it is forwarded, reads the same again. For `fuzz/` and the property
//! tests; not part of the crate's interface.

use crate::accept::target;
use crate::accept::{ChunkScanner, Field, Framing, HeadBounds, Known, Piece, Progress, RequestHead};
use crate::balance::response::{Asked, ResponseHead};

const BOUNDS: HeadBounds = HeadBounds { head: 2_048, target: 512, fields: 32 };

/// A request head: `bytes` after a first one that says how they are cut.
pub fn head(bytes: &[u8]) {
    let Some((&cut, bytes)) = bytes.split_first() else { return };
    let mut whole = RequestHead::default();
    let outcome = whole.parse(bytes, &BOUNDS);
    let mut parts = RequestHead::default();
    let in_parts = cut_up(bytes, cut, |begun| match parts.parse(begun, &BOUNDS) {
        Ok(Progress::Partial) => None,
        other => Some(other),
    });
    let status = |outcome: Result<Progress, crate::accept::Refusal>| outcome.map_err(|refusal| refusal.status);
    assert_eq!(status(outcome), status(in_parts.unwrap_or(Ok(Progress::Partial))), "cut by {cut}");
    if let Ok(Progress::Whole(length)) = outcome {
        assert_eq!(format!("{:?}", whole.fields), format!("{:?}", parts.fields));
        has_plain_lines(&bytes[..length]);
        reads_the_same_again(&whole, bytes);
    }
}

/// Calls `parse` with ever longer beginnings of `bytes` until it gives something.
fn cut_up<T>(bytes: &[u8], cut: u8, mut parse: impl FnMut(&[u8]) -> Option<T>) -> Option<T> {
    let step = usize::from(cut).max(1);
    (1..).map(|n| (n * step).min(bytes.len())).find_map(|end| match parse(&bytes[..end]) {
        None if end == bytes.len() => Some(None),
        None => None,
        some => Some(some),
    })?
}

/// A naive reader splits an accepted head into the same lines as a strict one.
fn has_plain_lines(head: &[u8]) {
    let text = head.strip_prefix(b"\r\n").unwrap_or(head);
    let lines = text.strip_suffix(b"\r\n\r\n").expect("ends in an empty line");
    assert!(!lines.contains(&0), "NUL");
    for line in lines.split(|&byte| byte == b'\n') {
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        assert!(!line.contains(&b'\r') && !line.is_empty(), "a bare CR or an empty line");
        assert!(!line.starts_with(b" ") && !line.starts_with(b"\t"), "a folded line");
    }
}

fn reads_the_same_again(head: &RequestHead, bytes: &[u8]) {
    let forwarded = forward(head, bytes);
    let mut again = RequestHead::default();
    let bounds = HeadBounds { head: 8 * BOUNDS.head, fields: BOUNDS.fields + 2, ..BOUNDS };
    let outcome = again.parse(&forwarded, &bounds);
    assert_eq!(outcome, Ok(Progress::Whole(forwarded.len())), "{}", forwarded.escape_ascii());
    assert_eq!(head.method_text.of_buffer(bytes), again.method_text.of_buffer(&forwarded));
    assert_eq!(head.method, again.method);
    assert_eq!(head.path(bytes), again.path(&forwarded));
    assert_eq!(head.query.map(|query| query.of_buffer(bytes)), again.query.map(|query| query.of_buffer(&forwarded)));
    assert_eq!(head.framing, again.framing);
    assert_eq!(end_to_end(&head.fields, bytes), end_to_end(&again.fields, &forwarded));
    let mut space = Vec::new();
    if let Ok(plain) = target::plain(head.path(bytes), &mut space) {
        is_plain(plain.text);
        reads_as_routed(head.path(bytes), plain.text);
    }
}

/// What an app gets for a path reads as routing read it, and has nothing left that readers could remove.
fn reads_as_routed(path: &[u8], plain: &[u8]) {
    let (mut normal, mut again, mut space) = (Vec::new(), Vec::new(), Vec::new());
    target::normal(path, &mut normal);
    if normal.is_empty() {
        is_plain(path);
        return;
    }
    is_plain(&normal);
    assert_eq!(target::plain(&normal, &mut space).expect("it was accepted before").text, plain);
    target::normal(&normal, &mut again);
    assert!(again.is_empty(), "{}", normal.escape_ascii());
}

fn is_plain(path: &[u8]) {
    assert!(path == b"*" || path.starts_with(b"/"));
    let segments: Vec<&[u8]> = path.split(|&byte| byte == b'/').collect();
    let inner = segments.get(1..segments.len() - 1).unwrap_or_default();
    assert!(inner.iter().all(|segment| !segment.is_empty()), "an empty segment");
    assert!(!segments.iter().any(|segment| matches!(*segment, b"." | b"..")), "a dot segment");
    assert!(!path.iter().any(|byte| *byte < 0x20 || *byte == 0x7f), "a control byte");
}

/// The head as an app gets it, but for the fields that the door adds.
fn forward(head: &RequestHead, bytes: &[u8]) -> Vec<u8> {
    let (slash, target) = head.forward_target(bytes);
    let mut out = [head.method_text.of_buffer(bytes), b" ", slash, target, b" HTTP/1.1\r\n"].concat();
    let host = if head.host.is_empty() { b"none" } else { head.host.of_buffer(bytes) };
    out.extend_from_slice(&[b"Host: ", host, b"\r\n"].concat());
    match head.framing {
        Framing::None => {}
        Framing::Close => panic!("a request's body does not end with its connection"),
        Framing::Length(length) => out.extend_from_slice(format!("Content-Length: {length}\r\n").as_bytes()),
        Framing::Chunked => out.extend_from_slice(b"Transfer-Encoding: chunked\r\n"),
    }
    for (name, value) in end_to_end(&head.fields, bytes) {
        out.extend_from_slice(&[name, b": ", value, b"\r\n"].concat());
    }
    out.extend_from_slice(b"\r\n");
    out
}

fn end_to_end<'b>(fields: &[Field], bytes: &'b [u8]) -> Vec<(&'b [u8], &'b [u8])> {
    let is_written_anew = |field: &Field| field.hop || matches!(field.known, Known::Host | Known::ContentLength);
    let pair = |field: &Field| (field.name.of_buffer(bytes), field.value.of_buffer(bytes));
    fields.iter().filter(|field| !is_written_anew(field)).map(pair).collect()
}

/// A chunked body: `bytes` after a first one that says how they are cut.
pub fn chunk(bytes: &[u8]) {
    let Some((&cut, bytes)) = bytes.split_first() else { return };
    let whole = read_chunks(bytes, usize::MAX);
    let parts = read_chunks(bytes, usize::from(cut).max(1));
    assert_eq!(whole, parts, "cut by {cut}");
    if let Some((data, trailers, _)) = whole.filter(|(_, _, left)| left.is_some()) {
        let mut anew = if data.is_empty() { Vec::new() } else { format!("{:x}\r\n", data.len()).into_bytes() };
        anew.extend_from_slice(&data);
        anew.extend_from_slice(if data.is_empty() { b"0\r\n" } else { b"\r\n0\r\n" });
        anew.extend_from_slice(&trailers);
        anew.extend_from_slice(b"\r\nGET");
        assert_eq!(read_chunks(&anew, usize::MAX), Some((data, trailers, Some(3))), "written anew");
    }
}

/// Data, trailers and, if the body ended, how many bytes lie behind it; `None` when it is bad.
type ChunkedBody = (Vec<u8>, Vec<u8>, Option<usize>);

fn read_chunks(bytes: &[u8], step: usize) -> Option<ChunkedBody> {
    let mut scanner = ChunkScanner::default();
    let mut data = Vec::new();
    let mut taken = 0;
    for part in bytes.chunks(step.min(bytes.len().max(1))) {
        let mut rest = part;
        loop {
            let (length, piece) = scanner.scan(rest).ok()?;
            taken += length;
            match piece {
                Piece::Data(range) => data.extend_from_slice(&rest[range]),
                Piece::More => break,
                Piece::End => return Some((data, scanner.trailers().to_vec(), Some(bytes.len() - taken))),
            }
            rest = &rest[length..];
        }
    }
    assert_eq!(taken, bytes.len(), "More takes everything");
    Some((data, Vec::new(), None))
}

/// An answer's head: `bytes` after two that say what was asked and how they are cut.
pub fn response(bytes: &[u8]) {
    let [asked, cut, bytes @ ..] = bytes else { return };
    let asked = Asked { head: asked & 1 == 1, websocket: asked & 2 == 2 };
    let mut whole = ResponseHead::default();
    let outcome = whole.parse(bytes, &BOUNDS, asked);
    let mut parts = ResponseHead::default();
    let in_parts = cut_up(bytes, *cut, |begun| match parts.parse(begun, &BOUNDS, asked) {
        Ok(Progress::Partial) => None,
        other => Some(other),
    });
    assert_eq!(outcome.ok(), in_parts.unwrap_or(Ok(Progress::Partial)).ok(), "cut by {cut}");
    if let Ok(Progress::Whole(length)) = outcome {
        has_plain_lines(&bytes[..length]);
        answers_the_same_again(&whole, bytes, asked);
    }
}

fn answers_the_same_again(head: &ResponseHead, bytes: &[u8], asked: Asked) {
    let mut anew = format!("HTTP/1.1 {} ", head.status).into_bytes();
    anew.extend_from_slice(head.reason.of_buffer(bytes));
    anew.extend_from_slice(b"\r\n");
    match (head.framing, head.content_length) {
        (Framing::Chunked, _) => anew.extend_from_slice(b"Transfer-Encoding: chunked\r\n"),
        (_, Some(length)) => anew.extend_from_slice(format!("Content-Length: {length}\r\n").as_bytes()),
        _ => {}
    }
    if head.switches {
        anew.extend_from_slice(b"Connection: upgrade\r\nUpgrade: websocket\r\n");
    }
    for (name, value) in end_to_end(&head.fields, bytes) {
        anew.extend_from_slice(&[name, b": ", value, b"\r\n"].concat());
    }
    anew.extend_from_slice(b"\r\n");
    let mut again = ResponseHead::default();
    let bounds = HeadBounds { head: 8 * BOUNDS.head, fields: BOUNDS.fields + 2, ..BOUNDS };
    assert_eq!(again.parse(&anew, &bounds, asked), Ok(Progress::Whole(anew.len())), "{}", anew.escape_ascii());
    assert_eq!((head.status, head.framing, head.content_length), (again.status, again.framing, again.content_length));
    assert_eq!(end_to_end(&head.fields, bytes), end_to_end(&again.fields, &anew));
}

/// Whether a request head is read whole; tells whether a generator of heads is any good.
pub fn accepts(bytes: &[u8]) -> bool {
    matches!(RequestHead::default().parse(bytes, &BOUNDS), Ok(Progress::Whole(_)))
}

/// The time of `rounds` readings of one good head by one reused value.
pub fn read_often(bytes: &[u8], rounds: u32) -> std::time::Duration {
    let mut head = RequestHead::default();
    let begin = std::time::Instant::now();
    for _ in 0..rounds {
        head.clear();
        assert!(head.parse(std::hint::black_box(bytes), &BOUNDS).is_ok());
    }
    begin.elapsed()
}
