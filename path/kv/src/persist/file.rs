//! A file of the log.

use std::io;
use std::path::Path;

use super::block::{self, Head, Holds, Kind};
use super::disk::Disk;
use crate::store::Ms;

/// One that is added to.
#[derive(Debug)]
pub(super) struct LogFile {
    disk: Disk,
    head: Head,
    /// Where the next block begins: what is behind it is of a write that failed.
    at: u64,
    /// The disk has said that it lost some of it; nobody knows what the system has thrown away.
    lost: bool,
}

impl LogFile {
    /// A new one, which goes on from the one before it unless it `needs_base`.
    pub(super) fn create(path: &Path, generation: u64, time: Ms, needs_base: bool) -> io::Result<LogFile> {
        let (disk, head) = (Disk::create(path)?, Head { kind: Kind::Log, generation, time, needs_base });
        let mut file = LogFile { disk, head, at: block::HEAD as u64, lost: false };
        file.write_head(needs_base)?;
        Ok(file)
    }

    fn write_head(&mut self, needs_base: bool) -> io::Result<()> {
        self.head.needs_base = needs_base;
        self.disk.write_at(&self.head.bytes(), 0)?;
        self.disk.sync()
    }

    /// It says nothing yet, and does not go on from the one before it.
    pub(super) fn mark(&mut self) -> io::Result<()> {
        self.write_head(true)
    }

    /// Adds a block.
    pub(super) fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        let head = block::block_head(Holds::Commands, bytes.len(), block::checksum(bytes), self.head.generation, self.at);
        let written = self.disk.write_at(&head, self.at).and_then(|()| self.disk.write_at(bytes, self.at + head.len() as u64));
        if let Err(error) = written {
            // If that fails too the rest of it is a torn end, or is written over.
            let _ = self.disk.cut(self.at);
            return Err(error);
        }
        self.at += (head.len() + bytes.len()) as u64;
        Ok(())
    }

    /// Waits until the disk has it all. After one failure it never has.
    pub(super) fn sync(&mut self) -> io::Result<()> {
        if self.lost {
            return Err(io::Error::other("the disk has lost some of it"));
        }
        self.lost = true;
        self.disk.sync()?;
        self.lost = false;
        Ok(())
    }

    /// Whether only a new base helps.
    pub(super) fn is_lost(&self) -> bool {
        self.lost
    }

    pub(super) fn generation(&self) -> u64 {
        self.head.generation
    }

    /// Bytes of it.
    pub(super) fn written(&self) -> u64 {
        self.at
    }
}
