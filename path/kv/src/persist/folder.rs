//! The files of one store: `NAME.kv`, the base, and `NAME.log.GENERATION`, what was done since.
//!
//! The logs that count are those whose generation is that of the base or greater: a new base begins with a log of its own, and those
//! before it go once it is in place.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io;
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use super::block::Kind;
use super::load;

/// Where the files of a store are.
#[derive(Debug, Clone)]
pub(super) struct Folder {
    path: PathBuf,
    name: String,
}

impl Folder {
    pub(super) fn new(path: &Path, name: &str) -> Folder {
        Folder { path: path.into(), name: name.into() }
    }

    /// Makes the folder, for its owner alone, and takes the files of this store as long as what is given lives.
    pub(super) fn lock(&self) -> io::Result<File> {
        fs::DirBuilder::new().recursive(true).mode(0o700).create(&self.path)?;
        let file =
            OpenOptions::new().write(true).create(true).truncate(false).mode(0o600).open(self.path.join(format!("{}.lock", self.name)))?;
        match file.try_lock() {
            Ok(()) => Ok(file),
            Err(TryLockError::WouldBlock) => {
                Err(io::Error::other("another store has these files, or has not yet let go of them: try again"))
            }
            Err(TryLockError::Error(error)) => Err(error),
        }
    }

    pub(super) fn base(&self) -> PathBuf {
        self.path.join(format!("{}.kv", self.name))
    }

    /// A base that is being written.
    pub(super) fn next(&self) -> PathBuf {
        self.path.join(format!("{}.kv.new", self.name))
    }

    pub(super) fn log(&self, generation: u64) -> PathBuf {
        self.path.join(format!("{}.log.{generation}", self.name))
    }

    /// The generations of all logs, ascending.
    pub(super) fn logs(&self) -> io::Result<Vec<u64>> {
        let (begin, mut found) = (format!("{}.log.", self.name), Vec::new());
        for entry in fs::read_dir(&self.path)? {
            let name = entry?.file_name();
            let generation = name.to_str().and_then(|name| name.strip_prefix(&begin)?.parse::<u64>().ok());
            // As we write it: no sign, no zeros in front.
            found.extend(generation.filter(|generation| *name == *format!("{begin}{generation}")));
        }
        found.sort_unstable();
        Ok(found)
    }

    /// The last generation that a file has, 0 if there is none.
    pub(super) fn last(&self) -> io::Result<u64> {
        let log = self.logs()?.last().copied().unwrap_or(0);
        let base = File::open(self.base()).ok().and_then(|mut file| load::read_head(&mut file, Kind::Base).ok());
        Ok(base.map_or(log, |head| log.max(head.generation)))
    }

    /// A new file, in place of one that may be there.
    pub(super) fn create(path: &Path) -> io::Result<File> {
        OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(path)
    }

    /// Puts the base that was written, and is on the disk, in place of the one before.
    pub(super) fn install(&self) -> io::Result<()> {
        fs::rename(self.next(), self.base())?;
        self.sync()
    }

    /// Waits until the disk has what was made, renamed or removed.
    pub(super) fn sync(&self) -> io::Result<()> {
        File::open(&self.path)?.sync_all()
    }

    /// Removes logs that a base has made needless. One that stays does no harm.
    pub(super) fn remove_logs_before(&self, generation: u64) {
        for old in self.logs().unwrap_or_default().into_iter().filter(|old| *old < generation) {
            let _ = fs::remove_file(self.log(old));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn logs_are_found_by_their_generation() {
        let home = tempfile::tempdir().unwrap();
        let folder = Folder::new(&home.path().join("kv"), "main");
        let _lock = folder.lock().unwrap();
        assert!(folder.lock().is_err());
        assert_eq!(folder.logs().unwrap(), [0; 0]);
        for name in ["main.log.10", "main.log.9", "main.log.x", "main.log.+4", "main.log.007", "other.log.3", "main.kv"] {
            fs::write(home.path().join("kv").join(name), "").unwrap();
        }
        assert_eq!(folder.logs().unwrap(), [9, 10]);
        folder.remove_logs_before(10);
        assert_eq!(folder.logs().unwrap(), [10]);
    }
}
