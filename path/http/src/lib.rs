//! The HTTP door: accept -> admit -> answer -> balance.

mod accept;
mod access;
mod admit;
pub mod answer;
pub mod balance;
mod door;
mod events;
#[doc(hidden)]
pub mod fuzzing;
mod orders;
mod path;
mod plan;
mod settings;
mod tier;
mod view;
mod visit;

pub use events::Counts;
pub use plan::{AccessLog, AppRoute, Listen, Max, Network, Plan, Site, Timeout};
pub use settings::{HTTP, SITE, Settings};
pub use tier::{Handle, Tier};
