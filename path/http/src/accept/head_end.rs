//! Finds where a head ends while its bytes arrive, however slowly: every byte is looked at once.

/// How far the search has come; kept between reads of one head.
#[derive(Debug, Clone, Copy, Default)]
pub struct HeadEnd {
    /// Bytes already searched.
    searched: usize,
    /// First byte of the line that `searched` is in.
    line: usize,
    /// First byte of the head, after an empty line before it.
    start: usize,
}

/// A line feed without a carriage return before it, or more than one empty line before the head.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BadLine;

impl HeadEnd {
    /// Where the head starts: 0, or 2 after an empty line (RFC 9112 2.2).
    #[inline]
    pub fn start(&self) -> usize {
        self.start
    }

    /// Whether the first line is complete.
    pub fn has_first_line(&self) -> bool {
        self.line > self.start
    }

    /// One past the head's last byte in `buffer`, or `None` as long as it is not all there. `buffer` holds what it held
    /// at the last call and what came since.
    #[inline]
    pub fn find(&mut self, buffer: &[u8]) -> Result<Option<usize>, BadLine> {
        let from = self.searched.min(buffer.len());
        for feed in memchr::memchr_iter(b'\n', &buffer[from..]) {
            let feed = from + feed;
            if feed == 0 || buffer[feed - 1] != b'\r' {
                return Err(BadLine);
            }
            let is_empty = feed - self.line == 1;
            self.line = feed + 1;
            if !is_empty {
                continue;
            }
            if feed + 1 - self.start > 2 {
                return Ok(Some(feed + 1));
            }
            if self.start > 0 {
                return Err(BadLine);
            }
            self.start = 2;
        }
        self.searched = buffer.len();
        Ok(None)
    }
}
