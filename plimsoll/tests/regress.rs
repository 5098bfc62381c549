//! Postgres's own regression schedule, without `subscription` and `stats`: through the door it prints what it prints
//! directly. `PLIMSOLL_REGRESS` names `src/test/regress` of the server's source; wanted are `pg_regress` and the
//! server's headers (Debian: postgresql-server-dev-15, and the source by `apt-get source postgresql-15`).
#![allow(clippy::unwrap_used)]

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use testkit::postgres::programs;
use testkit::{Plimsoll, Postgres, Up};

const BINARY: &str = env!("CARGO_BIN_EXE_plimsoll");
const LEFT_OUT: [&str; 2] = ["subscription", "stats"];

/// What a server process says only until somebody has used PL/pgSQL, or a temporary table, in it: those of a pool have.
const OF_A_PROCESS: [&str; 5] = [
    "ERROR:  invalid configuration parameter name \"plpgsql.extra_foo_warnings\"",
    "DETAIL:  \"plpgsql\" is a reserved prefix.",
    "WARNING:  invalid configuration parameter name \"plpgsql.extra_foo_warnings\", removing it",
    "DETAIL:  \"plpgsql\" is now a reserved prefix.",
    "ERROR:  cannot PREPARE a transaction that has operated on temporary objects",
];

fn said(command: &mut Command) -> String {
    let output = command.output().unwrap_or_else(|error| panic!("{command:?}: {error}"));
    String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr)
}

/// A server as `pg_regress` would make it, with the database `regression`.
fn server() -> Postgres {
    let settings = "max_prepared_transactions = 2\nmax_wal_senders = 10\nwal_level = logical\nlog_autovacuum_min_duration = -1\n\
                    allow_in_place_tablespaces = on\nmax_connections = 300\nautovacuum = off\ntimezone = 'PST8PDT'";
    let server = Postgres::with(settings);
    server.psql_in("postgres", "CREATE DATABASE regression TEMPLATE template0 LOCALE 'C'");
    for (name, value) in [("lc_messages", "C"), ("lc_monetary", "C"), ("lc_numeric", "C"), ("lc_time", "C"), ("bytea_output", "hex")] {
        server.psql_in("postgres", &format!("ALTER DATABASE regression SET {name} TO '{value}'"));
    }
    server.psql_in("postgres", "ALTER DATABASE regression SET timezone_abbreviations TO 'Default'");
    server
}

/// The schedule, the library of C functions and a folder for results that the server may write to.
fn outputs(source: &Path, folder: &Path) {
    fs::create_dir_all(folder.join("results")).unwrap();
    fs::create_dir_all(folder.join("testtablespace")).unwrap();
    for name in ["", "results", "testtablespace"] {
        fs::set_permissions(folder.join(name), fs::Permissions::from_mode(0o777)).unwrap();
    }
    let schedule = fs::read_to_string(source.join("parallel_schedule")).unwrap();
    let line = |line: &str| line.split(' ').filter(|name| !LEFT_OUT.contains(name)).collect::<Vec<_>>().join(" ");
    let lines: Vec<String> = schedule.lines().map(line).filter(|line| line != "test:").collect();
    fs::write(folder.join("schedule"), lines.join("\n") + "\n").unwrap();
    let config = programs().join("pg_config");
    let headers = said(Command::new(&config).arg("--includedir-server"));
    let libraries = PathBuf::from(said(Command::new(&config).arg("--pkglibdir")).trim());
    let mut compiler = Command::new("cc");
    compiler
        .args(["-O1", "-w", "-fPIC", "-shared", "-I", headers.trim(), "-o"])
        .arg(folder.join("regress.so"))
        .arg(source.join("regress.c"));
    let output = said(&mut compiler);
    assert!(folder.join("regress.so").exists(), "{output}");
    for name in ["refint.so", "autoinc.so"] {
        fs::copy(libraries.join(name), folder.join(name)).unwrap();
    }
}

/// What every test printed.
fn printed(source: &Path, folder: &Path, address: &str) -> BTreeMap<String, String> {
    outputs(source, folder);
    let (host, port) = address.split_once(':').unwrap();
    let libraries = said(Command::new(programs().join("pg_config")).arg("--pkglibdir"));
    let mut regress = Command::new(Path::new(libraries.trim()).join("pgxs/src/test/regress/pg_regress"));
    let path = |name: &str, place: &Path| format!("--{name}={}", place.display());
    regress.args([path("inputdir", source), path("outputdir", folder), path("dlpath", folder), path("bindir", &programs())]);
    regress.args([path("schedule", &folder.join("schedule")), format!("--host={host}"), format!("--port={port}")]);
    regress.args(["--use-existing", "--dbname=regression", "--user=postgres", "--max-concurrent-tests=20"]);
    let summary = said(regress.env("PGPASSWORD", testkit::postgres::PASSWORD).current_dir(folder));
    println!("{address}:\n{}", summary.lines().rev().take(12).collect::<Vec<_>>().join("\n"));
    let results = fs::read_dir(folder.join("results")).unwrap().flatten();
    let results = results.map(|entry| (entry.file_name().into_string().unwrap(), entry.path()));
    let place = folder.display().to_string();
    results.map(|(name, path)| (name, comparable(&fs::read(path).unwrap(), &place))).collect()
}

/// Bytes that are no text are as telling in another form.
fn comparable(bytes: &[u8], place: &str) -> String {
    let text = String::from_utf8_lossy(bytes).replace(place, "FOLDER");
    text.lines().filter(|line| !OF_A_PROCESS.contains(line)).map(|line| format!("{line}\n")).collect()
}

fn door(server: &Postgres) -> Plimsoll {
    let primary = server.url("postgres", "regression");
    let file = format!(
        "name = \"regress\"\n[http]\nlisten = [\"127.0.0.1:0\"]\n[sql.main]\nlisten = \"127.0.0.1:0\"\nprimary = \"{primary}\"\npool = {{ server = 60 }}\n"
    );
    Up::new(BINARY, &file).ready()
}

#[test]
#[ignore = "wants Postgres's source: PLIMSOLL_REGRESS"]
fn the_regression_schedule_prints_the_same() {
    let Some(source) = std::env::var_os("PLIMSOLL_REGRESS").map(PathBuf::from) else { return };
    let kept = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("regress");
    let _ = fs::remove_dir_all(&kept);
    let (one, other) = (server(), server());
    let direct = printed(&source, &kept.join("direct"), &one.address());
    let plimsoll = door(&other);
    let through = printed(&source, &kept.join("door"), plimsoll.sql());
    assert!(direct.len() > 150, "{} tests", direct.len());
    let differ: Vec<&String> = direct.iter().filter(|(name, text)| through.get(*name) != Some(text)).map(|(name, _)| name).collect();
    assert!(differ.is_empty(), "{} of {} differ; see {}: {differ:?}", differ.len(), direct.len(), kept.display());
}
