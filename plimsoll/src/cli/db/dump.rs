use std::io::{IsTerminal, stdout};
use std::time::Instant;

use serde_json::json;

use super::entrance::{DatabaseAndFile, choose, running};
use super::tools::{target, tools};
use super::{Failed, misused};
use crate::cli::Shared;

/// Write the database to a file or to stdout (`-`), as it is at one moment, while it is used.
#[derive(Debug, clap::Args)]
pub struct Arguments {
    #[command(flatten)]
    which: DatabaseAndFile,
    /// Print JSON; with a file only.
    #[arg(long)]
    json: bool,
}

pub(super) fn run(shared: &Shared, arguments: &Arguments) -> Result<(), Failed> {
    let (all, begun) = (running(shared)?, Instant::now());
    let (name, file) = arguments.which.split(&all);
    let entrance = choose(all, name.as_deref())?;
    let (tools, target) = (tools(&entrance)?, target(&entrance));
    let Some(file) = file else {
        if stdout().is_terminal() {
            return Err(misused("a dump is nothing for a terminal: name a file, or send the output to one"));
        }
        // As pg_dump by itself: `| head` needs no text, and a dump that is not whole is no success.
        return if postgres::dump_to_stdout(&tools, &target)? { Ok(()) } else { Err(String::new().into()) };
    };
    let bytes = postgres::dump_to_file(&tools, &target, &file)?;
    let seconds = begun.elapsed().as_secs_f64();
    let text = if arguments.json {
        json!({ "database": entrance.name, "file": file, "bytes": bytes, "seconds": seconds }).to_string()
    } else {
        format!("dumped {} to {}: {bytes} bytes in {seconds:.1} s", entrance.name, file.display())
    };
    crate::cli::print(&format!("{text}\n"));
    Ok(())
}
