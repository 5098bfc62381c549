//! Whether what an app needs is on this machine: its folder, its programs, its variables.

use std::path::Path;

use settings::{Fault, Place, Report, variables};

use super::Settings;

/// What Plimsoll gives to every app that it runs; a password is in it, or may be one day.
const URLS: [&str; 3] = ["DATABASE_URL", "DATABASE_READ_URL", "REDIS_URL"];

/// Tells of everything that would keep the app from starting.
pub(super) fn check(settings: &Settings<'_>, routed: bool, report: &mut Report) {
    let dir = settings.dir();
    own_variables(settings, routed, report);
    if !dir.is_dir() {
        let place = settings.app.get("dir").map_or(settings.app.place, |item| item.place);
        let what = if dir.exists() { "is no folder" } else { "does not exist" };
        report.problem(
            place,
            Fault::new(format!("`{}.dir`: {} {what}", settings.app.path, dir.display())).hint("make it, or correct the path"),
        );
        return;
    }
    for key in ["build", "run"] {
        let Some(words) = settings.app.command(key) else { continue };
        let place = settings.app.get(key).map_or(settings.app.place, |item| item.place);
        command(settings, key, words, routed, place, report);
        let program = &words[0];
        let made_by_build = key == "run" && settings.app.has("build") && program.contains('/');
        if variables(program).is_empty()
            && let Some(fault) = missing(settings, &program.replace("$$", "$"), &dir).filter(|_| !made_by_build)
        {
            report
                .problem(place, Fault { reason: format!("`{}.{key}`: {}", settings.app.path, fault.reason), suggestion: fault.suggestion });
        }
    }
}

/// Why a program cannot be started.
fn missing(settings: &Settings<'_>, program: &str, dir: &Path) -> Option<Fault> {
    let search = settings.env().find(|(name, ..)| *name == "PATH").map(|(_, value, _)| value);
    if settings.world.program(program, dir, search).is_some() {
        return None;
    }
    let here = std::path::absolute(dir.join(program)).unwrap_or_else(|_| dir.join(program));
    if !program.contains('/') {
        let fault = Fault::new(format!("there is no program `{program}` in PATH"));
        let hint =
            if here.is_file() { format!("one is in its folder: write `./{program}`") } else { "install it, or write its path".into() };
        return Some(fault.hint(hint));
    }
    Some(match here.metadata() {
        Ok(data) if data.is_dir() => Fault::new(format!("{} is a folder", here.display())).hint("name the program in it"),
        Ok(_) => Fault::new(format!("{} may not be executed", here.display())).hint(format!("chmod +x {}", here.display())),
        Err(_) => Fault::new(format!("there is no program {}", here.display())).hint("correct the path, or add the `build` that makes it"),
    })
}

/// Variables of a command must be known, and no secret may get into the list of processes.
fn command(settings: &Settings<'_>, key: &str, words: &[String], routed: bool, place: Place, report: &mut Report) {
    let path = &settings.app.path;
    let shell = ["sh", "bash", "dash"].iter().any(|shell| words[0].rsplit('/').next() == Some(shell));
    for name in words.iter().filter_map(|word| unexpanded(word)).filter(|_| !shell) {
        let fault = Fault::new(format!("`{path}.{key}`: `${name}` is passed as it is, not as its value"));
        report.warning(place, fault.hint("write the command as one text, without single quotes, to have it expanded"));
    }
    for name in words.iter().flat_map(|word| variables(word)) {
        let own = settings.env().find(|(other, ..)| *other == name);
        let withheld = report.secret_variables.contains(&name) || URLS.contains(&name.as_str());
        let fault = if own.is_some_and(|(_, _, secret)| secret) || own.is_none() && withheld {
            Fault::new(format!("`{path}.{key}`: `${name}` is a secret, and anyone on the machine could read it in the list of processes"))
                .hint("let the app read it from its environment")
        } else if own.is_some() || given(&name, key, routed) || settings.world.environment.contains_key(&name) {
            continue;
        } else if name == "PORT" || name == "HOST" {
            let why = if key == "run" { "a worker has no port" } else { "a build has no port" };
            Fault::new(format!("`{path}.{key}`: `${name}` is not set: {why}")).hint("remove it")
        } else {
            Fault::new(format!("`{path}.{key}`: the environment variable `{name}` is not set"))
                .hint(format!("add it: env = {{ {name} = \"…\" }}"))
        };
        report.problem(place, fault);
    }
}

/// `PORT` of a word that is no more than a quoted `$PORT`: what people write in lists.
fn unexpanded(word: &str) -> Option<&str> {
    let name = word.strip_prefix("$$")?;
    let name = name.strip_prefix('{').and_then(|name| name.strip_suffix('}')).unwrap_or(name);
    ["PORT", "HOST"].into_iter().find(|known| *known == name)
}

/// What Plimsoll gives to what it runs.
fn given(name: &str, key: &str, routed: bool) -> bool {
    name.starts_with("PLIMSOLL_") || key == "run" && routed && (name == "PORT" || name == "HOST")
}

/// `PORT` and `HOST` are Plimsoll's to give.
fn own_variables(settings: &Settings<'_>, routed: bool, report: &mut Report) {
    let Some(env) = settings.app.table("env").filter(|_| routed) else { return };
    for name in ["PORT", "HOST"].into_iter().filter(|name| env.has(name)) {
        let fault = Fault::new(format!("`{}.{name}` is Plimsoll's to set: each instance gets its own", env.path));
        report.problem(env.place_of(name), fault.hint("remove it; `[http] listen` is where users come in"));
    }
}
