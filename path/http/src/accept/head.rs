//! Reads a request head, strictly: what it accepts has one reading (RFC 9112), anything else is refused.
//! Everything found is a place in the connection's buffer; a `RequestHead` is reused from request to request and
//! allocates only when a head has more fields than any before. Bodies are `chunk.rs`, paths `target.rs`.

use super::field::{self, Connection, Field, Span};
use super::head_end::{BadLine, HeadEnd};
use super::known::Known;
use super::line::{self, Form, Method, RequestLine, Version};
use super::refusal::Refusal;
use std::mem::MaybeUninit;

/// Most fields a head can have whatever `HeadBounds::fields` says.
pub const MOST_FIELDS: usize = 256;

/// Bounds of a head.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct HeadBounds {
    /// Bytes in all; beyond it 431, or 414 when the request line alone is longer.
    pub head: usize,
    /// Bytes of the target; beyond it 414.
    pub target: usize,
    /// Header fields, at most `MOST_FIELDS`; beyond it 431.
    pub fields: usize,
}

impl HeadBounds {
    /// Bounds for heads of `head` bytes and `fields` fields: a target of 8 KB, or less when the head's bound is less.
    pub fn new(head: usize, fields: usize) -> HeadBounds {
        HeadBounds { head, target: head.min(8 << 10), fields: fields.min(MOST_FIELDS) }
    }
}

/// Whether a head was all there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Progress {
    /// More bytes are needed.
    Partial,
    /// All there: its length in bytes, with the empty line. The body or the next head follows.
    Whole(usize),
}

/// How a message's body ends (RFC 9112, 6.3).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Framing {
    /// No body.
    #[default]
    None,
    /// So many bytes; `Content-Length: 0` is `Length(0)`.
    Length(u64),
    /// With its last chunk, see `ChunkScanner`.
    Chunked,
    /// With the connection: an answer's only, never a request's.
    Close,
}

/// A request head. The places are counted from the first byte of the buffer given to `parse`.
#[derive(Debug, Default)]
pub struct RequestHead {
    /// Which method.
    pub method: Method,
    /// The method as written.
    pub method_text: Span,
    /// The target's form.
    pub form: Form,
    /// Path and query as they are forwarded: for the absolute form without scheme and authority. See `forward_target`.
    pub target: Span,
    /// The path, still percent-encoded; see `path`.
    pub path_text: Span,
    /// The query without its `?`; `None` when there is no `?`.
    pub query: Option<Span>,
    /// 1.0 or 1.1.
    pub version: Version,
    /// How the body is framed.
    pub framing: Framing,
    /// The client wants (and may have) another request on this connection.
    pub keep_alive: bool,
    /// The client waits for `100 Continue` before it sends the body.
    pub expect_continue: bool,
    /// The client asks for `Upgrade: websocket` properly: a GET of HTTP/1.1 without a body. Any other upgrade is none.
    pub websocket: bool,
    /// `TE: trailers` was said: the client takes trailers.
    pub trailers: bool,
    /// Host and port as written in `Host`; empty only for HTTP/1.0 without one.
    pub host: Span,
    /// All fields in their order.
    pub fields: Vec<Field>,
    first: Option<RequestLine>,
    end: HeadEnd,
    length: usize,
}

impl RequestHead {
    /// Ready for the next head: forgets everything but its memory.
    pub fn clear(&mut self) {
        let mut fields = std::mem::take(&mut self.fields);
        fields.clear();
        *self = RequestHead { fields, ..RequestHead::default() };
    }

    /// Reads a head from the start of `buffer`. After `Partial` call again with the same bytes and more behind them;
    /// after `Whole` or a refusal call `clear` before the next head. Bytes already looked at are not searched again, and
    /// a head is parsed once, when it is all there.
    pub fn parse(&mut self, buffer: &[u8], bounds: &HeadBounds) -> Result<Progress, Refusal> {
        let within = &buffer[..buffer.len().min(bounds.head)];
        let found = self.end.find(within);
        if self.first.is_none() {
            self.read_line(within, bounds)?;
        }
        match found {
            Err(BadLine) => Err(Refusal::bad("a line does not end in CR LF")),
            Ok(None) if within.len() == bounds.head && !self.end.has_first_line() => Err(Refusal::new(414, "the request line is too long")),
            Ok(None) if within.len() == bounds.head => Err(Refusal::new(431, "the head is too long")),
            Ok(None) => Ok(Progress::Partial),
            Ok(Some(length)) => {
                self.length = length;
                self.read_fields(&buffer[..length], bounds)?;
                Ok(Progress::Whole(length))
            }
        }
    }

