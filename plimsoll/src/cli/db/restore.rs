use std::fs::File;
use std::io::{IsTerminal, stdin};
use std::time::Instant;

use serde_json::json;

use super::entrance::{DatabaseAndFile, choose, running};
use super::tools::{newest, target};
use super::{Failed, misused};
use crate::cli::Shared;

/// Put back what a dump holds, from a file or stdin (`-`): all of it or nothing, while the database is used.
#[derive(Debug, clap::Args)]
pub struct Arguments {
    #[command(flatten)]
    which: DatabaseAndFile,
    /// Print JSON.
    #[arg(long)]
    json: bool,
}

pub(super) fn run(shared: &Shared, arguments: &Arguments) -> Result<(), Failed> {
    let (all, begun) = (running(shared)?, Instant::now());
    let (name, file) = arguments.which.split(&all);
    let entrance = choose(all, name.as_deref())?;
    let (tools, target) = (newest(&entrance)?, target(&entrance));
    match &file {
        Some(file) => {
            let source = File::open(file).map_err(|error| format!("cannot read {}: {error}", file.display()))?;
            postgres::restore(&tools, &target, source)?;
        }
        None if stdin().is_terminal() => return Err(misused("name the file of a dump, or send it to stdin")),
        None => postgres::restore(&tools, &target, stdin())?,
    }
    let seconds = begun.elapsed().as_secs_f64();
    let text = if arguments.json {
        json!({ "database": entrance.name, "seconds": seconds }).to_string()
    } else {
        format!("restored {} in {seconds:.1} s", entrance.name)
    };
    crate::cli::print(&format!("{text}\n"));
    Ok(())
}
