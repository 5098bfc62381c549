//! Clients of every language find Postgres behind `DATABASE_URL` and Redis behind `REDIS_URL`: each script runs once directly and
//! once through the door of a real `plimsoll up`, and prints the same. What is usually built on a Redis runs as apps of Plimsoll's.
#![allow(clippy::unwrap_used)]

mod installed;
mod kv;
mod scripts;
mod sql;
mod uses;
