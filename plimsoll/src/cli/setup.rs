use std::io::{self, IsTerminal, Write};
use std::path::{Path, PathBuf};

use postgres::Environment;
use serde_json::json;

use super::{AboutFile, Shared, exit};
use crate::file;
use crate::reach;

/// Make this machine ready: find a Postgres for the embedded database, or get one. There need not be a file.
#[derive(Debug, clap::Args)]
pub struct Arguments {
    #[command(flatten)]
    about: AboutFile,
    /// Install the system's package without asking; only as root.
    #[arg(long)]
    yes: bool,
}

/// Says on one line what there is now.
pub fn run(shared: &Shared, arguments: &Arguments) -> u8 {
    let path = shared.path(&arguments.about.path);
    let bin = match wanted(path, shared.state()) {
        Ok(bin) => bin,
        Err(code) => return code,
    };
    let environment: Environment = std::env::vars_os().collect();
    let ask = |question: &str| arguments.yes || asked(question);
    match postgres::setup(bin.as_deref(), &environment, &ask, &|line| eprintln!("{line}")) {
        Ok(found) if arguments.about.json => super::print(&format!("{}\n", json!({ "found": found }))),
        Ok(found) => super::print(&format!("{found}\n")),
        Err(reason) => {
            eprintln!("{reason}");
            return exit::FAILED;
        }
    }
    exit::DONE
}

/// `bin` of the file, if there is a file and it names one. One without an embedded database is made ready for one all the same.
fn wanted(path: &Path, state: Option<&Path>) -> Result<Option<PathBuf>, u8> {
    if !reach::file_of(path).exists() {
        return Ok(None);
    }
    match file::load(path, state) {
        Ok(plan) => Ok(plan.postgres.and_then(|postgres| postgres.bin)),
        Err(problems) => {
            eprint!("{problems}");
            Err(exit::USAGE)
        }
    }
}

/// Only somebody at a terminal can say yes.
fn asked(question: &str) -> bool {
    if !io::stdin().is_terminal() {
        return false;
    }
    eprint!("{question} [y/N] ");
    let mut answer = String::new();
    // Whoever closes the terminal says no.
    let _ = io::stderr().flush().and_then(|()| io::stdin().read_line(&mut answer));
    matches!(answer.trim(), "y" | "Y" | "yes")
}
