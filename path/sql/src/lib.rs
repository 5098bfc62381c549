//! The SQL door: client -> parse -> route -> server.
#![allow(dead_code, unused_imports)] // the rooms are being furnished; goes with the first whole path

mod client;
mod end_point;
mod error;
mod frame;
mod parse;
mod plan;
mod scram;
mod server;
mod session;
mod settings;
mod stream;
mod top;

pub use plan::{Certificate, Limits, Listen, Password, Plan, Pool, ServerTls, SslMode};
pub use settings::{SQL, Settings};
pub use top::TopStatement;
