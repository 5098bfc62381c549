//! What a text that goes to the server means for what follows it.

use crate::parse::{Effects, Recognised, Step};

/// Whether the end of a statement of `text` means something.
pub(super) fn means(text: &Recognised) -> bool {
    text.effects.has(Effects::SEED.and(Effects::LOAD).and(Effects::TAKES_DATA))
        || text
            .steps
            .iter()
            .any(|step| !matches!(step, Step::Other | Step::Begin | Step::Commit | Step::Rollback | Step::Savepoint | Step::SetLocal))
}

/// Whether names of prepared statements may come or go with it, or parameters go back to what only the session knows.
pub(super) fn changes_session(text: &Recognised) -> bool {
    text.steps.iter().any(|step| matches!(step, Step::Prepare(_) | Step::Deallocate(_) | Step::DiscardAll | Step::Reset(_)))
}

/// Whether names may mean something else after it, for everybody.
pub(super) fn defines(text: &Recognised) -> bool {
    text.effects.has(Effects::DEFINES.and(Effects::OPAQUE))
}

/// Whether what is parsed after it may mean something else than before, until its transaction is over.
pub(super) fn disturbs(text: &Recognised) -> bool {
    const EFFECTS: Effects = Effects::PARAMETERS.and(Effects::TEMPORARY).and(Effects::DEFINES).and(Effects::OPAQUE);
    text.effects.has(EFFECTS) || text.steps.contains(&Step::SetLocal)
}
