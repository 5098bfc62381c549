//! Which scripts and functions say that they change nothing: loops must know it while writes pause.

use std::collections::HashSet;
use std::sync::{Mutex, MutexGuard, PoisonError};

use super::shebang;
use crate::command::Command;
use crate::frame::Args;

/// Those that there are now.
#[derive(Debug, Default)]
pub(crate) struct Readers {
    /// By digest.
    scripts: Mutex<HashSet<String>>,
    /// By name, in lower case.
    functions: Mutex<HashSet<String>>,
}

fn locked(names: &Mutex<HashSet<String>>) -> MutexGuard<'_, HashSet<String>> {
    names.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Readers {
    pub(super) fn add_script(&self, digest: &str) {
        locked(&self.scripts).insert(digest.into());
    }

    pub(super) fn forget_script(&self, digest: &str) {
        locked(&self.scripts).remove(digest);
    }

    pub(super) fn forget_scripts(&self) {
        locked(&self.scripts).clear();
    }

    /// These, and no others.
    pub(super) fn set_functions<'n>(&self, names: impl Iterator<Item = &'n String>) {
        *locked(&self.functions) = names.map(|name| name.to_ascii_lowercase()).collect();
    }

    /// Whether a command runs one of them.
    pub(crate) fn run_by(&self, command: &Command, args: Args<'_>) -> bool {
        let name = || String::from_utf8_lossy(args.at(1)).to_ascii_lowercase();
        match command.name {
            "eval" => shebang::of_script(args.at(1)).is_ok_and(|(marks, _)| marks.reads_only),
            "evalsha" => locked(&self.scripts).contains(&name()),
            "fcall" => locked(&self.functions).contains(&name()),
            _ => false,
        }
    }
}
