//! The HTTP door: accept -> admit -> answer -> balance.

pub mod answer;
mod plan;

pub use plan::{AccessLog, AppRoute, Listen, Max, Network, Plan, Site, Timeout};
