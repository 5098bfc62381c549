//! Everything on the scaling diagram except your app, in one binary.

pub mod cli;
pub mod file;
pub mod new;
pub mod orders;
pub mod state;
