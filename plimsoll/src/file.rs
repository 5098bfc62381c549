//! The whole plimsoll.toml: read as written, checked, made into one plan of plans.

mod cross;
mod databases;
mod definition;
mod later;
mod offer;
mod stage;
mod stores;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use settings::{Fault, Mark, Problems, Report, Table, Value, World, Written};

pub use definition::FILE;

/// The largest file, bytes.
const SIZE_LIMIT: u64 = 1 << 20;

/// Everything the file asks for: checked and complete.
#[derive(Debug, Clone, PartialEq)]
pub struct Plan {
    /// The file, absolute.
    pub file: PathBuf,
    /// `name`, or the name of the file's folder.
    pub name: String,
    /// Folder of everything kept, absolute; it may not exist yet.
    pub state: PathBuf,
    /// Whether `--state` chose the folder instead of the file.
    pub state_given: bool,
    /// The file's text as it was read, to see later whether it differs.
    pub text: String,
    /// The stage of the ladder, 1 to 7.
    pub stage: u8,
    /// The HTTP door.
    pub http: http_door::Plan,
    /// The SQL doors, in the order of the file.
    pub sql: Vec<sql::Plan>,
    /// The KV doors, in the order of the file.
    pub kv: Vec<kv::Plan>,
    /// The embedded server, when a door stands before it.
    pub postgres: Option<postgres::Plan>,
    /// The apps, in the order of the file.
    pub apps: Vec<apps::Plan>,
    /// The `[sql.NAME]` of each app that Plimsoll runs, by the app's name.
    pub databases: BTreeMap<Arc<str>, Arc<str>>,
    /// The `[kv.NAME]` of each, too.
    pub stores: BTreeMap<Arc<str>, Arc<str>>,
    /// The console.
    pub console: watch::Plan,
    /// What is doubtful but runs; print them, one line each.
    pub warnings: Problems,
    /// Every key that the file writes, in its order.
    pub keys: Vec<Written>,
}

/// A key whose value differs between two files.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Change {
    /// `http.max.body`.
    pub key: String,
    /// What the change costs.
    pub mark: Mark,
}

/// Reads and checks a file, or `plimsoll.toml` of a folder; `state` overrides the file's (relative to the working folder).
///
/// Secrets are resolved (their commands run, once) and names of outside apps looked up.
///
/// # Errors
/// Every problem of the file at once, in its order.
pub fn load(path: &Path, state: Option<&Path>) -> Result<Plan, Problems> {
    let named = if path.is_dir() { path.join("plimsoll.toml") } else { path.to_path_buf() };
    let shown = named.display().to_string();
    let text = text_of(&named).map_err(|fault| Problems::one(&shown, fault.reason, fault.suggestion))?;
    let file = absolute(&named);
    let folder = file.parent().unwrap_or(Path::new("/")).to_path_buf();
    let world = World::here(folder, rustix::process::geteuid().is_root());
    plan(&shown, &text, &file, state, &world)
}

/// [`load`] of a text: `shown` is the file's name in problems, `world` what is known of the machine.
///
/// # Errors
/// As [`load`].
pub fn plan(shown: &str, text: &str, file: &Path, state: Option<&Path>, world: &World) -> Result<Plan, Problems> {
    let (table, mut report) = settings::read(shown, text, &FILE, world);
    cross::check(&table, &mut report);
    let plan = assemble(&table, file, state, world, &mut report);
    if !report.problems.is_empty() {
        return Err(report.problems);
    }
    Ok(Plan { warnings: report.warnings, text: text.to_string(), ..plan })
}

