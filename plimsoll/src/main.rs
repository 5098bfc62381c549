//! Plimsoll: see `plimsoll --help`.

use std::process::ExitCode;

use process::Role;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    match Role::of(std::env::args_os()) {
        Role::User(arguments) => plimsoll::cli::run(&arguments),
        Role::Server(arguments) => plimsoll::cli::serve(arguments),
        Role::Hidden(hidden) => hidden.run(),
    }
}
