//! The whole door, raw bytes in, raw bytes out, in front of fake apps.

mod answers;
mod bodies;
mod forwarding;
mod life;
mod limits;
mod retries;
mod setup;
mod strict;
