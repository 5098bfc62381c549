//! Everything on the scaling diagram except your app, in one binary.

pub mod assemble;
pub mod cli;
mod database_url;
mod descriptors;
pub mod file;
pub mod new;
pub mod orders;
mod picture;
mod reach;
mod reload;
mod server;
pub mod state;
