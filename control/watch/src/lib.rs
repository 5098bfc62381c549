//! Metrics of the host and of every tier, the console's listener, and the picture that `status` prints.
//!
//! Nothing here lies on the path: it reads what tiers count, and traffic does not notice when it is gone.

mod bind;
mod console;
mod error;
mod health;
mod loads;
mod machine;
mod settings;
mod status;

pub use bind::bind;
pub use console::{Handle, Sources, Tier};
pub use error::Error;
pub use health::{Check, Health, PATIENCE, health};
pub use loads::{BuildInfo, Loads};
pub use machine::{Machine, host};
pub use settings::{CONSOLE, Plan, Settings};
pub use status::{
    AppState, HttpState, InstanceState, KeyClassState, KeyState, KeysState, KvState, OpenState, PinState, Snapshot, SqlState, SqlUserState,
    StatementState, TierState, database_picture, keys_picture, picture,
};
