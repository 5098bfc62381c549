//! Requests in what a client sent: lists of bytes with their lengths, or lines.
//!
//! Bytes may come in any pieces: what is read is not read again, and the answer does not depend on the pieces. Nothing is
//! copied but lines (their quotes are taken off), nothing is allocated once the vectors have their size, and no length that
//! a client merely announces takes memory. As Redis, does not look at the two bytes that end bytes or a length.

mod flaw;
mod inline;
mod line;

use std::ops::Range;

use super::args::{Args, Owned, Span};
use flaw::Flaw;

pub(crate) use flaw::Cut;
pub(crate) use inline::words;

/// Spans that are kept when fewer are needed.
const KEPT: usize = 1024;

/// Arguments of a request and bytes of an argument before login.
const STRANGER: (usize, usize) = (10, 16 * 1024);

/// What a client may send.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Limits {
    /// Bytes of one argument (`proto-max-bulk-len`).
    pub(crate) argument: usize,
    /// Bytes of one request (`client-query-buffer-limit`); never more than 4 GB.
    pub(crate) request: usize,
    /// Whether it has logged in, or need not: strangers may send only little. Their requests are to be read one at a time, for
    /// the first may be their login.
    pub(crate) known: bool,
}

impl Default for Limits {
    fn default() -> Limits {
        Limits { argument: 512 << 20, request: 1 << 30, known: true }
    }
}

impl Limits {
    /// Whether a request may be so long.
    fn allow(&self, length: usize) -> bool {
        length <= self.request.min(u32::MAX as usize)
    }
}

/// What lies behind the requests that were read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Rest {
    /// Perhaps more: as many as were asked for have been read.
    More,
    /// Part of a request, or nothing: at least so many bytes are missing.
    Needs(usize),
    /// What ends the connection.
    Cut(Cut),
}

/// The requests read last, and how far the next one has come.
#[derive(Debug, Default)]
pub(crate) struct Requests {
    whole: Vec<Whole>,
    spans: Vec<Span>,
    /// The words of lines.
    words: Vec<u8>,
    open: Open,
}

/// A request that was read.
#[derive(Debug)]
struct Whole {
    /// Its bytes; the spans count from their start. None: they count in `words`.
    bytes: Option<Range<usize>>,
    spans: Range<usize>,
}

/// The request that is not whole yet.
#[derive(Debug, Default)]
struct Open {
    /// Where it starts.
    start: usize,
    /// The first of its spans.
    span: usize,
    /// The next byte to read, from its start.
    at: usize,
    /// Bytes from there on in which a line's end was looked for.
    seen: usize,
    /// Arguments that are missing; zero before they are counted.
    missing: usize,
    /// The length of the argument that begins at `at`, once read.
    argument: Option<usize>,
}

/// How far a request could be read.
enum Step {
    /// To the end of a list, so many bytes from its start.
    List(usize),
    /// To the end of a line, so many bytes from its start.
    Line(usize),
    /// To the end of the bytes: so many more are needed.
    Needs(usize),
    Stop(Flaw),
}

impl Requests {
    /// Reads up to `most` requests. `bytes` are those after `consumed` of the last call, and more. Forgets the requests that
    /// the last call read.
    pub(crate) fn read(&mut self, bytes: &[u8], most: usize, limits: &Limits) -> Rest {
        self.forget();
        while self.whole.len() < most {
            let start = self.open.start;
            match self.one(&bytes[start..], limits) {
                Step::List(length) => self.end(length, Some(start..start + length)),
                Step::Line(length) => self.end(length, None),
                Step::Needs(more) => return Rest::Needs(more),
                Step::Stop(flaw) => {
                    self.restart();
                    return Rest::Cut(flaw.cut());
                }
            }
        }
        Rest::More
    }

    /// How many were read.
    pub(crate) fn len(&self) -> usize {
        self.whole.len()
    }

    /// The arguments, never none, of the request at `index`; `bytes` are those it was read from.
    #[inline]
    pub(crate) fn at<'a>(&'a self, index: usize, bytes: &'a [u8]) -> Args<'a> {
        let whole = &self.whole[index];
        let base = whole.bytes.clone().map_or(&self.words[..], |range| &bytes[range]);
        Args::new(base, &self.spans[whole.spans.clone()])
    }

    /// Bytes up to the end of the last request read. They, and no others, are to be gone when `read` is called again.
    pub(crate) fn consumed(&self) -> usize {
        self.open.start
    }

    /// Takes the request read last out of the bytes it was read from, and what was read before with it. A long one keeps the
    /// bytes as they are, so that nothing is copied.
    pub(crate) fn take_last(&mut self, bytes: &mut Vec<u8>) -> Option<Owned> {
        const LONG: usize = 16 * 1024;
        let whole = self.whole.last()?;
        let owned = match &whole.bytes {
            Some(Range { start: 0, end }) if *end > LONG => {
                let behind = bytes.split_off(*end);
                Owned::taken(std::mem::replace(bytes, behind), &self.spans[whole.spans.clone()])
            }
            _ => {
                let owned = self.at(self.whole.len() - 1, bytes).owned();
                bytes.drain(..self.open.start);
                owned
            }
        };
        self.forget();
        Some(owned)
    }

    /// Panics if more memory is held than `bytes` of input justify. For the fuzzer.
    pub(super) fn check(&self, bytes: usize) {
        assert!(self.words.len() <= bytes && self.spans.len() <= bytes && self.whole.len() <= bytes);
        assert!(self.spans.capacity() <= 4 * KEPT + 2 * bytes && self.whole.capacity() <= 4 * KEPT + 2 * bytes);
    }

