use std::ffi::OsString;
use std::os::unix::process::CommandExt;
use std::path::PathBuf;
use std::process::Command;

use super::tools::{target, tools};
use super::{Failed, entrance};
use crate::cli::Shared;

/// Open psql on the database.
#[derive(Debug, clap::Args)]
pub struct Arguments {
    /// The database, when there are more than one.
    #[arg(value_name = "NAME")]
    name: Option<String>,
    /// Passed on to psql: `plimsoll db shell -- -c "SELECT 1"`.
    #[arg(last = true, value_name = "ARGUMENTS")]
    arguments: Vec<OsString>,
}

/// Becomes psql; returns only when that fails.
pub(super) fn run(shared: &Shared, arguments: &Arguments) -> Result<(), Failed> {
    let entrance = entrance::choose(entrance::running(shared)?, arguments.name.as_deref())?;
    // One without its companions will do, too.
    let psql = tools(&entrance).map_or_else(|_| PathBuf::from("psql"), |tools| tools.program("psql"));
    let target = target(&entrance);
    let mut command = Command::new(psql);
    // The password is no argument, for those are everybody's to read.
    command.envs(target.environment()).arg("--dbname").arg(target.name()).args(&arguments.arguments);
    let error = command.exec();
    let advice =
        if error.kind() == std::io::ErrorKind::NotFound { "; `plimsoll setup` gets it, or install your system's client" } else { "" };
    Err(format!("cannot run {}: {error}{advice}", command.get_program().display()).into())
}
