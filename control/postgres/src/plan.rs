//! What shall run: checked and complete.

use std::path::PathBuf;
use std::sync::Arc;

/// The embedded server's plan: one server, a role and a database for each `[sql.NAME]` without `primary`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Plan {
    /// The NAMEs; at least one.
    pub databases: Vec<Arc<str>>,
    /// `[sql.NAME] bin`: the folder of `postgres`, `initdb`, …; absent: looked for.
    pub bin: Option<PathBuf>,
    /// Most connections the doors will open, over all `[sql.NAME]`.
    pub connections: usize,
}
