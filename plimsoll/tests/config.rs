//! Every `config/*.test`: a TOML above `----`, below it the plan or the problems that it must give.
//!
//! The folder `config/app` stands for the user's, its `bin` is the whole PATH, and nothing else of the machine is
//! asked. A first line `#! root` reads the file as root would. `PLIMSOLL_UPDATE=1` writes what came out instead of
//! comparing; docs/reference.md is kept the same way.

#![allow(clippy::unwrap_used)] // a test: what it cannot do fails it

use std::collections::BTreeMap;
use std::fmt::Write;
use std::path::{Path, PathBuf};
use std::time::Duration;

use apps::Source;
use contract::ServerAddress;
use plimsoll::file::{self, FILE, Plan};
use settings::{World, show_duration, show_size};

#[test]
fn every_file_gives_its_plan_or_its_problems() {
    let (tests, mut wrong, mut differing) = (tests(), 0, Vec::new());
    for path in &tests {
        let text = std::fs::read_to_string(path).unwrap();
        let (toml, expected) = text.split_once("\n----\n").unwrap_or((text.trim_end(), ""));
        let (is_wrong, outcome) = outcome(toml);
        wrong += usize::from(is_wrong);
        if outcome == expected {
            continue;
        }
        if updating() {
            std::fs::write(path, format!("{toml}\n----\n{outcome}")).unwrap();
        } else {
            differing.push(format!("{}\n--- expected\n{expected}--- came out\n{outcome}", path.display()));
        }
    }
    assert!(wrong >= 40 && tests.len() - wrong >= 5, "{wrong} wrong files of {}", tests.len());
    assert!(differing.is_empty(), "{}\nPLIMSOLL_UPDATE=1 writes what came out; read the difference first", differing.join("\n"));
}

#[test]
fn a_file_cut_anywhere_is_read_without_a_panic_and_problems_lie_inside_it() {
    for path in tests() {
        let text = std::fs::read_to_string(&path).unwrap();
        let toml = text.split_once("\n----\n").unwrap().0;
        // A secret's command would be run each time.
        for (end, _) in toml.char_indices().filter(|_| !toml.contains("command =")) {
            let cut = &toml[..end];
            let problems = file::plan("plimsoll.toml", cut, &app().join("plimsoll.toml"), None, &world(false)).err().unwrap_or_default();
            let lines = cut.split('\n').count();
            assert!(problems.iter().all(|problem| problem.place.is_none_or(|place| place.line <= lines)), "{problems} in\n{cut}");
        }
    }
}

#[test]
fn the_reference_is_that_of_the_definition() {
    let page = here("../../docs/reference.md");
    let intro = include_str!("config/reference.head.md");
    let wanted = format!("{intro}{}", settings::reference(&FILE));
    if updating() {
        std::fs::write(&page, &wanted).unwrap();
    }
    let written = std::fs::read_to_string(&page).unwrap_or_default();
    assert!(written == wanted, "docs/reference.md is not what the definitions say: PLIMSOLL_UPDATE=1 writes it anew");
}

#[test]
fn what_differs_between_two_files_is_told_with_its_cost() {
    let plan = |toml: &str| file::plan("plimsoll.toml", toml, &app().join("plimsoll.toml"), None, &world(false)).unwrap();
    let told = |old: &Plan, new: &Plan| -> Vec<String> {
        file::compare(old, new).iter().map(|change| format!("{} {}", change.key, change.mark)).collect()
    };
    let old = plan("[http.max]\nbody = '10MB'\n[app.a]\nrun = './server'\nenv = { A = '1' }\nroutes = '/a/'");
    assert_eq!(told(&old, &plan("http.max.body = '10240KB'\n[app.a]\nrun = './server'\nenv.A = 1\nroutes = ['/a/']")), [""; 0]);
    let new = plan(
        "state = 'kept'\nhttp.max.body = '1MB'\n[app.a]\nrun = './server x'\nenv = { B = '1' }\nroutes = '/a/'\n[app.b]\nrun = './server'\nroutes = []",
    );
    let expected = [
        "app.a.env.A drain",
        "app.a.env.B drain",
        "app.a.run drain",
        "app.b.routes live",
        "app.b.run drain",
        "http.max.body live",
        "state restart",
    ];
    assert_eq!(told(&old, &new), expected);
    let moved = file::plan("plimsoll.toml", "", &app().join("plimsoll.toml"), Some(Path::new("/elsewhere")), &world(false)).unwrap();
    assert_eq!(told(&plan("state = '/elsewhere'"), &moved), [""; 0], "--state wins over the file");
}

