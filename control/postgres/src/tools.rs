//! Postgres's client programs: which of this machine's are used, and how one has ended. Blocks: for verbs, not for the server.

use std::io;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use crate::fetch;
use crate::find;
use crate::target::Target;
use crate::tier::Environment;

/// Postgres's client programs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tools {
    bin: PathBuf,
    /// Of these programs: they dump servers up to it.
    pub major: u32,
}

impl Tools {
    /// Those of `bin` or of this machine that can dump a server of the major version `server`; the smallest that can.
    ///
    /// # Errors
    /// There are none; says how to get some.
    pub fn find(bin: Option<&Path>, environment: &Environment, server: Option<u32>) -> Result<Tools, String> {
        let folders = match find::places(bin, environment, &fetch::fetched(environment)) {
            find::Places::Only(folder, _) => vec![folder],
            find::Places::Any(folders) => folders,
        };
        let mut found: Vec<Tools> = folders.iter().filter_map(|folder| Tools::of(folder)).collect();
        found.sort_by_key(|tools| tools.major);
        let fits = |tools: &&Tools| server.is_none_or(|server| tools.major >= server);
        let best = match server {
            Some(_) => found.iter().find(fits),
            None => found.last(),
        };
        let wanted = server.map_or(String::new(), |server| format!(" of version {server} or newer"));
        best.cloned().ok_or_else(|| format!("this machine has no pg_dump{wanted}; `plimsoll setup` gets one"))
    }

    fn of(folder: &Path) -> Option<Tools> {
        let program = folder.join("pg_dump").canonicalize().ok()?;
        let bin = program.parent()?.to_path_buf();
        // Debian's pg_dump in PATH is a script that chooses among versions; the folders of each come later.
        let are_there = ["pg_dump", "pg_restore", "psql"].iter().all(|name| bin.join(name).exists());
        let said = are_there.then(|| Command::new(bin.join("pg_dump")).arg("--version").stdin(Stdio::null()).output().ok())??;
        Some(Tools { bin, major: find::version(&String::from_utf8_lossy(&said.stdout))?.major })
    }

    /// One of them, as a command line's first word.
    pub fn program(&self, name: &str) -> PathBuf {
        self.bin.join(name)
    }
}

/// The major version of the server that is there.
pub fn server_major(tools: &Tools, target: &Target) -> Option<u32> {
    let mut command = Command::new(tools.program("psql"));
    command.args(["-XAtq", "--no-password", "-c", "SHOW server_version_num"]).envs(target.environment()).arg("--dbname").arg(target.name());
    let output = command.stdin(Stdio::null()).stderr(Stdio::null()).output().ok()?;
    let number: u32 = String::from_utf8_lossy(&output.stdout).trim().parse().ok()?;
    Some(number / 10_000)
}

/// What a program said last, when it has not done what it should.
pub(crate) fn ended(program: &str, output: io::Result<Output>) -> Result<(), String> {
    let output = output.map_err(|error| format!("cannot start {program}: {error}"))?;
    if output.status.success() {
        return Ok(());
    }
    let said = String::from_utf8_lossy(&output.stderr);
    let said: Vec<&str> = said.lines().filter(|line| !line.trim().is_empty()).take(5).collect();
    Err(if said.is_empty() { format!("{program} ended with {}", output.status) } else { said.join("; ") })
}

#[cfg(test)]
pub(crate) mod tests;
