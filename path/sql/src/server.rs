//! server: connections to Postgres, opened, kept, lent and taken back.

mod connection;
mod key;
mod prepared;

pub(crate) use connection::{CancelKey, Connection};
pub(crate) use key::Key;
pub(crate) use prepared::{Held, Number, Prepared, ServerName, Wanted, is_ours, name_of};
