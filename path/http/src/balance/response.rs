//! Reads the head of an app's answer, strictly: what has no single reading is a `BadResponse`, answered with 502.
//! As with requests, everything found is a place in the connection's buffer and the value is reused.

use crate::accept::field::{self, Connection, Field, Span, is_value_byte};
use crate::accept::head_end::HeadEnd;
use crate::accept::{Framing, HeadBounds, Known, MOST_FIELDS, Progress, Version};
use std::mem::MaybeUninit;

/// What the request was, as far as it decides how the answer is framed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Asked {
    /// The method was HEAD: no body whatever the fields say.
    pub head: bool,
    /// `Upgrade: websocket` was forwarded: 101 is a possible answer.
    pub websocket: bool,
}

/// An answer that cannot be understood; the connection to the app is closed and the client gets 502.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BadResponse(
    /// For people; holds nothing of the answer.
    pub &'static str,
);

/// The head of an answer. The places are counted from the first byte of the buffer given to `parse`.
#[derive(Debug, Default)]
pub struct ResponseHead {
    /// 100 to 999.
    pub status: u16,
    /// The reason phrase, often empty.
    pub reason: Span,
    /// The app's version.
    pub version: Version,
    /// How the body is framed.
    pub framing: Framing,
    /// `Content-Length` as said, also where there is no body (HEAD, 304); absent for 1xx and 204, where it means nothing.
    pub content_length: Option<u64>,
    /// The connection to the app may be used again after the body.
    pub keep_alive: bool,
    /// 101 to a WebSocket request: from here on bytes are copied both ways.
    pub switches: bool,
    /// All fields in their order; a repeated `Content-Length` and those for the connection only are marked `hop`.
    pub fields: Vec<Field>,
    end: HeadEnd,
    length: usize,
}

impl ResponseHead {
    /// Ready for the next head: forgets everything but its memory.
    pub fn clear(&mut self) {
        let mut fields = std::mem::take(&mut self.fields);
        fields.clear();
        *self = ResponseHead { fields, ..ResponseHead::default() };
    }

    /// Reads a head from the start of `buffer`; the contract of `RequestHead::parse`. After an interim answer
    /// (`is_interim`) call `clear` and parse the next head behind it.
    pub fn parse(&mut self, buffer: &[u8], bounds: &HeadBounds, asked: Asked) -> Result<Progress, BadResponse> {
        let within = &buffer[..buffer.len().min(bounds.head)];
        let end = self.end.find(within).map_err(|_| BadResponse("a line of the head does not end in CR LF"))?;
        if self.end.start() > 0 || !looks_like_http(within) {
            return Err(BadResponse("a malformed status line"));
        }
        match end {
            None if within.len() == bounds.head => Err(BadResponse("the head is too long")),
            None => Ok(Progress::Partial),
            Some(length) => {
                self.length = length;
                self.read_all(&buffer[..length], bounds, asked)?;
                Ok(Progress::Whole(length))
            }
        }
    }

    /// Bytes of the head with its empty line, once `Whole`.
    pub fn len(&self) -> usize {
        self.length
    }

    /// 1xx but not 101: another head follows.
    pub fn is_interim(&self) -> bool {
        self.status < 200 && self.status != 101
    }

    fn read_all(&mut self, buffer: &[u8], bounds: &HeadBounds, asked: Asked) -> Result<(), BadResponse> {
        self.read_status(buffer)?;
        let mut space = [const { MaybeUninit::uninit() }; MOST_FIELDS];
        let mut response = httparse::Response::new(&mut []);
        let config = httparse::ParserConfig::default();
        let parsed = config.parse_response_with_uninit_headers(&mut response, buffer, &mut space[..bounds.fields.min(MOST_FIELDS)]);
        match parsed {
            Ok(httparse::Status::Complete(length)) if length == buffer.len() => {}
            Err(httparse::Error::TooManyHeaders) => return Err(BadResponse("too many header fields")),
            _ => return Err(BadResponse("a header field is malformed")),
        }
        self.fields.clear();
        let mut facts = Facts::default();
        for header in response.headers.iter() {
            let name = header.name.as_bytes();
            let field = Field { name: Span::of(name, buffer), value: Span::of(header.value, buffer), known: Known::of(name), hop: false };
            self.take(field, buffer, &mut facts)?;
        }
        self.conclude(&facts, asked, buffer)
    }

