use std::fmt;

/// What a change of a key costs while Plimsoll runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Mark {
    /// Nothing: the next request sees it.
    Live,
    /// The app's instances are replaced, the old ones drained.
    Drain,
    /// Plimsoll must be stopped and started; `reload` refuses the change by name.
    Restart,
}

impl fmt::Display for Mark {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Mark::Live => "live",
            Mark::Drain => "drain",
            Mark::Restart => "restart",
        })
    }
}
