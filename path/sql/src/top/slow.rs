use std::fmt::{self, Display, Formatter};
use std::time::{Duration, Instant};

use super::Top;
use crate::server::Key;

/// Lines that a loop writes in a second at most.
const LINES: u32 = 10;

/// What one loop said of slow statements in the present second.
#[derive(Debug, Default)]
pub(super) struct SlowLog {
    since: Option<Instant>,
    lines: u32,
    unsaid: u64,
}

/// A statement that took long.
#[derive(Debug)]
pub(super) struct Slow<'a> {
    pub(super) elapsed: Duration,
    pub(super) rows: u64,
    pub(super) failed: bool,
    pub(super) whose: &'a Key,
    pub(super) text: &'a str,
}

impl SlowLog {
    /// One line, unless there were too many; those that were not said are counted in the next one.
    pub(super) fn tell(&mut self, top: &Top, now: Instant, slow: &Slow<'_>) {
        if self.since.is_none_or(|since| now.saturating_duration_since(since) >= Duration::from_secs(1)) {
            (self.since, self.lines) = (Some(now), 0);
        }
        if self.lines == LINES {
            self.unsaid += 1;
            return;
        }
        self.lines += 1;
        let unsaid = match std::mem::take(&mut self.unsaid) {
            0 => String::new(),
            more => format!(" ({more} more before it were not said)"),
        };
        top.log.warning("sql", &format!("{}: {slow}{unsaid}", top.door));
    }
}

impl Display for Slow<'_> {
    fn fmt(&self, out: &mut Formatter<'_>) -> fmt::Result {
        let (seconds, rows, failed) = (self.elapsed.as_secs_f64(), self.rows, if self.failed { ", failed" } else { "" });
        let text = if self.text.is_empty() { "(one of very many statements)" } else { self.text };
        write!(out, "slow, {seconds:.3} s, {rows} rows{failed}, {} on {}: {text}", self.whose.user, self.whose.database)
    }
}
