//! route: which server a batch goes to. A pure function; there is one server now.

use crate::parse::Effects;

/// Where a batch goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Route {
    /// The server that takes writes.
    Primary,
}

/// The server for a batch whose texts may do `_effects`.
pub(crate) fn route(_effects: Effects) -> Route {
    Route::Primary
}
