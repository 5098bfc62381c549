//! `plimsoll db`: one verb a file.

mod dump;
mod entrance;
mod restore;
mod shell;
mod status;
mod tools;
mod url;

use clap::Subcommand;

use super::{Failed, Shared, misused, told};

/// The database: its address, a shell on it, how it is, dumps of it.
#[derive(Debug, clap::Args)]
pub struct Arguments {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Debug, Subcommand)]
enum Verb {
    Url(url::Arguments),
    Shell(shell::Arguments),
    Status(status::Arguments),
    Dump(dump::Arguments),
    Restore(restore::Arguments),
}

/// Does what the verb asks and returns its exit code.
pub fn run(shared: &Shared, arguments: &Arguments) -> u8 {
    match &arguments.verb {
        Verb::Url(arguments) => url::run(shared, arguments),
        Verb::Shell(arguments) => told(shell::run(shared, arguments)),
        Verb::Status(arguments) => told(status::run(shared, arguments)),
        Verb::Dump(arguments) => told(dump::run(shared, arguments)),
        Verb::Restore(arguments) => told(restore::run(shared, arguments)),
    }
}
