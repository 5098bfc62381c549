//! Bytes in, bytes out: one client and one server connection without sockets.

mod notation;
mod scene;
mod sql_names;

mod bounds;
mod copy;
mod failing;
mod limits;
mod measured;
mod names;
mod order;
mod places;
mod reuse;
mod stream;
