//! Reads a chunked body (RFC 9112 7.1) piece by piece, strictly, of a request or of an answer.
//! It copies no data: it tells where the data lies, so that the relay can frame it anew. Extensions are dropped,
//! trailers kept when they may be forwarded.

use super::field::{is_token_byte, is_value_byte};
use super::known::Known;
use std::ops::Range;

/// Digits of a chunk's size: up to 2^60 - 1, leading zeros included.
const MOST_DIGITS: u8 = 15;
/// Bytes of all extensions of a body.
const MOST_EXTENSION: u32 = 16 << 10;
/// Bytes of all trailer lines of a body.
const MOST_TRAILER: usize = 8 << 10;

/// What stands in a chunked body that has no single reading, or too much of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BadChunk(
    /// For people; holds nothing of the body.
    pub &'static str,
);

/// What `scan` found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Piece {
    /// Data of the body, a place in the scanned bytes; never empty. Call again with the rest.
    Data(Range<usize>),
    /// Everything was taken and the body goes on: read more.
    More,
    /// The body ended; what follows belongs to the next message. `trailers` are complete.
    End,
}

/// The state of one chunked body.
#[derive(Debug, Default)]
pub struct ChunkScanner {
    state: State,
    size: u64,
    digits: u8,
    extension: u32,
    trailer: Vec<u8>,
    /// Where the present line begins in `trailer`.
    line: usize,
    /// Bytes of all trailer lines, kept or not.
    trailer_seen: usize,
}

#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
enum State {
    #[default]
    Size,
    /// After `;`: a name must follow.
    ExtensionStart,
    Extension,
    SizeFeed,
    Data,
    DataReturn,
    DataFeed,
    Trailer,
    TrailerFeed,
    End,
}

impl ChunkScanner {
    /// Ready for the next body; keeps its memory.
    pub fn clear(&mut self) {
        let ChunkScanner { state, size, digits, extension, trailer, line, trailer_seen } = self;
        trailer.clear();
        (*state, *size, *digits, *extension, *line, *trailer_seen) = (State::default(), 0, 0, 0, 0, 0);
    }

    /// Reads on in `bytes`, which begin where the last call's `.0` (bytes taken) ended. Call until `More` or `End`; a
    /// connection whose body is bad is closed.
    pub fn scan(&mut self, bytes: &[u8]) -> Result<(usize, Piece), BadChunk> {
        let mut at = 0;
        while at < bytes.len() && self.state != State::End {
            if self.state == State::Data {
                let length = self.size.min((bytes.len() - at) as u64) as usize;
                self.skip(length as u64);
                return Ok((at + length, Piece::Data(at..at + length)));
            }
            at += self.step(&bytes[at..])?;
        }
        Ok((at, if self.state == State::End { Piece::End } else { Piece::More }))
    }

    /// Bytes of the present chunk that have not come yet; they may be moved without `scan` (splice), then told by `skip`.
    pub fn data_left(&self) -> u64 {
        if self.state == State::Data { self.size } else { 0 }
    }

    /// `length` bytes of data, at most `data_left`, went past outside of `scan`.
    pub fn skip(&mut self, length: u64) {
        debug_assert!(length <= self.data_left(), "no more than the chunk holds");
        self.size -= length;
        if self.size == 0 {
            self.state = State::DataReturn;
        }
    }

    /// Trailer fields that may be forwarded, each line `name: value\r\n` as written; empty without any. Valid after `End`.
    pub fn trailers(&self) -> &[u8] {
        &self.trailer
    }

    /// Takes at least one byte of `bytes`, which are not empty.
    #[inline]
    fn step(&mut self, bytes: &[u8]) -> Result<usize, BadChunk> {
        let byte = bytes[0];
        self.state = match self.state {
            State::Size => return self.size_line(bytes),
            State::ExtensionStart | State::Extension => return self.extension(bytes),
            State::SizeFeed => self.after_size(byte)?,
            State::DataReturn => expect(byte, b'\r', State::DataFeed)?,
            State::DataFeed => {
                (self.size, self.digits) = (0, 0);
                expect(byte, b'\n', State::Size)?
            }
            State::Trailer => return self.trailer_bytes(bytes),
            State::TrailerFeed => self.trailer_line(byte)?,
            State::Data | State::End => return Ok(0),
        };
        Ok(1)
    }

