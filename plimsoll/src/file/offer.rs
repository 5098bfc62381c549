//! What a file has for the apps that Plimsoll runs, databases and stores alike: which there are, and which app gets which.

use std::collections::BTreeMap;
use std::sync::Arc;

use settings::{Entry, Fault, Report, Table, World};

/// The one that is there without being written, as soon as an app is run.
const MAIN: &str = "main";

/// A kind of them.
pub struct Offer {
    /// `sql` of `[sql.NAME]`, and the key by which an app chooses.
    section: &'static str,
    /// Tables of the section that are none.
    others: &'static [&'static str],
    /// Where an app finds its own.
    variable: &'static str,
    /// What one is called.
    word: &'static str,
    /// What to do for an app to keep the variable of Plimsoll's environment.
    kept: &'static str,
}

pub const DATABASES: Offer = Offer {
    section: "sql",
    others: &[],
    variable: "DATABASE_URL",
    word: "database",
    kept: "to put the door before that server write `primary = { env = \"DATABASE_URL\" }` in `[sql.main]`",
};

pub const STORES: Offer = Offer {
    section: "kv",
    others: &["bind"],
    variable: "REDIS_URL",
    word: "store",
    kept: "for the app to keep that one write `env = { REDIS_URL = { env = \"REDIS_URL\" } }`",
};

impl Offer {
    /// They by name, in the order of the file; at least one when an app is run.
    pub fn names<'f>(&self, file: &'f Table) -> Vec<&'f str> {
        let written: Vec<&str> = self.written(file).map(|(name, _)| name).collect();
        if written.is_empty() && run(file).next().is_some() { vec![MAIN] } else { written }
    }

    /// Those that the file writes.
    pub fn written<'f>(&self, file: &'f Table) -> impl Iterator<Item = (&'f str, &'f Table)> {
        let tables = file.table(self.section).into_iter().flat_map(Table::tables);
        tables.map(|(entry, table)| (entry.name.as_str(), table)).filter(|(name, _)| !self.others.contains(name))
    }

    /// That of each app that Plimsoll runs: the one that it names, or the only one.
    pub fn of_apps(&self, file: &Table, world: &World, report: &mut Report) -> BTreeMap<Arc<str>, Arc<str>> {
        let (names, mut all) = (self.names(file), BTreeMap::new());
        for (entry, app) in run(file) {
            self.covered(app, world, report);
            match self.choice(app, &names) {
                Ok(name) => drop(all.insert(entry.name.as_str().into(), name.into())),
                Err(fault) => report.problem(app.get(self.section).map_or(entry.place, |item| item.place), fault),
            }
        }
        all
    }

    /// Whoever exports the variable may think that the app gets it.
    fn covered(&self, app: &Table, world: &World, report: &mut Report) {
        let variable = self.variable;
        let taken = report.secret_variables.iter().any(|name| name == variable);
        let own = app.table("env").is_some_and(|env| env.has(variable));
        if world.environment.contains_key(variable) && !taken && !own {
            let fault =
                Fault::new(format!("`[{}]` does not get the `{variable}` of Plimsoll's environment, but that of its door", app.path));
            report.warning(app.place, fault.hint(self.kept));
        }
    }

    fn choice<'a>(&self, app: &Table, names: &[&'a str]) -> Result<&'a str, Fault> {
        let Offer { section, word, .. } = self;
        let there_are = || format!("there are: {}", names.join(", "));
        match (app.text(section), names) {
            (Some(wanted), _) => names.iter().find(|name| **name == wanted).copied().ok_or_else(|| {
                let near = settings::nearest(wanted, names.iter().copied());
                let hint = near.map_or_else(there_are, |near| format!("did you mean \"{near}\"?"));
                Fault::new(format!("`{}.{section}`: there is no `[{section}.{wanted}]`", app.path)).hint(hint)
            }),
            (None, [only]) => Ok(only),
            (None, _) => Err(Fault::new(format!("`[{}]` does not say which {word} it gets", app.path)).hint(format!(
                "add `{section} = \"{}\"`; {}",
                names[0],
                there_are()
            ))),
        }
    }
}

fn run(file: &Table) -> impl Iterator<Item = (&Entry, &Table)> {
    file.table("app").into_iter().flat_map(Table::tables).filter(|(_, app)| app.has("run"))
}