fn tests() -> Vec<PathBuf> {
    let mut tests: Vec<PathBuf> = std::fs::read_dir(here("config")).unwrap().map(|entry| entry.unwrap().path()).collect();
    tests.retain(|path| path.extension().is_some_and(|extension| extension == "test"));
    tests.sort();
    tests
}

/// Whether a file is wrong, and what it gives.
fn outcome(toml: &str) -> (bool, String) {
    let root = toml.starts_with("#! root");
    let (wrong, text) = match file::plan("plimsoll.toml", toml, &app().join("plimsoll.toml"), None, &world(root)) {
        Ok(plan) => (false, show(&plan)),
        Err(problems) => (true, problems.to_string()),
    };
    assert!(!text.contains("hush"), "a secret is printed: {text}");
    (wrong, text.replace(app().to_str().unwrap(), "/app"))
}

fn show(plan: &Plan) -> String {
    let mut text = format!("stage {} of {}, state {}\n", plan.stage, plan.name, plan.state.display());
    show_http(&plan.http, &mut text).unwrap();
    for door in &plan.sql {
        writeln!(text, "sql {}: {}", door.name, show_sql(door)).unwrap();
    }
    for door in &plan.kv {
        writeln!(text, "kv {}: {}", door.name, show_kv(door)).unwrap();
    }
    if let Some(embedded) = &plan.postgres {
        let bin = embedded.bin.as_ref().map_or_else(String::new, |bin| format!(", programs in {}", bin.display()));
        writeln!(text, "postgres {:?}, {} connections{bin}", embedded.databases, embedded.connections).unwrap();
    }
    for app in &plan.apps {
        let database = plan.databases.get(&app.name).map_or_else(String::new, |name| format!(", sql {name}"));
        let store = plan.stores.get(&app.name).map_or_else(String::new, |name| format!(", kv {name}"));
        writeln!(text, "app {}: {}{database}{store}", app.name, show_app(app)).unwrap();
    }
    writeln!(text, "console {}{}", plan.console.listen, if plan.console.written { "" } else { " by default" }).unwrap();
    for key in &plan.keys {
        writeln!(text, "{:>3} {} = {} ({})", key.line, key.key, key.value, key.mark).unwrap();
    }
    plan.warnings.iter().for_each(|warning| writeln!(text, "warning: {warning}").unwrap());
    text
}

fn show_http(http: &http_door::Plan, text: &mut String) -> std::fmt::Result {
    for listen in &http.listen {
        writeln!(text, "http {}{}", listen.address, if listen.written { "" } else { " by default" })?;
    }
    if !http.hosts.is_empty() || !http.trust.is_empty() {
        let trust: Vec<String> = http.trust.iter().map(|network| format!("{}/{}", network.base, network.bits)).collect();
        writeln!(text, "hosts [{}] trust [{}]", http.hosts.join(" "), trust.join(" "))?;
    }
    let (max, timeout) = (http.max, http.timeout);
    writeln!(
        text,
        "log {:?}, body {}, head {}, idle {}",
        http.log,
        show_size(max.body),
        show_size(max.head as u64),
        show_duration(timeout.idle)
    )?;
    for app in &http.apps {
        writeln!(text, "{} -> {}, health {}", app.routes.join(" "), app.app, app.health.as_deref().unwrap_or("is the port"))?;
    }
    if let Some(site) = &http.site {
        writeln!(text, "site {}{}", site.dir.display(), if site.first { " first" } else { "" })?;
    }
    Ok(())
}

