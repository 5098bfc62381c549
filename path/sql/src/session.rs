//! What belongs to one client beyond its connection, and how it follows the client from server to server.

mod interned;
mod parameters;
mod quote;
mod reported;
mod statements;

pub(crate) use interned::Interned;
pub(crate) use parameters::{Parameters, Values};
pub(crate) use reported::Reported;
pub(crate) use statements::{Changes, Found, Named, Names, Statement};
