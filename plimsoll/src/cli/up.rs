use std::ffi::OsString;
use std::path::PathBuf;
use std::process::{Command, ExitCode};

use super::{Shared, exit};
use crate::server;

/// Run everything the file asks for, in the foreground.
#[derive(Debug, clap::Args)]
pub struct Arguments {
    /// The file, or the folder of plimsoll.toml.
    #[arg(value_name = "FILE|DIR", conflicts_with = "file")]
    path: Option<PathBuf>,
    /// Make the machine ready first, by the system's package if need be: as `plimsoll setup --yes`.
    #[arg(long)]
    setup: bool,
}

/// Becomes the keeper, which starts this binary again as the server with the same arguments.
pub fn keep(shared: &Shared, up: &Arguments, arguments: &[OsString]) -> ExitCode {
    if up.setup
        && let Err(code) = set_up(shared, up)
    {
        return code;
    }
    process::run_keeper(arguments)
}

/// In a process of its own: the keeper stays as small as it is.
fn set_up(shared: &Shared, up: &Arguments) -> Result<(), ExitCode> {
    let program = std::env::current_exe().unwrap_or_else(|_| "plimsoll".into());
    match Command::new(program).arg("setup").arg("--yes").arg("--file").arg(shared.path(&up.path)).stdout(std::io::stderr()).status() {
        Ok(status) if status.success() => Ok(()),
        Ok(status) => Err(ExitCode::from(status.code().and_then(|code| u8::try_from(code).ok()).unwrap_or(exit::FAILED))),
        Err(error) => {
            eprintln!("cannot run `plimsoll setup`: {error}");
            Err(ExitCode::from(exit::FAILED))
        }
    }
}

/// The server's part: runs until it is told to stop.
pub fn serve(shared: &Shared, arguments: &Arguments) -> u8 {
    server::run(shared.path(&arguments.path), shared.state())
}
