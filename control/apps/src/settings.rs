//! `[app.NAME]`: its definition, and the plan made of it.

mod later;
mod programs;

use std::net::{SocketAddr, ToSocketAddrs};
use std::time::Duration;

use settings::{Fault, Item, Key, Kind, Named, Report, Section, Table, Value, World};

use crate::{Plan, Run, Source};

/// `[app.…]`.
pub const APPS: Section = Section::named("", &NAMED);

const NAMED: Named = Named { name: app_name, key: Key::new("NAME", Kind::Table(&APP), "One app.") };

/// `[app.NAME]`.
const APP: Section = Section::new(
    "An app, run by Plimsoll (`run`) or by others (`external`). Its name is yours: letters, digits, `-` and `_`. What runs gets \
     Plimsoll's environment without the secrets that the file names, `PORT` and `HOST` to listen on, `DATABASE_URL` and `REDIS_URL`.",
    &[
        Key::new("dir", Kind::Path, "Where it runs.").default(".").drain(),
        Key::new("build", Kind::Command, "Runs before the first start and at each deploy; skipped when nothing in `dir` changed.").drain(),
        later::RELEASE,
        Key::new(
            "run",
            Kind::Command,
            "The program and its arguments, split as a shell would; only `$NAME` and `${NAME}` are expanded, other shell syntax is refused. \
             A list is passed as it is.",
        )
        .drain(),
        Key::new("external", Kind::OneOrMany(&Kind::Text("an address such as \"10.0.0.5:3000\"", external)), "Where it runs already, instead of `run`."),
        Key::new("env", Kind::Table(&ENV), "Variables of its environment."),
        Key::new("user", Kind::Text("a user of this machine", user_name), "Who it runs as; only when Plimsoll is root.").drain(),
        Key::new(
            "routes",
            Kind::OneOrMany(&Kind::Text("a path such as \"/api/\"", route)),
            "Prefixes it takes, matched at `/` boundaries, the longest of all apps wins; `[]` is a worker without a port (to or from it replaces the instances).",
        )
        .default("/"),
        Key::new("health", Kind::Text("a path such as \"/healthz\"", health), "The path of its health check, asked every second. Absent: its port accepts."),
        Key::new("start", Kind::Duration(100, 3_600_000), "From spawn to healthy; otherwise the instance has failed.").default("30s"),
        Key::new("instances", Kind::Either(&[Kind::Integer(1, 1_000), later::RANGE]), "How many run.").default("1"),
        later::SCALE,
        Key::new(
            "sql",
            Kind::Text("the name of a [sql.NAME]", later::name),
            "Which `[sql.NAME]` it gets as `DATABASE_URL`; needed when there are more than one.",
        )
        .drain(),
        Key::new(
            "kv",
            Kind::Text("the name of a [kv.NAME]", later::name),
            "Which `[kv.NAME]` it gets as `REDIS_URL`; needed when there are more than one.",
        )
        .drain(),
    ],
)
.rule(run_or_external)
.mistaken(&[
    ("port", "remove it: Plimsoll gives each instance its own `PORT`"),
    ("command", "write `run`"),
    ("cmd", "write `run`"),
    ("start_command", "write `run`"),
    ("path", "write `routes` for paths of requests, `dir` for the folder"),
    ("prefix", "write `routes = [\"…\"]`"),
    ("replicas", "write `instances`"),
    ("workers", "write `instances`"),
    ("cwd", "write `dir`"),
    ("environment", "write `env`"),
    ("upstream", "write `external`"),
    ("address", "write `external` for an app that others run; one that Plimsoll runs gets `PORT` and `HOST`"),
    ("listen", "remove it: Plimsoll gives each instance its own `PORT` and `HOST`"),
    ("healthcheck", "write `health`"),
]);

const ENV: Section = Section::named("Variables of the app's environment, over those that it inherits.", &VARIABLE);

const VARIABLE: Named =
    Named { name: variable_name, key: Key::new("NAME", Kind::Variable, "A variable; a number, true or false becomes text.").drain() };

/// What the file says about one app, checked key by key.
#[derive(Debug)]
pub struct Settings<'a> {
    /// `shop` of `[app.shop]`.
    pub name: &'a str,
    /// `[app.shop]`.
    pub app: &'a Table,
    /// `[http.timeout] drain`.
    pub drain: Duration,
    /// The machine.
    pub world: &'a World,
}

