//! Runs the user's apps: build, start, watch, roll, stop.

mod plan;

pub use plan::{Plan, Run, Source};
