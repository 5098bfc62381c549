//! The files of one store: `NAME.kv`, the base, and `NAME.log.GENERATION`, what was done since. Which of them count is said in
//! `generations`.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io;
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::thread;
use std::time::{Duration, Instant};

use super::block::{self, Kind};
use super::disk;
use super::load;

/// How long somebody else may have the files, and how often that is looked at.
const PATIENCE: Duration = Duration::from_secs(2);
const PAUSE: Duration = Duration::from_millis(10);

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

    /// Makes the folder, for its owner alone, and takes the files of this store as long as what is given lives; waits a little for it.
    pub(super) fn lock(&self) -> io::Result<File> {
        fs::DirBuilder::new().recursive(true).mode(0o700).create(&self.path)?;
        let file =
            OpenOptions::new().write(true).create(true).truncate(false).mode(0o600).open(self.path.join(format!("{}.lock", self.name)))?;
        let start = Instant::now();
        loop {
            match file.try_lock() {
                Ok(()) => return Ok(file),
                // A process that was just forked has the lock, too, until it becomes another program.
                Err(TryLockError::WouldBlock) if start.elapsed() < PATIENCE => thread::sleep(PAUSE),
                Err(TryLockError::WouldBlock) => {
                    return Err(io::Error::other("another store has these files, or has not yet let go of them: try again"));
                }
                Err(TryLockError::Error(error)) => return Err(error),
            }
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
            let is_ours = |generation: &u64| block::GENERATIONS.contains(generation) && *name == *format!("{begin}{generation}");
            found.extend(generation.filter(is_ours));
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

    /// Puts the base that was written, and is on the disk, in place of the one before.
    pub(super) fn install(&self) -> io::Result<()> {
        disk::rename(&self.next(), &self.base())?;
        self.sync()
    }

    /// Waits until the disk has what was made, renamed or removed.
    pub(super) fn sync(&self) -> io::Result<()> {
        disk::sync_folder(&self.path)
    }

    /// Removes logs that a base has made needless. One that stays does no harm.
    pub(super) fn remove_logs_before(&self, generation: u64) {
        for old in self.logs().unwrap_or_default().into_iter().filter(|old| *old < generation) {
            let _ = disk::remove(&self.log(old));
        }
    }

    /// Keeps a log out of the way, where nobody looks at it; gives where.
    pub(super) fn put_aside(&self, generation: u64) -> io::Result<PathBuf> {
        let aside = self.path.join(format!("{}.log.{generation}.aside", self.name));
        disk::rename(&self.log(generation), &aside)?;
        Ok(aside)
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
        for name in ["main.log.10", "main.log.9", "main.log.x", "main.log.+4", "main.log.007", "main.log.8.aside", "other.log.3", "main.kv"]
        {
            fs::write(home.path().join("kv").join(name), "").unwrap();
        }
        assert_eq!(folder.logs().unwrap(), [9, 10]);
        folder.remove_logs_before(10);
        assert_eq!(folder.logs().unwrap(), [10]);
    }
}
