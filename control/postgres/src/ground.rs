//! What one start stands on: programs, user, folders. Looked up anew for each, for the machine changes.

use std::fs::{self, DirBuilder, Permissions};
use std::os::unix::fs::{DirBuilderExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::sync::Arc;

use contract::ServerAddress;
use process::Command;
use rustix::process::geteuid;

use crate::account::{self, Account, Choice};
use crate::fetch;
use crate::find::{self, Missing, Programs, Version};
use crate::place::{self, Home};
use crate::plan::Plan;
use crate::socket;
use crate::tier::{Environment, Setup};

/// Variables of ours that the programs get.
const INHERITED: &[&str] = &["PATH", "HOME", "TZ", "LD_LIBRARY_PATH", "TMPDIR"];

/// Everything that is known before the server starts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Ground {
    pub(crate) programs: Programs,
    pub(crate) account: Account,
    /// Whether `account` is another one than ours.
    pub(crate) switch: bool,
    pub(crate) home: Home,
    /// The folder of the socket.
    pub(crate) run: PathBuf,
    environment: Vec<(std::ffi::OsString, std::ffi::OsString)>,
}

/// Why there is no ground.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Lack {
    /// No programs.
    Programs(Missing),
    /// Anything else, for a person.
    Other(String),
}

impl Ground {
    /// Looks everything up and makes the folders. Blocks.
    pub(crate) fn prepare(plan: &Plan, setup: &Setup) -> Result<Ground, Lack> {
        let system = place::system(&setup.environment);
        let data = place::existing(&setup.state, &system);
        let (account, switch) = account(data.as_deref()).map_err(Lack::Other)?;
        let user = switch.then_some(account.user);
        let home = place::home(&setup.state, user, &system).map_err(Lack::Other)?;
        let programs = programs(plan, setup, data.as_deref(), user).map_err(Lack::Programs)?;
        folders(&setup.state, &home, switch).map_err(Lack::Other)?;
        let run = socket::prepare(&home.folder, account.user, geteuid().is_root()).map_err(Lack::Other)?;
        let of = |name: &&str| Some(((*name).into(), setup.environment.get(&std::ffi::OsString::from(name))?.clone()));
        let mut environment: Vec<_> = INHERITED.iter().filter_map(of).collect();
        environment.push(("LC_MESSAGES".into(), "C".into()));
        Ok(Ground { programs, account, switch, home, run, environment })
    }

    /// The data directory.
    pub(crate) fn data(&self) -> PathBuf {
        self.home.folder.join(place::DATA)
    }

    pub(crate) fn holds_data(&self) -> bool {
        place::holds_data(&self.data())
    }

    pub(crate) fn socket(&self) -> PathBuf {
        socket::file(&self.run)
    }

    pub(crate) fn address(&self) -> ServerAddress {
        ServerAddress::Unix(Arc::new(self.socket()))
    }

    /// One of the server's programs, as its user.
    pub(crate) fn command(&self, program: &str, arguments: Vec<std::ffi::OsString>) -> Command {
        Command {
            program: self.programs.bin.join(program).into(),
            arguments,
            env: self.environment.clone(),
            dir: "/".into(),
            user: self.switch.then_some(self.account.user),
        }
    }

    /// Gives an open file to the server's user.
    pub(crate) fn give_file(&self, file: &fs::File) -> std::io::Result<()> {
        let user = self.account.user;
        if self.switch { std::os::unix::fs::fchown(file, Some(user.uid), Some(user.gid)) } else { Ok(()) }
    }

    /// Gives a folder of ours to the server's user: not within one that is that user's already.
    pub(crate) fn give(&self, path: &Path) -> std::io::Result<()> {
        let user = self.account.user;
        if self.switch { std::os::unix::fs::chown(path, Some(user.uid), Some(user.gid)) } else { Ok(()) }
    }
}

