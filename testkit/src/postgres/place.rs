//! Where Postgres's programs are, whom they run as and where the server may listen.

use std::collections::hash_map::RandomState;
use std::fs;
use std::hash::{BuildHasher, Hasher};
use std::net::{Ipv4Addr, TcpListener};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// The folder with `initdb`, `postgres` and `psql`: `PLIMSOLL_PG_BIN`, one of `PATH`, or Debian's newest.
pub fn programs() -> PathBuf {
    let written = std::env::var_os("PLIMSOLL_PG_BIN").map(PathBuf::from);
    let path = std::env::var_os("PATH").unwrap_or_default();
    let debian = debian();
    let found = written.into_iter().chain(std::env::split_paths(&path)).chain(debian).find(|folder| is_complete(folder));
    found.expect("Postgres is installed (Debian: postgresql), or PLIMSOLL_PG_BIN names the folder of its programs")
}

fn debian() -> Vec<PathBuf> {
    let versions = fs::read_dir("/usr/lib/postgresql").into_iter().flatten().flatten();
    let mut versions: Vec<u32> = versions.filter_map(|entry| entry.file_name().to_str()?.parse().ok()).collect();
    versions.sort_unstable_by(|a, b| b.cmp(a));
    versions.into_iter().map(|version| format!("/usr/lib/postgresql/{version}/bin").into()).collect()
}

fn is_complete(folder: &Path) -> bool {
    ["initdb", "postgres", "psql"].iter().all(|program| folder.join(program).is_file())
}

/// A server's program, as the server's user, away from the test's input and folder.
pub fn program(name: &str) -> Command {
    let mut command = Command::new(programs().join(name));
    command.current_dir("/").env("LC_ALL", "C.UTF-8").stdin(Stdio::null());
    if let Some((user, group)) = owner() {
        command.uid(user).gid(group);
    }
    command
}

/// Postgres refuses root: then `postgres` or else `nobody`, with its group.
pub fn owner() -> Option<(u32, u32)> {
    if !rustix::process::geteuid().is_root() {
        return None;
    }
    let users = fs::read_to_string("/etc/passwd").unwrap_or_default();
    let find = |name: &str| {
        let fields: Vec<&str> = users.lines().find(|line| line.split(':').next() == Some(name))?.split(':').collect();
        Some((fields.get(2)?.parse().ok()?, fields.get(3)?.parse().ok()?))
    };
    Some(find("postgres").or_else(|| find("nobody")).expect("there is an ordinary user"))
}

/// A port that nobody listens on, below those that the kernel gives to outgoing connections.
pub fn free_port() -> u16 {
    loop {
        let port = 16_000 + (RandomState::new().build_hasher().finish() % 16_000) as u16;
        if TcpListener::bind((Ipv4Addr::LOCALHOST, port)).is_ok() {
            return port;
        }
    }
}
