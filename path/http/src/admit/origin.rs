//! Who the client is, and what the app is told of it. Forwarding fields of strangers are dropped; those of trusted
//! peers are believed, read from the right.

use std::io::Write;
use std::net::{IpAddr, SocketAddr};

use telemetry::trace_of;
use tokio::net::TcpStream;

use crate::accept::field::list;
use crate::accept::{Field, Known, RequestHead};
use crate::door::Door;
use crate::plan::Network;
use crate::visit::Facts;

/// Longest request id taken over from a trusted peer.
const MOST_ID: usize = 128;

/// Notes the client's address, the request's id and its trace.
pub(crate) fn identify(facts: &mut Facts, head: &RequestHead, buffer: &[u8], peer: IpAddr, trust: &[Network], door: &Door) {
    let peer = peer.to_canonical();
    facts.trusted = is_trusted(peer, trust);
    if facts.peer.is_empty() {
        write_address(&mut facts.peer, peer);
    }
    if !facts.trusted {
        facts.client.extend_from_slice(&facts.peer);
        door.new_id(&mut facts.request_id);
        return new_trace(facts, door);
    }
    write_address(&mut facts.client, client_behind(peer, trust, head, buffer));
    match head.value(Known::XRequestId, buffer).filter(|id| is_plain_id(id)) {
        Some(id) => facts.request_id.extend_from_slice(id),
        None => door.new_id(&mut facts.request_id),
    }
    match told_trace(head, buffer) {
        Some(trace) => {
            facts.is_traced = true;
            facts.trace.extend_from_slice(trace);
        }
        None => new_trace(facts, door),
    }
}

/// The trace of the one `traceparent` there is; two are as bad as none (W3C Trace Context section 4.3).
fn told_trace<'b>(head: &RequestHead, buffer: &'b [u8]) -> Option<&'b [u8]> {
    let mut told = head.fields.iter().filter(|field| field.known == Known::Traceparent && !field.hop);
    let (one, other) = (told.next()?, told.next());
    if other.is_some() { None } else { trace_of(one.value.of_buffer(buffer)) }
}

fn new_trace(facts: &mut Facts, door: &Door) {
    let is_trace_id = facts.request_id.len() == 32 && facts.request_id.iter().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
    if is_trace_id { facts.trace.extend_from_slice(&facts.request_id) } else { door.new_id(&mut facts.trace) }
}

/// Whether a request's field is replaced by what [`write_fields`] says.
pub(crate) fn is_replaced(known: Known, facts: &Facts) -> bool {
    match known {
        Known::XForwardedFor | Known::Forwarded | Known::XRequestId | Known::Expect => true,
        Known::XForwardedProto | Known::XForwardedHost => true,
        Known::XForwardedPort | Known::XRealIp => !facts.trusted,
        Known::Traceparent | Known::Tracestate => !facts.is_traced,
        _ => false,
    }
}

/// Appends what the app is told of the client and the request.
pub(crate) fn write_fields(out: &mut Vec<u8>, facts: &Facts, head: &RequestHead, buffer: &[u8], door: &Door) {
    let host = facts.authority(head, buffer);
    let told = |known| if facts.trusted { head.value(known, buffer) } else { None };
    let proto: &[u8] = told(Known::XForwardedProto).and_then(|value| list(value).last()).filter(|proto| is_proto(proto)).unwrap_or(b"http");
    out.extend_from_slice(b"X-Forwarded-For: ");
    append_addresses(out, facts, head, buffer);
    out.extend_from_slice(&facts.peer);
    out.extend_from_slice(b"\r\nX-Forwarded-Proto: ");
    out.extend_from_slice(proto);
    out.extend_from_slice(b"\r\nX-Forwarded-Host: ");
    out.extend_from_slice(told(Known::XForwardedHost).unwrap_or(host));
    out.extend_from_slice(b"\r\nForwarded: ");
    append_forwarded(out, facts, head, buffer);
    let is_v6 = facts.peer.contains(&b':');
    out.extend_from_slice(if is_v6 { b"for=\"[" } else { b"for=" });
    out.extend_from_slice(&facts.peer);
    out.extend_from_slice(if is_v6 { b"]\"" } else { b"" });
    if !host.is_empty() {
        out.extend_from_slice(b";host=\"");
        out.extend_from_slice(host);
        out.push(b'"');
    }
    out.extend_from_slice(b";proto=http\r\nX-Request-Id: ");
    out.extend_from_slice(&facts.request_id);
    if !facts.is_traced {
        out.extend_from_slice(b"\r\ntraceparent: 00-");
        out.extend_from_slice(&facts.trace);
        out.push(b'-');
        door.new_span(out);
        out.extend_from_slice(b"-01");
    }
    out.extend_from_slice(b"\r\nVia: 1.1 plimsoll\r\n");
}