impl Settings<'_> {
    /// The plan, when the app says enough to make one; what does not hold together goes to the report.
    pub fn plan(&self, report: &mut Report) -> Option<Plan> {
        let routed = !self.routes().is_empty();
        let source = if self.app.has("external") { self.external(report)? } else { Source::Run(self.run(routed, report)?) };
        Some(Plan { name: self.name.into(), source, health: self.health(), routed })
    }

    /// The prefixes that it takes; none for a worker.
    pub fn routes(&self) -> Vec<String> {
        match self.app.get("routes") {
            Some(_) => texts(self.app.list("routes")).map(|(text, _)| text.to_string()).collect(),
            None => vec!["/".into()],
        }
    }

    /// The path of its health check.
    pub fn health(&self) -> Option<String> {
        self.app.text("health").map(String::from)
    }

    fn external(&self, report: &mut Report) -> Option<Source> {
        let mut all: Vec<SocketAddr> = Vec::new();
        for (text, item) in texts(self.app.list("external")) {
            match resolve(text) {
                Ok(addresses) => all.extend(addresses.into_iter().filter(|address| !all.contains(address)).collect::<Vec<_>>()),
                Err(fault) => report.problem(item.place, fault),
            }
        }
        (!all.is_empty()).then_some(Source::External(all))
    }

    fn run(&self, routed: bool, report: &mut Report) -> Option<Run> {
        let app = self.app;
        programs::check(self, routed, report);
        let run = app.command("run")?.to_vec();
        Some(Run {
            dir: self.dir(),
            build: app.command("build").map(<[String]>::to_vec),
            run,
            env: self.env().map(|(name, value, _)| (name.into(), value.into())).collect(),
            withheld: report.secret_variables.clone(),
            user: self.user(report),
            instances: match app.get("instances").map(|item| &item.value) {
                Some(Value::Integer(number)) => usize::try_from(*number).unwrap_or(1),
                _ => 1,
            },
            start: app.duration("start"),
            drain: self.drain,
        })
    }

    fn dir(&self) -> std::path::PathBuf {
        self.app.path_of("dir").map_or_else(|| self.world.path("."), Into::into)
    }

    /// Name, value and whether that is a secret.
    fn env(&self) -> impl Iterator<Item = (&str, &str, bool)> {
        let entries = self.app.table("env").map_or(&[][..], |table| &table.entries);
        entries.iter().filter_map(|entry| match &entry.item.as_ref()?.value {
            Value::Text(text) => Some((entry.name.as_str(), text.as_str(), false)),
            Value::Secret(secret) => Some((entry.name.as_str(), secret.reveal(), true)),
            _ => None,
        })
    }

    fn user(&self, report: &mut Report) -> Option<String> {
        let place = self.app.get("user").map_or(self.app.place, |item| item.place);
        let path = &self.app.path;
        match self.app.text("user") {
            None if self.world.root && !self.app.has("user") => {
                report.warning(place, Fault::new(format!("`[{path}]` runs as root")).hint("name a `user` for it"));
                None
            }
            None => None,
            Some(user) if !self.world.root => {
                let fault = Fault::new(format!("`{path}.user` has no effect: Plimsoll does not run as root"));
                report.warning(place, fault.hint(format!("start Plimsoll as root to run it as {user}")));
                None
            }
            Some(user) if !self.world.has_user(user) => {
                report.problem(
                    place,
                    Fault::new(format!("`{path}.user`: there is no user `{user}` on this machine"))
                        .hint(format!("make it: useradd --system {user}")),
                );
                None
            }
            Some(user) => Some(user.into()),
        }
    }
}

fn texts(items: &[Item]) -> impl Iterator<Item = (&str, &Item)> {
    items.iter().filter_map(|item| match &item.value {
        Value::Text(text) => Some((text.as_str(), item)),
        _ => None,
    })
}

/// Exactly one of `run` and `external`, and nothing that only the other one uses.
fn run_or_external(app: &Table, report: &mut Report) {
    const RUN_ONLY: [&str; 10] = ["dir", "build", "release", "env", "user", "start", "instances", "scale", "sql", "kv"];
    let path = &app.path;
    match (app.entry("run"), app.entry("external")) {
        (None, None) => {
            let fault = Fault::new(format!("`[{path}]` has neither `run` nor `external`"));
            report.problem(app.place, fault.hint("add `run = \"…\"`, or `external = [\"address:port\"]` for an app that others run"));
        }
        (Some(run), Some(external)) => {
            let (first, later) = if run.place < external.place { (run, external) } else { (external, run) };
            let fault = Fault::new(format!("`{path}.{}` clashes with `{}` (line {})", later.name, first.name, first.place.line));
            report.problem(later.place, fault.hint("keep one: `run` for an app that Plimsoll runs, `external` for one that others run"));
        }
        (None, Some(external)) => {
            for entry in app.entries.iter().filter(|entry| RUN_ONLY.contains(&entry.name.as_str())) {
                let fault = Fault::new(format!("`{path}.{}` has no effect with `external`", entry.name));
                report.warning(entry.place, fault.hint("remove it: others run this app"));
            }
            if app.get("external").is_some() && app.list("external").is_empty() {
                report.problem(external.place, Fault::new(format!("`{path}.external` is empty")).hint("name where the app runs"));
            }
        }
        (Some(_), None) => {}
    }
    worker(app, report);
}

