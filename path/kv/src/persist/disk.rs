//! All that changes files of a store, in one place: tests see each step of it, and have it fail.

#[cfg(test)]
pub(crate) mod watched;

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::{FileExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

#[cfg(test)]
use watched::step;

/// What is done to a file, or to a folder.
#[cfg_attr(not(test), allow(dead_code))]
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Step<'p> {
    Create,
    Write,
    Cut,
    Sync,
    RenameFrom(&'p Path),
    Remove,
    SyncFolder,
}

/// A file that is written.
#[derive(Debug)]
pub(super) struct Disk {
    file: File,
    path: PathBuf,
}

impl Disk {
    /// A new one, for its owner alone, in place of one that may be there.
    pub(super) fn create(path: &Path) -> io::Result<Disk> {
        let file = step(path, Step::Create, || OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(path))?;
        Ok(Disk { file, path: path.into() })
    }

    /// One that is there.
    pub(super) fn open(path: &Path) -> io::Result<Disk> {
        Ok(Disk { file: OpenOptions::new().write(true).open(path)?, path: path.into() })
    }

    pub(super) fn write_at(&self, bytes: &[u8], at: u64) -> io::Result<()> {
        step(&self.path, Step::Write, || self.file.write_all_at(bytes, at))
    }

    /// What is behind `length` is gone.
    pub(super) fn cut(&self, length: u64) -> io::Result<()> {
        step(&self.path, Step::Cut, || self.file.set_len(length))
    }

    /// Waits until the disk has all that was written.
    pub(super) fn sync(&self) -> io::Result<()> {
        step(&self.path, Step::Sync, || self.file.sync_data())
    }
}

impl Write for Disk {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        step(&self.path, Step::Write, || (&self.file).write(bytes))
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

pub(super) fn rename(from: &Path, to: &Path) -> io::Result<()> {
    step(to, Step::RenameFrom(from), || fs::rename(from, to))
}

pub(super) fn remove(path: &Path) -> io::Result<()> {
    step(path, Step::Remove, || fs::remove_file(path))
}

/// Waits until the disk has what was made, renamed or removed in a folder.
pub(super) fn sync_folder(path: &Path) -> io::Result<()> {
    step(path, Step::SyncFolder, || File::open(path)?.sync_all())
}

#[cfg(not(test))]
fn step<T>(_: &Path, _: Step<'_>, work: impl FnOnce() -> io::Result<T>) -> io::Result<T> {
    work()
}
