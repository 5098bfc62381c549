//! A user: whether it may come in, with what, and what it may do then.

use super::DEFAULT;
use super::flaw::Flaw;
use super::password::Hash;
use super::rights::{Denied, Rights};
use crate::command::Command;
use crate::frame::Args;

/// One user.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct User {
    pub(crate) name: Box<[u8]>,
    is_on: bool,
    /// It comes in with any password.
    needs_none: bool,
    /// Whether what it says with RESTORE is to be looked at closely, if that was said. It always is: this is only shown.
    sanitizes: Option<bool>,
    passwords: Vec<Hash>,
    /// Its own, and those of its selectors: what one of them allows is allowed.
    rights: Vec<Rights>,
    /// It stands in the file.
    pub(crate) is_of_file: bool,
    /// It may do all.
    pub(crate) may_all: bool,
}

impl User {
    /// One who may do nothing, except hear all channels if it `hears_all`.
    pub(super) fn new(name: &[u8], hears_all: bool) -> User {
        User {
            name: name.into(),
            is_on: false,
            needs_none: false,
            sanitizes: None,
            passwords: Vec::new(),
            rights: vec![Rights::none(hears_all)],
            is_of_file: false,
            may_all: false,
        }
    }

    /// The one that clients are who do not say who they are: it may do all.
    pub(super) fn default() -> User {
        User { is_on: true, needs_none: true, rights: vec![Rights::all()], may_all: true, ..User::new(DEFAULT, false) }
    }

    /// One of the file: with this password, or any if there is none, and what `allow` says in the words of `ACL SETUSER`.
    ///
    /// # Errors
    /// A word of `allow` is none, in Redis's text.
    pub fn of_file(name: &str, password: Option<&str>, allow: &str) -> Result<User, String> {
        let mut user = User { is_on: true, needs_none: password.is_none(), is_of_file: true, ..User::new(name.as_bytes(), false) };
        if let Some(password) = password {
            user.passwords.push(Hash::of(password.as_bytes()).ok_or("the password is longer than 16 KB")?);
        }
        let words: Vec<&[u8]> = allow.split_ascii_whitespace().map(str::as_bytes).collect();
        user.follow(&words, false)?;
        Ok(user)
    }

    /// Whether it comes in with any password, or none.
    pub fn is_open(&self) -> bool {
        self.is_on && self.needs_none
    }

    /// Whether any password is as good as none, be it on or off.
    pub(crate) fn needs_none(&self) -> bool {
        self.needs_none
    }

    /// Changes it as these words say.
    ///
    /// # Errors
    /// One of them says nothing, in Redis's text; the user may have been changed by those before.
    pub(super) fn follow(&mut self, words: &[&[u8]], hears_all: bool) -> Result<(), String> {
        for word in merged(words)? {
            let said = |flaw| format!("Error in ACL SETUSER modifier '{}': {flaw}", String::from_utf8_lossy(&word));
            self.apply(&word, hears_all).map_err(said)?;
        }
        self.may_all = self.rights.iter().any(Rights::are_all);
        Ok(())
    }

    fn apply(&mut self, word: &[u8], hears_all: bool) -> Result<(), Flaw> {
        match &*word.to_ascii_lowercase() {
            b"" => {}
            b"on" => self.is_on = true,
            b"off" => self.is_on = false,
            b"skip-sanitize-payload" => self.sanitizes = Some(false),
            b"sanitize-payload" => self.sanitizes = Some(true),
            b"nopass" => (self.needs_none, self.passwords) = (true, Vec::new()),
            b"resetpass" => (self.needs_none, self.passwords) = (false, Vec::new()),
            b"clearselectors" => self.rights.truncate(1),
            b"reset" => *self = User { is_of_file: self.is_of_file, sanitizes: Some(true), ..User::new(&self.name, hears_all) },
            _ => match word {
                [b'>', password @ ..] => self.add(Hash::of(password).ok_or(Flaw::Syntax)?),
                [b'#', digits @ ..] => self.add(Hash::parse(digits).ok_or(Flaw::NoHash)?),
                [b'<', password @ ..] => self.take(&Hash::of(password).ok_or(Flaw::Syntax)?)?,
                [b'!', digits @ ..] => self.take(&Hash::parse(digits).ok_or(Flaw::NoHash)?)?,
                [b'(', rules @ .., b')'] => self.rights.push(selector(rules, hears_all)?),
                _ => self.rights[0].apply(word)?,
            },
        }
        Ok(())
    }

    fn add(&mut self, password: Hash) {
        if !self.passwords.contains(&password) {
            self.passwords.push(password);
        }
        self.needs_none = false;
    }

