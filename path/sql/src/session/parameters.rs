//! What is set in a session beyond what a new connection has.

use std::collections::BTreeMap;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::Arc;

/// Names and values; values in the database's encoding.
pub(crate) type Values = BTreeMap<Box<str>, Box<[u8]>>;

/// Configuration parameters of a session that differ from those of a new connection, by lower-case name.
///
/// Two sessions with equal parameters may use one server connection without anything being set.
#[derive(Debug, Default)]
pub(crate) struct Parameters {
    values: Values,
    hash: u64,
    plan: u64,
}

impl Parameters {
    /// With these values.
    pub(crate) fn new(values: Values) -> Parameters {
        let plan = hash(values.iter().filter(|(name, _)| is_for_plans(name)));
        Parameters { hash: hash(values.iter()), plan, values }
    }

    /// The value of `name`, in the database's encoding.
    pub(crate) fn get(&self, name: &str) -> Option<&[u8]> {
        self.values.get(name).map(|value| &**value)
    }

    /// All of them.
    pub(crate) fn values(&self) -> &Values {
        &self.values
    }

    /// A hash of all of them.
    pub(super) fn hash(&self) -> u64 {
        self.hash
    }

    /// A hash of the parameters that matter to prepared statements: where it differs, a statement of the same text may
    /// have other plans, other constants, other tables. Zero for none.
    pub(crate) fn plan(&self) -> u64 {
        self.plan
    }

    /// Whether nothing needs to be set where `other` is set.
    pub(crate) fn is(self: &Arc<Parameters>, other: &Arc<Parameters>) -> bool {
        Arc::ptr_eq(self, other) || **self == **other
    }

    /// Whether all but `name` are the same in both.
    pub(crate) fn is_but_for(&self, name: &str, other: &Parameters) -> bool {
        let mine = self.values.iter().filter(|(known, _)| ***known != *name);
        mine.eq(other.values.iter().filter(|(known, _)| ***known != *name))
    }
}

impl PartialEq for Parameters {
    fn eq(&self, other: &Parameters) -> bool {
        self.hash == other.hash && self.values == other.values
    }
}

impl Eq for Parameters {}

/// Names in any case; the last value of a name counts.
impl FromIterator<(Box<str>, Box<str>)> for Parameters {
    fn from_iter<I: IntoIterator<Item = (Box<str>, Box<str>)>>(pairs: I) -> Parameters {
        let pairs = pairs.into_iter().map(|(name, value)| (name.to_ascii_lowercase().into(), value.into_boxed_bytes()));
        Parameters::new(pairs.collect())
    }
}

/// Whether a parameter can change what a prepared statement does: most can (`search_path`, `DateStyle`, `TimeZone`,
/// `role`, `enable_…`), and one too many costs a plan only. Those with a dot are for functions and extensions at run time.
fn is_for_plans(name: &str) -> bool {
    const NEVER: [&str; 3] = ["application_name", "client_min_messages", "synchronous_commit"];
    !(NEVER.contains(&name) || name.contains('.') || name.ends_with("_timeout") || name.starts_with("log_") || name.starts_with("tcp_"))
}

fn hash<'v>(values: impl Iterator<Item = (&'v Box<str>, &'v Box<[u8]>)>) -> u64 {
    let mut values = values.peekable();
    if values.peek().is_none() {
        return 0;
    }
    let mut hasher = DefaultHasher::new();
    values.for_each(|value| value.hash(&mut hasher));
    hasher.finish()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parameters(pairs: &[(&str, &str)]) -> Arc<Parameters> {
        Arc::new(pairs.iter().map(|(name, value)| (Box::from(*name), Box::from(*value))).collect())
    }

    #[test]
    fn names_count_in_any_case_and_the_last_value_of_one() {
        let both = parameters(&[("TimeZone", "UTC"), ("timezone", "GMT")]);
        assert!(both.is(&parameters(&[("timezone", "GMT")])) && !both.is(&parameters(&[("timezone", "UTC")])));
        assert_eq!(both.get("timezone"), Some(&b"GMT"[..]));
        assert!(parameters(&[]).is(&Arc::default()));
    }

    #[test]
    fn only_what_matters_to_statements_is_in_their_hash() {
        let plan = |pairs: &[(&str, &str)]| parameters(pairs).plan();
        assert_eq!(plan(&[("application_name", "a"), ("my.tenant", "7"), ("statement_timeout", "5")]), 0);
        assert_ne!(plan(&[("search_path", "a")]), plan(&[("search_path", "b")]));
        assert_ne!(plan(&[("role", "a")]), plan(&[("search_path", "a")]));
        assert_ne!(plan(&[("datestyle", "ISO, DMY")]), 0);
    }
}