fn show_sql(door: &sql::Plan) -> String {
    let listen = format!("{}{}", door.listen.address, if door.listen.written { "" } else { " by default" });
    let server = match &door.primary {
        None => "the embedded server".into(),
        Some(ServerAddress::Unix(path)) => format!("{}", path.display()),
        Some(ServerAddress::Tcp(host, port)) => format!("{host} port {port} with TLS {:?}", door.server.mode),
    };
    let users: Vec<&str> = door.users.keys().map(String::as_str).collect();
    let sql::Pool { server: most, client, wait, least, idle, age, statements } = &door.pool;
    let [wait, idle, age] = [wait, idle, age].map(|time| show_duration(*time));
    let pool = format!("{most} for {client}, wait {wait}, least {least}, idle {idle}, age {age}, statements {statements}");
    let off = |limit: Option<Duration>| limit.map_or_else(|| "off".into(), show_duration);
    let limits = [door.limits.statement, door.limits.transaction, door.limits.idle_in_transaction].map(off).join(" ");
    let tls = door.tls.as_ref().map_or_else(String::new, |tls| format!(", tls {}", tls.cert.display()));
    let reuse = if door.reuse { "" } else { ", no reuse" };
    format!(
        "{listen} to {server} as {} in {}, users {users:?}, pool {pool}, limits {limits}, slow {}{tls}{reuse}",
        door.user,
        door.database,
        off(door.slow)
    )
}

fn show_kv(door: &kv::Plan) -> String {
    let listen = format!("{}{}", door.listen.address, if door.listen.written { "" } else { " by default" });
    let [memory, value, request] = [door.memory, door.max.value, door.max.request].map(|bytes| show_size(bytes as u64));
    let kv::Eviction { policy, among } = door.evict;
    let clients = door.max.clients;
    let users: Vec<String> = door.users.iter().map(|user| format!(", user {}", user.shown())).collect();
    let tls = door.tls.as_ref().map_or_else(String::new, |tls| format!(", tls {}", tls.cert.display()));
    let users = users.concat();
    let memcached = door.memcached.map_or_else(String::new, |address| format!(", memcached {address}"));
    let ttl = |class: &kv::TtlClass| format!(", {} for {}", class.pattern, class.ttl.map_or("ever".into(), |ttl| format!("{ttl}ms")));
    let ttl: String = door.ttl.iter().map(ttl).collect();
    format!(
        "{listen}{memcached}{ttl}, {memory}, evicts by {policy:?} among {among:?}, clients {clients}, value {value}, request {request}{users}{tls}"
    )
}

fn show_app(app: &apps::Plan) -> String {
    match &app.source {
        Source::External(addresses) => format!("external {addresses:?}"),
        Source::Run(run) => {
            let env: Vec<&str> = run.env.iter().map(|(name, _)| name.as_str()).collect();
            let times = format!("start {} drain {}", show_duration(run.start), show_duration(run.drain));
            format!("{} x {:?} in {} env {env:?} withheld {:?} {times}", run.instances, run.run, run.dir.display(), run.withheld)
        }
    }
}

fn world(root: bool) -> World {
    let path = app().join("bin").to_str().unwrap().to_string();
    let environment: BTreeMap<String, String> = [("PATH", path.as_str()), ("TOKEN", "hush"), ("MODE", "test"), ("EMPTY", "")]
        .map(|(name, value)| (name.into(), value.into()))
        .into();
    World { folder: app(), environment, root, ipv6: true }
}

fn app() -> PathBuf {
    here("config/app")
}

fn here(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests").join(path)
}

fn updating() -> bool {
    std::env::var_os("PLIMSOLL_UPDATE").is_some()
}
