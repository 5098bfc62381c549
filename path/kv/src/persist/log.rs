//! The log: what commands did, in the order in which they did it, on its way to the disk.
//!
//! Commands add to a buffer while they hold their keys. A thread writes it, in blocks, and says up to where it is safe; the answers of
//! those who wrote wait for that (under `always` until it is on the disk), so that many share one wait for the disk and no loop waits.

mod thread;

pub(super) use thread::run;

use std::collections::VecDeque;
use std::pin::pin;
use std::sync::atomic::{AtomicBool, AtomicU8, AtomicU64, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};

use tokio::sync::Notify;

use super::file::LogFile;
use crate::plan::Fsync;
use crate::store::Ms;

/// Bytes that may wait to be written; more make writers wait.
const BACKLOG: u64 = 64 << 20;
/// Bytes in front of what a unit says: when it was done, and how long it is.
pub(super) const UNIT_HEAD: usize = 12;

/// In front of what was said at `now`.
fn unit_head(now: Ms, length: usize) -> [u8; UNIT_HEAD] {
    let mut head = [0; UNIT_HEAD];
    head[..6].copy_from_slice(&now.to_le_bytes()[..6]);
    head[6..].copy_from_slice(&(length as u64).to_le_bytes()[..6]);
    head
}

/// As the log has it.
#[cfg(test)]
pub(crate) fn unit(now: Ms, said: &[u8]) -> Vec<u8> {
    if said.is_empty() { Vec::new() } else { [&unit_head(now, said.len())[..], said].concat() }
}

/// What commands and the thread share.
#[derive(Debug)]
pub(crate) struct Log {
    state: Mutex<State>,
    /// The thread has something to do.
    wake: Condvar,
    /// Somebody waits for the thread.
    heard: Notify,
    /// Bytes that were safe so far.
    safe: AtomicU64,
    sync: AtomicU8,
    is_broken: AtomicBool,
    /// The generation of the base in place, and that of the oldest one with which all that is logged now counts.
    base: AtomicU64,
    needed: AtomicU64,
    /// Bytes of all files since the last base.
    written: AtomicU64,
}

#[derive(Debug, Default)]
struct State {
    parts: VecDeque<Part>,
    /// Bytes that were added since the start.
    end: u64,
    /// What was written may have become safe.
    looks: bool,
    ends: bool,
    /// Why the last write failed.
    trouble: Option<String>,
}

/// What is to be written, in order.
#[derive(Debug)]
enum Part {
    Bytes(Vec<u8>),
    /// What follows goes here.
    File(Option<LogFile>),
}

impl State {
    /// Whether nothing more has to be written to the file that is open: a base has what is not, or will.
    fn is_over(&self) -> bool {
        self.ends || self.parts.iter().any(|part| matches!(part, Part::File(_)))
    }
}

const SYNCS: [Fsync; 3] = [Fsync::Always, Fsync::EverySecond, Fsync::No];

