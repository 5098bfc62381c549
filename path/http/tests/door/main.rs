//! The whole door, raw bytes in, raw bytes out, in front of fake apps.

mod bodies;
mod forwarding;
mod life;
mod limits;
mod retries;
mod setup;
