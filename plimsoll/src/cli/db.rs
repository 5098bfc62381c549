//! `plimsoll db`: one verb a file.

mod dump;
mod entrance;
mod restore;
mod shell;
mod status;
mod tools;
mod url;

use clap::Subcommand;

use super::{Shared, exit};

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

/// Why a verb failed, with its exit code; nothing is said when there is no reason that anybody need read.
struct Failed {
    code: u8,
    reason: String,
}

impl From<String> for Failed {
    fn from(reason: String) -> Failed {
        Failed { code: exit::FAILED, reason }
    }
}

fn misused(reason: impl Into<String>) -> Failed {
    Failed { code: exit::USAGE, reason: reason.into() }
}

fn told(outcome: Result<(), Failed>) -> u8 {
    match outcome {
        Ok(()) => exit::DONE,
        Err(Failed { code, reason }) => {
            if !reason.is_empty() {
                eprintln!("{reason}");
            }
            code
        }
    }
}
