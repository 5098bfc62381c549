//! The command line: one verb a file. Exit codes: 0 done, 1 failed, 64 bad usage or file.

mod cache;
mod check;
mod db;
mod logs;
mod new;
mod reload;
mod setup;
mod status;
mod up;

use std::ffi::OsString;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::{Parser, Subcommand};

/// Everything on the scaling diagram except your app, in one binary.
#[derive(Debug, Parser)]
#[command(name = "plimsoll", version, subcommand_required = true, arg_required_else_help = true, disable_help_subcommand = true)]
struct CommandLine {
    #[command(flatten)]
    shared: Shared,
    #[command(subcommand)]
    verb: Verb,
}

/// What every verb takes.
#[derive(Debug, Clone, clap::Args)]
pub struct Shared {
    /// The file; by default plimsoll.toml in this folder.
    #[arg(long, value_name = "FILE", global = true)]
    file: Option<PathBuf>,
    /// The folder of everything kept, instead of the file's `state`.
    #[arg(long, value_name = "DIR", global = true)]
    state: Option<PathBuf>,
}

/// What verbs about one file take, too.
#[derive(Debug, clap::Args)]
pub struct AboutFile {
    /// The file, or the folder of plimsoll.toml.
    #[arg(value_name = "FILE|DIR", conflicts_with = "file")]
    path: Option<PathBuf>,
    /// Print JSON.
    #[arg(long)]
    json: bool,
}

#[derive(Debug, Subcommand)]
enum Verb {
    New(new::Arguments),
    Setup(setup::Arguments),
    Up(up::Arguments),
    Check(check::Arguments),
    Reload(reload::Arguments),
    Status(status::Arguments),
    Logs(logs::Arguments),
    Db(db::Arguments),
    Cache(cache::Arguments),
}

/// Exit codes that people script against.
pub mod exit {
    /// Done.
    pub const DONE: u8 = 0;
    /// Failed.
    pub const FAILED: u8 = 1;
    /// Bad usage or a bad file.
    pub const USAGE: u8 = 64;
}

impl Shared {
    /// The file that is meant: `--file`, else the verb's own `[FILE|DIR]`, else `plimsoll.toml` in this folder.
    pub fn path<'a>(&'a self, positional: &'a Option<PathBuf>) -> &'a Path {
        self.file.as_deref().or(positional.as_deref()).unwrap_or(Path::new("plimsoll.toml"))
    }

    /// `--state`.
    pub fn state(&self) -> Option<&Path> {
        self.state.as_deref()
    }
}

/// Reads a process's arguments, the program's name first, does what they ask and returns its exit code.
pub fn run(arguments: &[OsString]) -> ExitCode {
    let line = match CommandLine::try_parse_from(arguments) {
        Ok(line) => line,
        Err(error) => return unread(&error),
    };
    ExitCode::from(match line.verb {
        Verb::New(arguments) => new::run(&line.shared, &arguments),
        Verb::Setup(arguments) => setup::run(&line.shared, &arguments),
        Verb::Up(up) => return up::keep(&line.shared, &up, &arguments[1..]),
        Verb::Check(arguments) => check::run(&line.shared, &arguments),
        Verb::Reload(arguments) => reload::run(&line.shared, &arguments),
        Verb::Status(arguments) => status::run(&line.shared, &arguments),
        Verb::Logs(arguments) => logs::run(&line.shared, &arguments),
        Verb::Db(arguments) => db::run(&line.shared, &arguments),
        Verb::Cache(arguments) => cache::run(&line.shared, &arguments),
    })
}

/// The server that the keeper started with the arguments of `up`, without the program's name.
pub fn serve(arguments: Vec<OsString>) -> ExitCode {
    match CommandLine::try_parse_from(std::iter::once(OsString::from("plimsoll")).chain(arguments)) {
        Ok(CommandLine { shared, verb: Verb::Up(arguments) }) => ExitCode::from(up::serve(&shared, &arguments)),
        Ok(_) => ExitCode::from(exit::USAGE),
        Err(error) => unread(&error),
    }
}

fn unread(error: &clap::Error) -> ExitCode {
    // A closed stdout or stderr changes nothing about the verdict.
    let _ = error.print();
    ExitCode::from(if error.use_stderr() { exit::USAGE } else { exit::DONE })
}

/// Prints to stdout; a reader that went away (`| head`) is no failure.
fn print(text: &str) {
    let _ = std::io::stdout().write_all(text.as_bytes());
}

/// Why a verb failed, with its exit code; nothing is said when there is no reason that anybody need read.
struct Failed {
    code: u8,
    reason: String,
}

impl From<String> for Failed {
    fn from(reason: String) -> Failed {
        Failed { code: exit::FAILED, reason }
    }
}

fn misused(reason: impl Into<String>) -> Failed {
    Failed { code: exit::USAGE, reason: reason.into() }
}

fn told(outcome: Result<(), Failed>) -> u8 {
    match outcome {
        Ok(()) => exit::DONE,
        Err(Failed { code, reason }) => {
            if !reason.is_empty() {
                eprintln!("{reason}");
            }
            code
        }
    }
}
