//! The embedded Postgres server: found or fetched, made, run by the keeper, dumped.
//!
//! One server for every `[sql.NAME]` without `primary`, with a role and a database for each; it listens on a Unix
//! socket only. Deciding is pure (`find.rs`, `place.rs`, `configure.rs`, `tries.rs`); one task acts (`life.rs`).
//! What the door needs leaves as [`contract::Database`].

mod account;
mod ask;
mod clear;
mod configure;
mod credentials;
mod death;
mod dump;
mod events;
mod fetch;
mod find;
mod ground;
mod life;
mod lock;
mod make;
mod memory;
mod metrics;
mod output;
mod place;
mod plan;
mod postmaster;
mod restore;
mod roles;
mod run;
mod setup;
mod socket;
mod status;
mod target;
mod tier;
mod tools;
mod tries;
mod usage;
mod view;

pub use credentials::Credentials;
pub use dump::{dump_to_file, dump_to_stdout};
pub use plan::Plan;
pub use restore::restore;
pub use setup::setup;
pub use target::Target;
pub use tier::{Environment, Handle, Setup, Tier};
pub use tools::{Tools, server_major};
