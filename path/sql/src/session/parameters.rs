use std::collections::BTreeMap;

/// Configuration parameters of a session that differ from those of a new connection, by lower-case name.
///
/// Two sessions with equal parameters may use one server connection without anything being set.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Parameters {
    values: BTreeMap<Box<str>, Box<str>>,
}

impl Parameters {
    /// The value of `name`.
    pub(crate) fn get(&self, name: &str) -> Option<&str> {
        self.values.get(name).map(|value| &**value)
    }
}
