use std::io::{self, IsTerminal};
use std::time::Duration;

use super::{AboutFile, Shared, exit};
use crate::orders::{Answer, Order};
use crate::reach;

/// Show what runs: every tier with its load line, every instance.
#[derive(Debug, clap::Args)]
pub struct Arguments {
    #[command(flatten)]
    about: AboutFile,
}

/// Prints the picture; 1 when nothing runs.
pub fn run(shared: &Shared, arguments: &Arguments) -> u8 {
    let answer = reach::ask(shared.path(&arguments.about.path), shared.state(), Order::Status, Duration::from_secs(10));
    let told = answer.and_then(|answer| match answer {
        Answer::Status(value) if arguments.about.json => Ok(format!("{value}\n")),
        Answer::Status(value) => serde_json::from_value(value)
            .map(|snapshot| watch::picture(&snapshot, io::stdout().is_terminal()))
            .map_err(|error| format!("the running Plimsoll is another version: {error}; --json prints what it says")),
        other => Err(format!("unexpected answer: {other:?}")),
    });
    match told {
        Ok(text) => {
            super::print(&text);
            exit::DONE
        }
        Err(reason) => {
            eprintln!("{reason}");
            exit::FAILED
        }
    }
}
