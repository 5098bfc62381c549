//! The plan made ready: who may come in, whom to believe. A reload makes a new one; all loops share it.

use std::hash::{DefaultHasher, Hash, Hasher};
use std::path::Path;
use std::rc::Rc;
use std::sync::Arc;

use crate::client::Gate;
use crate::plan::Plan;
use crate::server::Trust;

/// A plan and what is made of it once.
#[derive(Debug)]
pub(crate) struct Shape {
    pub(crate) plan: Plan,
    /// Who may come in, and how.
    pub(crate) gate: Gate,
    /// How the server is spoken to.
    pub(crate) trust: Trust,
    files: Files,
    /// Counts how often trust or a password became another one: a connection opened under an older number is replaced.
    pub(crate) way: u64,
}

/// Hashes of what the files hold that a plan names.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Files {
    certificate: u64,
    roots: u64,
}

/// One loop's look at it: cloning it writes nothing that cores share.
#[allow(clippy::redundant_allocation)] // that is why
pub(crate) type View = Rc<Arc<Shape>>;

impl Shape {
    /// Reads certificates and makes the keys of users that `before` did not have: milliseconds, so not on a loop.
    ///
    /// # Errors
    /// What is wrong with a certificate.
    pub(crate) fn new(plan: Plan, before: Option<&Shape>) -> Result<Shape, String> {
        let files = Files::of(&plan);
        let gate = Gate::new(&plan, before.map(|shape| &shape.gate))?;
        let trust = Trust::new(&plan.server)?;
        let mut shape = Shape { plan, gate, trust, files, way: 0 };
        shape.way = before.map_or(0, |before| before.way + u64::from(!shape.leads_as(before)));
        Ok(shape)
    }

    /// Whether a connection opened as `before` says would be opened the same.
    fn leads_as(&self, before: &Shape) -> bool {
        self.plan.server == before.plan.server && self.files.roots == before.files.roots && self.gate.has_passwords_of(&before.gate)
    }

    /// Whether the files that the plan names hold something else than when they were read.
    pub(crate) fn is_renewed(&self) -> bool {
        Files::of(&self.plan) != self.files
    }
}

impl Files {
    fn of(plan: &Plan) -> Files {
        let own = plan.tls.iter().flat_map(|tls| [&*tls.cert, &*tls.key]);
        Files { certificate: hash(own), roots: hash(plan.server.roots.as_deref().into_iter()) }
    }
}

/// One that cannot be read is none; whoever needs it says so.
fn hash<'p>(paths: impl Iterator<Item = &'p Path>) -> u64 {
    let mut hasher = DefaultHasher::new();
    paths.for_each(|path| std::fs::read(path).ok().hash(&mut hasher));
    hasher.finish()
}
