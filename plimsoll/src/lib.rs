//! Everything on the scaling diagram except your app, in one binary.

pub mod orders;
pub mod state;

pub mod file;
