use std::ops::Range;
use std::task::{Context, Poll, ready};

use tls::Stream;

/// Runs up to this length are copied behind bytes of ours so that both are one write.
const COPIED: usize = loops::BUFFER_BYTES;

/// Room for bytes of ours that is kept for the next ones.
const KEPT: usize = 64 << 10;

/// Bytes on their way to one side: bytes of ours first, then a run of what came from the other side.
///
/// What comes from the other side lies in its buffer, the source; positions count from the source's first unread byte.
/// As long as nothing is edited nothing is copied.
#[derive(Debug, Default)]
pub(crate) struct Outgoing {
    own: Vec<u8>,
    sent: usize,
    run: Range<usize>,
    decided: usize,
    /// Bytes of ours that go whatever becomes of what follows.
    kept: usize,
    touched: bool,
    /// Bytes written that nobody has counted.
    uncounted: usize,
}

impl Outgoing {
    /// How many bytes of the source were decided on: passed or dropped.
    pub(crate) fn decided(&self) -> usize {
        self.decided
    }

    /// Whether everything is written.
    pub(crate) fn is_written(&self) -> bool {
        self.sent == self.own.len() && self.run.is_empty()
    }

    /// Whether nothing was written yet.
    pub(crate) fn is_untouched(&self) -> bool {
        !self.touched
    }

    /// The next `count` bytes of the source go on as they are.
    pub(crate) fn pass(&mut self, source: &[u8], count: usize) {
        let end = self.decided + count;
        if !self.run.is_empty() && self.run.end == self.decided {
            self.run.end = end;
        } else {
            self.copy(source);
            self.run = self.decided..end;
        }
        self.decided = end;
    }

    /// The next `count` bytes of the source go nowhere.
    pub(crate) fn drop(&mut self, count: usize) {
        self.decided += count;
    }

    /// Bytes of ours go next; `write` appends them.
    pub(crate) fn write(&mut self, source: &[u8], write: impl FnOnce(&mut Vec<u8>)) {
        self.copy(source);
        write(&mut self.own);
    }

    /// Bytes of ours go before the last `count` bytes, if those are all there and begin with `tag`, else behind all.
    pub(crate) fn write_before(&mut self, source: &[u8], tag: u8, count: usize, bytes: &[u8]) {
        self.copy(source);
        let place = self.own.len().checked_sub(count).filter(|place| *place >= self.sent && self.own[*place] == tag);
        let place = place.unwrap_or(self.own.len());
        self.own.splice(place..place, bytes.iter().copied());
    }

    fn copy(&mut self, source: &[u8]) {
        self.own.extend_from_slice(&source[self.run.clone()]);
        self.run = 0..0;
    }

    /// Writes until all is written.
    pub(crate) fn poll_write(&mut self, context: &mut Context<'_>, to: &mut Stream, source: &[u8]) -> Poll<std::io::Result<()>> {
        if self.sent < self.own.len() && self.run.len() <= COPIED {
            self.copy(source);
        }
        while self.sent < self.own.len() {
            let count = ready!(to.poll_write(context, &self.own[self.sent..]))?;
            self.sent += count;
            self.uncounted += count;
            self.touched = true;
        }
        while !self.run.is_empty() {
            let count = ready!(to.poll_write(context, &source[self.run.clone()]))?;
            self.run.start += count;
            self.uncounted += count;
            self.touched = true;
        }
        Poll::Ready(Ok(()))
    }

    /// Bytes written since this was asked last.
    pub(crate) fn count(&mut self) -> u64 {
        std::mem::take(&mut self.uncounted) as u64
    }

    /// All is written and the decided bytes have left the source.
    pub(crate) fn clear(&mut self) {
        if self.own.capacity() > KEPT {
            self.own = Vec::new();
        }
        self.own.clear();
        (self.sent, self.run, self.decided, self.kept, self.touched) = (0, 0..0, 0, 0, false);
    }

    /// What was written so far goes in any case.
    pub(crate) fn keep(&mut self) {
        self.kept = self.own.len();
    }

    /// As it was when [`Outgoing::keep`] was called; nothing of the source that was decided on has left it.
    pub(crate) fn go_back(&mut self) {
        self.own.truncate(self.kept.max(self.sent));
        (self.run, self.decided) = (0..0, 0);
    }

    /// What would be written, for tests of what decides.
    pub(crate) fn written(&self, source: &[u8]) -> Vec<u8> {
        [&self.own[self.sent..], &source[self.run.clone()]].concat()
    }

    /// Whether anything had to be copied, for tests.
    #[cfg(test)]
    pub(crate) fn is_copied(&self) -> bool {
        !self.own.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_only_passed_is_not_copied() {
        let mut out = Outgoing::default();
        out.pass(b"abcdef", 2);
        out.pass(b"abcdef", 3);
        assert_eq!((out.written(b"abcdef"), out.is_copied(), out.decided()), (b"abcde".to_vec(), false, 5));
    }

    #[test]
    fn what_is_dropped_at_the_edges_costs_no_copy() {
        let mut out = Outgoing::default();
        out.drop(1);
        out.pass(b"abcdef", 3);
        out.drop(2);
        assert_eq!((out.written(b"abcdef"), out.is_copied(), out.decided()), (b"bcd".to_vec(), false, 6));
    }

    #[test]
    fn what_comes_before_the_end_is_put_there() {
        let mut out = Outgoing::default();
        out.pass(b"abZc", 4);
        out.write_before(b"abZc", b'Z', 2, b"1");
        assert_eq!(out.written(b"abZc"), b"ab1Zc");
        out.write_before(b"abZc", b'x', 2, b"2");
        assert_eq!(out.written(b"abZc"), b"ab1Zc2");
        out.write_before(b"abZc", b'a', 9, b"3");
        assert_eq!(out.written(b"abZc"), b"ab1Zc23");
    }

    #[test]
    fn what_was_kept_goes_when_the_rest_does_not() {
        let mut out = Outgoing::default();
        out.write(b"", |own| own.extend_from_slice(b"1"));
        out.keep();
        out.write(b"ab", |own| own.extend_from_slice(b"2"));
        out.pass(b"ab", 2);
        out.go_back();
        assert_eq!((out.written(b"ab"), out.decided()), (b"1".to_vec(), 0));
        out.clear();
        out.go_back();
        assert!(out.is_written());
    }

    #[test]
    fn order_survives_every_mixture() {
        let source = b"abcdef";
        let mut out = Outgoing::default();
        out.write(source, |own| own.extend_from_slice(b"1"));
        out.pass(source, 2);
        out.drop(1);
        out.pass(source, 1);
        out.write(source, |own| own.extend_from_slice(b"2"));
        out.pass(source, 2);
        assert_eq!(out.written(source), b"1abd2ef");
        out.clear();
        assert!(out.is_written() && out.decided() == 0);
    }
}
