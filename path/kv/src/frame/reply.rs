//! Answers, written as the client's protocol has them.

use super::number::{digits, int_text, write_double, write_human};
use crate::error::Fault;

/// What a client has chosen with HELLO.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) enum Protocol {
    /// Lists, texts and integers only.
    #[default]
    Resp2,
    /// Maps, sets, doubles and more.
    Resp3,
}

/// Where answers are written to, and how.
#[derive(Debug)]
pub(crate) struct Reply<'r> {
    out: &'r mut Vec<u8>,
    protocol: Protocol,
}

/// The place of a count that is known only when what it counts is written.
#[must_use = "an answer with a hole is no answer"]
#[derive(Debug)]
pub(crate) struct Hole {
    at: usize,
    reserved: usize,
}

impl<'r> Reply<'r> {
    /// Appends to `out`.
    pub(crate) fn new(out: &'r mut Vec<u8>, protocol: Protocol) -> Reply<'r> {
        Reply { out, protocol }
    }

    /// The client's protocol.
    pub(crate) fn protocol(&self) -> Protocol {
        self.protocol
    }

    /// How HELLO and RESET change it.
    pub(crate) fn set_protocol(&mut self, protocol: Protocol) {
        self.protocol = protocol;
    }

    /// Bytes written so far.
    pub(crate) fn written(&self) -> usize {
        self.out.len()
    }

    /// Takes back all that was written since `written` said this.
    pub(crate) fn undo(&mut self, written: usize) {
        self.out.truncate(written);
    }

    /// What is already written as an answer.
    pub(crate) fn raw(&mut self, bytes: &[u8]) {
        self.out.extend_from_slice(bytes);
    }

    /// Done.
    pub(crate) fn ok(&mut self) {
        self.raw(b"+OK\r\n");
    }

    /// A word without line ends.
    pub(crate) fn simple(&mut self, text: &str) {
        self.out.push(b'+');
        self.raw(text.as_bytes());
        self.raw(b"\r\n");
    }

    /// A failure, its line ends made blanks.
    pub(crate) fn error(&mut self, fault: &Fault) {
        self.out.push(b'-');
        self.out.extend(fault.0.bytes().map(|byte| if matches!(byte, b'\r' | b'\n') { b' ' } else { byte }));
        self.raw(b"\r\n");
    }

    /// An integer.
    #[inline]
    pub(crate) fn int(&mut self, value: i64) {
        match u64::try_from(value) {
            Ok(value) => self.header(b':', value),
            Err(_) => {
                self.raw(b":-");
                self.line(value.unsigned_abs());
            }
        }
    }

    /// Bytes.
    #[inline]
    pub(crate) fn bulk(&mut self, bytes: &[u8]) {
        self.out.reserve(bytes.len() + 16);
        self.header(b'$', bytes.len() as u64);
        self.raw(bytes);
        self.raw(b"\r\n");
    }

    /// An integer as bytes.
    pub(crate) fn bulk_int(&mut self, value: i64) {
        self.bulk(int_text(value, &mut [0; 20]));
    }

    /// Nothing, where there could be bytes.
    #[inline]
    pub(crate) fn null(&mut self) {
        match self.protocol {
            Protocol::Resp2 => self.raw(b"$-1\r\n"),
            Protocol::Resp3 => self.raw(b"_\r\n"),
        }
    }

    /// Nothing, where there could be a list.
    pub(crate) fn null_array(&mut self) {
        match self.protocol {
            Protocol::Resp2 => self.raw(b"*-1\r\n"),
            Protocol::Resp3 => self.raw(b"_\r\n"),
        }
    }

    /// A list of `count` answers, which follow.
    pub(crate) fn array(&mut self, count: usize) {
        self.header(b'*', count as u64);
    }

    /// A map of `pairs`, which follow.
    pub(crate) fn map(&mut self, pairs: usize) {
        match self.protocol {
            Protocol::Resp2 => self.header(b'*', pairs as u64 * 2),
            Protocol::Resp3 => self.header(b'%', pairs as u64),
        }
    }

    /// A set of `count` answers, which follow.
    pub(crate) fn set(&mut self, count: usize) {
        self.aggregate(b'~', count);
    }

    /// What the client did not ask for: `count` answers, which follow.
    pub(crate) fn push(&mut self, count: usize) {
        self.aggregate(b'>', count);
    }

    /// Says `pairs` about the answer behind them; RESP2 has no way to.
    pub(crate) fn attribute(&mut self, pairs: usize) {
        assert_eq!(self.protocol, Protocol::Resp3, "only RESP3 has attributes");
        self.header(b'|', pairs as u64);
    }

    /// A number with 17 digits.
    pub(crate) fn double(&mut self, value: f64) {
        self.number(|out| write_double(value, out));
    }

    /// A number with 17 decimals and no exponent, as of GEOPOS.
    pub(crate) fn human(&mut self, value: f64) {
        self.number(|out| write_human(value, out));
    }

    /// True or false; RESP2 says 1 or 0.
    pub(crate) fn bool(&mut self, value: bool) {
        match (self.protocol, value) {
            (Protocol::Resp2, true) => self.raw(b":1\r\n"),
            (Protocol::Resp2, false) => self.raw(b":0\r\n"),
            (Protocol::Resp3, true) => self.raw(b"#t\r\n"),
            (Protocol::Resp3, false) => self.raw(b"#f\r\n"),
        }
    }

    /// A text for people; `kind` has three letters, as `txt`.
    pub(crate) fn verbatim(&mut self, kind: &str, text: &[u8]) {
        if self.protocol == Protocol::Resp2 {
            return self.bulk(text);
        }
        debug_assert_eq!(kind.len(), 3, "a kind has three letters");
        self.header(b'=', text.len() as u64 + 4);
        self.raw(kind.as_bytes());
        self.out.push(b':');
        self.raw(text);
        self.raw(b"\r\n");
    }

    /// An integer of any length, in digits.
    pub(crate) fn big_number(&mut self, number: &[u8]) {
        if self.protocol == Protocol::Resp2 {
            return self.bulk(number);
        }
        self.out.push(b'(');
        self.raw(number);
        self.raw(b"\r\n");
    }
}

/// Counts that are known late.
impl Reply<'_> {
    /// A place for a count, written by `fill`. If `guess` has as many digits as the count (and what holds it), nothing moves then.
    pub(crate) fn later(&mut self, guess: usize) -> Hole {
        let at = self.out.len();
        self.header(b'*', guess as u64);
        Hole { at, reserved: self.out.len() - at }
    }

