//! The head of a request as the app gets it.

use crate::accept::{Field, Framing, Known, RequestHead};
use crate::admit::origin;
use crate::door::Door;
use crate::visit::Facts;

/// Appends the whole head.
pub(crate) fn write(out: &mut Vec<u8>, facts: &Facts, head: &RequestHead, buffer: &[u8], door: &Door) {
    let (slash, target) = head.forward_target(buffer);
    out.extend_from_slice(head.method_text.of_buffer(buffer));
    out.push(b' ');
    if facts.normal_path.is_empty() {
        out.extend_from_slice(slash);
        out.extend_from_slice(target);
    } else {
        // The app must read the path as routing did; what follows it is the query.
        out.extend_from_slice(&facts.normal_path);
        out.extend_from_slice(&target[head.path_text.len()..]);
    }
    out.extend_from_slice(b" HTTP/1.1\r\n");
    if head.value(Known::Host, buffer).is_none() {
        // HTTP/1.0 allows none, 1.1 does not.
        out.extend_from_slice(b"Host: ");
        out.extend_from_slice(facts.authority(head, buffer));
        out.extend_from_slice(b"\r\n");
    }
    copy(out, &head.fields, &buffer[..head.len()], |field| !field.hop && !origin::is_replaced(field.known, facts));
    origin::write_fields(out, facts, head, buffer, door);
    if head.framing == Framing::Chunked {
        out.extend_from_slice(b"Transfer-Encoding: chunked\r\n");
    }
    if head.websocket {
        out.extend_from_slice(b"Connection: Upgrade\r\nUpgrade: websocket\r\n");
    } else if head.trailers {
        out.extend_from_slice(b"Connection: TE\r\nTE: trailers\r\n");
    }
    out.extend_from_slice(b"\r\n");
}

/// Copies the lines of `fields` that are wanted, neighbours at once. `head` ends with the empty line.
pub(super) fn copy(out: &mut Vec<u8>, fields: &[Field], head: &[u8], wanted: impl Fn(&Field) -> bool) {
    let end_of = |index: usize| fields.get(index + 1).map_or(head.len() - 2, |next| next.name.start as usize);
    let mut run = None;
    for (index, field) in fields.iter().enumerate() {
        if wanted(field) {
            run.get_or_insert(field.name.start as usize);
        } else if let Some(start) = run.take() {
            out.extend_from_slice(&head[start..field.name.start as usize]);
        }
        if index + 1 == fields.len()
            && let Some(start) = run
        {
            out.extend_from_slice(&head[start..end_of(index)]);
        }
    }
}
