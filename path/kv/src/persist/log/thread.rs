//! The thread that writes the log.

use std::io;
use std::mem;
use std::sync::atomic::Ordering;
use std::sync::{Arc, PoisonError, Weak};
use std::time::{Duration, Instant};

use super::super::file::LogFile;
use super::{Log, Part};
use crate::door::Shared;
use crate::plan::Fsync;

/// How long what was added may wait for more, where nobody waits for the disk.
const GATHERED: Duration = Duration::from_millis(2);
/// How often the disk is waited for under `everysec`.
const SECOND: Duration = Duration::from_secs(1);
/// How long after a failure it is tried again.
const AGAIN: Duration = Duration::from_millis(500);

/// What only the thread has.
struct Writer {
    log: Arc<Log>,
    common: Weak<Shared>,
    file: Option<LogFile>,
    /// Since when there is something that may not be on the disk.
    unsynced: Option<Instant>,
    /// Bytes that were taken from the buffer and written.
    done: u64,
}

/// Writes until [`Log::ends`].
pub(in super::super) fn run(log: Arc<Log>, common: Weak<Shared>) {
    let mut writer = Writer { log, common, file: None, unsynced: None, done: 0 };
    while let Some(parts) = writer.next() {
        for part in parts {
            match part {
                Part::Bytes(bytes) => writer.write(&bytes),
                Part::File(file) => {
                    writer.sync_surely(true);
                    writer.file = file;
                }
            }
        }
        if writer.log.sync() == Fsync::Always || writer.unsynced.is_some_and(|since| since.elapsed() >= SECOND) {
            writer.sync_surely(false);
        }
        writer.log.safe.store(writer.done, Ordering::Release);
        writer.log.heard.notify_waiters();
    }
    writer.sync_surely(true);
}

impl Writer {
    /// What is to be written next; nothing when it is time to sync. `None`: that was all.
    fn next(&mut self) -> Option<Vec<Part>> {
        let log = self.log.clone();
        let mut state = log.state();
        while state.parts.is_empty() {
            if state.ends {
                return None;
            }
            let due = self.unsynced.filter(|_| log.sync() == Fsync::EverySecond).map(|since| SECOND.saturating_sub(since.elapsed()));
            match due {
                Some(Duration::ZERO) => return Some(Vec::new()),
                Some(due) => state = log.wake.wait_timeout(state, due).unwrap_or_else(PoisonError::into_inner).0,
                None => state = log.wake.wait(state).unwrap_or_else(PoisonError::into_inner),
            }
        }
        if log.sync() != Fsync::Always && !state.ends {
            drop(state);
            std::thread::sleep(GATHERED);
            state = log.state();
        }
        Some(mem::take(&mut state.parts))
    }

    /// Writes a block, however often that must be tried.
    fn write(&mut self, bytes: &[u8]) {
        self.done += bytes.len() as u64;
        self.surely(|file| file.write(bytes));
        self.unsynced.get_or_insert_with(Instant::now);
        let written = self.file.as_ref().map_or(0, |file| file.written());
        self.log.written.store(written, Ordering::Relaxed);
    }

    /// Waits for the disk, under `no` only where a file ends: what follows it must not be there without it.
    fn sync_surely(&mut self, ends: bool) {
        if self.unsynced.take().is_some() && (ends || self.log.sync() != Fsync::No) {
            self.surely(LogFile::sync);
        }
    }

    /// Tries until it succeeds, or the end or another file has come: a base has what is not written then.
    fn surely(&mut self, mut work: impl FnMut(&mut LogFile) -> io::Result<()>) {
        while let Some(Err((error, is_lost))) = self.file.as_mut().map(|file| work(file).map_err(|error| (error, file.is_lost()))) {
            if self.log.fails(&error, is_lost) {
                self.tell(|common| common.events.log_fails(&error.to_string()));
            }
            let mut state = self.log.state();
            if !state.is_over() {
                state = self.log.wake.wait_timeout(state, AGAIN).unwrap_or_else(PoisonError::into_inner).0;
            }
            if state.is_over() {
                self.file = None;
                return;
            }
        }
        if self.log.works() {
            self.tell(|common| common.events.log_works());
        }
    }

    fn tell(&self, what: impl FnOnce(&Shared)) {
        if let Some(common) = self.common.upgrade() {
            what(&common);
            common.look();
        }
    }
}
