//! Apps have a database: `DATABASE_URL`, the verbs of `plimsoll db`, several databases, reloads, and data that stay.
#![allow(clippy::unwrap_used)]

mod doors;

use std::net::TcpListener;
use std::path::Path;
use std::process::{Command, Output, Stdio};
use std::time::{Duration, Instant};

use rustix::process::Signal;
use serde_json::Value;
use testkit::wire::Login;
use testkit::{Plimsoll, Postgres, Up, Wire, app_command, serve_app, until};

const BINARY: &str = env!("CARGO_BIN_EXE_plimsoll");

#[test]
#[ignore = "the app of the other tests"]
fn app() {
    serve_app();
}

fn file(more: &str) -> String {
    format!(
        "name = \"d\"\n[http]\nlisten = [\"127.0.0.1:0\"]\n[console]\nlisten = \"127.0.0.1:0\"\n[app.shop]\nrun = {}\nhealth = \"/healthz\"\n{more}",
        app_command()
    )
}

/// `plimsoll db …` for a Plimsoll that runs.
fn db(plimsoll: &Plimsoll, words: &[&str]) -> Command {
    let mut command = Command::new(BINARY);
    command.arg("--file").arg(plimsoll.path()).arg("--state").arg(plimsoll.folder().join("state")).arg("db").args(words);
    command.stdin(Stdio::null());
    command
}

fn said(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr)
}

#[track_caller]
fn done(mut command: Command) -> Vec<u8> {
    let output = command.output().unwrap();
    assert!(output.status.success(), "{command:?}: {}", said(&output));
    output.stdout
}

#[track_caller]
fn json(plimsoll: &Plimsoll, words: &[&str]) -> Value {
    serde_json::from_slice(&done(db(plimsoll, words))).unwrap()
}

#[track_caller]
fn url(plimsoll: &Plimsoll, words: &[&str]) -> String {
    String::from_utf8(done(db(plimsoll, &[&["url"], words].concat()))).unwrap().trim_end().to_string()
}

/// Comes in as an app would.
fn connect(plimsoll: &Plimsoll, name: &str) -> Wire {
    let told = json(plimsoll, &["url", name, "--json"]);
    let text = |key: &str| told[key].as_str().unwrap().to_string();
    let login = Login { password: text("password"), ..Login::new(&text("user"), &text("database")) };
    Wire::connect(&format!("{}:{}", text("host"), told["port"]), &login).unwrap()
}

fn rows(wire: &mut Wire, sql: &str) -> String {
    format!("{:?}", wire.query(sql).unwrap())
}

/// What the app was given.
fn variable(plimsoll: &Plimsoll, app: &str, name: &str) -> String {
    let status = plimsoll.status();
    let apps = status["apps"].as_array().unwrap();
    let app = apps.iter().find(|one| one["app"] == app).unwrap();
    let environment = std::fs::read(format!("/proc/{}/environ", app["instances"][0]["pid"])).unwrap();
    let all: Vec<String> = environment.split(|byte| *byte == 0).map(|one| String::from_utf8_lossy(one).into_owned()).collect();
    all.iter().find_map(|one| one.strip_prefix(&format!("{name}="))).unwrap_or_default().to_string()
}

fn reload(plimsoll: &Plimsoll, file: &str) -> Output {
    plimsoll.write("plimsoll.toml", file);
    plimsoll.run("reload", &[])
}

#[test]
fn an_app_has_a_database_and_its_data_outlive_a_restart() {
    let state = tempfile::tempdir().unwrap();
    let mut first = Up::new(BINARY, &file("")).state(&state.path().join("state")).ready();
    let url = |plimsoll: &Plimsoll| {
        let state = state.path().join("state").display().to_string();
        let file = plimsoll.path().display().to_string();
        let output = Command::new(BINARY).args(["db", "url", "--file", &file, "--state", &state]).output().unwrap();
        assert!(output.status.success(), "{}", said(&output));
        String::from_utf8(output.stdout).unwrap().trim_end().to_string()
    };
    let before = url(&first);
    assert_eq!(variable(&first, "shop", "DATABASE_URL"), before);
    assert_eq!(variable(&first, "shop", "DATABASE_READ_URL"), before);
    assert!(before.contains(&format!("@{}/main", first.sql())), "{before} and {}", first.doors().line);
    let password = before.split(['/', ':', '@']).nth(4).unwrap().to_string();
    let login = || Login { password: password.clone(), ..Login::new("main", "main") };
    let mut wire = Wire::connect(first.sql(), &login()).unwrap();
    wire.query("CREATE TABLE kept (n int); INSERT INTO kept VALUES (7)").unwrap();
    drop(wire);
    assert!(first.stop().status.success());
    until("every process is gone", || first.family().is_empty());
    let second = Up::new(BINARY, &file("")).state(&state.path().join("state")).ready();
    let mut wire = Wire::connect(second.sql(), &login()).unwrap();
    assert!(rows(&mut wire, "SELECT n FROM kept").contains("\"7\""));
}

