//! Clients of Postgres; the door's pool is smaller than what their scripts open.

mod ground;
mod languages;
mod pgbench;
mod psql;
