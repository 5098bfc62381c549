//! The KV door: any Redis client finds a Redis, in process.
//!
//! client -> command -> store. What a client sends is framed (`frame`), looked up (`command`) and done on the keys
//! (`store`), which all loops share.

mod calls;
mod client;
mod command;
mod config;
mod door;
mod error;
mod events;
mod form;
mod frame;
pub mod fuzzing;
mod glob;
mod latency;
mod memcached;
mod orders;
mod path;
mod pause;
mod persist;
mod plan;
mod pubsub;
mod rates;
mod script;
mod settings;
mod slow;
mod store;
mod survey;
mod tier;
mod upkeep;
mod users;
mod visit;

pub use events::Counts;
pub use plan::{Fsync, Listen, Max, Password, Plan, When};
pub use settings::{KV, Settings};
pub use store::{Among, Eviction, Policy, TtlClass};
pub use survey::{KeyClass, KeyTold, KeysAsked, KeysTold};
pub use tier::{Handle, Tier};
pub use users::User;