/// Who runs the server, made if need be, and whether that is another user than ours.
fn account(data: Option<&Path>) -> Result<(Account, bool), String> {
    match account::here(data)? {
        Choice::Ourselves(account) => Ok((account, false)),
        Choice::Other(account) => Ok((account, true)),
        Choice::Make => {
            add_user()?;
            match account::here(data)? {
                Choice::Other(account) => Ok((account, true)),
                _ => Err(format!("the user {} was made, but this machine does not know it", account::MADE)),
            }
        }
    }
}

fn add_user() -> Result<(), String> {
    let ways: [&[&str]; 2] = [
        &["useradd", "--system", "--user-group", "--no-create-home", "--home-dir", "/nonexistent", "--shell", "/usr/sbin/nologin"],
        &["adduser", "-S", "-D", "-H", "-s", "/sbin/nologin"],
    ];
    let made = ways.iter().any(|words| {
        let mut command = std::process::Command::new(words[0]);
        let status = command.args(&words[1..]).arg(account::MADE).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).status();
        status.is_ok_and(|status| status.success())
    });
    let advice = format!("Postgres never runs as root, and this machine has no user for it: `useradd --system {}`", account::MADE);
    if made { Ok(()) } else { Err(advice) }
}

fn programs(plan: &Plan, setup: &Setup, data: Option<&Path>, user: Option<process::User>) -> Result<Programs, Missing> {
    let data = data.and_then(|data| fs::read_to_string(data.join("PG_VERSION")).ok()?.trim().parse().ok());
    programs_here(plan.bin.as_deref(), &setup.environment, data, user)
}

/// The programs for data of this major version, that `user` can run.
pub(crate) fn programs_here(
    bin: Option<&Path>,
    environment: &Environment,
    data: Option<u32>,
    user: Option<process::User>,
) -> Result<Programs, Missing> {
    let places = find::places(bin, environment, &fetch::fetched(environment));
    find::choose(&places, data, |folder| look(folder, user))
}

/// What is in a folder: see [`find::choose`].
fn look(folder: &Path, user: Option<process::User>) -> Option<Result<(PathBuf, Version), String>> {
    // A link in PATH leads to the folder that holds the rest.
    let postgres = folder.join("postgres").canonicalize().ok()?;
    let bin = postgres.parent()?.to_path_buf();
    if !bin.join("initdb").exists() {
        return None;
    }
    if let Some(closed) = user.and_then(|user| place::keeps_out(&bin, user)) {
        return Some(Err(format!("{} keeps the server's user out", closed.display())));
    }
    let said =
        std::process::Command::new(&postgres).arg("--version").env_remove("LC_ALL").env("LC_MESSAGES", "C").stdin(Stdio::null()).output();
    let version = said.map_err(|error| error.to_string()).and_then(|said| {
        find::version(&String::from_utf8_lossy(&said.stdout))
            .ok_or_else(|| String::from_utf8_lossy(&said.stderr).trim().replace('\n', "; "))
    });
    Some(version.map(|version| (bin, version)))
}

/// Makes the home and lets the server's user through, and nobody read.
fn folders(state: &Path, home: &Home, switch: bool) -> Result<(), String> {
    let failed = |folder: &Path, error: std::io::Error| format!("{}: {error}", folder.display());
    DirBuilder::new()
        .recursive(true)
        .mode(if switch { 0o711 } else { 0o700 })
        .create(&home.folder)
        .map_err(|error| failed(&home.folder, error))?;
    if !switch {
        return Ok(());
    }
    let parent = home.folder.parent().filter(|_| home.because.is_some()).unwrap_or(state);
    // Whatever our umask has taken away.
    for folder in [parent, &home.folder] {
        let mode = fs::metadata(folder).map_err(|error| failed(folder, error))?.permissions().mode();
        fs::set_permissions(folder, Permissions::from_mode(mode | 0o001)).map_err(|error| failed(folder, error))?;
    }
    Ok(())
}
