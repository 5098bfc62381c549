//! The KV door: any Redis client finds a Redis, in process.
//!
//! client -> command -> store. What a client sends is framed (`frame`), looked up (`command`) and done on the keys
//! (`store`), which all loops share.
#![allow(dead_code, unused_imports)] // until the door is whole

mod command;
mod error;
mod frame;
pub mod fuzzing;
mod store;
