//! server: connections to Postgres, opened, kept, lent and taken back.

mod ask;
mod cancel;
mod connect;
mod connection;
pub(crate) mod fuzzing;
mod key;
mod login;
mod pool;
mod prepared;
mod reader;
mod scram;
mod tls;
mod tried;

pub(crate) use ask::{AskError, Rows, ask, ask_within};
pub(crate) use cancel::Target;
pub(crate) use connect::{ConnectError, connect};
pub(crate) use connection::Connection;
pub(crate) use key::Key;
pub(crate) use pool::{Attendance, Ledger, Lent, Message, Pool, Refused, Side, VACATED_FOR, seed, to_server};
pub(crate) use prepared::{Held, Loan, Number, Origin, Place, Prepared, Wanted, find_name, name_of};
pub(crate) use reader::Reader;
pub(crate) use tls::Trust;
pub(crate) use tried::{TRIES, Tried, Unfit};

#[cfg(test)]
pub(crate) mod tests;
