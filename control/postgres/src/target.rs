//! A database as libpq's programs take it: the password goes by the environment, where `ps` does not show it.

use std::ffi::OsString;
use std::fmt;
use std::path::Path;

/// Where a database is, and who asks.
#[derive(Clone, PartialEq, Eq)]
pub struct Target {
    name: String,
    environment: Vec<(OsString, OsString)>,
}

impl Target {
    /// A `postgres://` URL.
    pub fn url(url: &str) -> Target {
        let (name, password) = without_password(url);
        let password = password.map(|password| ("PGPASSWORD".into(), decoded(&password).into()));
        Target { name, environment: environment(password) }
    }

    /// A database behind the socket in this folder.
    pub(crate) fn socket(folder: &Path, user: &str, database: &str) -> Target {
        let all = [("PGHOST", folder.as_os_str()), ("PGPORT", "5432".as_ref()), ("PGUSER", user.as_ref())];
        let ours = all.map(|(name, value)| (OsString::from(name), OsString::from(value)));
        // A name alone could be taken for a whole connection string.
        Target { name: format!("dbname='{}'", database.replace('\\', "\\\\").replace('\'', "\\'")), environment: environment(ours) }
    }

    /// For `--dbname`.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Variables for the program, beside its own.
    pub fn environment(&self) -> impl Iterator<Item = (OsString, OsString)> + '_ {
        self.environment.iter().cloned()
    }
}

impl fmt::Debug for Target {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_tuple("Target").field(&self.name).finish()
    }
}

fn environment(ours: impl IntoIterator<Item = (OsString, OsString)>) -> Vec<(OsString, OsString)> {
    [("PGAPPNAME".into(), "plimsoll".into()), ("PGCONNECT_TIMEOUT".into(), "30".into())].into_iter().chain(ours).collect()
}

fn without_password(url: &str) -> (String, Option<String>) {
    let Some((scheme, rest)) = url.split_once("://") else { return (url.into(), None) };
    let end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
    let (authority, path) = rest.split_at(end);
    let parts = authority.rsplit_once('@').and_then(|(who, host)| Some((who.split_once(':')?, host)));
    let Some(((user, password), host)) = parts else { return (url.into(), None) };
    (format!("{scheme}://{user}@{host}{path}"), Some(password.into()))
}

/// Percent signs and what follows them (RFC 3986).
fn decoded(text: &str) -> String {
    let (mut bytes, mut rest) = (Vec::new(), text.as_bytes());
    while let Some((first, after)) = rest.split_first() {
        let hex = || u8::from_str_radix(std::str::from_utf8(after.get(..2)?).ok()?, 16).ok();
        match (first, hex()) {
            (b'%', Some(byte)) => {
                bytes.push(byte);
                rest = &after[2..];
            }
            _ => {
                bytes.push(*first);
                rest = after;
            }
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_password_leaves_the_url() {
        let target = Target::url("postgres://app:s%40c:r@127.0.0.1:6432/shop?sslmode=disable");
        assert_eq!(target.name(), "postgres://app@127.0.0.1:6432/shop?sslmode=disable");
        assert!(target.environment().any(|pair| pair == ("PGPASSWORD".into(), "s@c:r".into())));
        assert!(!format!("{target:?}").contains("s@c"));
        for without in ["postgres://app@db/shop", "postgres:///shop", "shop"] {
            assert_eq!(Target::url(without).name(), without);
        }
    }

    #[test]
    fn a_socket_is_a_folder_and_names_are_quoted() {
        let target = Target::socket(Path::new("/run/x"), "plimsoll", "it's");
        assert_eq!(target.name(), "dbname='it\\'s'");
        assert!(target.environment().any(|pair| pair == ("PGHOST".into(), "/run/x".into())));
    }
}
