//! server: connections to Postgres, opened, kept, lent and taken back.

mod connection;
mod key;

pub(crate) use connection::{CancelKey, Connection};
pub(crate) use key::Key;
