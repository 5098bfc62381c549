//! A file of the log.

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;
use std::path::Path;

use super::block::{self, Head, Holds, Kind};
use super::folder::Folder;
use crate::store::Ms;

/// One that is added to.
#[derive(Debug)]
pub(super) struct LogFile {
    file: File,
    generation: u64,
    /// Where the next block begins: what is behind it is of a write that failed.
    at: u64,
    /// The disk has said that it lost some of it; nobody knows what the system has thrown away.
    lost: bool,
}

impl LogFile {
    /// A new one.
    pub(super) fn create(path: &Path, generation: u64, time: Ms) -> io::Result<LogFile> {
        let file = Folder::create(path)?;
        file.write_all_at(&Head { kind: Kind::Log, generation, time }.bytes(), 0)?;
        file.sync_all()?;
        let at = block::HEAD as u64;
        Ok(LogFile { file, generation, at, lost: false })
    }

    /// Adds a block.
    pub(super) fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        let head = block::block_head(Holds::Commands, bytes.len(), block::checksum(bytes), self.generation, self.at);
        let length = (head.len() + bytes.len()) as u64;
        let written = self.file.write_all_at(&head, self.at).and_then(|()| self.file.write_all_at(bytes, self.at + head.len() as u64));
        if let Err(error) = written {
            // If that fails too the rest of it is a torn end, or is written over.
            let _ = self.file.set_len(self.at);
            return Err(error);
        }
        self.at += length;
        Ok(())
    }

    /// Waits until the disk has it all. After one failure it never has.
    pub(super) fn sync(&mut self) -> io::Result<()> {
        if self.lost {
            return Err(io::Error::other("the disk has lost some of it"));
        }
        self.lost = true;
        self.file.sync_data()?;
        self.lost = false;
        Ok(())
    }

    /// Whether only a new base helps.
    pub(super) fn is_lost(&self) -> bool {
        self.lost
    }

    /// Bytes of it.
    pub(super) fn written(&self) -> u64 {
        self.at
    }
}
