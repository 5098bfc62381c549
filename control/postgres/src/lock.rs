//! One tier per state folder.

use std::fs::{DirBuilder, File, OpenOptions};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::Path;
use std::time::{Duration, Instant};

use rustix::fs::{FlockOperation, flock};

/// How long a killed predecessor may take to die: it has let go of the state folder's lock, but not yet of this one.
const DYING: Duration = Duration::from_secs(3);
/// Between two tries: a lock that is waited for knows no bound.
const PAUSE: Duration = Duration::from_millis(5);

/// Held as long as this value; the system lets go of it with the process, however that ends.
#[derive(Debug)]
pub(crate) struct Lock {
    _file: File,
}

impl Lock {
    /// Takes the lock of `home`, which is made when it is missing. Blocks while somebody else has it, for a short time.
    pub(crate) fn take(home: &Path) -> Result<Lock, String> {
        let failed = |error: std::io::Error| format!("cannot lock {}: {error}", home.display());
        DirBuilder::new().recursive(true).mode(0o700).create(home).map_err(failed)?;
        let open = OpenOptions::new().read(true).write(true).create(true).truncate(false).mode(0o600).open(home.join("lock"));
        let file = open.map_err(failed)?;
        let begun = Instant::now();
        loop {
            match flock(&file, FlockOperation::NonBlockingLockExclusive) {
                Ok(()) => return Ok(Lock { _file: file }),
                Err(rustix::io::Errno::WOULDBLOCK) if begun.elapsed() < DYING => std::thread::sleep(PAUSE),
                Err(rustix::io::Errno::WOULDBLOCK) => {
                    return Err(format!("another Plimsoll runs the database in {}; stop it, or use another state folder", home.display()));
                }
                Err(error) => return Err(failed(error.into())),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_second_is_refused_until_the_first_is_gone() {
        let folder = tempfile::tempdir().unwrap();
        let first = Lock::take(folder.path()).unwrap();
        assert!(Lock::take(folder.path()).unwrap_err().contains("another Plimsoll"));
        drop(first);
        Lock::take(folder.path()).unwrap();
    }
}
