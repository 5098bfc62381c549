//! The door's own answers: small, with the request id, without internals.

use super::asked::{Asked, Splice, decimal, field};
use super::media::prefers_json;
use super::security::SECURITY;
use super::{Body, Reply};

/// One answer of the door itself. Status, reason and one sentence: nothing of the inside is told.
#[derive(Debug, Clone, Copy)]
pub struct Small<'a> {
    /// The status, 400..=599.
    pub status: u16,
    /// The client's `Accept`, if its head was read that far.
    pub accept: Option<&'a [u8]>,
    /// Whether the request was HEAD: no body then.
    pub head_only: bool,
    /// Further whole fields, each ending in CR LF: `Allow: GET, HEAD\r\n`, `Retry-After: 1\r\n`.
    pub fields: &'a [u8],
}

impl<'a> Small<'a> {
    /// An answer without further fields to a request that is not HEAD.
    pub fn new(status: u16, accept: Option<&'a [u8]>) -> Small<'a> {
        Small { status, accept, head_only: false, fields: b"" }
    }

    /// Appends head and body to `out`; returns how many of the appended bytes are body.
    pub fn write(&self, splice: &Splice<'_>, out: &mut Vec<u8>) -> usize {
        let json = prefers_json(self.accept);
        let id = if splice.request_id.iter().all(|byte| is_plain(*byte)) { splice.request_id } else { b"" };
        let (reason, sentence) = words(self.status);
        let parts: [&[u8]; 9] = if json {
            let parts: [&[u8]; 9] = [
                b"{\"error\":\"",
                reason,
                b"\",\"status\":",
                &code(self.status),
                b",\"message\":\"",
                sentence,
                b"\",\"request_id\":\"",
                id,
                b"\"}\n",
            ];
            return self.write_parts(splice, out, b"application/json", &parts);
        } else {
            [
                b"<!doctype html>\n<html lang=\"en\"><meta charset=\"utf-8\"><meta name=\"viewport\" content=\"width=device-width\"><title>",
                &code(self.status),
                b" ",
                reason,
                b"</title>\n<h1>",
                reason,
                b"</h1>\n<p>",
                sentence,
                b"</p>\n",
            ]
        };
        let tail: [&[u8]; 3] = if id.is_empty() { [b"", b"", b""] } else { [b"<p><small>Request ", id, b"</small></p>\n"] };
        let mut whole: [&[u8]; 12] = [b""; 12];
        whole[..9].copy_from_slice(&parts);
        whole[9..].copy_from_slice(&tail);
        self.write_parts(splice, out, b"text/html; charset=utf-8", &whole)
    }

    fn write_parts(&self, splice: &Splice<'_>, out: &mut Vec<u8>, kind: &[u8], body: &[&[u8]]) -> usize {
        let length: usize = body.iter().map(|part| part.len()).sum();
        status_line(out, self.status);
        field(out, b"Content-Type: ", kind);
        out.extend_from_slice(b"Content-Length: ");
        decimal(out, length as u64);
        out.extend_from_slice(b"\r\nCache-Control: no-store\r\nContent-Security-Policy: default-src 'none'; frame-ancestors 'self'\r\n");
        out.extend_from_slice(SECURITY);
        out.extend_from_slice(self.fields);
        splice.finish(out);
        if self.head_only {
            return 0;
        }
        body.iter().for_each(|part| out.extend_from_slice(part));
        length
    }
}

/// A whole small answer to what the site was `asked`.
pub(super) fn small(status: u16, fields: &[u8], asked: &Asked<'_>, splice: &Splice<'_>, head: &mut Vec<u8>) -> Reply {
    Small { status, accept: asked.accept, head_only: asked.is_head(), fields }.write(splice, head);
    Reply { status, body: Body::Empty }
}

/// Appends `HTTP/1.1 404 Not Found` and its line end.
pub(super) fn status_line(out: &mut Vec<u8>, status: u16) {
    out.extend_from_slice(b"HTTP/1.1 ");
    out.extend_from_slice(&code(status));
    out.push(b' ');
    field(out, b"", words(status).0);
}

/// The reason phrase of a status that the door itself sends (RFC 9110 15); `Error` for any other.
pub fn reason(status: u16) -> &'static str {
    std::str::from_utf8(words(status).0).expect("the table is ASCII")
}

fn code(status: u16) -> [u8; 3] {
    [b'0' + (status / 100 % 10) as u8, b'0' + (status / 10 % 10) as u8, b'0' + (status % 10) as u8]
}

/// An id goes into HTML and JSON as it is, so it must need no escape in either.
fn is_plain(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.' | b':' | b'/' | b'+' | b'=' | b'~')
}

