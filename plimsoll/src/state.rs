//! The state folder: made private, locked by one Plimsoll, with the control socket inside.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Seek, Write};
use std::os::fd::AsRawFd;
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt, PermissionsExt};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};
use std::thread;
use std::time::{Duration, Instant};

use rustix::fs::{FlockOperation, flock};

/// How long a new Plimsoll waits for one that is ending.
pub const PREDECESSOR: Duration = Duration::from_secs(10);

const SOCKET: &str = "control.sock";

/// The state folder, held by this process until it ends.
#[derive(Debug)]
pub struct State {
    dir: PathBuf,
    /// Holds the lock; the system lets go of it with the process, however that ends.
    lock: File,
}

impl State {
    /// Makes the folder (mode 700) and takes its lock, waiting for a predecessor that `is_ending` says is on its way out.
    ///
    /// Errors say who holds it and what to do.
    pub fn take(dir: &Path, is_ending: impl Fn(&Path) -> bool) -> Result<State, String> {
        let failed = |what: &str, error: io::Error| format!("cannot {what} the state folder {}: {error}", dir.display());
        fs::DirBuilder::new().recursive(true).mode(0o700).create(dir).map_err(|error| failed("make", error))?;
        let mut lock = OpenOptions::new()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .mode(0o600)
            .open(dir.join("lock"))
            .map_err(|error| failed("lock", error))?;
        let deadline = Instant::now() + PREDECESSOR;
        while let Err(error) = flock(&lock, FlockOperation::NonBlockingLockExclusive) {
            if error != rustix::io::Errno::WOULDBLOCK {
                return Err(failed("lock", error.into()));
            }
            if Instant::now() >= deadline || !is_ending(dir) {
                return Err(taken(dir, &mut lock));
            }
            thread::sleep(Duration::from_millis(20));
        }
        let mut state = State { dir: dir.to_path_buf(), lock };
        state.write_pid().map_err(|error| failed("write to", error))?;
        Ok(state)
    }

    fn write_pid(&mut self) -> io::Result<()> {
        self.lock.set_len(0)?;
        self.lock.rewind()?;
        writeln!(self.lock, "{}", std::process::id())
    }

    /// The folder.
    pub fn dir(&self) -> &Path {
        &self.dir
    }

    /// Opens the control socket, in the place of one that a dead predecessor left.
    pub fn listen(&self) -> io::Result<UnixListener> {
        match fs::remove_file(self.dir.join(SOCKET)) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
        let listener = within(&self.dir, |path| UnixListener::bind(path))?;
        // Whatever the umask left: it tells passwords.
        fs::set_permissions(self.dir.join(SOCKET), fs::Permissions::from_mode(0o600))?;
        Ok(listener)
    }
}

fn taken(dir: &Path, lock: &mut File) -> String {
    let mut pid = String::new();
    let _ = lock.read_to_string(&mut pid); // the pid is a courtesy
    let pid = pid.trim();
    let who = if pid.is_empty() { String::new() } else { format!(" (pid {pid})") };
    format!("another Plimsoll{who} runs with the state folder {}; stop it, or use another folder with --state", dir.display())
}

/// Connects to the Plimsoll that runs over `dir`.
pub fn connect(dir: &Path) -> io::Result<UnixStream> {
    within(dir, |path| UnixStream::connect(path))
}

/// A Unix socket's address holds 107 bytes (unix(7)); a folder's own path may be longer, so it is named by its descriptor.
fn within<T>(dir: &Path, act: impl FnOnce(&Path) -> io::Result<T>) -> io::Result<T> {
    let folder = File::open(dir)?;
    act(&Path::new("/proc/self/fd").join(folder.as_raw_fd().to_string()).join(SOCKET))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_second_one_is_told_who_holds_it() {
        let scratch = tempfile::tempdir().unwrap();
        let dir = scratch.path().join("state");
        let first = State::take(&dir, |_| false).unwrap();
        let refusal = State::take(&dir, |_| false).unwrap_err();
        assert!(refusal.contains(&format!("pid {}", std::process::id())), "{refusal}");
        drop(first);
        State::take(&dir, |_| false).unwrap();
    }

    #[test]
    fn a_socket_fits_in_a_folder_of_any_length() {
        let scratch = tempfile::tempdir().unwrap();
        let dir = scratch.path().join("a".repeat(200));
        let state = State::take(&dir, |_| false).unwrap();
        drop(state.listen().unwrap());
        let _second = state.listen().unwrap();
        assert_eq!(fs::metadata(dir.join(SOCKET)).unwrap().permissions().mode() & 0o777, 0o600);
        connect(&dir).unwrap();
    }
}
