//! The KV door: any Redis client finds a Redis, in process.
//!
//! client -> command -> store. What a client sends is framed (`frame`), looked up (`command`) and done on the keys
//! (`store`), which all loops share.
#![allow(dead_code)] // until the door is whole

mod client;
mod command;
mod config;
mod door;
mod error;
mod events;
mod frame;
pub mod fuzzing;
mod glob;
mod orders;
mod path;
mod pause;
mod plan;
mod pubsub;
mod slow;
mod store;
mod tier;
mod upkeep;
mod users;
mod visit;

pub use plan::{Listen, Plan};
pub use store::{Among, Eviction, Policy};
pub use tier::{Handle, Tier};
pub use users::User;