fn words(status: u16) -> (&'static [u8], &'static [u8]) {
    let (reason, sentence): (&str, &str) = match status {
        200 => ("OK", ""),
        204 => ("No Content", ""),
        206 => ("Partial Content", ""),
        301 => ("Moved Permanently", "This page has moved."),
        304 => ("Not Modified", ""),
        308 => ("Permanent Redirect", "This page has moved."),
        400 => ("Bad Request", "The request could not be understood."),
        401 => ("Unauthorized", "Please sign in."),
        403 => ("Forbidden", "This is not allowed."),
        404 => ("Not Found", "There is nothing at this address."),
        405 => ("Method Not Allowed", "This address does not take this method."),
        408 => ("Request Timeout", "The request took too long to arrive."),
        411 => ("Length Required", "The request needs a length."),
        412 => ("Precondition Failed", "The file is not in the state that the request expected."),
        413 => ("Content Too Large", "The request is larger than this server accepts."),
        414 => ("URI Too Long", "The address is longer than this server accepts."),
        416 => ("Range Not Satisfiable", "The file has no such part."),
        417 => ("Expectation Failed", "The server cannot do what the request expects."),
        421 => ("Misdirected Request", "This server does not serve that host."),
        425 => ("Too Early", "Please send the request again."),
        426 => ("Upgrade Required", "This address needs another protocol."),
        429 => ("Too Many Requests", "Please slow down."),
        431 => ("Request Header Fields Too Large", "The request's head is larger than this server accepts."),
        500 => ("Internal Server Error", "Something went wrong."),
        501 => ("Not Implemented", "The server cannot do this."),
        502 => ("Bad Gateway", "The application did not answer properly."),
        503 => ("Service Unavailable", "The application is not available right now. Please try again shortly."),
        504 => ("Gateway Timeout", "The application took too long to answer."),
        505 => ("HTTP Version Not Supported", "Please use HTTP/1.1."),
        _ => ("Error", "The request could not be served."),
    };
    (reason.as_bytes(), sentence.as_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    const SPLICE: Splice<'static> = Splice { date: b"Sun, 06 Nov 1994 08:49:37 GMT", request_id: b"abc-1", connection: b"close" };

    fn written(small: Small<'_>, splice: &Splice<'_>) -> (String, String, usize) {
        let mut out = Vec::new();
        let length = small.write(splice, &mut out);
        let text = String::from_utf8(out).unwrap();
        let (head, body) = text.split_once("\r\n\r\n").unwrap();
        (head.to_string(), body.to_string(), length)
    }

    #[test]
    fn a_page_by_default_json_when_asked() {
        let (head, body, length) = written(Small::new(404, Some(b"text/html,*/*;q=0.8")), &SPLICE);
        assert!(head.starts_with("HTTP/1.1 404 Not Found\r\nContent-Type: text/html; charset=utf-8\r\n"), "{head}");
        assert!(head.contains(&format!("Content-Length: {length}\r\n")) && head.contains("X-Content-Type-Options: nosniff"), "{head}");
        assert!(head.ends_with("Date: Sun, 06 Nov 1994 08:49:37 GMT\r\nX-Request-Id: abc-1\r\nConnection: close"), "{head}");
        assert!(body.len() == length && body.contains("<h1>Not Found</h1>") && body.contains("Request abc-1"), "{body}");

        let (head, body, length) = written(Small::new(503, Some(b"application/json")), &SPLICE);
        assert!(head.contains("Content-Type: application/json\r\n"), "{head}");
        assert_eq!(body.len(), length);
        assert_eq!(
            body,
            "{\"error\":\"Service Unavailable\",\"status\":503,\"message\":\"The application is not available right now. Please try again shortly.\",\"request_id\":\"abc-1\"}\n"
        );
    }

    #[test]
    fn head_has_the_length_but_no_body() {
        let full = written(Small::new(405, None), &SPLICE);
        let (head, body, length) = written(Small { head_only: true, fields: b"Allow: GET, HEAD\r\n", ..Small::new(405, None) }, &SPLICE);
        assert!(head.contains("\r\nAllow: GET, HEAD\r\n") && head.contains(&format!("Content-Length: {}\r\n", full.2)), "{head}");
        assert_eq!((body.as_str(), length), ("", 0));
    }

    #[test]
    fn an_id_from_outside_cannot_become_markup() {
        for accept in [None, Some(b"application/json".as_slice())] {
            let (_, body, _) = written(Small::new(400, accept), &Splice { request_id: b"<script>\"", ..SPLICE });
            assert!(!body.contains("script"), "{body}");
        }
    }

    #[test]
    fn every_status_of_the_door_has_words() {
        for status in [400, 404, 405, 408, 413, 414, 421, 431, 502, 503, 504, 505] {
            assert_ne!(reason(status), "Error");
            assert!(!words(status).1.is_empty());
        }
    }
}
