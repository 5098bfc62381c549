//! What belongs to one client beyond its connection, and how it follows the client from server to server.

mod parameters;

pub(crate) use parameters::Parameters;
