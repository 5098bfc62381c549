//! The databases of a file: its SQL doors, the embedded server behind some of them, and which app gets which.

use std::collections::BTreeMap;
use std::sync::Arc;

use settings::{Entry, Fault, Report, Table, World};

/// The database that is there without being written, as soon as an app is run.
const MAIN: &str = "main";

/// Every `[sql.NAME]`; one that is not written when the file has none but runs an app.
pub fn doors(file: &Table, world: &World, report: &mut Report) -> Vec<sql::Plan> {
    let door = |(index, name)| {
        let sql = file.table("sql").and_then(|sql| sql.table(name));
        sql::Settings { name, sql, first: index == 0, world }.plan(report)
    };
    names(file).into_iter().enumerate().filter_map(door).collect()
}

/// The embedded server that those doors stand before which have no server of their own.
pub fn embedded(file: &Table, doors: &[sql::Plan], report: &mut Report) -> Option<postgres::Plan> {
    let doors: Vec<&sql::Plan> = doors.iter().filter(|door| door.primary.is_none()).collect();
    if doors.is_empty() {
        return None;
    }
    let tables = file.table("sql").into_iter().flat_map(Table::tables).map(|(_, table)| table);
    let mut bins = tables.filter(|sql| !sql.has("primary")).filter_map(|sql| Some((sql, sql.path_of("bin")?)));
    let first = bins.next();
    for (sql, _) in bins.filter(|(_, bin)| first.is_some_and(|(_, first)| first != *bin)) {
        let line = first.map_or(0, |(first, _)| first.place_of("bin").line);
        let fault = Fault::new(format!("`{}.bin`: there is one embedded server, and another `bin` is in line {line}", sql.path));
        report.problem(sql.place_of("bin"), fault.hint("write it once"));
    }
    Some(postgres::Plan {
        databases: doors.iter().map(|door| door.name.clone()).collect(),
        bin: first.map(|(_, bin)| bin.to_path_buf()),
        connections: doors.iter().map(|door| door.pool.server).sum(),
    })
}

/// The database of each app that Plimsoll runs: its `sql`, or the only one.
pub fn of_apps(file: &Table, world: &World, report: &mut Report) -> BTreeMap<Arc<str>, Arc<str>> {
    let (names, mut all) = (names(file), BTreeMap::new());
    for (entry, app) in run(file) {
        covered(app, world, report);
        match choice(app, &names) {
            Ok(name) => drop(all.insert(entry.name.as_str().into(), name.into())),
            Err(fault) => report.problem(app.get("sql").map_or(entry.place, |item| item.place), fault),
        }
    }
    all
}

/// Whoever exports the variable may think that the app gets it.
fn covered(app: &Table, world: &World, report: &mut Report) {
    const VARIABLE: &str = "DATABASE_URL";
    let taken = report.secret_variables.iter().any(|name| name == VARIABLE);
    let own = app.table("env").is_some_and(|env| env.has(VARIABLE));
    if world.environment.contains_key(VARIABLE) && !taken && !own {
        let fault = Fault::new(format!("`[{}]` does not get the `{VARIABLE}` of Plimsoll's environment, but that of its door", app.path));
        report.warning(
            app.place,
            fault.hint("to put the door before that server write `primary = { env = \"DATABASE_URL\" }` in `[sql.main]`"),
        );
    }
}

fn choice<'a>(app: &Table, names: &[&'a str]) -> Result<&'a str, Fault> {
    let there_are = || format!("there are: {}", names.join(", "));
    match (app.text("sql"), names) {
        (Some(wanted), _) => names.iter().find(|name| **name == wanted).copied().ok_or_else(|| {
            let near = settings::nearest(wanted, names.iter().copied());
            let hint = near.map_or_else(there_are, |near| format!("did you mean \"{near}\"?"));
            Fault::new(format!("`{}.sql`: there is no `[sql.{wanted}]`", app.path)).hint(hint)
        }),
        (None, [only]) => Ok(only),
        (None, _) => Err(Fault::new(format!("`[{}]` does not say which database it gets", app.path)).hint(format!(
            "add `sql = \"{}\"`; {}",
            names[0],
            there_are()
        ))),
    }
}

/// The databases by name; at least one when an app is run.
fn names(file: &Table) -> Vec<&str> {
    let written: Vec<&str> = file.table("sql").into_iter().flat_map(Table::tables).map(|(entry, _)| entry.name.as_str()).collect();
    if written.is_empty() && run(file).next().is_some() { vec![MAIN] } else { written }
}

fn run(file: &Table) -> impl Iterator<Item = (&Entry, &Table)> {
    file.table("app").into_iter().flat_map(Table::tables).filter(|(_, app)| app.has("run"))
}
