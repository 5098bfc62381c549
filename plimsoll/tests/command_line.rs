//! The verbs that need nothing running: what they print and how they exit.

#![allow(clippy::unwrap_used)] // a test: what it cannot do fails it

use std::path::Path;
use std::process::{Command, Output};

use serde_json::Value;

fn plimsoll(dir: &Path, arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_plimsoll")).args(arguments).current_dir(dir).output().unwrap()
}

fn stdout(output: &Output) -> String {
    String::from_utf8(output.stdout.clone()).unwrap()
}

fn stderr(output: &Output) -> String {
    String::from_utf8(output.stderr.clone()).unwrap()
}

#[test]
fn bad_usage_is_64_and_help_is_not() {
    let dir = tempfile::tempdir().unwrap();
    for (arguments, code) in
        [(&["--help"][..], 0), (&["--version"], 0), (&["check", "--help"], 0), (&[], 64), (&["sail"], 64), (&["check", "--nope"], 64)]
    {
        assert_eq!(plimsoll(dir.path(), arguments).status.code(), Some(code), "{arguments:?}");
    }
}

#[test]
fn check_tells_the_stage_and_what_each_key_costs() {
    let dir = tempfile::tempdir().unwrap();
    std::fs::write(dir.path().join("plimsoll.toml"), "name = 'shop'\nstate = 'kept'\n[app.a]\nrun = 'sh'\ninstances = 2\n").unwrap();
    let output = plimsoll(dir.path(), &["check"]);
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    let text = stdout(&output);
    assert!(text.starts_with("shop: stage 3, load balancer; no problem\n"), "{text}");
    for line in ["2  state            restart", "4  app.a.run        drain", "5  app.a.instances  live"] {
        assert!(text.lines().any(|written| written.trim() == line), "no {line:?} in\n{text}");
    }
    let json: Value = serde_json::from_str(&stdout(&plimsoll(dir.path(), &["check", ".", "--json"]))).unwrap();
    assert_eq!((&json["stage"], &json["keys"][1]["change"]), (&3.into(), &"restart".into()));
    let elsewhere: Value = serde_json::from_str(&stdout(&plimsoll(dir.path(), &["check", "--json", "--state", "other"]))).unwrap();
    assert!(elsewhere["state"].as_str().unwrap().ends_with("/other"), "{elsewhere}");
}

#[test]
fn check_reports_every_problem_with_its_place() {
    let dir = tempfile::tempdir().unwrap();
    std::fs::write(dir.path().join("a.toml"), "naem = 'shop'\n[app.a]\nrun = 'no-such-program-anywhere'\n[http.max]\nbody = '10'\n")
        .unwrap();
    let output = plimsoll(dir.path(), &["check", "--file", "a.toml"]);
    assert_eq!((output.status.code(), stdout(&output).as_str()), (Some(64), ""));
    let text = stderr(&output);
    assert!(text.contains("a.toml:1:1: ") && text.contains("a.toml:3:7: ") && text.contains("a.toml:5:8: "), "{text}");
    let output = plimsoll(dir.path(), &["check", "a.toml", "--json"]);
    assert_eq!(output.status.code(), Some(64));
    let json: Value = serde_json::from_str(&stdout(&output)).unwrap();
    assert_eq!((&json["problems"][0]["line"], &json["problems"][0]["suggestion"]), (&1.into(), &"did you mean `name`?".into()));
}

#[test]
fn a_file_that_is_missing_or_unreadable_is_said() {
    let dir = tempfile::tempdir().unwrap();
    let output = plimsoll(dir.path(), &["check"]);
    assert_eq!(output.status.code(), Some(64));
    assert!(stderr(&output).starts_with("plimsoll.toml: there is no such file"), "{}", stderr(&output));
    std::fs::write(dir.path().join("plimsoll.toml"), b"name = 'a'\n\xff\n").unwrap();
    assert!(stderr(&plimsoll(dir.path(), &["check"])).contains("line 2 is not UTF-8"));
}

