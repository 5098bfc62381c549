//! The folder of the server's socket: private, and short enough for the kernel.

use std::fs::{self, DirBuilder};
use std::io;
use std::os::unix::fs::{DirBuilderExt, MetadataExt, chown};
use std::path::{Path, PathBuf};

use process::User;

use crate::place;

/// Postgres calls it after the port that it would listen on.
pub(crate) const FILE: &str = ".s.PGSQL.5432";
/// What a socket's address holds: unix(7).
const LONGEST: usize = 107;

/// The socket itself.
pub(crate) fn file(folder: &Path) -> PathBuf {
    folder.join(FILE)
}

/// Makes the folder for the server of this home, which runs as `user`; the first place that fits.
pub(crate) fn prepare(home: &Path, user: User, are_root: bool) -> Result<PathBuf, String> {
    let mut refused = String::new();
    for folder in places(home, user, are_root).into_iter().filter(|folder| fits(folder)) {
        match private(&folder, user) {
            Ok(()) => return Ok(folder),
            Err(error) => refused = format!("no place for the database's socket: {}: {error}", folder.display()),
        }
    }
    Err(refused)
}

fn places(home: &Path, user: User, are_root: bool) -> Vec<PathBuf> {
    let hash = place::hash(home);
    let mut places = vec![home.join("run")];
    if are_root {
        places.push(PathBuf::from("/run").join(format!("plimsoll-{hash}")));
    }
    places.push(PathBuf::from("/tmp").join(format!("plimsoll-{}-{hash}", user.uid)));
    places
}

fn fits(folder: &Path) -> bool {
    file(folder).as_os_str().len() <= LONGEST
}

/// A folder that only `user` and root can enter; one that is there already must be just that.
fn private(folder: &Path, user: User) -> io::Result<()> {
    match DirBuilder::new().mode(0o700).create(folder) {
        Ok(()) => return chown(folder, Some(user.uid), Some(user.gid)),
        Err(error) if error.kind() != io::ErrorKind::AlreadyExists => return Err(error),
        Err(_) => {}
    }
    let found = fs::symlink_metadata(folder)?;
    if found.is_dir() && found.uid() == user.uid && found.mode() & 0o077 == 0 {
        return Ok(());
    }
    Err(io::Error::new(io::ErrorKind::PermissionDenied, "it is there already and belongs to somebody else, or is open to others"))
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use rustix::process::{getegid, geteuid};

    use super::*;

    fn ourselves() -> User {
        User { uid: geteuid().as_raw(), gid: getegid().as_raw() }
    }

    #[test]
    fn a_short_home_holds_its_socket() {
        let home = tempfile::tempdir_in("/tmp").unwrap();
        let folder = prepare(home.path(), ourselves(), false).unwrap();
        assert_eq!(folder, home.path().join("run"));
        assert_eq!(prepare(home.path(), ourselves(), false).unwrap(), folder);
        assert_eq!(fs::metadata(&folder).unwrap().permissions().mode() & 0o777, 0o700);
    }

    #[test]
    fn a_long_one_gives_way() {
        let home = tempfile::tempdir_in("/tmp").unwrap();
        let deep = home.path().join("x".repeat(120));
        fs::create_dir(&deep).unwrap();
        let folder = prepare(&deep, ourselves(), false).unwrap();
        assert!(folder.starts_with("/tmp") && fits(&folder), "{}", folder.display());
        fs::remove_dir(&folder).unwrap();
        let roots = places(&deep, User { uid: 26, gid: 27 }, true);
        assert!(roots[1].starts_with("/run") && roots[2].starts_with("/tmp"));
    }

    #[test]
    fn one_that_others_may_enter_is_not_used() {
        let home = tempfile::tempdir_in("/tmp").unwrap();
        let run = home.path().join("run");
        fs::create_dir(&run).unwrap();
        fs::set_permissions(&run, fs::Permissions::from_mode(0o777)).unwrap();
        assert!(private(&run, ourselves()).is_err());
    }
}
