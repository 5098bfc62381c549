//! Runs the user's apps: build, start, watch, roll, stop.
//!
//! Deciding is pure (`decide.rs`); one task per instance acts. What the doors need leaves as
//! [`contract::Endpoints`], one list per app for the life of the app's name.

mod plan;
mod settings;
mod status;
mod tier;

pub use plan::{Plan, Run, Source};
pub use settings::{APPS, Settings};
pub use status::{AppStatus, InstanceStatus};
pub use tier::{Failure, Handle, Prepared, Refused, Setup, Tier};