/// The only ones that a client can have come by.
fn is_proto(text: &[u8]) -> bool {
    text.eq_ignore_ascii_case(b"http") || text.eq_ignore_ascii_case(b"https")
}

/// The `X-Forwarded-For` that trusted peers told, with a comma behind it. What is no address is dropped, and so is what
/// stands left of it: whoever hid an address has not vouched for those before.
fn append_addresses(out: &mut Vec<u8>, facts: &Facts, head: &RequestHead, buffer: &[u8]) {
    let told = || told(head, Known::XForwardedFor, facts, buffer).flat_map(list);
    let first = told().enumerate().filter(|(_, text)| read_address(text).is_none()).last().map_or(0, |(last, _)| last + 1);
    for address in told().skip(first) {
        out.extend_from_slice(address);
        out.extend_from_slice(b", ");
    }
}

/// The `Forwarded` that trusted peers told, with a comma behind it.
fn append_forwarded(out: &mut Vec<u8>, facts: &Facts, head: &RequestHead, buffer: &[u8]) {
    for value in told(head, Known::Forwarded, facts, buffer).filter(|value| !value.is_empty()) {
        out.extend_from_slice(value);
        out.extend_from_slice(b", ");
    }
}

/// The values of a forwarding field, none when the peer is not believed.
fn told<'b>(head: &'b RequestHead, known: Known, facts: &Facts, buffer: &'b [u8]) -> impl Iterator<Item = &'b [u8]> {
    let fields: &[Field] = if facts.trusted { &head.fields } else { &[] };
    fields.iter().filter(move |field| field.known == known && !field.hop).map(|field| field.value.of_buffer(buffer))
}

fn is_trusted(address: IpAddr, trust: &[Network]) -> bool {
    trust.iter().any(|network| network.contains(address))
}

/// The first address from the right that no trusted peer has; the leftmost when all are trusted.
fn client_behind(peer: IpAddr, trust: &[Network], head: &RequestHead, buffer: &[u8]) -> IpAddr {
    let mut client = peer;
    for field in head.fields.iter().rev().filter(|field| field.known == Known::XForwardedFor) {
        let told = field.value.of_buffer(buffer).split(|byte| *byte == b',').map(<[u8]>::trim_ascii);
        for text in told.rev().filter(|text| !text.is_empty()) {
            let Some(address) = read_address(text) else { return client };
            client = address;
            if !is_trusted(address, trust) {
                return client;
            }
        }
    }
    client
}

fn read_address(text: &[u8]) -> Option<IpAddr> {
    let text = std::str::from_utf8(text).ok()?;
    let bare = text.strip_prefix('[').and_then(|text| text.strip_suffix(']')).unwrap_or(text);
    let address: Option<IpAddr> = bare.parse().ok().or_else(|| text.parse::<SocketAddr>().ok().map(|socket| socket.ip()));
    address.map(|address| address.to_canonical())
}

/// Writes the address and port that the client connected to.
pub(crate) fn write_local(out: &mut Vec<u8>, stream: &TcpStream) {
    // Without one the client is gone, and nobody reads the answer.
    if let Ok(local) = stream.local_addr() {
        let _ = write!(out, "{}", SocketAddr::new(local.ip().to_canonical(), local.port()));
    }
}

fn write_address(out: &mut Vec<u8>, address: IpAddr) {
    // Writing to a vector cannot fail.
    let _ = write!(out, "{address}");
}

fn is_plain_id(id: &[u8]) -> bool {
    !id.is_empty() && id.len() <= MOST_ID && id.iter().all(|byte| byte.is_ascii_alphanumeric() || b"-_.:/+=~".contains(byte))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_read_with_and_without_port() {
        for text in ["10.0.0.1", "10.0.0.1:80", "::ffff:10.0.0.1"] {
            assert_eq!(read_address(text.as_bytes()), Some("10.0.0.1".parse().unwrap()), "{text}");
        }
        assert_eq!(read_address(b"[::1]:80"), Some("::1".parse().unwrap()));
        assert_eq!(read_address(b"[::1]"), Some("::1".parse().unwrap()));
        assert_eq!(read_address(b"unknown"), None);
    }
}