    fn read_status(&mut self, buffer: &[u8]) -> Result<(), BadResponse> {
        const BAD: BadResponse = BadResponse("a malformed status line");
        let end = memchr::memchr(b'\r', buffer).ok_or(BAD)?;
        let line = &buffer[..end];
        self.version = match line.get(..9) {
            Some(b"HTTP/1.1 ") => Version::Http11,
            Some(b"HTTP/1.0 ") => Version::Http10,
            _ => return Err(BAD),
        };
        let digits = line.get(9..12).filter(|digits| digits.iter().all(u8::is_ascii_digit)).ok_or(BAD)?;
        self.status = digits.iter().fold(0, |sum, digit| sum * 10 + u16::from(digit - b'0'));
        let reason = match &line[12..] {
            [] => 12,
            [b' ', ..] => 13,
            _ => return Err(BAD),
        };
        self.reason = Span::new(reason, end);
        let is_good = self.status >= 100 && line[reason..].iter().all(|&byte| is_value_byte(byte));
        is_good.then_some(()).ok_or(BAD)
    }

    #[inline]
    fn take(&mut self, mut field: Field, buffer: &[u8], facts: &mut Facts) -> Result<(), BadResponse> {
        let value = field.value.of_buffer(buffer);
        field.hop = field.known.is_hop_by_hop();
        match field.known {
            Known::ContentLength => {
                let length = field::content_length(value).ok_or(BadResponse("a bad Content-Length"))?;
                field.hop = facts.length.is_some();
                if facts.length.is_some_and(|before| before != length) {
                    return Err(BadResponse("Content-Lengths that differ"));
                }
                facts.length = Some(length);
            }
            Known::TransferEncoding if facts.chunked || !value.eq_ignore_ascii_case(b"chunked") => {
                return Err(BadResponse("a Transfer-Encoding other than chunked"));
            }
            Known::TransferEncoding => facts.chunked = true,
            Known::Connection => facts.connection = true,
            Known::Upgrade => facts.websocket |= value.eq_ignore_ascii_case(b"websocket"),
            _ => {}
        }
        self.fields.push(field);
        Ok(())
    }

    fn conclude(&mut self, facts: &Facts, asked: Asked, buffer: &[u8]) -> Result<(), BadResponse> {
        let mut connection = Connection::default();
        if facts.connection {
            connection = Connection::read(&mut self.fields, buffer).ok_or(BadResponse("Connection names too much"))?;
        }
        if facts.chunked && facts.length.is_some() {
            return Err(BadResponse("Content-Length beside Transfer-Encoding"));
        }
        if facts.chunked && self.version == Version::Http10 {
            return Err(BadResponse("Transfer-Encoding in HTTP/1.0"));
        }
        if self.status == 101 {
            self.switches = asked.websocket && facts.websocket && connection.upgrade;
            if !self.switches {
                return Err(BadResponse("101 to a request that did not ask for it"));
            }
        }
        let is_bodiless = self.status < 200 || self.status == 204;
        self.content_length = facts.length.filter(|_| !is_bodiless);
        self.framing = match (facts.chunked, facts.length) {
            _ if asked.head || is_bodiless || self.status == 304 => Framing::None,
            (true, _) => Framing::Chunked,
            (false, Some(length)) => Framing::Length(length),
            (false, None) => Framing::Close,
        };
        let wants = !connection.close && (self.version == Version::Http11 || connection.keep_alive);
        self.keep_alive = wants && self.framing != Framing::Close && !self.switches;
        Ok(())
    }
}

/// Whether what has come of the status line can become one, so that an app that speaks something else is found out at once.
fn looks_like_http(bytes: &[u8]) -> bool {
    let length = bytes.len().min(7);
    bytes[..length] == b"HTTP/1."[..length]
}

/// What the walk over the fields found.
#[derive(Default)]
struct Facts {
    connection: bool,
    websocket: bool,
    chunked: bool,
    length: Option<u64>,
}

#[cfg(test)]
mod tests;
