//! The keeper: parent of everything Plimsoll runs, so that nothing outlives it.
//!
//! Three processes of one binary: the *keeper* that the user started, the *server* that does the work, and the
//! *guard* that clears everything away should the keeper be killed. `main` asks [`Role::of`] which one it is:
//!
//! ```no_run
//! # use std::process::ExitCode; use std::ffi::OsString; use process::{Keeper, Role};
//! # fn serve(_: Vec<OsString>) -> ExitCode { ExitCode::SUCCESS }
//! fn main() -> ExitCode {
//!     match Role::of(std::env::args_os()) {
//!         Role::Hidden(hidden) => hidden.run(),           // the guard: runs to its end
//!         Role::Server(arguments) => serve(arguments),    // `up`: a runtime, then Keeper::attach()
//!         Role::User(arguments) => process::run_keeper(&arguments[1..]), // what the user typed; here it was `up`
//!     }
//! }
//! ```

mod asked;
mod attach;
mod awaited;
mod child;
mod command;
mod guard;
mod keeper;
mod link;
mod output;
mod role;
mod scan;
mod wire;

pub use asked::{Asked, Orders};
pub use attach::Keeper;
pub use awaited::KilledWhenDropped;
pub use child::{Child, Process};
pub use command::{Command, Exit, User};
pub use keeper::run as run_keeper;
pub use output::{Tail, read_lines};
pub use role::{Hidden, Role};
pub use rustix::process::Signal;
