//! Where the data are: under `state`, unless the server's user cannot get there.

use std::ffi::OsStr;
use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use process::User;

use crate::tier::Environment;

/// Where the data are when a parent of `state` keeps the server's user out, unless `PLIMSOLL_DATA` names another folder.
const SYSTEM: &str = "/var/lib/plimsoll";
/// The data directory below a home.
pub(crate) const DATA: &str = "data";

/// The file in the own home that names another one.
const ELSEWHERE: &str = "elsewhere";

/// The folder that holds the data directory.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Home {
    pub(crate) folder: PathBuf,
    /// The parent of `state` because of which it is elsewhere.
    pub(crate) because: Option<PathBuf>,
}

/// The system's folder for data.
pub(crate) fn system(environment: &Environment) -> PathBuf {
    let named = environment.get(OsStr::new("PLIMSOLL_DATA")).map(PathBuf::from);
    named.filter(|folder| folder.is_absolute()).unwrap_or_else(|| SYSTEM.into())
}

/// The home under `state`.
pub(crate) fn own_home(state: &Path) -> PathBuf {
    state.join("postgres")
}

/// The home under `system`.
fn system_home(state: &Path, system: &Path) -> PathBuf {
    system.join(hash(state))
}

/// The home outside of `state`: where it was once it had data, whatever the folder is called by now.
fn other_home(state: &Path, system: &Path) -> PathBuf {
    remembered(state).unwrap_or_else(|| system_home(&absolute(state), system))
}

fn remembered(state: &Path) -> Option<PathBuf> {
    let text = fs::read_to_string(own_home(state).join(ELSEWHERE)).ok()?;
    Some(PathBuf::from(text.strip_suffix('\n')?)).filter(|home| home.is_absolute())
}

/// Notes a home with data outside of `state`, so that they are found when the folder is moved.
pub(crate) fn remember(state: &Path, home: &Home) -> std::io::Result<()> {
    if home.because.is_none() || remembered(state).as_ref() == Some(&home.folder) {
        return Ok(());
    }
    let (note, aside) = (own_home(state).join(ELSEWHERE), own_home(state).join("elsewhere.new"));
    fs::write(&aside, format!("{}\n", home.folder.display()))?;
    fs::rename(aside, note)
}

/// The data directory that there is already.
pub(crate) fn existing(state: &Path, system: &Path) -> Option<PathBuf> {
    let homes = [own_home(state), other_home(state, system)];
    homes.map(|home| home.join(DATA)).into_iter().find(|data| holds_data(data))
}

/// Whether a data directory was made there.
pub(crate) fn holds_data(data: &Path) -> bool {
    data.join("PG_VERSION").exists()
}

/// Where the data of a server that runs as `user` belong (`None`: as ourselves, who made `state`).
///
/// # Errors
/// There are data, but their server cannot get to them.
pub(crate) fn home(state: &Path, user: Option<User>, system: &Path) -> Result<Home, String> {
    let state = absolute(state);
    let (own, elsewhere) = (own_home(&state), other_home(&state, system));
    if let Some(gone) = remembered(&state).filter(|home| !holds_data(&home.join(DATA)) && !holds_data(&own.join(DATA))) {
        return Err(format!(
            "the data of this state folder were in {}, where there are none now: put them back, or remove {} to begin anew",
            gone.join(DATA).display(),
            own.join(ELSEWHERE).display()
        ));
    }
    let because = user.and_then(|user| keeps_out(state.parent()?, user));
    match because {
        None if holds_data(&own.join(DATA)) || !holds_data(&elsewhere.join(DATA)) => Ok(Home { folder: own, because: None }),
        Some(because) if holds_data(&own.join(DATA)) => Err(format!(
            "the data in {} cannot be reached by the user who runs Postgres: {} keeps that user out; `chmod o+x {}`, or move the project",
            own.join(DATA).display(),
            because.display(),
            because.display()
        )),
        because => Ok(Home { folder: elsewhere, because: Some(because.unwrap_or(state)) }),
    }
}

/// The first folder on the way to `path`, itself included, that `user` may not enter. Access lists are not looked at.
pub(crate) fn keeps_out(path: &Path, user: User) -> Option<PathBuf> {
    let mut way: Vec<&Path> = path.ancestors().collect();
    way.reverse();
    let closed = |folder: &&&Path| fs::metadata(folder).is_ok_and(|found| !may_enter(found.mode(), found.uid(), found.gid(), user));
    way.iter().find(closed).map(|folder| folder.to_path_buf())
}

