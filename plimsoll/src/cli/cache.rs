//! `plimsoll cache`: one verb a file.

mod keys;

use clap::Subcommand;

use super::{Shared, told};

/// The stores: which keys there are, and how they are used.
#[derive(Debug, clap::Args)]
pub struct Arguments {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Debug, Subcommand)]
enum Verb {
    Keys(keys::Arguments),
}

/// Does what the verb asks and returns its exit code.
pub fn run(shared: &Shared, arguments: &Arguments) -> u8 {
    match &arguments.verb {
        Verb::Keys(arguments) => told(keys::run(shared, arguments)),
    }
}
