//! Whom the server runs as: ourselves, but never root.

use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

use process::User;
use rustix::process::geteuid;

/// The user that is made when the machine has none for Postgres.
pub(crate) const MADE: &str = "plimsoll-postgres";

/// A user of this machine.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Account {
    pub(crate) name: String,
    pub(crate) user: User,
}

/// Whom the server runs as.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Choice {
    /// Who Plimsoll itself runs as.
    Ourselves(Account),
    /// Plimsoll is root: another one.
    Other(Account),
    /// Plimsoll is root and the machine has no user for it yet.
    Make,
}

/// Chooses for a process of the user `we`; `owner` is whose the data are already, if there are any.
pub(crate) fn choose(passwd: &str, we: u32, owner: Option<u32>) -> Result<Choice, String> {
    if we != 0 {
        let ours = by_id(passwd, we).ok_or_else(|| {
            format!("the user {we} has no name in /etc/passwd, and Postgres wants one: add a line for it, or run Plimsoll as another user")
        })?;
        return Ok(Choice::Ourselves(ours));
    }
    if let Some(owner) = owner.filter(|owner| *owner != 0) {
        let known = by_id(passwd, owner);
        return known.map(Choice::Other).ok_or_else(|| {
            format!(
                "the data belong to the user {owner}, whom this machine does not know: add one of that number, or `chown -R` the data to the \
                 user who runs Postgres"
            )
        });
    }
    Ok(by_name(passwd, "postgres").or_else(|| by_name(passwd, MADE)).map_or(Choice::Make, Choice::Other))
}

/// Chooses on this machine.
pub(crate) fn here(data: Option<&Path>) -> Result<Choice, String> {
    let owner = data.and_then(|data| fs::metadata(data).ok()).map(|metadata| metadata.uid());
    choose(&passwd()?, geteuid().as_raw(), owner)
}

/// The name of who this process runs as; empty when it has none.
pub(crate) fn our_name() -> String {
    passwd().ok().and_then(|passwd| by_id(&passwd, geteuid().as_raw())).map(|account| account.name).unwrap_or_default()
}

fn passwd() -> Result<String, String> {
    fs::read_to_string("/etc/passwd").map_err(|error| format!("/etc/passwd: {error}"))
}

fn by_name(passwd: &str, name: &str) -> Option<Account> {
    accounts(passwd).find(|account| account.name == name)
}

fn by_id(passwd: &str, uid: u32) -> Option<Account> {
    accounts(passwd).find(|account| account.user.uid == uid)
}

/// The lines of passwd(5).
fn accounts(passwd: &str) -> impl Iterator<Item = Account> {
    passwd.lines().filter_map(|line| {
        let mut fields = line.split(':');
        let name = fields.next()?.to_string();
        let uid = fields.nth(1)?.parse().ok()?;
        Some(Account { name, user: User { uid, gid: fields.next()?.parse().ok()? } })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const PASSWD: &str = "root:x:0:0:root:/root:/bin/sh\nshop:x:1001:100::/srv:/bin/sh\npostgres:x:26:27::/var/lib/pgsql:/bin/sh\n";

    fn account(name: &str, uid: u32, gid: u32) -> Account {
        Account { name: name.into(), user: User { uid, gid } }
    }

    #[test]
    fn the_server_is_never_roots() {
        assert_eq!(choose(PASSWD, 1001, None), Ok(Choice::Ourselves(account("shop", 1001, 100))));
        assert_eq!(choose(PASSWD, 0, None), Ok(Choice::Other(account("postgres", 26, 27))));
        assert_eq!(choose(PASSWD, 0, Some(1001)), Ok(Choice::Other(account("shop", 1001, 100))));
        assert_eq!(choose(PASSWD, 0, Some(0)), Ok(Choice::Other(account("postgres", 26, 27))));
        assert_eq!(choose("root:x:0:0::/root:/bin/sh\nnobody:x:65534:65534::/:/bin/false\n", 0, None), Ok(Choice::Make));
        assert_eq!(choose(&format!("{MADE}:x:998:998::/:/bin/false"), 0, None), Ok(Choice::Other(account(MADE, 998, 998))));
    }

    #[test]
    fn one_without_a_name_is_told() {
        assert!(choose(PASSWD, 4711, None).unwrap_err().contains("4711"));
        assert!(choose(PASSWD, 0, Some(4711)).unwrap_err().contains("4711"));
    }
}
