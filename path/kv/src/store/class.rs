//! How long keys are there that are made without an expiry, by their names.

use super::entry::Ms;
use crate::glob;

/// Keys whose names match a pattern.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TtlClass {
    /// As Redis's `KEYS` has it.
    pub pattern: Box<str>,
    /// Milliseconds that such a key is there; none: until it is taken away.
    pub ttl: Option<u64>,
}

/// When a key that is made now is overdue, as the first class says that it matches.
pub(super) fn expiry(classes: &[TtlClass], key: &[u8], now: Ms) -> Option<Ms> {
    let class = classes.iter().find(|class| glob::matches(class.pattern.as_bytes(), key, false))?;
    Some(now + class.ttl?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_class_that_matches_counts() {
        let class = |pattern: &str, ttl| TtlClass { pattern: pattern.into(), ttl };
        let classes = [class("session:keep:*", None), class("session:*", Some(1800)), class("*", Some(5))];
        let of = |key: &str| expiry(&classes, key.as_bytes(), 1000);
        assert_eq!((of("session:keep:1"), of("session:1"), of("cart"), of("")), (None, Some(2800), Some(1005), None));
    }
}
