//! What a key holds as bytes of a form of our own, which says nothing of how it lies in memory: of `DUMP`, and of files.
//!
//! `[kind u8][what the kind says]`. A text is its length as a varint, and its bytes. A string is its bytes, a list its elements, a set
//! its members, a hash its fields, each with its value and with its expiry as a varint, 0 if it has none, a sorted set its members,
//! each with the bits of its score; of a stream `streams` says what it is.

mod reader;
mod streams;
mod writer;

pub(crate) use reader::{Held, Reader, read, texts};
pub(crate) use writer::{number, put, write};
