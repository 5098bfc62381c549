//! Writes a base: all keys as they are at one moment, while commands go on.

use std::io::{self, Write};
use std::sync::Arc;
use std::time::{Duration, Instant};
use std::{fmt, mem};

use super::block::{self, Head, Holds};
use super::record;
use crate::store::{Kept, Keys, Ms, Store};

/// Bytes of a block, about.
const BLOCK: usize = 256 << 10;
/// How long a shard is held at once, and how many keys are looked at before that is asked.
const AT_ONCE: Duration = Duration::from_micros(50);
const KEYS: usize = 32;
/// Bytes of a value that a worker writes, with its shard for itself.
pub(crate) const BIG: usize = 16 << 10;

/// Why nothing was saved.
#[derive(Debug)]
pub(super) enum Failure {
    Io(io::Error),
    /// All keys were flushed meanwhile.
    Flushed,
    /// A fault of ours.
    Panicked,
}

impl fmt::Display for Failure {
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Failure::Io(error) => write!(to, "{error}"),
            Failure::Flushed => to.write_str("all keys were flushed meanwhile"),
            Failure::Panicked => to.write_str("a fault of ours; please report the lines above"),
        }
    }
}

/// A file that is being written.
pub(super) struct Writer<W> {
    to: W,
    generation: u64,
    at: u64,
}

impl<W: Write> Writer<W> {
    pub(super) fn new(mut to: W, head: Head) -> io::Result<Writer<W>> {
        to.write_all(&head.bytes())?;
        Ok(Writer { to, generation: head.generation, at: block::HEAD as u64 })
    }

    pub(super) fn block(&mut self, holds: Holds, bytes: &[u8]) -> io::Result<()> {
        let head = block::block_head(holds, bytes.len(), block::checksum(bytes), self.generation, self.at);
        self.to.write_all(&head)?;
        self.to.write_all(bytes)?;
        self.at += (head.len() + bytes.len()) as u64;
        Ok(())
    }

    /// Bytes written.
    pub(super) fn written(&self) -> u64 {
        self.at
    }

    pub(super) fn into_file(self) -> W {
        self.to
    }
}

/// A walk through all shards.
struct Walk<'s, W> {
    store: &'s Arc<Store>,
    to: Writer<W>,
    bytes: Vec<u8>,
    keys: u64,
    failed: Option<Failure>,
}

/// What was done to a shard at once.
struct Step {
    cursor: u64,
    bytes: Vec<u8>,
    keys: u64,
    kept: Vec<Kept>,
    /// Names of keys with big values.
    later: Vec<Box<[u8]>>,
}

/// Saves all keys as they are at one moment, `now` or shortly after. From that moment, when no command is
/// being done and `cut` is called, what is done is logged or not. Gives the file, and how many keys are in it.
///
/// # Errors
/// Not all could be saved.
pub(super) fn save<W: Write>(
    store: &Arc<Store>,
    to: Writer<W>,
    now: Ms,
    logs: bool,
    cut: impl FnOnce() + Send + 'static,
) -> Result<(Writer<W>, u64), Failure> {
    let begun = store.with_away((0..store.count()).collect(), move |all| {
        for (_, keys) in all {
            keys.begin_save(now);
            keys.logs = logs;
        }
        cut();
    });
    begun.ok_or(Failure::Panicked)?;
    let mut walk = Walk { store, to, bytes: Vec::with_capacity(2 * BLOCK), keys: 0, failed: None };
    walk.all();
    walk.end()
}

impl<W: Write> Walk<'_, W> {
    /// A little of each shard in turn, until all are done with: after a failure too, for each entry is to know of this save.
    fn all(&mut self) {
        let mut open: Vec<(usize, u64)> = (0..self.store.count()).map(|number| (number, 0)).collect();
        while !open.is_empty() {
            open.retain_mut(|(number, cursor)| match self.part(*number, *cursor) {
                Some(0) => {
                    self.finish(*number);
                    false
                }
                Some(next) => {
                    *cursor = next;
                    true
                }
                None => {
                    self.fail(Failure::Panicked);
                    false
                }
            });
        }
    }

    fn part(&mut self, number: usize, cursor: u64) -> Option<u64> {
        let bytes = mem::take(&mut self.bytes);
        let step = self.store.with(number, move |keys| step(keys, cursor, bytes))?;
        (self.bytes, self.keys) = (step.bytes, self.keys + step.keys);
        self.keep(&step.kept);
        for key in step.later {
            self.big(number, key)?;
        }
        self.flush(BLOCK);
        Some(step.cursor)
    }

    /// A key whose value is big: by a worker, so that no loop waits for a lock meanwhile.
    fn big(&mut self, number: usize, key: Box<[u8]>) -> Option<()> {
        let mut bytes = mem::take(&mut self.bytes);
        let (bytes, count) = self.store.with_away(vec![number], move |all| {
            let mut count = 0;
            all[0].1.save_one(&key, |key| {
                record::write(key, &mut bytes);
                count += 1;
            });
            (bytes, count)
        })?;
        (self.bytes, self.keys) = (bytes, self.keys + count);
        self.flush(BLOCK);
        Some(())
    }

    fn keep(&mut self, kept: &[Kept]) {
        for kept in kept {
            record::write(kept.record(), &mut self.bytes);
            self.flush(BLOCK);
        }
        self.keys += kept.len() as u64;
    }

    /// A shard is done with.
    fn finish(&mut self, number: usize) {
        match self.store.with(number, |keys| (keys.take_kept(), keys.end_save())) {
            Some((kept, is_whole)) => {
                self.keep(&kept);
                if !is_whole {
                    self.fail(Failure::Flushed);
                }
            }
            None => self.fail(Failure::Panicked),
        }
    }

    /// Writes what there is, if that is `least` bytes or more.
    fn flush(&mut self, least: usize) {
        if self.bytes.len() < least.max(1) {
            return;
        }
        if self.failed.is_none()
            && let Err(error) = self.to.block(Holds::Keys, &self.bytes)
        {
            self.fail(Failure::Io(error));
        }
        self.bytes.clear();
        self.bytes.shrink_to(16 * BLOCK);
    }

    fn fail(&mut self, why: Failure) {
        self.failed.get_or_insert(why);
    }

    fn end(mut self) -> Result<(Writer<W>, u64), Failure> {
        self.flush(0);
        if let Some(failure) = self.failed {
            return Err(failure);
        }
        self.to.block(Holds::End, &self.keys.to_le_bytes()).map_err(Failure::Io)?;
        Ok((self.to, self.keys))
    }
}

/// Some keys of a shard, under its lock.
fn step(keys: &mut Keys, mut cursor: u64, mut bytes: Vec<u8>) -> Step {
    let (start, enough, mut later, mut count) = (Instant::now(), bytes.len() + BLOCK, Vec::new(), 0);
    loop {
        cursor = keys.save(cursor, KEYS, BIG, &mut later, |key| {
            record::write(key, &mut bytes);
            count += 1;
        });
        if cursor == 0 || bytes.len() >= enough || start.elapsed() >= AT_ONCE {
            return Step { cursor, bytes, keys: count, kept: keys.take_kept(), later };
        }
    }
}
