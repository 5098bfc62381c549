//! Which parameters a client's statements may have changed since the server was last asked.

use std::collections::BTreeSet;

use super::parameters::Parameters;
use super::settle::{ROLE, SESSION_USER};
use crate::parse::{Name, Recognised, Step, Touched};

/// Names to ask for.
#[derive(Debug, Default)]
pub(super) struct Changed {
    names: BTreeSet<Box<str>>,
    /// Any that the session has: `RESET ALL`.
    is_reset: bool,
    /// Any at all.
    pub(super) is_unknown: bool,
    /// Given at startup, reset since: their value is that of the startup again, which the server does not know.
    pub(super) restored: BTreeSet<Box<str>>,
}

/// Of a transaction, whatever sets them.
const OF_A_TRANSACTION: [&str; 3] = ["transaction_isolation", "transaction_read_only", "transaction_deferrable"];

/// Whether a parameter belongs to sessions.
pub(super) fn is_of_sessions(name: &str) -> bool {
    !OF_A_TRANSACTION.contains(&name)
}

impl Changed {
    /// A text was sent.
    pub(super) fn add(&mut self, recognised: &Recognised) {
        match recognised.touched() {
            Touched::Names(names) => self.names.extend(names.iter().cloned()),
            Touched::All(names) => {
                self.is_unknown = true;
                self.names.extend(names.iter().cloned());
            }
        }
        self.is_reset |= recognised.steps.iter().any(is_whole_reset);
    }

    /// Whether all that the session has may be reset.
    pub(super) fn is_reset(&self) -> bool {
        self.is_reset
    }

    /// What `other` may have changed, too.
    pub(super) fn join(&mut self, other: &Changed) {
        self.names.extend(other.names.iter().cloned());
        self.is_reset |= other.is_reset;
        self.is_unknown |= other.is_unknown;
    }

    /// Names that a text was given as values; `false`: there are too many.
    pub(super) fn add_names(&mut self, mut names: impl Iterator<Item = Box<str>>) -> bool {
        self.names.extend(names.by_ref().take(MOST));
        names.next().is_none()
    }

    /// A `SET` or `RESET` has succeeded.
    pub(super) fn note(&mut self, step: &Step, startup: &Parameters) {
        // Whoever becomes another user has no role; whoever becomes the first one again has the first one's.
        let with_role = |name: &str| [Box::from(name), Box::from(if name == SESSION_USER { ROLE } else { name })];
        match step {
            Step::Set(name) => self.restored.retain(|restored| !with_role(name).contains(restored)),
            Step::Reset(Name::One(name)) => {
                self.restored.extend(with_role(name).into_iter().filter(|name| startup.get(name).is_some()));
            }
            Step::Reset(Name::All) => self.restored.extend(startup.values().keys().filter(|name| is_reset_with_all(name)).cloned()),
            _ => {}
        }
    }

    /// The names to ask for in a session with these parameters, of which any may have changed if `is_unknown`.
    pub(super) fn names(&self, parameters: [&Parameters; 2], is_unknown: bool) -> BTreeSet<Box<str>> {
        let mut names = self.names.clone();
        if self.is_reset || self.is_unknown || is_unknown {
            names.extend(parameters.into_iter().flat_map(|parameters| parameters.values().keys()).cloned());
        }
        names.retain(|name| is_of_sessions(name) && !name.is_empty());
        names
    }
}

/// Longest name of a custom parameter, bytes; Postgres has no bound.
const LONGEST: usize = 255;

/// Most names that are taken from the values of one statement.
const MOST: usize = 64;

/// `RESET ALL` leaves alone who a session is.
fn is_reset_with_all(name: &str) -> bool {
    name != ROLE && name != SESSION_USER
}

/// A value that may be the name of a custom parameter, as it is known.
pub(super) fn custom_name(value: &[u8]) -> Option<Box<str>> {
    let name = std::str::from_utf8(value).ok().filter(|name| name.len() <= LONGEST && name.contains('.'))?;
    let is_of_names = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'$' | b'.') || !byte.is_ascii();
    name.bytes().all(is_of_names).then(|| name.to_ascii_lowercase().into())
}

fn is_whole_reset(step: &Step) -> bool {
    matches!(step, Step::Reset(Name::All) | Step::DiscardAll)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::parse::{Strings, recognise};

    fn parameters(pairs: &[(&str, &str)]) -> Parameters {
        pairs.iter().map(|(name, value)| (Box::from(*name), Box::from(*value))).collect()
    }

    fn names(text: &str) -> Vec<String> {
        let mut changed = Changed::default();
        changed.add(&recognise(text.as_bytes(), Strings::Standard));
        let names = changed.names([&parameters(&[("a", "1")]), &parameters(&[("b", "1")])], false);
        names.into_iter().map(String::from).collect()
    }

    #[test]
    fn what_a_text_names_is_asked_and_what_the_session_has_when_all_is_reset() {
        assert_eq!(names("SET x = 1; SET TIME ZONE 'UTC'"), ["timezone", "x"]);
        assert_eq!(names("RESET ALL"), ["a", "b"]);
        assert_eq!(names("DISCARD ALL"), ["a", "b"]);
        assert_eq!(names("SELECT set_config($1, $2, false)"), ["a", "b"]);
        assert!(names("SELECT set_config('transaction_read_only', 'on', false)").is_empty());
    }

    #[test]
    fn startup_values_come_back_with_a_reset_that_is_the_last_word() {
        let restored = |text: &str| {
            let (mut changed, startup) = (Changed::default(), parameters(&[("a", "1"), ("role", "r")]));
            recognise(text.as_bytes(), Strings::Standard).steps.iter().for_each(|step| changed.note(step, &startup));
            changed.restored.into_iter().map(String::from).collect::<Vec<_>>()
        };
        assert_eq!(restored("RESET a; RESET b"), ["a"]);
        assert_eq!(restored("RESET ALL"), ["a"]);
        assert!(restored("RESET a; SET a = 2").is_empty());
    }

    #[test]
    fn only_what_can_be_a_custom_parameter_is_one() {
        assert_eq!(custom_name(b"My.Tenant").as_deref(), Some("my.tenant"));
        for value in [&b"tenant"[..], b"a b.c", b"it's.x", b"\xff.a"] {
            assert_eq!(custom_name(value), None);
        }
    }
}
