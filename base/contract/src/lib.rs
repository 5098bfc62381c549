//! The only types that two tiers of Plimsoll share.
//!
//! What crosses from one tier to another is one of these, bounded, and handed over in
//! `plimsoll/src/assemble.rs`. A type that only one tier uses does not belong here.

mod database;
mod drain;
mod endpoints;
mod load;
mod postgres;

pub use database::{Database, DatabaseKeeper, ServerAddress, ServerState};
pub use drain::{Drain, DrainSwitch};
pub use endpoints::{Endpoint, Endpoints, InFlight, endpoints};
pub use load::{Load, SAFE_SHARE};
pub use postgres::{DumpState, PostgresState};
