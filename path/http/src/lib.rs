//! The HTTP door: accept -> admit -> answer -> balance.

mod accept;
pub mod answer;
pub mod balance;
#[doc(hidden)]
pub mod fuzzing;
mod plan;

pub use plan::{AccessLog, AppRoute, Listen, Max, Network, Plan, Site, Timeout};
