//! Which Postgres is used: pure over a list of folders and what is asked about each.

use std::ffi::OsString;
use std::fmt;
use std::path::{Path, PathBuf};

use crate::tier::Environment;

/// Older ones lack what we ask of them, and are no longer kept by their makers.
pub(crate) const OLDEST: u32 = 13;

/// Folders with one Postgres each, below a parent, by the begin of their names; the newest of a parent comes first.
const FAMILIES: &[(&str, &str, &str)] = &[
    ("/usr/lib/postgresql", "", "bin"),
    ("/usr", "pgsql-", "bin"),
    ("/usr/libexec", "postgresql", ""),
    ("/opt/homebrew/opt", "postgresql", "bin"),
    ("/usr/local/opt", "postgresql", "bin"),
    ("/Applications/Postgres.app/Contents/Versions", "", "bin"),
];
const SINGLE: &[&str] = &["/usr/local/pgsql/bin", "/run/current-system/sw/bin", "/nix/var/nix/profiles/default/bin"];

/// A version as its program says it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Version {
    pub(crate) major: u32,
    /// `15.18`.
    pub(crate) text: String,
}

/// A server that can be used.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Programs {
    pub(crate) bin: PathBuf,
    pub(crate) version: Version,
}

/// Where to look.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Places {
    /// Somebody said so, by the named means.
    Only(PathBuf, &'static str),
    /// In this order.
    Any(Vec<PathBuf>),
}

impl Places {
    /// What named the only one.
    fn means(&self) -> Option<&'static str> {
        match self {
            Places::Only(_, means) => Some(means),
            Places::Any(_) => None,
        }
    }
}

/// Why there is none.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Missing {
    /// This machine has no Postgres that could be used.
    Any { data: Option<u32>, passed: Vec<String> },
    /// It has, but not of the major version that made the data.
    Major { data: u32, here: Vec<String>, named: Option<&'static str> },
    /// The one that was named is none.
    Named(String),
}

impl Missing {
    /// Whether a build of the major version `fetched` would do.
    pub(crate) fn can_be_fetched(&self, fetched: Option<u32>) -> bool {
        match self {
            Missing::Any { data, .. } => fetched.is_some_and(|fetched| data.is_none_or(|data| data == fetched)) || data.is_none(),
            Missing::Major { data, named, .. } => named.is_none() && fetched == Some(*data),
            Missing::Named(_) => false,
        }
    }
}

impl fmt::Display for Missing {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Missing::Any { data, passed } => {
                let version = data.map_or(String::new(), |data| format!(" {data}, which made the data and alone can read them"));
                let passed = if passed.is_empty() { String::new() } else { format!(" that can be used ({})", passed.join("; ")) };
                write!(out, "this machine has no PostgreSQL{version}{passed}")
            }
            Missing::Major { data, here, named } => {
                let here = here.join(", ");
                let what = match named {
                    Some(means) => {
                        format!("{means} names {here}: name the folder of PostgreSQL {data}, or remove it to have one looked for")
                    }
                    None => format!("this machine has {here}: install PostgreSQL {data} beside it"),
                };
                write!(
                    out,
                    "the data were made by PostgreSQL {data}, which alone can read them, and {what}; to move them to a newer one, start with \
                     {data}, `plimsoll db dump`, stop, set the data directory aside, start with the newer, `plimsoll db restore`"
                )
            }
            Missing::Named(why) => out.write_str(why),
        }
    }
}

/// Where to look, by the file, the environment, and what is below the folders where Postgres usually is.
pub(crate) fn places(bin: Option<&Path>, environment: &Environment, fetched: &[PathBuf]) -> Places {
    if let Some(bin) = bin {
        return Places::Only(bin.into(), "`bin`");
    }
    let of = |name: &str| environment.get(&OsString::from(name)).filter(|value| !value.is_empty());
    if let Some(bin) = of("PLIMSOLL_PG_BIN") {
        return Places::Only(bin.into(), "PLIMSOLL_PG_BIN");
    }
    let mut folders: Vec<PathBuf> = of("PATH").map(|path| std::env::split_paths(path).collect()).unwrap_or_default();
    folders.extend(FAMILIES.iter().flat_map(|(parent, begin, bin)| family(Path::new(parent), begin, bin)));
    folders.extend(SINGLE.iter().map(PathBuf::from));
    folders.extend(of("HOME").map(|home| Path::new(home).join(".nix-profile/bin")));
    folders.extend(fetched.iter().cloned());
    Places::Any(folders)
}

fn family(parent: &Path, begin: &str, bin: &str) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(parent).into_iter().flatten().flatten();
    let mut found: Vec<(u32, PathBuf)> = entries
        .filter_map(|entry| {
            let name = entry.file_name().into_string().ok()?;
            Some((number(name.strip_prefix(begin)?)?, entry.path().join(bin)))
        })
        .collect();
    found.sort_by(|one, other| other.cmp(one));
    found.into_iter().map(|(_, folder)| folder).collect()
}

/// `15`, `@15`, `-15`; a name without a number counts as the oldest.
fn number(text: &str) -> Option<u32> {
    let digits = text.trim_start_matches(['@', '-']);
    if text.is_empty() { Some(0) } else { digits.split('.').next()?.parse().ok() }
}

/// The first of `places` that `look` finds usable and that may serve data of the major version `data`.
///
/// `look` gives the folder's own place and its version, nothing when there is no server in it, or why it cannot be used.
pub(crate) fn choose(
    places: &Places,
    data: Option<u32>,
    look: impl Fn(&Path) -> Option<Result<(PathBuf, Version), String>>,
) -> Result<Programs, Missing> {
    let (mut passed, mut here) = (Vec::new(), Vec::new());
    let folders = match places {
        Places::Only(folder, _) => std::slice::from_ref(folder),
        Places::Any(folders) => folders,
    };
    for folder in folders {
        let found = match look(folder) {
            None => continue,
            Some(Err(reason)) => Err(reason),
            Some(Ok((_, version))) if version.major < OLDEST => Err(format!("{} is older than {OLDEST}", version.text)),
            Some(Ok(found)) => Ok(found),
        };
        match found {
            Err(reason) => passed.push(format!("{}: {reason}", folder.display())),
            Ok((bin, version)) if data.is_none_or(|data| data == version.major) => return Ok(Programs { bin, version }),
            Ok((bin, version)) => here.push(format!("{} ({})", version.major, bin.display())),
        }
    }
    here.dedup();
    match (places, data) {
        (places, Some(data)) if !here.is_empty() => Err(Missing::Major { data, here, named: places.means() }),
        (Places::Only(folder, means), _) => {
            let why = passed.pop().unwrap_or_else(|| format!("{} holds no `postgres` and `initdb`", folder.display()));
            Err(Missing::Named(format!("{means}: {why}")))
        }
        _ => Err(Missing::Any { data, passed }),
    }
}

/// `postgres (PostgreSQL) 15.18 (Debian 15.18-0+deb12u1)`, `… 18beta1`.
pub(crate) fn version(said: &str) -> Option<Version> {
    let text = said.split_once("(PostgreSQL) ")?.1.split_ascii_whitespace().next()?;
    let major = text.split(|letter: char| !letter.is_ascii_digit()).next()?.parse().ok()?;
    Some(Version { major, text: text.into() })
}

#[cfg(test)]
mod tests;