#[test]
fn new_writes_once() {
    let dir = tempfile::tempdir().unwrap();
    let output = plimsoll(dir.path(), &["new"]);
    assert_eq!(output.status.code(), Some(1), "there is nothing to run");
    assert!(!dir.path().join("plimsoll.toml").exists());
    std::fs::create_dir(dir.path().join("public")).unwrap();
    std::fs::write(dir.path().join("public/index.html"), "").unwrap();
    let output = plimsoll(dir.path(), &["new"]);
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    assert_eq!(stdout(&output), "found a static site (public/index.html)\nwrote plimsoll.toml\nnext: plimsoll up\n");
    assert_eq!(plimsoll(dir.path(), &["check"]).status.code(), Some(0));
    std::fs::write(dir.path().join("plimsoll.toml"), "name = 'mine'\n").unwrap();
    let output = plimsoll(dir.path(), &["new"]);
    assert_eq!(output.status.code(), Some(1));
    assert!(stderr(&output).contains("it exists already"), "{}", stderr(&output));
    assert_eq!(std::fs::read_to_string(dir.path().join("plimsoll.toml")).unwrap(), "name = 'mine'\n");
}

#[test]
fn new_takes_a_folder_or_a_file_and_speaks_json() {
    let dir = tempfile::tempdir().unwrap();
    std::fs::create_dir(dir.path().join("pages")).unwrap();
    std::fs::write(dir.path().join("pages/index.html"), "").unwrap();
    let output = plimsoll(dir.path(), &["new", "--file", "pages/p.toml", "--json"]);
    let json: Value = serde_json::from_str(&stdout(&output)).unwrap();
    assert_eq!((&json["file"], &json["next"]), (&"pages/p.toml".into(), &"plimsoll up pages/p.toml".into()));
    assert_eq!(plimsoll(dir.path(), &["new", "pages"]).status.code(), Some(0));
    assert_eq!(plimsoll(dir.path(), &["check", "pages"]).status.code(), Some(0));
    assert_eq!(plimsoll(dir.path(), &["new", "nowhere"]).status.code(), Some(64));
}

#[test]
fn a_database_of_the_environment_that_apps_do_not_get_is_told() {
    let dir = tempfile::tempdir().unwrap();
    let check = |file: &str| {
        std::fs::write(dir.path().join("plimsoll.toml"), file).unwrap();
        let mut command = Command::new(env!("CARGO_BIN_EXE_plimsoll"));
        let output = command.arg("check").env("DATABASE_URL", "postgres://app:x@localhost/shop").current_dir(dir.path()).output().unwrap();
        stdout(&output)
    };
    let app = "name = 'a'\n[app.a]\nrun = 'sh'\n";
    assert!(check(app).contains("does not get the `DATABASE_URL` of Plimsoll's environment"), "{}", check(app));
    for taken in ["[sql.main]\nprimary = { env = 'DATABASE_URL' }\n", "[app.a.env]\nDATABASE_URL = 'sqlite:x'\n"] {
        let text = check(&format!("{app}{taken}"));
        assert!(text.contains("no problem") && !text.contains("of Plimsoll's environment"), "{text}");
    }
}

#[test]
fn setup_says_what_there_is() {
    use std::os::unix::fs::PermissionsExt;
    let dir = tempfile::tempdir().unwrap();
    for program in ["postgres", "initdb"] {
        let file = dir.path().join(program);
        std::fs::write(&file, "#!/bin/sh\necho 'postgres (PostgreSQL) 16.1'\n").unwrap();
        std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o755)).unwrap();
    }
    let setup = |words: &[&str]| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_plimsoll"));
        command.arg("setup").args(words).env("PLIMSOLL_PG_BIN", dir.path()).current_dir(dir.path()).output().unwrap()
    };
    let output = setup(&[]);
    assert!(output.status.success() && stdout(&output).starts_with("PostgreSQL 16.1 in "), "{output:?}");
    let json: Value = serde_json::from_str(&stdout(&setup(&["--json", "--yes"]))).unwrap();
    assert!(json["found"].as_str().unwrap().ends_with(": nothing to do"), "{json}");
    std::fs::write(dir.path().join("plimsoll.toml"), "naem = 'x'\n").unwrap();
    assert_eq!(setup(&[]).status.code(), Some(64));
    std::fs::write(dir.path().join("plimsoll.toml"), "[sql.main]\nbin = '/no/such/folder'\n").unwrap();
    assert_eq!(setup(&["."]).status.code(), Some(64));
}
