//! Metrics of the host and of every tier, and the console's listener.

mod settings;

pub use settings::Plan;
