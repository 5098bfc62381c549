//! Requests in what a client of memcached sent: lines, some with a block of data behind them.
//!
//! Bytes may come in any pieces: what is read does not depend on them. Nothing is copied, and what is too large to be stored is
//! thrown away as it comes.

use memchr::memchr;

use super::request::{Data, Request, read};

/// Bytes of a line, but for those that ask for keys.
const LINE: usize = 2048;
/// Bytes of a line that asks for keys.
const KEYS: usize = 1 << 20;
/// Blanks in front of a long line.
const BLANKS: usize = 100;

/// How far a client's bytes are read.
#[derive(Debug, Default)]
pub(crate) struct Frames {
    /// Bytes of the next line in which its end was looked for.
    seen: usize,
    /// Bytes to come that are thrown away.
    waste: usize,
}

/// What comes next in the bytes of a client.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Step<'b> {
    /// At least so many bytes are missing.
    Needs(usize),
    /// So many bytes are to be thrown away.
    Skip(usize),
    Request(Request<'b>, Taken),
    /// It is no client of memcached.
    Cut,
}

/// Bytes that a request takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Taken {
    /// Of those that are there.
    pub(crate) length: usize,
    /// Behind them, to be thrown away.
    waste: usize,
}

impl Frames {
    /// Looks at what comes next. The bytes of what it gives are to be gone when it is called again, unless it is called for the same.
    pub(crate) fn next<'b>(&mut self, bytes: &'b [u8]) -> Step<'b> {
        if self.waste > 0 && !bytes.is_empty() {
            let count = self.waste.min(bytes.len());
            self.waste -= count;
            return Step::Skip(count);
        }
        let Some(found) = memchr(b'\n', &bytes[self.seen..]) else {
            self.seen = bytes.len();
            return if self.is_too_long(bytes) { Step::Cut } else { Step::Needs(1) };
        };
        let (end, line) = (self.seen + found + 1, &bytes[..self.seen + found]);
        if self.is_too_long(line) {
            return Step::Cut;
        }
        let (request, data) = read(text(line));
        match data {
            Data::None => Step::Request(request, Taken { length: end, waste: 0 }),
            Data::Waste(length) => Step::Request(request, Taken { length: end, waste: length + 2 }),
            Data::Block(length) => match bytes[end..].split_at_checked(length + 2) {
                None => Step::Needs(end + length + 2 - bytes.len()),
                Some((block, _)) => {
                    let (block, ending) = block.split_at(length);
                    Step::Request(request.with_data(block, ending), Taken { length: end + length + 2, waste: 0 })
                }
            },
        }
    }

    /// A request was answered: its bytes are gone when the next is asked for.
    pub(crate) fn took(&mut self, taken: Taken) {
        (self.seen, self.waste) = (0, taken.waste);
    }

    fn is_too_long(&self, line: &[u8]) -> bool {
        if line.len() <= LINE {
            return false;
        }
        let blanks = line.iter().take_while(|byte| **byte == b' ').count();
        let asks = [&b"get "[..], b"gets ", b"gat ", b"gats "].iter().any(|name| line[blanks..].starts_with(name));
        !asks || blanks > BLANKS || line.len() > KEYS
    }
}

/// A line without its end, and without what is behind a zero.
fn text(line: &[u8]) -> &[u8] {
    let line = match line {
        [text @ .., b'\r'] if !text.is_empty() => text,
        _ => line,
    };
    memchr(0, line).map_or(line, |zero| &line[..zero])
}

#[cfg(test)]
mod tests;
