//! store: the keys and what they hold, in memory, shared by all loops.

mod arena;
mod table;