    fn size_line(&mut self, bytes: &[u8]) -> Result<usize, BadChunk> {
        for (at, &byte) in bytes.iter().enumerate() {
            if let Some(digit) = (byte as char).to_digit(16) {
                self.digits += 1;
                if self.digits > MOST_DIGITS {
                    return Err(BadChunk("a chunk size has too many digits"));
                }
                self.size = self.size << 4 | u64::from(digit);
                continue;
            }
            self.state = match byte {
                _ if self.digits == 0 => return Err(BadChunk("a chunk without a size")),
                b'\r' => State::SizeFeed,
                b';' => State::ExtensionStart,
                _ => return Err(BadChunk("a chunk size that is not hexadecimal")),
            };
            return Ok(at + 1);
        }
        Ok(bytes.len())
    }

    fn extension(&mut self, bytes: &[u8]) -> Result<usize, BadChunk> {
        for (at, &byte) in bytes.iter().enumerate() {
            self.extension += 1;
            if self.extension > MOST_EXTENSION {
                return Err(BadChunk("chunk extensions are too long"));
            }
            self.state = match (self.state, byte) {
                (State::ExtensionStart, b' ' | b'\t') => State::ExtensionStart,
                (State::ExtensionStart, _) if is_token_byte(byte) => State::Extension,
                (State::Extension, b';') => State::ExtensionStart,
                (State::Extension, b'\r') => State::SizeFeed,
                (State::Extension, _) if is_value_byte(byte) => State::Extension,
                _ => return Err(BadChunk("a malformed chunk extension")),
            };
            if self.state == State::SizeFeed {
                return Ok(at + 1);
            }
        }
        Ok(bytes.len())
    }

    fn after_size(&mut self, byte: u8) -> Result<State, BadChunk> {
        expect(byte, b'\n', if self.size == 0 { State::Trailer } else { State::Data })
    }

    /// Collects a trailer line up to its CR.
    fn trailer_bytes(&mut self, bytes: &[u8]) -> Result<usize, BadChunk> {
        let end = memchr::memchr2(b'\r', b'\n', bytes).unwrap_or(bytes.len());
        self.trailer_seen += bytes.len().min(end + 1);
        if self.trailer_seen > MOST_TRAILER {
            return Err(BadChunk("trailers are too long"));
        }
        self.trailer.extend_from_slice(&bytes[..end]);
        if end == bytes.len() {
            return Ok(end);
        }
        self.state = expect(bytes[end], b'\r', State::TrailerFeed)?;
        Ok(end + 1)
    }

    fn trailer_line(&mut self, byte: u8) -> Result<State, BadChunk> {
        expect(byte, b'\n', State::Trailer)?;
        let line = &self.trailer[self.line..];
        if line.is_empty() {
            return Ok(State::End);
        }
        if read_trailer(line)?.is_barred_from_trailers() {
            self.trailer.truncate(self.line);
        } else {
            self.trailer.extend_from_slice(b"\r\n");
        }
        self.line = self.trailer.len();
        Ok(State::Trailer)
    }
}

fn expect(byte: u8, expected: u8, next: State) -> Result<State, BadChunk> {
    if byte == expected { Ok(next) } else { Err(BadChunk("CR LF is missing or out of place in a chunked body")) }
}

fn read_trailer(line: &[u8]) -> Result<Known, BadChunk> {
    const BAD: BadChunk = BadChunk("a malformed trailer");
    let colon = memchr::memchr(b':', line).filter(|&colon| colon > 0).ok_or(BAD)?;
    let (name, value) = (&line[..colon], &line[colon + 1..]);
    if !name.iter().all(|&byte| is_token_byte(byte)) || !value.iter().all(|&byte| is_value_byte(byte)) {
        return Err(BAD);
    }
    Ok(Known::of(name))
}

#[cfg(test)]
mod tests;
