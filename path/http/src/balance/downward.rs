//! The head of an app's answer as the client gets it.

use super::response::ResponseHead;
use super::upward::copy;
use crate::accept::{Framing, Known, Version};
use crate::answer::Present;
use crate::door::Door;
use crate::visit::Facts;

/// What else goes into the head.
#[derive(Clone, Copy)]
pub(crate) struct Also<'a> {
    /// Knows the `Date`, when the app said none.
    pub(crate) door: &'a Door,
    /// The value of `Connection`, empty for none.
    pub(crate) connection: &'static [u8],
    /// The body is sent in chunks.
    pub(crate) chunked: bool,
}

/// Appends the whole head of a final answer (or 101).
pub(crate) fn write(out: &mut Vec<u8>, facts: &Facts, head: &ResponseHead, buffer: &[u8], also: &Also<'_>) {
    status_line(out, head, buffer);
    let (mut present, mut has_date, mut has_id) = (Present::default(), false, false);
    for field in &head.fields {
        match field.known {
            Known::Date => has_date = true,
            Known::XRequestId => has_id = true,
            Known::Other | Known::XContentTypeOptions | Known::XFrameOptions | Known::ReferrerPolicy => {
                present.note(field.name.of_buffer(buffer));
            }
            _ => {}
        }
    }
    let has_length = head.content_length.is_some();
    copy(out, &head.fields, &buffer[..head.len()], |field| !field.hop && (has_length || field.known != Known::ContentLength));
    if !has_date {
        line(out, b"Date: ", &also.door.date());
    }
    if !has_id {
        line(out, b"X-Request-Id: ", &facts.request_id);
    }
    present.complete(out);
    out.extend_from_slice(b"Via: 1.1 plimsoll\r\n");
    if also.chunked {
        out.extend_from_slice(b"Transfer-Encoding: chunked\r\n");
    }
    if head.switches {
        out.extend_from_slice(b"Connection: Upgrade\r\nUpgrade: websocket\r\n");
    } else if !also.connection.is_empty() {
        line(out, b"Connection: ", also.connection);
    }
    out.extend_from_slice(b"\r\n");
}

/// Appends the whole head of an interim answer (1xx).
pub(crate) fn write_interim(out: &mut Vec<u8>, head: &ResponseHead, buffer: &[u8]) {
    status_line(out, head, buffer);
    copy(out, &head.fields, &buffer[..head.len()], |field| !field.hop && field.known != Known::ContentLength);
    out.extend_from_slice(b"\r\n");
}

/// Whether the body goes out in chunks: when its end is not known beforehand and the client knows chunks.
pub(crate) fn is_chunked(framing: Framing, version: Version) -> bool {
    matches!(framing, Framing::Chunked | Framing::Close) && version == Version::Http11
}

fn status_line(out: &mut Vec<u8>, head: &ResponseHead, buffer: &[u8]) {
    let status = head.status;
    out.extend_from_slice(b"HTTP/1.1 ");
    out.extend_from_slice(&[b'0' + (status / 100) as u8, b'0' + (status / 10 % 10) as u8, b'0' + (status % 10) as u8, b' ']);
    out.extend_from_slice(head.reason.of_buffer(buffer));
    out.extend_from_slice(b"\r\n");
}

fn line(out: &mut Vec<u8>, name: &[u8], value: &[u8]) {
    out.extend_from_slice(name);
    out.extend_from_slice(value);
    out.extend_from_slice(b"\r\n");
}
