//! Finds out what lies in a folder and writes the plimsoll.toml that runs it.
//!
//! One finder a language, asked in the order of [`FINDERS`]: what the user wrote down (a Procfile) first, then back ends,
//! which often carry a package.json for their front, then Node, then plain files.

mod go;
mod node;
mod php;
mod procfile;
mod python;
mod ruby;
mod rust;
mod site;
mod sources;
mod text;

use std::path::Path;

pub use text::text;

type Finder = fn(&Path) -> Option<Found>;

const FINDERS: [Finder; 8] = [procfile::find, ruby::find, python::find, go::find, rust::find, php::find, node::find, site::find];

/// What lies in a folder.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Found {
    /// In words: `a Django app (manage.py)`.
    pub what: String,
    /// What to run.
    pub apps: Vec<App>,
    /// The folder of a static site, relative.
    pub site: Option<Site>,
    /// A folder of pages beside the app, relative: it may be meant as a site.
    pub pages: Option<&'static str>,
    /// What the user should know or do.
    pub notes: Vec<String>,
}

/// One program to run.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct App {
    /// Absent: the folder's name.
    pub name: Option<String>,
    /// What makes it, when something must.
    pub build: Option<Command>,
    /// What runs it.
    pub run: Command,
    /// What runs once a release.
    pub release: Option<Command>,
    /// Variables.
    pub env: Vec<(&'static str, &'static str)>,
    /// Whether it takes requests.
    pub worker: bool,
    /// Path of a health check that its sources know.
    pub health: Option<String>,
}

/// A static site.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Site {
    /// Its folder, relative.
    pub dir: String,
    /// Whether its files come before the app.
    pub first: bool,
}

/// A command as it is written into the file.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Command(pub String);

impl Command {
    /// Whether only a shell understands it.
    pub fn needs_shell(&self) -> bool {
        settings::split(&self.0).is_err()
    }
}

impl App {
    /// An app that `run` runs.
    pub fn new(run: impl Into<String>) -> App {
        App { run: Command(run.into()), ..App::default() }
    }

    /// Made by this command.
    #[must_use]
    pub fn build(mut self, build: Option<String>) -> App {
        self.build = build.map(Command);
        self
    }

    /// With what runs once a release.
    #[must_use]
    pub fn release(mut self, release: impl Into<String>) -> App {
        self.release = Some(Command(release.into()));
        self
    }
}

impl Found {
    /// A single app.
    pub fn app(what: impl Into<String>, app: App) -> Found {
        Found { what: what.into(), apps: vec![app], ..Found::default() }
    }

    /// With something to say.
    #[must_use]
    pub fn note(mut self, note: impl Into<String>) -> Found {
        self.notes.push(note.into());
        self
    }
}

/// What a folder holds, when it is something that Plimsoll knows how to run.
pub fn find(dir: &Path) -> Option<Found> {
    let mut found = FINDERS.iter().find_map(|finder| finder(dir))?;
    let sources = sources::read(dir);
    for app in found.apps.iter_mut().filter(|app| !app.worker && app.health.is_none()) {
        app.health = sources.health();
    }
    if found.site.is_none() {
        found.pages = site::pages(dir).filter(|folder| *folder != ".");
    }
    let tells_port = |app: &App| app.worker || app.run.0.contains("PORT");
    if !found.apps.iter().all(tells_port) && !sources.mention("PORT") {
        found.notes.push("nothing here reads PORT: make the app listen on the port in that variable".into());
    }
    Some(found)
}

/// The text of a file of the folder, empty when there is none.
fn read(dir: &Path, name: &str) -> String {
    std::fs::read_to_string(dir.join(name)).unwrap_or_default()
}

fn has(dir: &Path, name: &str) -> bool {
    dir.join(name).exists()
}

#[cfg(test)]
mod tests;
