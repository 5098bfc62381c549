//! users: who may come in, and what each may do, in the words of Redis's ACL.
//!
//! Those of the file are changed there; others are made and changed by `ACL SETUSER` and live as long as the door. A client
//! keeps its user, and looks for a newer one before it is answered: what everybody may do costs nothing to find out.

mod describe;
mod elsewhere;
mod flaw;
mod log;
mod password;
mod rights;
mod user;

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::client::Client;

pub(crate) use log::{Context, DenialLog, Reason};
pub(crate) use rights::{Denied, Rights};
pub use user::User;

/// The user that a client is until it says another.
pub(crate) const DEFAULT: &[u8] = b"default";

/// All users of a door.
#[derive(Debug)]
pub(crate) struct Users {
    all: Mutex<BTreeMap<Box<[u8]>, Arc<User>>>,
    /// Counts the changes.
    version: AtomicU64,
    /// Clients must say who they are.
    needs_login: AtomicBool,
    pub(crate) log: DenialLog,
}

/// What a change came to.
pub(crate) struct Changed {
    pub(crate) before: Option<Arc<User>>,
    pub(crate) after: Arc<User>,
}

const OF_FILE: &str = "is written in the file: change it there, then `plimsoll reload`";

impl Users {
    /// Those of the file, and the default one if it is not among them.
    pub(crate) fn new(of_file: &[User]) -> Users {
        let users =
            Users { all: Mutex::default(), version: AtomicU64::new(0), needs_login: AtomicBool::new(false), log: DenialLog::default() };
        users.follow(of_file);
        users
    }

    fn locked(&self) -> MutexGuard<'_, BTreeMap<Box<[u8]>, Arc<User>>> {
        self.all.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Those of the file are these from now on; gives the names of those that are no more.
    pub(crate) fn follow(&self, of_file: &[User]) -> Vec<Box<[u8]>> {
        let mut all = self.locked();
        let is_gone = |user: &User| user.is_of_file && of_file.iter().all(|other| other.name != user.name);
        let gone: Vec<_> = all.values().filter(|user| is_gone(user)).map(|user| user.name.clone()).collect();
        gone.iter().for_each(|name| _ = all.remove(name));
        all.extend(of_file.iter().map(|user| (user.name.clone(), Arc::new(user.clone()))));
        all.entry(DEFAULT.into()).or_insert_with(|| Arc::new(User::default()));
        self.changed(&all);
        gone
    }

    fn changed(&self, all: &BTreeMap<Box<[u8]>, Arc<User>>) {
        self.needs_login.store(all.get(DEFAULT).is_none_or(|user| !user.is_open()), Ordering::Release);
        self.version.fetch_add(1, Ordering::Release);
    }

    /// Whether a client must say who it is before it may do anything.
    pub(crate) fn needs_login(&self) -> bool {
        self.needs_login.load(Ordering::Acquire)
    }

    /// The user that a client is at first, and the number of changes by then.
    pub(crate) fn default(&self) -> (Arc<User>, u64) {
        let version = self.version.load(Ordering::Acquire);
        (self.get(DEFAULT).expect("there is always a default user"), version)
    }

    pub(crate) fn get(&self, name: &[u8]) -> Option<Arc<User>> {
        self.locked().get(name).cloned()
    }

    /// All, by name.
    pub(crate) fn all(&self) -> Vec<Arc<User>> {
        self.locked().values().cloned().collect()
    }

    /// The user of that name, if that is its password.
    pub(crate) fn log_in(&self, name: &[u8], password: &[u8]) -> Option<Arc<User>> {
        self.get(name).filter(|user| user.opens(password))
    }

    /// Whether the client knows its user as it is now.
    #[inline]
    pub(crate) fn are_known_to(&self, client: &Client) -> bool {
        client.users_seen == self.version.load(Ordering::Acquire)
    }

    /// The client's user as it is now; one that is no more ends the client.
    #[cold]
    pub(crate) fn show(&self, client: &mut Client) {
        client.users_seen = self.version.load(Ordering::Acquire);
        match self.get(&client.user.name) {
            Some(user) => client.user = user,
            None => client.leaves = true,
        }
        client.limits.known |= !self.needs_login();
        client.look();
    }

    /// Makes a user, or changes it, as these words say; one that is new may hear all channels, if it `hears_all`.
    ///
    /// # Errors
    /// In Redis's text; nothing is changed.
    pub(crate) fn set(&self, name: &[u8], words: &[&[u8]], hears_all: bool) -> Result<Changed, String> {
        if !rights::is_plain(name) {
            return Err("Usernames can't contain spaces or null characters".into());
        }
        let mut all = self.locked();
        let before = all.get(name).cloned();
        check_free(before.as_deref())?;
        let mut after = before.as_deref().cloned().unwrap_or_else(|| User::new(name, hears_all));
        after.follow(words, hears_all)?;
        let after = Arc::new(after);
        all.insert(name.into(), after.clone());
        self.changed(&all);
        Ok(Changed { before, after })
    }

    /// Takes users away; gives those that were there.
    ///
    /// # Errors
    /// One of them must stay, in Redis's text; none is gone then.
    pub(crate) fn delete<'a>(&self, names: impl Iterator<Item = &'a [u8]> + Clone) -> Result<Vec<Arc<User>>, String> {
        if names.clone().any(|name| name == DEFAULT) {
            return Err("The 'default' user cannot be removed".into());
        }
        let mut all = self.locked();
        names.clone().try_for_each(|name| check_free(all.get(name).map(|user| &**user)))?;
        let gone = names.filter_map(|name| all.remove(name)).collect();
        self.changed(&all);
        Ok(gone)
    }

    /// `requirepass`: the one password of the default user, or none.
    ///
    /// # Errors
    /// The file says it.
    pub(crate) fn set_password(&self, password: &str) -> Result<(), String> {
        let word = format!(">{password}");
        let words: &[&[u8]] = if password.is_empty() { &[b"resetpass", b"nopass"] } else { &[b"resetpass", word.as_bytes()] };
        self.set(DEFAULT, words, false).map(drop)
    }
}

/// Only the file changes what it says.
fn check_free(user: Option<&User>) -> Result<(), String> {
    match user {
        Some(user) if user.is_of_file => Err(format!("The user '{}' {OF_FILE}", String::from_utf8_lossy(&user.name))),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests;