/// What makes no sense for an app without routes.
fn worker(app: &Table, report: &mut Report) {
    if app.get("routes").is_none() || !app.list("routes").is_empty() {
        return;
    }
    let path = &app.path;
    if app.has("external") {
        let fault = Fault::new(format!("`{path}.routes` is empty: an outside app without routes has nothing to do"));
        report.problem(app.place_of("routes"), fault.hint("name its routes, or remove the app"));
    } else if let Some(health) = app.entry("health") {
        report.warning(health.place, Fault::new(format!("`{path}.health` has no effect: a worker has no port to ask")).hint("remove it"));
    }
}

fn resolve(text: &str) -> Result<Vec<SocketAddr>, Fault> {
    let all: Vec<SocketAddr> = match text.to_socket_addrs() {
        Ok(all) => all.collect(),
        Err(error) => {
            return Err(Fault::new(format!("`{text}` cannot be looked up: {error}")).hint("correct the name, or write the address"));
        }
    };
    // A name of both kinds is one place: its IPv4 addresses are enough.
    let four: Vec<SocketAddr> = all.iter().copied().filter(SocketAddr::is_ipv4).collect();
    Ok(if four.is_empty() { all } else { four })
}

fn external(text: &str) -> Result<(), Fault> {
    let bad = |reason: &str| Fault::new(format!("\"{text}\" is no address of an app: {reason}"));
    if let Some((_, rest)) = text.split_once("://") {
        return Err(bad("it is a URL").hint(format!("write \"{}\"", rest.split('/').next().unwrap_or_default())));
    }
    let Some((host, port)) = text.rsplit_once(':').filter(|(host, _)| !host.contains(':') || host.ends_with(']')) else {
        return Err(bad("the port is missing").hint(format!("write \"{}:3000\"", text.trim_end_matches(':'))));
    };
    if !port.parse::<u16>().is_ok_and(|port| port > 0) {
        return Err(bad(&format!("`{port}` is no port")).hint("a port is 1 to 65535"));
    }
    if host.is_empty() {
        return Err(bad("the host is missing").hint(format!("write \"127.0.0.1:{port}\" for this machine")));
    }
    Ok(())
}

fn app_name(name: &str) -> Result<(), Fault> {
    let good = |b: u8| b.is_ascii_alphanumeric() || b == b'-' || b == b'_';
    if (1..=40).contains(&name.len()) && name.bytes().all(good) && name.as_bytes()[0].is_ascii_alphanumeric() {
        return Ok(());
    }
    Err(Fault::new(format!("{name:?} is no name for an app")).hint("up to 40 letters, digits, `-` and `_`, a letter or digit first"))
}

fn variable_name(name: &str) -> Result<(), Fault> {
    if name.starts_with("PLIMSOLL_") {
        return Err(Fault::new(format!("`{name}` is Plimsoll's own to set")).hint("choose another name"));
    }
    if name.is_empty() || name.contains(['=', '\0']) {
        return Err(Fault::new(format!("{name:?} is no name for an environment variable")));
    }
    Ok(())
}

fn user_name(name: &str) -> Result<(), Fault> {
    if name.is_empty() || name.contains([':', '/', ' ', '\0']) { Err(Fault::new(format!("{name:?} is no name of a user"))) } else { Ok(()) }
}

fn health(path: &str) -> Result<(), Fault> {
    if let Some((_, rest)) = path.split_once("://") {
        let path = rest.find('/').map_or("/", |at| &rest[at..]);
        return Err(Fault::new("a health check is a path, not a URL").hint(format!("write \"{path}\"")));
    }
    path_of_requests(path)
}

fn route(path: &str) -> Result<(), Fault> {
    if path.contains('*') {
        return Err(Fault::new(format!("`*` in the route \"{path}\" is not understood"))
            .hint(format!("every route is a prefix: write \"{}\"", path.split('*').next().unwrap_or("/"))));
    }
    if path.contains(['?', '%']) || path.contains("//") || path.split('/').any(|part| part == "." || part == "..") {
        return Err(Fault::new(format!("the route \"{path}\" never matches"))
            .hint("write a plain prefix such as \"/api/\", without `?`, `%`, `//` and dots"));
    }
    path_of_requests(path)
}

fn path_of_requests(path: &str) -> Result<(), Fault> {
    if !path.starts_with('/') {
        return Err(Fault::new(format!("\"{path}\" does not begin with /")).hint(format!("write \"/{path}\"")));
    }
    if !path.bytes().all(|b| b.is_ascii_graphic() && b != b'#') {
        return Err(Fault::new(format!("\"{path}\" contains what no path of a request does"))
            .hint("use ASCII without blanks and `#`, others as %XX"));
    }
    Ok(())
}

#[cfg(test)]
mod tests;
