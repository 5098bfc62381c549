//! Header fields of a head, request's or response's: where they lie and which ones the door cares about.
//! It copies nothing; everything is a place in the connection's buffer.

use super::known::Known;

/// A place in the connection's buffer, counted from the first byte given to the parser.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Span {
    /// First byte.
    pub start: u32,
    /// One past the last byte.
    pub end: u32,
}

impl Span {
    /// The place `start..end`; heads are bounded far below 4 GB.
    pub fn new(start: usize, end: usize) -> Span {
        Span { start: start as u32, end: end as u32 }
    }

    /// Where `part` lies in `whole`; `part` must be a slice of it.
    pub fn of(part: &[u8], whole: &[u8]) -> Span {
        let start = part.as_ptr() as usize - whole.as_ptr() as usize;
        Span::new(start, start + part.len())
    }

    /// Its bytes in the buffer that was parsed.
    #[inline]
    pub fn of_buffer<'b>(&self, buffer: &'b [u8]) -> &'b [u8] {
        &buffer[self.start as usize..self.end as usize]
    }

    /// Its length in bytes.
    pub fn len(&self) -> usize {
        (self.end - self.start) as usize
    }

    /// Whether it holds no byte.
    pub fn is_empty(&self) -> bool {
        self.end == self.start
    }
}

/// One header field.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Field {
    /// Its name as written.
    pub name: Span,
    /// Its value, without the white space around it.
    pub value: Span,
    /// Which one it is.
    pub known: Known,
    /// It is meant for this connection only and must not be forwarded: a hop-by-hop field, one that `Connection` names,
    /// or one whose name poses as a known one (`Known::Disguised`). `Content-Length` and `Host` are never marked.
    pub hop: bool,
}

/// Most names `Connection` may list; beyond it the head is refused (each costs a walk over all fields).
const MAX_NAMED: usize = 32;

/// What the `Connection` fields of a head say.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Connection {
    /// `close` is listed.
    pub close: bool,
    /// `keep-alive` is listed.
    pub keep_alive: bool,
    /// `upgrade` is listed.
    pub upgrade: bool,
}

impl Connection {
    /// Reads all `Connection` fields and marks the fields that they name as `hop`; `None` when they name too many.
    pub fn read(fields: &mut [Field], buffer: &[u8]) -> Option<Connection> {
        let mut connection = Connection::default();
        let mut named = 0;
        for index in 0..fields.len() {
            if fields[index].known != Known::Connection {
                continue;
            }
            for option in list(fields[index].value.of_buffer(buffer)) {
                if option.eq_ignore_ascii_case(b"keep-alive") {
                    connection.keep_alive = true;
                } else if option.eq_ignore_ascii_case(b"close") {
                    connection.close = true;
                } else if option.eq_ignore_ascii_case(b"upgrade") {
                    connection.upgrade = true;
                } else {
                    named += 1;
                    mark(fields, option, buffer);
                }
                if named > MAX_NAMED {
                    return None;
                }
            }
        }
        Some(connection)
    }
}

fn mark(fields: &mut [Field], name: &[u8], buffer: &[u8]) {
    for field in fields.iter_mut().filter(|field| field.name.len() == name.len()) {
        let protected = matches!(field.known, Known::Host | Known::ContentLength);
        if !protected && field.name.of_buffer(buffer).eq_ignore_ascii_case(name) {
            field.hop = true;
        }
    }
}

/// The members of a comma separated list (RFC 9110 5.6.1), trimmed, empty ones left out; quoted strings are not looked into.
pub fn list(value: &[u8]) -> impl Iterator<Item = &[u8]> {
    value.split(|&byte| byte == b',').map(<[u8]>::trim_ascii).filter(|member| !member.is_empty())
}

/// The value of the first line of an unread head that begins with `name`: for heads that are refused, so that the answer
/// can still be in the client's words. What it says is believed for nothing else.
pub fn raw_value<'b>(head: &'b [u8], name: &[u8]) -> Option<&'b [u8]> {
    let lines = head.split(|&byte| byte == b'\n').skip(1).map(<[u8]>::trim_ascii_end).take_while(|line| !line.is_empty());
    let mut values = lines.filter_map(|line| {
        let (begun, rest) = line.split_at_checked(name.len())?;
        if begun.eq_ignore_ascii_case(name) { rest.strip_prefix(b":") } else { None }
    });
    values.next().map(<[u8]>::trim_ascii)
}

/// Whether `byte` may stand in a token: a method or a field name (RFC 9110 5.6.2).
#[inline]
pub fn is_token_byte(byte: u8) -> bool {
    byte.is_ascii_alphanumeric()
        || matches!(byte, b'!' | b'#' | b'$' | b'%' | b'&' | b'\'' | b'*' | b'+' | b'-' | b'.' | b'^' | b'_' | b'`' | b'|' | b'~')
}

/// Whether `byte` may stand in a field's value: tab, space, visible ASCII and the bytes above it.
#[inline]
pub fn is_value_byte(byte: u8) -> bool {
    byte == b'\t' || (byte >= b' ' && byte != 0x7f)
}

/// A `Content-Length` value: 1 to 19 digits and nothing else.
pub fn content_length(value: &[u8]) -> Option<u64> {
    if value.is_empty() || value.len() > 19 || !value.iter().all(u8::is_ascii_digit) {
        return None;
    }
    Some(value.iter().fold(0, |sum, digit| sum * 10 + u64::from(digit - b'0')))
}