#[test]
fn what_was_dumped_is_restored_while_the_app_runs() {
    let plimsoll = Plimsoll::start(BINARY, &file(""));
    let mut wire = connect(&plimsoll, "main");
    wire.query(
        "CREATE TABLE kept (id serial PRIMARY KEY, t text); INSERT INTO kept (t) SELECT repeat('x', n) FROM generate_series(1, 500) n",
    )
    .unwrap();
    let sum = "SELECT count(*), sum(id), md5(string_agg(t, ',' ORDER BY id)) FROM kept";
    let before = rows(&mut wire, sum);
    let dump = plimsoll.folder().join("kept.dump");
    let told = json(&plimsoll, &["dump", dump.to_str().unwrap(), "--json"]);
    assert_eq!((&told["database"], told["bytes"].as_u64()), (&"main".into(), Some(dump.metadata().unwrap().len())));
    let streamed = done(db(&plimsoll, &["dump", "-"]));
    assert!(streamed.starts_with(b"PGDMP"));

    wire.query("DROP TABLE kept").unwrap();
    done(db(&plimsoll, &["restore", dump.to_str().unwrap()]));
    assert_eq!(rows(&mut wire, sum), before);
    wire.query("DELETE FROM kept WHERE id > 3").unwrap();
    std::fs::write(plimsoll.folder().join("streamed"), &streamed).unwrap();
    let mut restore = db(&plimsoll, &["restore", "main", "-"]);
    restore.stdin(std::fs::File::open(plimsoll.folder().join("streamed")).unwrap());
    done(restore);
    assert_eq!(rows(&mut wire, sum), before);

    // all of it or nothing
    std::fs::write(plimsoll.folder().join("half.sql"), "DELETE FROM kept;\nSELECT no_such_function();\n").unwrap();
    let output = db(&plimsoll, &["restore", plimsoll.folder().join("half.sql").to_str().unwrap()]).output().unwrap();
    assert_eq!(output.status.code(), Some(1), "{}", said(&output));
    assert_eq!(rows(&mut wire, sum), before);
}

#[test]
fn a_reader_that_goes_ends_a_dump_without_a_word() {
    let plimsoll = Plimsoll::start(BINARY, &file(""));
    connect(&plimsoll, "main").query("CREATE TABLE kept (n int)").unwrap();
    let mut dump = db(&plimsoll, &["dump", "-"]).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    drop(dump.stdout.take());
    let output = dump.wait_with_output().unwrap();
    assert_eq!((output.status.code(), said(&output)), (Some(1), String::new()));
}

#[test]
fn whoever_asks_one_that_ends_is_told_so_at_once() {
    let mut plimsoll = Plimsoll::start(BINARY, &file(""));
    let mut wire = connect(&plimsoll, "main");
    wire.query("BEGIN").unwrap();
    plimsoll.signal(Signal::TERM);
    until("it drains", || plimsoll.log().contains("draining"));
    let begun = Instant::now();
    let output = db(&plimsoll, &["status"]).output().unwrap();
    assert!(begun.elapsed() < Duration::from_secs(5), "{:?}", begun.elapsed());
    assert!(output.status.code() == Some(1) && said(&output).contains("is starting or ending"), "{}", said(&output));
    wire.query("COMMIT").unwrap();
    assert!(plimsoll.wait().status.success());
}

#[test]
fn a_shell_and_a_status() {
    let plimsoll = Plimsoll::start(BINARY, &file(""));
    let shell = done(db(&plimsoll, &["shell", "--", "-Atc", "SELECT current_user, current_database()"]));
    assert_eq!(String::from_utf8(shell).unwrap(), "main|main\n");
    let mut wire = connect(&plimsoll, "main");
    wire.query("CREATE TEMP TABLE mine (n int)").unwrap();
    let mut sits = connect(&plimsoll, "main");
    sits.query("BEGIN").unwrap();
    let status = json(&plimsoll, &["status", "--json"]);
    let door = &status["sql"][0];
    assert_eq!((&door["name"], &door["server"], &door["state"]), (&"main".into(), &"embedded".into(), &"up".into()));
    assert!(door["clients"].as_u64().unwrap() >= 1 && door["most"] == 20, "{door}");
    let pin = &door["pins"][0];
    assert_eq!((&pin["user"], &pin["reasons"][0]), (&"main".into(), &"temporary".into()), "{door}");
    let (count, open) = (&door["open"], &door["longest"][0]);
    assert_eq!((count, &open["doing"], &open["user"]), (&1.into(), &"idle".into(), &"main".into()), "{door}");
    assert_eq!(status["postgres"]["state"], "up", "{status}");
    let text = String::from_utf8(done(db(&plimsoll, &["status"]))).unwrap();
    assert!(text.contains("sql.main\n") && text.contains("pinned") && text.contains("PostgreSQL "), "{text}");
    assert!(text.contains("idle in transaction"), "{text}");
    wire.query("DROP TABLE mine").unwrap();
    until("nobody is pinned", || json(&plimsoll, &["status", "--json"])["sql"][0]["pins"].as_array().unwrap().is_empty());
    let tiers = plimsoll.status();
    let tiers: Vec<&str> = tiers["tiers"].as_array().unwrap().iter().map(|tier| tier["tier"].as_str().unwrap()).collect();
    assert_eq!(tiers, ["http", "sql", "postgres", "kv", "app.shop", "machine"]);
}

