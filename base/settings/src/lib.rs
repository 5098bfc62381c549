//! Source positions, units, problems and marks of plimsoll.toml.

mod command;
mod problem;
mod schema;

pub use command::expand;
pub use problem::{Place, Problem, Problems};
pub use schema::Mark;
