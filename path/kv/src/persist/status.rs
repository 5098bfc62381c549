//! What is known of the files, for those who ask.

use std::time::Instant;

use super::Rules;
use crate::store::Ms;

#[derive(Debug)]
pub(crate) struct Status {
    pub(super) rules: Rules,
    /// The moment of the last base that is in place; that of the start before there is one.
    pub(crate) saved_at: Ms,
    /// Changes up to that moment.
    pub(crate) changes: u64,
    /// Whether the last try succeeded.
    pub(crate) is_ok: bool,
    /// Seconds that the last one took; -1 before the first.
    pub(crate) took: i64,
    /// Since when one goes on.
    pub(crate) since: Option<Instant>,
    /// Tries that succeeded and that failed since the start.
    pub(crate) saves: u64,
    pub(crate) failures: u64,
    /// Bytes of the last base.
    pub(crate) bytes: u64,
    /// Keys that the start has read.
    pub(crate) loaded: u64,
}

impl Status {
    pub(super) fn new(rules: Rules, now: Ms) -> Status {
        let (zero, is_ok) = (0, true);
        let [changes, saves, failures, bytes, loaded] = [zero; 5];
        Status { rules, saved_at: now, changes, is_ok, took: -1, since: None, saves, failures, bytes, loaded }
    }

    /// Whether there is a log.
    pub(crate) fn logs(&self) -> bool {
        self.rules.log.is_some()
    }
}
