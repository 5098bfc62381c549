//! Runs the user's apps: build, start, watch, roll, stop.
//!
//! Deciding is pure (`decide.rs`); one task per instance acts. What the doors need leaves as
//! [`contract::Endpoints`], one list per app for the life of the app's name.

mod app;
mod build;
mod command;
mod decide;
mod events;
mod fingerprint;
mod instance;
mod metrics;
mod names;
mod output;
mod plan;
mod ports;
mod roll;
mod roster;
mod settings;
mod status;
mod tier;
mod usage;
mod view;

pub use plan::{Plan, Run, Source};
pub use roll::Prepared;
pub use settings::{APPS, Settings};
pub use status::{AppStatus, InstanceStatus};
pub use tier::{Failure, Handle, Refused, Setup, Tier};