    /// Forgets what was read last; the open request comes to the front.
    pub(crate) fn forget(&mut self) {
        match self.spans.len() - self.open.span {
            0 => self.spans.clear(),
            _ => drop(self.spans.drain(..self.open.span)),
        }
        self.open.span = 0;
        self.open.start = 0;
        self.whole.clear();
        self.words.clear();
        self.words.shrink_to(line::LONGEST);
        if self.spans.capacity() > 2 * KEPT.max(self.spans.len()) {
            self.spans.shrink_to(KEPT);
        }
    }

    /// Nothing of the open request has been read.
    fn restart(&mut self) {
        self.spans.truncate(self.open.span);
        self.open = Open { start: self.open.start, span: self.open.span, ..Open::default() };
    }

    /// Reads on in the open request.
    #[inline]
    fn one(&mut self, bytes: &[u8], limits: &Limits) -> Step {
        match bytes.first() {
            Some(b'*') => self.list(bytes, limits),
            Some(_) => self.line(bytes),
            None => Step::Needs(1),
        }
    }

    /// The open request ends after `length` bytes. One without arguments is none.
    #[inline]
    fn end(&mut self, length: usize, bytes: Option<Range<usize>>) {
        let spans = self.open.span..self.spans.len();
        self.open = Open { start: self.open.start + length, span: spans.end, ..Open::default() };
        if !spans.is_empty() {
            self.whole.push(Whole { bytes, spans });
        }
    }
}

/// Lists.
impl Requests {
    /// Reads a list: its count, then the arguments.
    #[inline]
    fn list(&mut self, bytes: &[u8], limits: &Limits) -> Step {
        if self.open.missing == 0 {
            match self.count(bytes, limits) {
                Ok(0) => return Step::List(self.open.at),
                Ok(count) => self.open.missing = count,
                Err(step) => return step,
            }
        }
        while self.open.missing > 0 {
            let length = match self.open.argument.take().map_or_else(|| self.length(bytes, limits), Ok) {
                Ok(length) => length,
                Err(step) => return step,
            };
            let start = self.open.at;
            let after = start + length + 2;
            if after > bytes.len() {
                self.open.argument = Some(length);
                return Step::Needs(after - bytes.len());
            }
            self.spans.push((start as u32, (start + length) as u32)); // no request is longer than 4 GB
            self.open.at = after;
            self.open.missing -= 1;
        }
        Step::List(self.open.at)
    }

    /// The count of a list's arguments. A negative one is none.
    fn count(&mut self, bytes: &[u8], limits: &Limits) -> Result<usize, Step> {
        let count = self.number(bytes, Flaw::Count, Flaw::CountLine)?;
        match usize::try_from(count).unwrap_or(0) {
            count if count > i32::MAX as usize => Err(Step::Stop(Flaw::Count)),
            count if count > STRANGER.0 && !limits.known => Err(Step::Stop(Flaw::StrangersCount)),
            count => Ok(count),
        }
    }

    /// The length of the next argument.
    #[inline]
    fn length(&mut self, bytes: &[u8], limits: &Limits) -> Result<usize, Step> {
        match bytes.get(self.open.at) {
            Some(b'$') => {}
            Some(other) => return Err(Step::Stop(Flaw::Unexpected(*other))),
            None => return Err(Step::Needs(1)),
        }
        let length = self.number(bytes, Flaw::Length, Flaw::LengthLine)?;
        match usize::try_from(length) {
            Ok(length) if length > limits.argument => Err(Step::Stop(Flaw::Length)),
            Ok(length) if length > STRANGER.1 && !limits.known => Err(Step::Stop(Flaw::StrangersLength)),
            Ok(length) if !limits.allow(self.open.at + length + 2) => Err(Step::Stop(Flaw::TooLong)),
            Ok(length) => Ok(length),
            Err(_) => Err(Step::Stop(Flaw::Length)),
        }
    }

    /// The number behind the sigil at `at`, which then is behind the number's line.
    #[inline]
    fn number(&mut self, bytes: &[u8], wrong: Flaw, too_long: Flaw) -> Result<i64, Step> {
        let text = &bytes[self.open.at + 1..];
        let (number, length) = match line::short_number(text) {
            Some(found) => found,
            None => line::number(text, &mut self.open.seen).map_err(|stop| match stop {
                line::Stop::Needs(more) => Step::Needs(more),
                line::Stop::TooLong => Step::Stop(too_long),
                line::Stop::Wrong => Step::Stop(wrong),
            })?,
        };
        self.open.at += 1 + length;
        self.open.seen = 0;
        Ok(number)
    }
}

/// Lines.
impl Requests {
    /// Reads a line and takes it apart.
    fn line(&mut self, bytes: &[u8]) -> Step {
        let end = match line::end(bytes, &mut self.open.seen) {
            Ok(end) => end,
            Err(line::Stop::Needs(more)) => return Step::Needs(more),
            Err(_) => return Step::Stop(Flaw::Line),
        };
        let text = &bytes[..end];
        if inline::split(text.strip_suffix(b"\r").unwrap_or(text), &mut self.words, &mut self.spans).is_err() {
            return Step::Stop(Flaw::Quotes);
        }
        let words = Args::new(&self.words, &self.spans[self.open.span..]);
        if words.is(0, "post") || words.is(0, "host:") {
            return Step::Stop(Flaw::CrossProtocol);
        }
        Step::Line(end + 1)
    }
}

#[cfg(test)]
mod tests;