/// The kernel's order: owner, group, others; the first that fits decides.
fn may_enter(mode: u32, uid: u32, gid: u32, user: User) -> bool {
    let bit = match () {
        () if uid == user.uid => 0o100,
        () if gid == user.gid => 0o010,
        () => 0o001,
    };
    mode & bit != 0
}

/// A name for a path that stays the same for ever: FNV-1a.
pub(crate) fn hash(path: &Path) -> String {
    let step = |hash: u64, byte: &u8| (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3);
    let hash = path.as_os_str().as_encoded_bytes().iter().fold(0xcbf2_9ce4_8422_2325, step);
    format!("{hash:016x}")
}

fn absolute(state: &Path) -> PathBuf {
    state.canonicalize().unwrap_or_else(|_| state.to_path_buf())
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    const USER: User = User { uid: 26, gid: 27 };

    #[test]
    fn the_first_that_fits_decides() {
        assert!(may_enter(0o711, 0, 0, USER) && may_enter(0o700, 26, 0, USER) && may_enter(0o710, 0, 27, USER));
        assert!(!may_enter(0o700, 0, 0, USER) && !may_enter(0o077, 26, 27, USER) && !may_enter(0o701, 0, 27, USER));
    }

    #[test]
    fn a_closed_parent_sends_the_data_elsewhere_and_they_stay_where_they_are() {
        let scratch = tempfile::tempdir_in("/tmp").unwrap();
        let (closed, system) = (scratch.path().join("closed"), scratch.path().join("system"));
        let state = closed.join("state");
        fs::create_dir_all(&state).unwrap();
        fs::set_permissions(scratch.path(), fs::Permissions::from_mode(0o755)).unwrap();
        fs::set_permissions(&closed, fs::Permissions::from_mode(0o700)).unwrap();
        let stranger = User { uid: 4_000_001, gid: 4_000_001 };
        let own = Home { folder: state.canonicalize().unwrap().join("postgres"), because: None };
        assert_eq!(home(&state, None, &system), Ok(own.clone()));
        let elsewhere = home(&state, Some(stranger), &system).unwrap();
        assert_eq!((elsewhere.folder.parent(), elsewhere.because.as_deref()), (Some(system.as_path()), Some(closed.as_path())));
        assert_eq!(existing(&state, &system), None);

        fs::create_dir_all(elsewhere.folder.join(DATA)).unwrap();
        fs::write(elsewhere.folder.join("data/PG_VERSION"), "15\n").unwrap();
        assert_eq!(existing(&state, &system), Some(elsewhere.folder.join(DATA)));
        fs::set_permissions(&closed, fs::Permissions::from_mode(0o755)).unwrap();
        assert_eq!(home(&state, Some(stranger), &system).unwrap().folder, elsewhere.folder);

        // The folder is moved: its data are found, or missed.
        fs::create_dir_all(&own.folder).unwrap();
        remember(&state, &elsewhere).unwrap();
        let moved = closed.join("moved");
        fs::rename(&state, &moved).unwrap();
        assert_eq!(home(&moved, Some(stranger), &system).unwrap().folder, elsewhere.folder);
        assert_eq!(existing(&moved, &system), Some(elsewhere.folder.join(DATA)));
        fs::rename(elsewhere.folder.join(DATA), elsewhere.folder.join("away")).unwrap();
        assert!(home(&moved, Some(stranger), &system).unwrap_err().contains("put them back"));
        fs::rename(elsewhere.folder.join("away"), elsewhere.folder.join(DATA)).unwrap();
        fs::rename(&moved, &state).unwrap();

        fs::create_dir_all(own.folder.join(DATA)).unwrap();
        fs::write(own.folder.join("data/PG_VERSION"), "15\n").unwrap();
        assert_eq!(home(&state, Some(stranger), &system), Ok(own));
        fs::set_permissions(&closed, fs::Permissions::from_mode(0o700)).unwrap();
        assert!(home(&state, Some(stranger), &system).unwrap_err().contains("chmod o+x"));
    }

    #[test]
    fn names_of_paths_stay() {
        assert_eq!(hash(Path::new("/srv/shop/.plimsoll")), hash(Path::new("/srv/shop/.plimsoll")));
        assert_eq!(hash(Path::new("a")), "af63dc4c8601ec8c");
    }
}
