//! The script that runs: what others may know of it, and may do to it.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Instant;

use crate::frame::Owned;

#[derive(Debug)]
pub(crate) struct Running {
    /// The digest of a script, or the name of a function.
    pub(crate) name: String,
    /// By EVAL; otherwise by FCALL.
    pub(crate) is_eval: bool,
    /// The command that began it.
    pub(crate) words: Owned,
    pub(crate) began: Instant,
    pub(super) has_written: AtomicBool,
    is_killed: AtomicBool,
    is_late: AtomicBool,
}

impl Running {
    pub(super) fn new(name: &str, is_eval: bool, words: Owned) -> Running {
        Running {
            name: name.into(),
            is_eval,
            words,
            began: Instant::now(),
            has_written: AtomicBool::new(false),
            is_killed: AtomicBool::new(false),
            is_late: AtomicBool::new(false),
        }
    }

    /// It has changed something, and cannot be ended halfway.
    pub(crate) fn has_written(&self) -> bool {
        self.has_written.load(Ordering::Relaxed)
    }

    /// It ends at the next look.
    pub(crate) fn kill(&self) {
        self.is_killed.store(true, Ordering::Relaxed);
    }

    pub(super) fn is_killed(&self) -> bool {
        self.is_killed.load(Ordering::Relaxed)
    }

    /// It has run for so long that others are told so.
    pub(crate) fn is_late(&self) -> bool {
        self.is_late.load(Ordering::Relaxed)
    }

    pub(super) fn be_late(&self) {
        self.is_late.store(true, Ordering::Relaxed);
    }
}