#[test]
fn up_makes_the_machine_ready_first_when_told_to() {
    let plimsoll = Up::new(BINARY, &file("")).arg("--setup").ready();
    assert!(plimsoll.log().contains(": nothing to do"), "{}", plimsoll.log());
}

#[test]
fn verbs_say_what_they_need() {
    let up = Up::new(BINARY, &file(""));
    let at = |words: &[&str]| {
        let (file, state) = (up.folder().join("plimsoll.toml"), up.folder().join("state"));
        let output =
            Command::new(BINARY).arg("db").args(words).arg("--file").arg(file).arg("--state").arg(state).stdin(Stdio::null()).output();
        let output = output.unwrap();
        (output.status.code(), said(&output))
    };
    let (code, url) = at(&["url"]);
    assert!(code == Some(0) && url.starts_with("postgresql://main:") && url.ends_with("@127.0.0.1:6432/main\n"), "{code:?} {url}");
    assert_eq!(at(&["url"]).1, url, "the password stays");
    for words in [&["status"][..], &["shell"], &["dump", "-"], &["restore", "x"]] {
        let (code, text) = at(words);
        assert!(code == Some(1) && text.contains("no Plimsoll runs"), "{words:?}: {code:?} {text}");
    }
    assert_eq!(at(&["url", "orders"]), (Some(64), "there is no database orders; there are: main\n".into()));
    assert_eq!(at(&["fly"]).0, Some(64));
    assert_eq!(at(&["dump", "a", "b", "c"]).0, Some(64));
}

#[test]
fn a_taken_default_gives_way_and_a_written_one_does_not() {
    // Another test may have it for a while.
    let mut taken = None;
    until("the port is ours", || {
        taken = TcpListener::bind("127.0.0.1:6432").ok();
        taken.is_some()
    });
    let plimsoll = Plimsoll::start(BINARY, &file(""));
    assert_ne!(plimsoll.sql(), "127.0.0.1:6432");
    assert!(plimsoll.log().contains("127.0.0.1:6432 is taken"), "{}", plimsoll.log());
    let mut refused = Up::new(BINARY, &file(&format!("[sql.main]\nlisten = \"{}\"\n", plimsoll.sql()))).spawn();
    let ended = refused.wait();
    assert_eq!(ended.status.code(), Some(1));
    assert!(ended.log.contains(&format!("sql.main: cannot listen on {}", plimsoll.sql())), "{}", ended.log);
}

#[test]
fn a_secret_of_the_file_is_hidden_from_apps_and_the_door_takes_its_place() {
    let server = Postgres::start();
    let text = file("[sql.main]\nlisten = \"127.0.0.1:0\"\nprimary = { env = \"DATABASE_URL\" }\n");
    let plimsoll = Up::new(BINARY, &text).env("DATABASE_URL", &server.url("app", "app")).ready();
    let given = variable(&plimsoll, "shop", "DATABASE_URL");
    assert!(given == url(&plimsoll, &[]) && given.contains(plimsoll.sql()), "{given}");
    let mut wire = connect(&plimsoll, "main");
    assert!(rows(&mut wire, "SELECT current_user").contains("\"app\""));
    assert!(!Path::new(&plimsoll.folder().join("state/postgres")).exists(), "nothing of an embedded server is made");
}

/// What drains comes before what it needs: a transaction may end, and its commit is kept.
#[test]
fn a_transaction_may_end_before_the_stop() {
    let state = tempfile::tempdir().unwrap();
    let up = |text: &str| Up::new(BINARY, text).state(&state.path().join("state"));
    let password = postgres_password(&up(&file("")), &state.path().join("state"));
    let login = || Login { password: password.clone(), ..Login::new("main", "main") };
    let mut plimsoll = up(&file("")).ready();
    let mut wire = Wire::connect(plimsoll.sql(), &login()).unwrap();
    wire.query("CREATE TABLE kept (n int)").unwrap();
    wire.query("BEGIN").unwrap();
    plimsoll.signal(Signal::TERM);
    until("it drains", || plimsoll.log().contains("draining"));
    until("nobody new is let in", || Wire::connect(plimsoll.sql(), &login()).is_err());
    wire.query("INSERT INTO kept VALUES (7)").unwrap();
    wire.query("COMMIT").unwrap();
    assert_eq!(plimsoll.wait().status.code(), Some(0));
    let plimsoll = up(&file("")).ready();
    assert_eq!(Wire::connect(plimsoll.sql(), &login()).unwrap().query("SELECT n FROM kept").unwrap().value(), "7");
}

/// The password that the embedded server's user will have.
fn postgres_password(up: &Up, state: &Path) -> String {
    let (file, mut command) = (up.folder().join("plimsoll.toml"), Command::new(BINARY));
    let output = command.args(["db", "url", "--json"]).arg("--file").arg(file).arg("--state").arg(state).output().unwrap();
    let told: Value = serde_json::from_slice(&output.stdout).unwrap();
    told["password"].as_str().unwrap().to_string()
}
