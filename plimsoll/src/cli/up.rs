use std::ffi::OsString;
use std::path::PathBuf;
use std::process::ExitCode;

use super::Shared;
use crate::server;

/// Run everything the file asks for, in the foreground.
#[derive(Debug, clap::Args)]
pub struct Arguments {
    /// The file, or the folder of plimsoll.toml.
    #[arg(value_name = "FILE|DIR", conflicts_with = "file")]
    path: Option<PathBuf>,
}

/// Becomes the keeper, which starts this binary again as the server with the same arguments.
pub fn keep(arguments: &[OsString]) -> ExitCode {
    process::run_keeper(arguments)
}

/// The server's part: runs until it is told to stop.
pub fn serve(shared: &Shared, arguments: &Arguments) -> u8 {
    server::run(shared.path(&arguments.path), shared.state())
}
