//! The door for clients of memcached: its text protocol and its meta commands, on the same keys.
//!
//! frame -> request -> item. What a client sends is cut into requests (`frame`, `request`, `meta`), each is done on its keys under
//! their locks (`answer`), as `item` says what memcached does. Not here: the binary protocol, UDP, and what is about slabs.

mod answer;
mod flush;
mod frame;
pub(crate) mod fuzzing;
mod item;
mod login;
mod meta;
mod metas;
mod number;
mod path;
mod request;
mod stats;
mod tally;
mod text;

pub(crate) use flush::Flushes;
use frame::Frames;
pub(crate) use path::path;
pub(crate) use tally::{Base, Tally};

/// The version whose behaviour this is.
const VERSION: &str = "VERSION 1.6.18";

/// What a client of memcached needs beside what every client has.
#[derive(Debug, Default)]
pub(crate) struct Session {
    frames: Frames,
    /// Bytes of the keys of the request that were answered already.
    done: usize,
}
