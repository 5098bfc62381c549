//! Clients of Redis.

mod ground;
mod languages;
mod redis_cli;
