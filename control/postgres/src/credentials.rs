//! Who an app is on the embedded server: the password is made once, from the system's randomness, and kept 0600.

use std::fmt;
use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{self, Read, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::Path;

use crate::place;

/// Bytes of randomness in a password.
const STRENGTH: usize = 24;
/// Names that Postgres or Plimsoll keep for themselves.
const RESERVED: &[&str] = &["none", "plimsoll", "postgres", "public", "template0", "template1"];

/// The role and database of one `[sql.NAME]`. Its `Debug` hides the password.
#[derive(Clone, PartialEq, Eq)]
pub struct Credentials {
    /// The role: NAME, but for the few names that Postgres keeps for itself.
    pub user: String,
    /// Its password: letters and digits only.
    pub password: String,
    /// The database, called as the role.
    pub database: String,
    /// Tells this password from an earlier one.
    pub(crate) tag: String,
}

impl Credentials {
    /// Those of `[sql.NAME]` under this state folder; made when there are none yet.
    ///
    /// # Errors
    /// Why they can be neither read nor written, for a person.
    pub fn of(state: &Path, name: &str) -> Result<Credentials, String> {
        let folder = place::own_home(state).join("passwords");
        let kept = read_or_make(&folder, name).map_err(|error| format!("{}: {error}", folder.join(name).display()))?;
        let (password, tag) = kept.trim_end().split_once(' ').ok_or_else(|| {
            format!("{} does not hold a password and a tag; remove it, and another password is made", folder.join(name).display())
        })?;
        let user = role(name);
        Ok(Credentials { database: user.clone(), user, password: password.into(), tag: tag.into() })
    }
}

impl fmt::Debug for Credentials {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_struct("Credentials").field("user", &self.user).field("database", &self.database).finish_non_exhaustive()
    }
}

/// NAME, unless it is one that Postgres keeps for itself.
fn role(name: &str) -> String {
    if name.starts_with("pg_") || RESERVED.contains(&name) { format!("app_{name}") } else { name.to_string() }
}

fn read_or_make(folder: &Path, name: &str) -> io::Result<String> {
    let file = folder.join(name);
    match fs::read_to_string(&file) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => {}
        read => return read,
    }
    DirBuilder::new().recursive(true).mode(0o700).create(folder)?;
    let aside = folder.join(format!(".{name}.{}", random(8)?));
    let mut written = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&aside)?;
    let made = written.write_all(format!("{} {}\n", random(STRENGTH)?, random(8)?).as_bytes()).and_then(|()| written.sync_all());
    // A link never replaces what another process has made meanwhile.
    let linked = made.and_then(|()| match fs::hard_link(&aside, &file) {
        Err(error) if error.kind() != io::ErrorKind::AlreadyExists => Err(error),
        _ => File::open(folder)?.sync_all(),
    });
    fs::remove_file(&aside)?;
    linked?;
    fs::read_to_string(&file)
}

/// So many random bytes, in hexadecimal.
fn random(bytes: usize) -> io::Result<String> {
    let mut random = vec![0; bytes];
    File::open("/dev/urandom")?.read_exact(&mut random)?;
    Ok(random.iter().map(|byte| format!("{byte:02x}")).collect())
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    #[test]
    fn a_password_is_made_once_and_private() {
        let state = tempfile::tempdir().unwrap();
        let first = Credentials::of(state.path(), "main").unwrap();
        assert_eq!((first.user.as_str(), first.database.as_str(), first.password.len()), ("main", "main", 2 * STRENGTH));
        assert_eq!(Credentials::of(state.path(), "main").unwrap(), first);
        assert_ne!(Credentials::of(state.path(), "other").unwrap().password, first.password);
        let file = state.path().join("postgres/passwords/main");
        assert_eq!(fs::metadata(file).unwrap().permissions().mode() & 0o777, 0o600);
        assert!(!format!("{first:?}").contains(&first.password));
        assert_eq!(fs::read_dir(state.path().join("postgres/passwords")).unwrap().count(), 2);
    }

    #[test]
    fn names_that_are_taken_give_way() {
        assert_eq!([role("main"), role("postgres"), role("pg_x")], ["main", "app_postgres", "app_pg_x"]);
    }

    #[test]
    fn a_spoilt_file_is_said() {
        let state = tempfile::tempdir().unwrap();
        Credentials::of(state.path(), "main").unwrap();
        fs::write(state.path().join("postgres/passwords/main"), "x\n").unwrap();
        assert!(Credentials::of(state.path(), "main").unwrap_err().contains("remove it"));
    }
}
