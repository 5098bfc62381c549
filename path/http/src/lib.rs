//! The HTTP door: accept -> admit -> answer -> balance.

mod plan;

pub use plan::{AccessLog, AppRoute, Listen, Max, Network, Plan, Site, Timeout};
