//! Reads plimsoll.toml by its definition: source positions, units, secrets, problems and marks.
//!
//! A tier describes its section once, as a [`Section`] of [`Key`]s; [`read`] turns the file into a checked [`Table`]
//! and a [`Report`] of everything that is wrong with it. The reference page comes from the same definition.

mod address;
mod command;
mod nearest;
mod problem;
mod read;
mod reference;
mod report;
mod scalar;
mod schema;
mod secret;
mod units;
mod value;
mod world;

pub use command::{expand, split, variables};
pub use nearest::nearest;
pub use problem::{Fault, Place, Problem, Problems};
pub use read::read;
pub use reference::reference;
pub use report::Report;
pub use schema::{Key, Kind, Mark, Named, Section};
pub use secret::Secret;
pub use units::{Rate, parse_duration, show_duration, show_rate, show_size};
pub use value::{Entry, Item, Table, Value, Written};
pub use world::World;
