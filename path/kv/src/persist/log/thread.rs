//! The thread that writes the log.

use std::io;
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

/// What is next.
enum Next {
    Part(Part),
    /// It is time to sync, or to say what is safe.
    Look,
    End,
}

/// Writes until [`Log::ends`].
pub(in super::super) fn run(log: Arc<Log>, common: Weak<Shared>) {
    let mut writer = Writer { log, common, file: None, unsynced: None, done: 0 };
    loop {
        match writer.next() {
            Next::Part(Part::Bytes(bytes)) => writer.write(&bytes),
            Next::Part(Part::File(file)) => writer.turn_to(file),
            Next::Look => {}
            Next::End => break,
        }
        if writer.log.sync() == Fsync::Always || writer.unsynced.is_some_and(|since| since.elapsed() >= SECOND) {
            writer.sync_surely(false);
        }
        // While it is broken some of it may be nowhere.
        if !writer.log.is_broken() {
            writer.log.safe.store(writer.done, Ordering::Release);
            writer.log.heard.notify_waiters();
        }
    }
    writer.sync_surely(true);
}

impl Writer {
    fn next(&mut self) -> Next {
        let log = self.log.clone();
        let mut state = log.state();
        while state.parts.is_empty() {
            if state.ends {
                return Next::End;
            }
            if std::mem::take(&mut state.looks) {
                return Next::Look;
            }
            let due = self.unsynced.filter(|_| log.sync() == Fsync::EverySecond).map(|since| SECOND.saturating_sub(since.elapsed()));
            match due {
                Some(Duration::ZERO) => return Next::Look,
                Some(due) => state = log.wake.wait_timeout(state, due).unwrap_or_else(PoisonError::into_inner).0,
                None => state = log.wake.wait(state).unwrap_or_else(PoisonError::into_inner),
            }
        }
        if log.sync() != Fsync::Always && !state.ends {
            drop(state);
            std::thread::sleep(GATHERED);
            state = log.state();
        }
        state.parts.pop_front().map_or(Next::Look, Next::Part)
    }

    /// Writes a block, however often that must be tried.
    fn write(&mut self, bytes: &[u8]) {
        self.done += bytes.len() as u64;
        let before = self.written();
        self.surely(false, |file| file.write(bytes));
        self.unsynced.get_or_insert_with(Instant::now);
        self.log.written.fetch_add(self.written().saturating_sub(before), Ordering::Relaxed);
    }

    fn written(&self) -> u64 {
        self.file.as_ref().map_or(0, LogFile::written)
    }

    /// The file that is open ends, and what follows goes to another one, if there is one.
    fn turn_to(&mut self, file: Option<LogFile>) {
        self.sync_surely(true);
        self.file = file;
        if self.log.needs_base() {
            self.surely(false, LogFile::mark);
        }
    }

    /// Waits for the disk, under `no` only where a file ends: what follows it must not be there without it.
    fn sync_surely(&mut self, ends: bool) {
        if self.unsynced.take().is_some() && (ends || self.log.sync() != Fsync::No) {
            self.surely(ends, LogFile::sync);
        }
    }

    /// Tries until it succeeds, or until the file ends or has ended: what it lacks then only a base has.
    fn surely(&mut self, ends: bool, mut work: impl FnMut(&mut LogFile) -> io::Result<()>) {
        while let Some((file, error)) = self.file.as_mut().and_then(|file| work(file).err().map(|error| (file, error))) {
            let next = file.generation() + 1;
            if file.is_lost() {
                self.log.needs(next);
            }
            if self.log.fails(&error.to_string()) {
                self.tell(|common| common.events.log_fails(&error.to_string()));
            }
            let mut state = self.log.state();
            if !state.is_over() && !ends {
                state = self.log.wake.wait_timeout(state, AGAIN).unwrap_or_else(PoisonError::into_inner).0;
            }
            if state.is_over() || ends {
                drop(state);
                self.log.needs(next);
                self.file = None;
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
