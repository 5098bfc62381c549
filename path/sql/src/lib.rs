//! The SQL door: client -> parse -> route -> server.

mod client;
mod door;
mod error;
mod events;
mod exchange;
mod frame;
pub mod fuzzing;
mod listening;
mod open;
mod orders;
mod parse;
mod path;
mod pins;
mod plan;
mod route;
mod scram;
mod server;
mod session;
mod settings;
mod status;
mod tier;
mod top;
mod view;
mod visit;

pub use events::Counts;
pub use open::{Open, OpenTransaction};
pub use pins::Pinned;
pub use plan::{Limits, Listen, Password, Plan, Pool, ServerTls, SslMode};
pub use settings::{SQL, Settings};
pub use status::{KeyStatus, Status};
pub use tier::{Handle, SwapError, Tier};
pub use top::TopStatement;
