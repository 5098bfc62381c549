//! A keeper for the tests of this crate, and its guard.

use std::process::ExitCode;

fn main() -> ExitCode {
    match process::Role::of(std::env::args_os()) {
        process::Role::Hidden(hidden) => hidden.run(),
        _ => ExitCode::FAILURE,
    }
}
