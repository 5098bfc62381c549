//! What can be wrong with a word of the rules, as Redis says it.

use std::fmt;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Flaw {
    Unknown,
    Syntax,
    KeysAfterAll,
    ChannelsAfterAll,
    NoSuchPassword,
    NoHash,
    /// Of a part of a command: `+config|get|x`.
    WordOfPart,
}

impl fmt::Display for Flaw {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let after_all = |all: &str, reset: &str, what: &str| {
            format!(
                "Adding a pattern after the * pattern (or the '{all}' flag) is not valid and does not have any effect. \
                 Try '{reset}' to start with an empty list of {what}"
            )
        };
        out.write_str(match self {
            Flaw::Unknown => "Unknown command or category name in ACL",
            Flaw::Syntax => "Syntax error",
            Flaw::KeysAfterAll => return out.write_str(&after_all("allkeys", "resetkeys", "patterns")),
            Flaw::ChannelsAfterAll => return out.write_str(&after_all("allchannels", "resetchannels", "channels")),
            Flaw::NoSuchPassword => "The password you are trying to remove from the user does not exist",
            Flaw::NoHash => "The password hash must be exactly 64 characters and contain only lowercase hexadecimal characters",
            Flaw::WordOfPart => "Allowing first-arg of a subcommand is not supported",
        })
    }
}
