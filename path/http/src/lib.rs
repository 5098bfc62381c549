//! The HTTP door: accept -> admit -> answer -> balance.

mod accept;
pub mod answer;
pub mod balance;
#[doc(hidden)]
pub mod fuzzing;
mod plan;
mod settings;

pub use plan::{AccessLog, AppRoute, Listen, Max, Network, Plan, Site, Timeout};
pub use settings::{HTTP, SITE, Settings};
