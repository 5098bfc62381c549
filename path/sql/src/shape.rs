//! The plan made ready: who may come in, whom to believe. A reload makes a new one; all loops share it.

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
}

impl Shape {
    /// Reads certificates and makes the keys of users that `before` did not have: milliseconds, so not on a loop.
    ///
    /// # Errors
    /// What is wrong with a certificate.
    pub(crate) fn new(plan: Plan, before: Option<&Shape>) -> Result<Shape, String> {
        let gate = Gate::new(&plan, before.map(|shape| &shape.gate))?;
        let trust = Trust::new(&plan.server)?;
        Ok(Shape { plan, gate, trust })
    }
}
