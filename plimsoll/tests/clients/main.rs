//! Clients of every language find Postgres behind `DATABASE_URL`: each script runs once directly and once through
//! the door of a real `plimsoll up`, whose pool is smaller than what the script opens, and prints the same.
#![allow(clippy::unwrap_used)]

mod ground;
mod installed;
mod languages;
mod pgbench;
mod psql;