/// What differs between two files, in the order of the keys.
///
/// It compares what is written. A name of an outside app that now leads elsewhere is in the plans, not here.
pub fn compare(old: &Plan, new: &Plan) -> Vec<Change> {
    let values = |plan: &Plan| -> BTreeMap<String, (Value, Mark)> {
        let keys = plan.keys.iter().filter(|written| written.key != "state");
        keys.map(|written| (written.key.clone(), (written.value.clone(), written.mark))).collect()
    };
    let (before, after) = (values(old), values(new));
    let mut changes: BTreeMap<String, Mark> = BTreeMap::new();
    for (one, other) in [(&before, &after), (&after, &before)] {
        let differing = one.iter().filter(|(key, (value, _))| other.get(*key).is_none_or(|(same, _)| same != value));
        changes.extend(differing.map(|(key, (_, mark))| (key.clone(), *mark)));
    }
    if old.state != new.state {
        changes.insert("state".into(), Mark::Restart);
    }
    changes.into_iter().map(|(key, mark)| Change { key, mark }).collect()
}

fn text_of(file: &Path) -> Result<String, Fault> {
    let cannot = |error: std::io::Error| match error.kind() {
        std::io::ErrorKind::NotFound => Fault::new("there is no such file").hint("`plimsoll new` writes one for the app in its folder"),
        _ => Fault::new(format!("it cannot be read: {error}")),
    };
    if file.metadata().map_err(cannot)?.len() > SIZE_LIMIT {
        return Err(Fault::new("it is larger than 1 MB"));
    }
    let bytes = std::fs::read(file).map_err(cannot)?;
    String::from_utf8(bytes).map_err(|error| {
        let line = error.as_bytes()[..error.utf8_error().valid_up_to()].iter().filter(|b| **b == b'\n').count() + 1;
        Fault::new(format!("line {line} is not UTF-8")).hint("save the file as UTF-8")
    })
}

/// The plan of all tiers; it is complete only when the report has no problems.
fn assemble(table: &Table, file: &Path, state: Option<&Path>, world: &World, report: &mut Report) -> Plan {
    let none = Table::empty(&http_door::HTTP, "http");
    let http = table.table("http").unwrap_or(&none);
    let written_drain = http.table("timeout").map(|timeout| timeout.duration("drain"));
    let drain = written_drain.unwrap_or(http_door::Timeout::default().drain);
    let (mut all, mut routes, mut builds) = (Vec::new(), Vec::new(), false);
    for (entry, app) in table.table("app").into_iter().flat_map(Table::tables) {
        let settings = apps::Settings { name: &entry.name, app, drain, world };
        builds |= app.has("build");
        let prefixes = settings.routes();
        if !prefixes.is_empty() {
            routes.push(http_door::AppRoute { app: entry.name.as_str().into(), routes: prefixes, health: settings.health() });
        }
        all.extend(settings.plan(report));
    }
    let http = http_door::Settings { http, site: table.table("site"), apps: routes, builds }.plan(report);
    let sql = databases::doors(table, world, report);
    Plan {
        file: file.to_path_buf(),
        name: table.text("name").map_or_else(|| name_of(&world.folder), String::from),
        state: state_of(table, state, world, report),
        state_given: state.is_some(),
        text: String::new(),
        stage: stage::stage(table),
        http,
        postgres: databases::embedded(table, &sql, report),
        databases: offer::DATABASES.of_apps(table, world, report),
        sql,
        stores: offer::STORES.of_apps(table, world, report),
        kv: stores::doors(table, report),
        apps: all,
        console: watch::Settings { console: table.table("console") }.plan(),
        warnings: Problems::none(),
        keys: table.written(),
    }
}

fn name_of(folder: &Path) -> String {
    folder.file_name().map_or_else(|| "plimsoll".into(), |name| name.to_string_lossy().into_owned())
}

fn state_of(table: &Table, given: Option<&Path>, world: &World, report: &mut Report) -> PathBuf {
    if let Some(given) = given {
        return absolute(given);
    }
    let state = table.path_of("state").map_or_else(|| world.path(".plimsoll"), Path::to_path_buf);
    if state.exists() && !state.is_dir() {
        let fault = Fault::new(format!("`state`: {} is no folder", state.display())).hint("name a folder of its own");
        report.problem(table.get("state").map_or(table.place, |item| item.place), fault);
    }
    state
}

fn absolute(path: &Path) -> PathBuf {
    std::path::absolute(path).unwrap_or_else(|_| path.to_path_buf())
}
