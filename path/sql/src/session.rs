//! What belongs to one client beyond its connection, and how it follows the client from server to server.

mod interned;
mod parameters;
mod quote;
mod reported;

pub(crate) use interned::Interned;
pub(crate) use parameters::{Parameters, Values};
pub(crate) use reported::Reported;
