//! store: the keys and what they hold, in memory, shared by all loops.

mod access;
mod arena;
mod big;
mod blocks;
mod census;
mod class;
mod elements;
mod entry;
pub(crate) mod hash;
mod keys;
pub(crate) mod list;
mod memory;
mod order;
mod outcome;
pub(crate) mod packed;
mod random;
mod save;
pub(crate) mod set;
mod shards;
mod shown;
mod slot;
pub(crate) mod sorted;
pub(crate) mod stream;
mod table;
mod tag;
mod varint;
mod view;
mod waiter;

pub use access::{Among, Eviction, Policy};
pub(crate) use big::Big;
pub(crate) use census::{Counted, What};
pub use class::TtlClass;
pub(crate) use entry::{Kind, Ms};
pub(crate) use keys::{Counts, Kept, Keys, Record, Told, Use};
pub(crate) use outcome::{Class, Outcome};
#[cfg(test)]
pub(crate) use random::Random;
pub(crate) use shards::{Away, Guard, Held, Store};
pub(crate) use shown::Sum;
pub(crate) use slot::Slot;
pub(crate) use tag::Tag;
pub(crate) use view::{Value, View};
pub(crate) use waiter::{OnWait, Turn, Wait, Waiter, Went};
