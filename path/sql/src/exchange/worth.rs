use std::cell::Cell;
use std::collections::HashMap;
use std::hash::BuildHasherDefault;
use std::sync::Arc;

use crate::parse::{Already, Constants, Effects, Recognised};
use crate::server::{Key, Wanted};

/// Most statements of which it is known; more, and all are forgotten.
const MOST: usize = 4096;

/// Longest statement of which it is known, bytes.
const LONGEST: usize = 8 << 10;

/// Effects that a statement may have that is kept although its client gave it no name.
const HARMLESS: Effects = Effects::SEQUENCES_USED.and(Effects::SEQUENCES_READ).and(Effects::NOTIFIES);

/// Which unnamed statements may be kept at the server without a worse plan for anybody, as far as the server was asked.
/// What it said is to be forgotten now and then: tables change.
#[derive(Debug, Default)]
pub(crate) struct Worth(HashMap<Wanted, Verdicts, BuildHasherDefault<Already>>);

/// For clients of which keys a statement may be kept, or not.
type Verdicts = Vec<Known>;

#[derive(Debug)]
struct Known {
    of: Arc<Key>,
    is_worth: bool,
    /// Of its last use: what is kept counts in its own generation only, and is not worth it if they go by faster than it is used.
    generation: Cell<u64>,
}

/// Which unnamed statements may be kept.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) enum Reuse {
    /// None.
    #[default]
    Never,
    /// Those that look up a unique key, or insert.
    Lookups,
    /// All that only read and write tables: they are planned each time anyway (`force_custom_plan`).
    Always,
}

/// Whether a statement may be kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Verdict {
    Yes,
    No,
    /// The server has not been asked.
    Unknown,
}

impl Worth {
    /// Whether `wanted` may be kept for clients of `key`.
    pub(super) fn judge(&self, key: &Arc<Key>, wanted: &Wanted, reuse: Reuse, generation: u64) -> Verdict {
        let text = &wanted.statement.recognised;
        match reuse {
            Reuse::Never => Verdict::No,
            _ if wanted.statement.size() > LONGEST => Verdict::No,
            Reuse::Always if is_plain(text) => Verdict::Yes,
            _ if text.lookup.is_none() || !is_plain(text) => Verdict::No,
            _ => match self.0.get(wanted).and_then(|known| known.iter().find(|known| Arc::ptr_eq(&known.of, key))) {
                Some(known) if known.is_worth && known.generation.replace(generation) == generation => Verdict::Yes,
                Some(_) => Verdict::No,
                None => Verdict::Unknown,
            },
        }
    }

    /// The server said whether it may, in `generation`.
    pub(crate) fn note(&mut self, key: &Arc<Key>, wanted: Wanted, is_worth: bool, generation: u64) {
        if self.0.len() >= MOST {
            self.0.clear();
        }
        let known = self.0.entry(wanted).or_default();
        known.retain(|known| !Arc::ptr_eq(&known.of, key));
        known.push(Known { of: key.clone(), is_worth, generation: Cell::new(generation) });
    }

    /// Forgets what the server said.
    pub(crate) fn clear(&mut self) {
        self.0.clear();
    }
}

fn is_plain(text: &Recognised) -> bool {
    text.steps.len() == 1 && text.constants != Constants::Moment && text.effects.and(HARMLESS) == HARMLESS
}