    fn take(&mut self, password: &Hash) -> Result<(), Flaw> {
        let before = self.passwords.len();
        self.passwords.retain(|known| known != password);
        if self.passwords.len() < before { Ok(()) } else { Err(Flaw::NoSuchPassword) }
    }

    /// Whether it comes in with this password.
    pub(super) fn opens(&self, password: &[u8]) -> bool {
        let given = || Hash::of(password);
        self.is_on && (self.needs_none || given().is_some_and(|given| self.passwords.iter().fold(false, |is, known| is | known.is(&given))))
    }

    /// Whether it may have `command` done on these words.
    pub(crate) fn check(&self, command: &'static Command, args: Args<'_>) -> Result<(), Denied> {
        if self.may_all {
            return Ok(());
        }
        let (ruled, keys) = (command.ruled(), command.touches(args));
        let mut nearest = Denied::Command;
        for rights in &self.rights {
            match rights.check(ruled, args, &keys) {
                Ok(()) => return Ok(()),
                Err(denied) => nearest = nearest.max(denied),
            }
        }
        Err(nearest)
    }

    /// Whether it may have `command` done, and lead it to any key to read there.
    pub(crate) fn reads_all_keys(&self, command: &'static Command, args: Args<'_>) -> bool {
        let keys = command.touches(args);
        self.may_all || self.rights.iter().any(|rights| rights.reads_all_keys() && rights.check(command.ruled(), args, &keys).is_ok())
    }

    /// Whether it may hear a channel, or all of a pattern, by any of its rights.
    pub(crate) fn hears(&self, channel: &[u8], is_pattern: bool) -> bool {
        self.rights.iter().any(|rights| rights.has_channel(channel, is_pattern))
    }

    /// Its own rights, and those of its selectors.
    pub(crate) fn rights(&self) -> (&Rights, &[Rights]) {
        self.rights.split_first().expect("it has its own")
    }

    /// The hashes of its passwords, as digits.
    pub(crate) fn passwords(&self) -> impl ExactSizeIterator<Item = String> {
        self.passwords.iter().map(Hash::digits)
    }

    /// What it is, in words of `ACL SETUSER`.
    pub(crate) fn flags(&self) -> impl Iterator<Item = &'static str> {
        let sanitizes = self.sanitizes.map(|is| if is { "sanitize-payload" } else { "skip-sanitize-payload" });
        [Some(if self.is_on { "on" } else { "off" }), self.needs_none.then_some("nopass"), sanitizes].into_iter().flatten()
    }

    /// Its name and what it may do, without what it comes in with.
    pub fn shown(&self) -> String {
        let rights: Vec<_> = self.rights.iter().map(|rights| String::from_utf8_lossy(&rights.said()).into_owned()).collect();
        format!("{} ({})", String::from_utf8_lossy(&self.name), rights.join(") ("))
    }

    /// All of it, as `ACL LIST` says it.
    pub(crate) fn said(&self) -> Vec<u8> {
        let mut said = [b"user ", &*self.name].concat();
        self.flags().for_each(|flag| said.extend_from_slice(format!(" {flag}").as_bytes()));
        self.passwords.iter().for_each(|password| said.extend_from_slice(format!(" #{}", password.digits()).as_bytes()));
        for (at, rights) in self.rights.iter().enumerate() {
            let (open, close): (&[u8], &[u8]) = if at == 0 { (b" ", b"") } else { (b" (", b")") };
            said.extend_from_slice(&[open, &rights.said(), close].concat());
        }
        said
    }
}

fn selector(rules: &[u8], hears_all: bool) -> Result<Rights, Flaw> {
    let mut rights = Rights::none(hears_all);
    for word in rules.split(|byte| byte.is_ascii_whitespace()).filter(|word| !word.is_empty()) {
        rights.apply(word)?;
    }
    Ok(rights)
}

/// The words, those of a selector as one.
fn merged(words: &[&[u8]]) -> Result<Vec<Vec<u8>>, String> {
    let (mut all, mut open): (Vec<Vec<u8>>, Option<&[u8]>) = (Vec::new(), None);
    for word in words {
        if let (Some(_), Some(selector)) = (open, all.last_mut()) {
            selector.push(b' ');
            selector.extend_from_slice(word);
        } else {
            all.push(word.to_vec());
            open = word.starts_with(b"(").then_some(word);
        }
        if word.ends_with(b")") {
            open = None;
        }
    }
    match open {
        None => Ok(all),
        Some(start) => Err(format!("Unmatched parenthesis in acl selector starting at '{}'.", String::from_utf8_lossy(start))),
    }
}
