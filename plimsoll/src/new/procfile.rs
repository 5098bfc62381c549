use std::path::Path;

use super::{App, Command, Found, has, read};

/// A Procfile: what `web` runs takes requests, every other line is a worker.
pub fn find(dir: &Path) -> Option<Found> {
    if !has(dir, "Procfile") {
        return None;
    }
    let text = read(dir, "Procfile");
    let lines: Vec<(&str, &str)> = text.lines().filter_map(line).collect();
    let release = lines.iter().find(|(name, _)| *name == "release").map(|(_, command)| Command((*command).into()));
    let apps: Vec<App> =
        lines.iter().filter(|(name, _)| *name != "release").map(|(name, command)| app(name, command, release.as_ref())).collect();
    if apps.is_empty() {
        return None;
    }
    let found = Found { what: format!("a Procfile of {}", names(&apps)), apps, ..Found::default() };
    Some(if found.apps.iter().all(|app| app.worker) { found.note("the Procfile has no `web`: nothing takes requests") } else { found })
}

fn line(line: &str) -> Option<(&str, &str)> {
    let (name, command) = line.trim().split_once(':')?;
    let good = !name.is_empty() && name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_' || b == b'-');
    (good && !command.trim().is_empty()).then_some((name, command.trim()))
}

fn app(name: &str, command: &str, release: Option<&Command>) -> App {
    let worker = name != "web";
    App { name: Some(name.into()), worker, release: release.filter(|_| !worker).cloned(), ..App::new(command) }
}

fn names(apps: &[App]) -> String {
    apps.iter().filter_map(|app| app.name.as_deref()).collect::<Vec<_>>().join(", ")
}
