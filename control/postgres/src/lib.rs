//! The embedded Postgres server: found or fetched, made, run by the keeper, dumped.

mod plan;

pub use plan::Plan;
