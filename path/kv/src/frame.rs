//! RESP2, RESP3 and inline commands: bytes to arguments, answers to bytes.

mod args;
pub(crate) mod fuzzing;
mod number;
mod reply;
mod request;

pub(crate) use args::{Args, Owned};
pub(crate) use number::{Long, digits, int_text, parse_double, parse_int, write_double, write_score, write_unsigned};
pub(crate) use reply::{Hole, Protocol, Reply};
pub(crate) use request::{Cut, Limits, Requests, Rest, words};