    /// Bytes of the head with its empty line, once `Whole`.
    pub fn len(&self) -> usize {
        self.length
    }

    /// The path, percent-encoded; `/` when the absolute form names none.
    pub fn path<'b>(&self, buffer: &'b [u8]) -> &'b [u8] {
        if self.path_text.is_empty() { b"/" } else { self.path_text.of_buffer(buffer) }
    }

    /// What to forward as the target: `.0` before `.1` (`.0` is "/" for an absolute form without a path, else empty).
    pub fn forward_target<'b>(&self, buffer: &'b [u8]) -> (&'static [u8], &'b [u8]) {
        (if self.path_text.is_empty() { b"/" } else { b"" }, self.target.of_buffer(buffer))
    }

    /// The value of the first field that is `known`.
    pub fn value<'b>(&self, known: Known, buffer: &'b [u8]) -> Option<&'b [u8]> {
        self.fields.iter().find(|field| field.known == known).map(|field| field.value.of_buffer(buffer))
    }

    /// The value of the list that all fields that are `known` make (RFC 9110 5.3); `space` holds it when there are several.
    pub fn list<'b>(&self, known: Known, buffer: &'b [u8], space: &'b mut Vec<u8>) -> Option<&'b [u8]> {
        let mut values = self.fields.iter().filter(|field| field.known == known).map(|field| field.value.of_buffer(buffer));
        let first = values.next()?;
        let Some(second) = values.next() else { return Some(first) };
        space.clear();
        space.extend_from_slice(first);
        for value in std::iter::once(second).chain(values) {
            space.extend_from_slice(b", ");
            space.extend_from_slice(value);
        }
        Some(space)
    }

    /// Reads the request line as soon as it is there, so that a bad one is answered without waiting for the fields.
    fn read_line(&mut self, buffer: &[u8], bounds: &HeadBounds) -> Result<(), Refusal> {
        let start = self.end.start();
        if !self.end.has_first_line() {
            return line::check_begun(&buffer[start.min(buffer.len())..], bounds.target);
        }
        let first = line::read(buffer, start, bounds.target)?;
        (self.method, self.method_text, self.version, self.form) = (first.method, first.method_text, first.version, first.form);
        (self.target, self.path_text, self.query) = (first.target, first.path, first.query);
        self.first = Some(first);
        Ok(())
    }

    fn read_fields(&mut self, buffer: &[u8], bounds: &HeadBounds) -> Result<(), Refusal> {
        let start = self.end.start();
        let mut space = [const { MaybeUninit::uninit() }; MOST_FIELDS];
        let mut request = httparse::Request::new(&mut []);
        match request.parse_with_uninit_headers(&buffer[start..], &mut space[..bounds.fields.min(MOST_FIELDS)]) {
            Ok(httparse::Status::Complete(length)) if start + length == buffer.len() => {}
            // The line was read already, and httparse takes no later minor than 1.
            Err(httparse::Error::Version) => return self.read_later_fields(buffer, bounds),
            Err(error) => return Err(bad_field(error)),
            Ok(_) => return Err(MALFORMED),
        }
        self.take_all(request.headers, buffer)
    }

    fn read_later_fields(&mut self, buffer: &[u8], bounds: &HeadBounds) -> Result<(), Refusal> {
        let start = self.end.start();
        let line = memchr::memchr(b'\n', &buffer[start..]).map_or(buffer.len(), |feed| start + feed + 1);
        let mut space = [httparse::EMPTY_HEADER; MOST_FIELDS];
        match httparse::parse_headers(&buffer[line..], &mut space[..bounds.fields.min(MOST_FIELDS)]) {
            Ok(httparse::Status::Complete((length, headers))) if line + length == buffer.len() => self.take_all(headers, buffer),
            Err(error) => Err(bad_field(error)),
            Ok(_) => Err(MALFORMED),
        }
    }

    fn take_all(&mut self, headers: &[httparse::Header<'_>], buffer: &[u8]) -> Result<(), Refusal> {
        self.fields.clear();
        let mut facts = Facts::default();
        for header in headers {
            let field = Field {
                name: Span::of(header.name.as_bytes(), buffer),
                value: Span::of(header.value, buffer),
                known: Known::of(header.name.as_bytes()),
                hop: false,
            };
            self.take(field, buffer, &mut facts)?;
        }
        self.conclude(&facts, buffer)
    }

    #[inline]
    fn take(&mut self, mut field: Field, buffer: &[u8], facts: &mut Facts) -> Result<(), Refusal> {
        let value = || field.value.of_buffer(buffer);
        match field.known {
            Known::Other => {}
            Known::Host if facts.host => return Err(Refusal::bad("more than one Host")),
            Known::Host => {
                line::check_authority(value()).ok_or(Refusal::bad("a bad Host"))?;
                self.host = field.value;
                facts.host = true;
            }
            Known::ContentLength if facts.length.is_some() => return Err(Refusal::bad("more than one Content-Length")),
            Known::ContentLength => facts.length = Some(field::content_length(value()).ok_or(Refusal::bad("a bad Content-Length"))?),
            Known::TransferEncoding if facts.chunked || !value().eq_ignore_ascii_case(b"chunked") => {
                return Err(Refusal::bad("a Transfer-Encoding other than chunked"));
            }
            Known::TransferEncoding => facts.chunked = true,
            Known::Connection => facts.connection = true,
            Known::Expect if !value().eq_ignore_ascii_case(b"100-continue") => return Err(Refusal::new(417, "an unknown expectation")),
            Known::Expect => self.expect_continue = true,
            Known::Upgrade => facts.websocket |= field::list(value()).any(|name| name.eq_ignore_ascii_case(b"websocket")),
            Known::Te => self.trailers |= field::list(value()).any(|name| name.eq_ignore_ascii_case(b"trailers")),
            _ => {}
        }
        field.hop = field.known.is_hop_by_hop();
        self.fields.push(field);
        Ok(())
    }

    fn conclude(&mut self, facts: &Facts, buffer: &[u8]) -> Result<(), Refusal> {
        let is_11 = self.version == Version::Http11;
        if !facts.host && is_11 {
            return Err(Refusal::bad("no Host"));
        }
        let first = self.first.as_ref().expect("read before the fields");
        if let Some(authority) = first.authority
            && facts.host
            && !line::same_authority(authority.of_buffer(buffer), self.host.of_buffer(buffer), first.default_port)
        {
            return Err(Refusal::bad("the target and Host disagree"));
        }
        if !facts.host {
            self.host = first.authority.unwrap_or_default();
        }
        self.framing = match (facts.chunked, facts.length) {
            (true, Some(_)) => return Err(Refusal::bad("Content-Length beside Transfer-Encoding")),
            (true, None) if !is_11 => return Err(Refusal::bad("Transfer-Encoding in HTTP/1.0")),
            (true, None) => Framing::Chunked,
            (false, Some(length)) => Framing::Length(length),
            (false, None) => Framing::None,
        };
        let mut connection = Connection::default();
        if facts.connection {
            connection = Connection::read(&mut self.fields, buffer).ok_or(Refusal::bad("Connection names too much"))?;
        }
        self.keep_alive = !connection.close && (is_11 || connection.keep_alive);
        self.expect_continue &= is_11 && !matches!(self.framing, Framing::None | Framing::Length(0));
        let may_upgrade = is_11 && self.method == Method::Get && matches!(self.framing, Framing::None | Framing::Length(0));
        self.websocket = facts.websocket && connection.upgrade && may_upgrade;
        Ok(())
    }
}

const MALFORMED: Refusal = Refusal::bad("a header field is malformed");

fn bad_field(error: httparse::Error) -> Refusal {
    if error == httparse::Error::TooManyHeaders { Refusal::new(431, "too many header fields") } else { MALFORMED }
}

/// What the walk over the fields found.
#[derive(Default)]
struct Facts {
    host: bool,
    connection: bool,
    websocket: bool,
    chunked: bool,
    length: Option<u64>,
}

#[cfg(test)]
mod tests;
