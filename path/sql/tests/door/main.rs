//! The whole door over a real Postgres: raw messages in, raw messages out.

#![allow(clippy::unwrap_used)] // a test's helpers are tests

mod between;
mod setup;

mod batches;
mod closing;
mod copy;
mod databases;
mod hidden;
mod histories;
mod kept;
mod left;
mod life;
mod limits;
mod listening;
mod login;
mod lost;
mod measured;
mod prepared;
mod queries;
mod sessions;
mod tier;
mod tls;