impl Log {
    /// One that has no file yet.
    pub(super) fn new() -> Arc<Log> {
        Arc::new(Log {
            state: Mutex::default(),
            wake: Condvar::new(),
            heard: Notify::new(),
            safe: AtomicU64::new(0),
            sync: AtomicU8::new(Fsync::EverySecond as u8),
            is_broken: AtomicBool::new(false),
            base: AtomicU64::new(0),
            needed: AtomicU64::new(0),
            written: AtomicU64::new(0),
        })
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// When it waits for the disk.
    pub(super) fn sync(&self) -> Fsync {
        SYNCS[usize::from(self.sync.load(Ordering::Relaxed))]
    }

    pub(super) fn set_sync(&self, sync: Fsync) {
        self.sync.store(sync as u8, Ordering::Relaxed);
    }

    /// Adds what was done at `now`, as [`Outcome::said`](crate::store::Outcome) has it; gives where it ends, for [`Log::holds`].
    pub(crate) fn append(&self, now: Ms, said: &[u8]) -> u64 {
        let mut state = self.state();
        let is_first = state.parts.is_empty();
        if !matches!(state.parts.back(), Some(Part::Bytes(_))) {
            state.parts.push_back(Part::Bytes(Vec::new()));
        }
        if let Some(Part::Bytes(bytes)) = state.parts.back_mut() {
            bytes.extend_from_slice(&unit_head(now, said.len()));
            bytes.extend_from_slice(said);
        }
        state.end += (UNIT_HEAD + said.len()) as u64;
        let end = state.end;
        drop(state);
        if is_first {
            self.wake.notify_one();
        }
        end
    }

    /// Where the last one ends.
    pub(crate) fn end(&self) -> u64 {
        self.state().end
    }

    /// What is added from now on goes to `file`, or nowhere.
    pub(super) fn turn_to(&self, file: Option<LogFile>) {
        self.state().parts.push_back(Part::File(file));
        self.wake.notify_one();
    }

    /// Waits until all up to `end` is safe, as `always` means it, or until there is room for more. Whether it is: not if it cannot be
    /// written.
    pub(crate) async fn holds(&self, end: u64) -> bool {
        loop {
            let wanted = if self.sync() == Fsync::Always { end } else { end.saturating_sub(BACKLOG) };
            if self.is_safe(wanted) {
                return true;
            }
            let mut heard = pin!(self.heard.notified());
            // What is heard from here on counts.
            heard.as_mut().enable();
            if self.is_safe(wanted) {
                return true;
            }
            if self.is_broken() {
                return false;
            }
            heard.await;
        }
    }

    #[inline]
    fn is_safe(&self, end: u64) -> bool {
        end == 0 || self.safe.load(Ordering::Acquire) >= end
    }

    /// Whether it cannot be written: writes are refused until it can.
    pub(crate) fn is_broken(&self) -> bool {
        self.is_broken.load(Ordering::Acquire)
    }

    /// What is logged counts only with a base of this generation, or a newer one.
    pub(super) fn needs(&self, generation: u64) {
        self.needed.fetch_max(generation, Ordering::AcqRel);
    }

    /// Whether there is no such base yet.
    pub(super) fn needs_base(&self) -> bool {
        self.base.load(Ordering::Acquire) < self.needed.load(Ordering::Acquire)
    }

    /// This base is in place, since which so many bytes are written. Whether that mends the log, which may have ended with it.
    pub(super) fn has_base(&self, generation: u64, written: u64, goes_on: bool) -> bool {
        self.base.store(generation, Ordering::Release);
        self.written.store(written, Ordering::Relaxed);
        if !goes_on {
            self.needed.store(0, Ordering::Release);
        }
        let is_news = self.works();
        self.state().looks = true;
        self.wake.notify_one();
        is_news
    }

    /// Why it cannot.
    pub(crate) fn trouble(&self) -> Option<String> {
        self.state().trouble.clone()
    }

    /// Bytes written since the last base, about.
    pub(crate) fn written(&self) -> u64 {
        self.written.load(Ordering::Relaxed)
    }

    /// Bytes that wait to be written.
    pub(crate) fn waiting(&self) -> u64 {
        self.end().saturating_sub(self.safe.load(Ordering::Acquire))
    }

    /// The thread is to write and sync what there is, and end.
    pub(super) fn ends(&self) {
        self.state().ends = true;
        self.wake.notify_all();
    }

    /// Writes are refused from now on. Whether that is news.
    pub(super) fn fails(&self, why: &str) -> bool {
        self.state().trouble = Some(why.into());
        let is_news = !self.is_broken.swap(true, Ordering::AcqRel);
        self.heard.notify_waiters();
        is_news
    }

    fn works(&self) -> bool {
        let is_news = !self.needs_base() && self.is_broken.swap(false, Ordering::AcqRel);
        if is_news {
            self.state().trouble = None;
        }
        is_news
    }
}