    /// What was written since is a list of `count`.
    pub(crate) fn fill(&mut self, hole: Hole, count: usize) {
        self.fill_with(hole, |reply| reply.array(count));
    }

    /// What was written since is a set of `count`.
    pub(crate) fn fill_set(&mut self, hole: Hole, count: usize) {
        self.fill_with(hole, |reply| reply.set(count));
    }

    /// What was written since is a map of `pairs`.
    pub(crate) fn fill_map(&mut self, hole: Hole, pairs: usize) {
        self.fill_with(hole, |reply| reply.map(pairs));
    }

    /// Writes the header at the end, then puts it in the hole: what follows moves only if its length is not the guessed one.
    fn fill_with(&mut self, hole: Hole, write: impl FnOnce(&mut Self)) {
        let end = self.out.len();
        write(self);
        let mut header = [0; 24];
        let length = self.out.len() - end;
        header[..length].copy_from_slice(&self.out[end..]);
        self.out.truncate(end);
        if length == hole.reserved {
            self.out[hole.at..hole.at + length].copy_from_slice(&header[..length]);
        } else {
            self.out.splice(hole.at..hole.at + hole.reserved, header[..length].iter().copied());
        }
    }
}

/// What the rest is made of.
impl Reply<'_> {
    /// An aggregate that is a list in RESP2.
    fn aggregate(&mut self, sigil: u8, count: usize) {
        let sigil = if self.protocol == Protocol::Resp2 { b'*' } else { sigil };
        self.header(sigil, count as u64);
    }

    /// A number: bytes in RESP2.
    fn number(&mut self, write: impl FnOnce(&mut Vec<u8>)) {
        if self.protocol == Protocol::Resp3 {
            self.out.push(b',');
            write(self.out);
            return self.raw(b"\r\n");
        }
        let at = self.out.len();
        self.raw(b"$0\r\n");
        let start = self.out.len();
        write(self.out);
        match self.out.len() - start {
            length @ 0..10 => self.out[at + 1] += length as u8,
            length => self.fill_with(Hole { at, reserved: start - at }, |reply| reply.header(b'$', length as u64)),
        }
        self.raw(b"\r\n");
    }

    /// A sigil and a number. Short ones, which most are, are written with one store.
    #[inline]
    fn header(&mut self, sigil: u8, value: u64) {
        let digit = |value: u64| b'0' + (value % 10) as u8;
        match value {
            0..10 => self.raw(&[sigil, digit(value), b'\r', b'\n']),
            10..100 => self.raw(&[sigil, digit(value / 10), digit(value), b'\r', b'\n']),
            100..1000 => self.raw(&[sigil, digit(value / 100), digit(value / 10), digit(value), b'\r', b'\n']),
            _ => {
                self.out.push(sigil);
                self.line(value);
            }
        }
    }

    /// A number and the end of its line.
    fn line(&mut self, value: u64) {
        let mut text = [0; 20];
        let start = digits(value, &mut text);
        self.raw(&text[start..]);
        self.raw(b"\r\n");
    }
}

#[cfg(test)]
mod tests;
