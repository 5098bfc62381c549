//! Which database is meant, and how to come in.

use std::path::{Path, PathBuf};
use std::time::Duration;

use super::{Failed, misused};
use crate::cli::Shared;
use crate::orders::{Answer, Entrance, Order};
use crate::reach;

/// Every door of the Plimsoll that runs.
pub(super) fn running(shared: &Shared) -> Result<Vec<Entrance>, String> {
    match reach::ask(shared.path(&None), shared.state(), Order::Databases, Duration::from_secs(10))? {
        Answer::Databases(all) => Ok(all),
        Answer::Refused(reasons) => Err(reasons.join("; ")),
        other => Err(format!("unexpected answer: {other:?}")),
    }
}

/// The one that `name` means; without a name there may be only one.
pub(super) fn choose(mut all: Vec<Entrance>, name: Option<&str>) -> Result<Entrance, Failed> {
    let names = all.iter().map(|one| one.name.as_str()).collect::<Vec<_>>().join(", ");
    match name {
        None if all.len() == 1 => Ok(all.remove(0)),
        None if all.is_empty() => Err(misused("there is no database: the file has neither a `[sql.NAME]` nor an app that Plimsoll runs")),
        None => Err(misused(format!("say which database; there are: {names}"))),
        Some(name) => {
            let found = all.iter().position(|one| one.name == name);
            found.map(|at| all.remove(at)).ok_or_else(|| misused(format!("there is no database {name}; there are: {names}")))
        }
    }
}

/// The arguments of verbs that move a whole database.
#[derive(Debug, clap::Args)]
pub(super) struct DatabaseAndFile {
    /// The database, when there are more than one; left out, the file comes first.
    #[arg(value_name = "NAME")]
    first: Option<PathBuf>,
    /// The file; `-` or nothing: standard input or output.
    #[arg(value_name = "FILE")]
    second: Option<PathBuf>,
}

impl DatabaseAndFile {
    /// What they mean among these databases: one alone is the name of a database if there is one, else a file.
    pub(super) fn split(&self, all: &[Entrance]) -> (Option<String>, Option<PathBuf>) {
        let name = |path: &Path| path.to_str().map(str::to_string);
        let file = |path: &PathBuf| Some(path.clone()).filter(|path| path.as_os_str() != "-");
        match (&self.first, &self.second) {
            (Some(one), Some(other)) => (name(one), file(other)),
            (Some(one), None) if all.iter().any(|entrance| one.as_os_str() == entrance.name.as_str()) => (name(one), None),
            (Some(one), None) => (None, file(one)),
            (None, _) => (None, None),
        }
    }
}

#[cfg(test)]
pub(super) fn example(name: &str) -> Entrance {
    Entrance {
        name: name.into(),
        address: ([127, 0, 0, 1], 6432).into(),
        user: "app".into(),
        password: "hush".into(),
        database: "shop".into(),
        programs: None,
        major: None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_only_one_needs_no_name() {
        let two = || vec![example("main"), example("orders")];
        let reason = |outcome: Result<Entrance, Failed>| outcome.map_err(|failed| failed.reason).unwrap_err();
        assert_eq!(choose(vec![example("main")], None).map(|one| one.name).ok(), Some("main".into()));
        assert_eq!(choose(two(), Some("orders")).map(|one| one.name).ok(), Some("orders".into()));
        assert_eq!(reason(choose(two(), None)), "say which database; there are: main, orders");
        assert_eq!(reason(choose(two(), Some("order"))), "there is no database order; there are: main, orders");
    }
    #[test]
    fn one_argument_is_a_database_or_a_file() {
        let all = [example("main"), example("orders")];
        let split = |what: &[&str]| {
            let one = |at: usize| what.get(at).map(PathBuf::from);
            DatabaseAndFile { first: one(0), second: one(1) }.split(&all)
        };
        assert_eq!(split(&[]), (None, None));
        assert_eq!(split(&["-"]), (None, None));
        assert_eq!(split(&["main"]), (Some("main".into()), None));
        assert_eq!(split(&["main.dump"]), (None, Some("main.dump".into())));
        assert_eq!(split(&["orders", "./main"]), (Some("orders".into()), Some("./main".into())));
        assert_eq!(split(&["orders", "-"]), (Some("orders".into()), None));
    }
}
