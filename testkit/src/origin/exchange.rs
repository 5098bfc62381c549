//! One request off a stream: a head, then a body by length or by chunks.

use std::io::{self, ErrorKind, Read};
use std::net::TcpStream;

use super::Received;

/// The next request; `None` when the peer has closed before its first byte. `rest` holds what came after it.
pub(super) fn read_request(stream: &mut TcpStream, rest: &mut Vec<u8>) -> io::Result<Option<Received>> {
    let Some(head) = read_until(stream, rest, b"\r\n\r\n")? else { return Ok(None) };
    let head = String::from_utf8_lossy(&head).into_owned();
    let mut words = head.split(' ');
    let (method, target) = (words.next().unwrap_or_default().to_owned(), words.next().unwrap_or_default().to_owned());
    let lines = head.split("\r\n").skip(1).filter_map(|line| line.split_once(':'));
    let headers = lines.map(|(name, value)| (name.to_ascii_lowercase(), value.trim().to_owned())).collect();
    let mut received = Received { method, target, headers, head, body: Vec::new(), connection: 0 };
    if received.header("expect") == Some("100-continue") {
        io::Write::write_all(stream, b"HTTP/1.1 100 Continue\r\n\r\n")?;
    }
    received.body = read_body(stream, rest, &received)?;
    Ok(Some(received))
}

fn read_body(stream: &mut TcpStream, rest: &mut Vec<u8>, received: &Received) -> io::Result<Vec<u8>> {
    if received.header("transfer-encoding").is_none() {
        let length = received.header("content-length").and_then(|length| length.parse().ok());
        return read_exact(stream, rest, length.unwrap_or(0));
    }
    let mut body = Vec::new();
    loop {
        let line = read_until(stream, rest, b"\r\n")?.ok_or(ErrorKind::UnexpectedEof)?;
        let line = String::from_utf8_lossy(&line);
        let size = line.trim_end().split(';').next().unwrap_or_default();
        let size = usize::from_str_radix(size, 16).map_err(|_| ErrorKind::InvalidData)?;
        if size == 0 {
            while read_until(stream, rest, b"\r\n")?.is_some_and(|trailer| trailer != b"\r\n") {}
            return Ok(body);
        }
        body.extend(read_exact(stream, rest, size)?);
        read_exact(stream, rest, 2)?;
    }
}

fn read_exact(stream: &mut TcpStream, rest: &mut Vec<u8>, length: usize) -> io::Result<Vec<u8>> {
    while rest.len() < length {
        if !more(stream, rest)? {
            return Err(ErrorKind::UnexpectedEof.into());
        }
    }
    Ok(take(rest, length))
}

/// Up to and with `end`; `None` when the peer closes before it.
fn read_until(stream: &mut TcpStream, rest: &mut Vec<u8>, end: &[u8]) -> io::Result<Option<Vec<u8>>> {
    loop {
        if let Some(at) = rest.windows(end.len()).position(|window| window == end) {
            return Ok(Some(take(rest, at + end.len())));
        }
        if !more(stream, rest)? {
            return Ok(None);
        }
    }
}

fn take(rest: &mut Vec<u8>, length: usize) -> Vec<u8> {
    let after = rest.split_off(length);
    std::mem::replace(rest, after)
}

fn more(stream: &mut TcpStream, rest: &mut Vec<u8>) -> io::Result<bool> {
    let mut bytes = [0; 64 * 1024];
    let count = stream.read(&mut bytes)?;
    rest.extend_from_slice(&bytes[..count]);
    Ok(count > 0)
}
