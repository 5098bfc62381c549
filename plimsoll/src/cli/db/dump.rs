use std::io::{IsTerminal, stdout};
use std::path::{Path, PathBuf};
use std::time::Instant;

use serde_json::json;

use super::entrance::{choose, running};
use super::tools::{target, tools};
use super::{Failed, misused};
use crate::cli::Shared;
use crate::orders::Entrance;

/// Write the database to a file or to stdout (`-`), as it is at one moment, while it is used.
#[derive(Debug, clap::Args)]
pub struct Arguments {
    /// The database, when there are more than one; left out, the file comes first.
    #[arg(value_name = "NAME")]
    first: Option<PathBuf>,
    /// The file; `-` or nothing: stdout.
    #[arg(value_name = "FILE")]
    second: Option<PathBuf>,
    /// Print JSON; with a file only.
    #[arg(long)]
    json: bool,
}

pub(super) fn run(shared: &Shared, arguments: &Arguments) -> Result<(), Failed> {
    let (all, begun) = (running(shared)?, Instant::now());
    let (name, file) = split([&arguments.first, &arguments.second], &all);
    let entrance = choose(all, name.as_deref())?;
    let (tools, target) = (tools(&entrance)?, target(&entrance));
    let Some(file) = file else {
        if stdout().is_terminal() {
            return Err(misused("a dump is nothing for a terminal: name a file, or send the output to one"));
        }
        return Ok(postgres::dump_to_stdout(&tools, &target)?);
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

/// What the arguments mean: one alone is the name of a database if there is one, else a file.
pub(super) fn split(what: [&Option<PathBuf>; 2], all: &[Entrance]) -> (Option<String>, Option<PathBuf>) {
    let name = |path: &Path| path.to_str().map(str::to_string);
    let file = |path: &PathBuf| Some(path.clone()).filter(|path| path.as_os_str() != "-");
    match what {
        [Some(one), Some(other)] => (name(one), file(other)),
        [Some(one), None] if all.iter().any(|entrance| one.as_os_str() == entrance.name.as_str()) => (name(one), None),
        [Some(one), None] => (None, file(one)),
        [None, _] => (None, None),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::db::entrance::example;

    #[test]
    fn one_argument_is_a_database_or_a_file() {
        let all = [example("main"), example("orders")];
        let split = |what: &[&str]| {
            let one = |at: usize| what.get(at).map(PathBuf::from);
            split([&one(0), &one(1)], &all)
        };
        assert_eq!(split(&[]), (None, None));
        assert_eq!(split(&["-"]), (None, None));
        assert_eq!(split(&["main"]), (Some("main".into()), None));
        assert_eq!(split(&["main.dump"]), (None, Some("main.dump".into())));
        assert_eq!(split(&["orders", "./main"]), (Some("orders".into()), Some("./main".into())));
        assert_eq!(split(&["orders", "-"]), (Some("orders".into()), None));
    }
}
