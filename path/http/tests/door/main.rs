//! The whole door, raw bytes in, raw bytes out, in front of fake apps.

#![allow(clippy::unwrap_used)] // a test's helpers are tests

mod answers;
mod bodies;
mod forwarding;
mod heads;
mod life;
mod limits;
mod retries;
mod setup;
mod site;
mod strict;
