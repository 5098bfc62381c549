//! psql, of which everything is used.

use std::process::Stdio;

use rustix::process::{Pid, Signal, kill_process};
use testkit::postgres::programs;
use testkit::until;

use super::ground::{Place, same};
use crate::scripts::script;

#[test]
fn psql_with_everything_it_can() {
    let told = same("psql", |place| {
        let mut psql = place.command(programs().join("psql"));
        let text = place.run(psql.args(["-X", "-q", "-f"]).arg(script("psql.sql")));
        without_numbers(&text, &["server process with PID ", "lo_import "])
    });
    assert!(told.contains("the end"), "the script ran to its end: {told}");
}

/// Numbers after these words differ from run to run.
fn without_numbers(text: &str, words: &[&str]) -> String {
    let mut text = text.to_owned();
    for word in words {
        let pieces: Vec<&str> = text.split(word).collect();
        let joined = pieces.iter().enumerate().map(|(at, piece)| if at == 0 { piece } else { piece.trim_start_matches(char::is_numeric) });
        text = joined.collect::<Vec<_>>().join(&format!("{word}N"));
    }
    text
}

/// `-c` is one message, and its statements one transaction.
#[test]
fn psql_one_command() {
    same("psql_commands", |place| {
        let one = |sql: &str| place.run(place.command(programs().join("psql")).args(["-X", "-c", sql]));
        [
            "CREATE TABLE kept (a int); INSERT INTO kept VALUES (1), (2) RETURNING a",
            "INSERT INTO kept VALUES (3); SELECT 1/0; SELECT 'never'",
            "SELECT * FROM kept; TABLE kept; SELECT count(*) FROM kept",
            "BEGIN; INSERT INTO kept VALUES (4); SELECT 'left in the middle'",
            "BEGIN; INSERT INTO kept VALUES (5); COMMIT; SELECT 1/0",
            "VACUUM kept; SELECT 1",
            "SET work_mem = '3MB'; SHOW work_mem",
            "SHOW work_mem; SELECT * FROM kept",
            "",
        ]
        .map(one)
        .concat()
    });
}

/// Wrong users, passwords and databases are told apart as Postgres does.
#[test]
fn psql_refused() {
    same("psql_refused", |place| {
        let with = |name: &str, value: &str| {
            let mut psql = place.command(programs().join("psql"));
            place.run(psql.args(["-X", "-c", "SELECT 1"]).env(name, value)).replace(&port(place), "PORT")
        };
        [
            with("PGPASSWORD", "wrong"),
            with("PGUSER", "nobody_of_that_name"),
            with("PGDATABASE", "no_such_database"),
            with("PGOPTIONS", "-c work_mem=nonsense"),
            with("PGOPTIONS", "-c no_such_setting=1"),
            with("PGOPTIONS", "-c work_mem=3MB -c search_path=pg_catalog"),
            with("PGSSLMODE", "require"),
            with("PGSSLMODE", "prefer"),
            with("PGGSSENCMODE", "prefer"),
            with("PGCLIENTENCODING", "nonsense"),
            with("PGAPPNAME", "with a space and ä"),
        ]
        .concat()
    });
}

fn port(place: &Place) -> String {
    place.url.split([':', '/']).nth(5).unwrap().to_owned()
}

/// Ctrl-C: psql cancels its statement over a connection of its own.
#[test]
fn psql_interrupted() {
    let told = same("psql_interrupted", |place| {
        let mut psql = place.command(programs().join("psql"));
        psql.args(["-X", "-c", "SELECT 'before'", "-c", "SELECT pg_sleep(600)"]).stdout(Stdio::piped()).stderr(Stdio::piped());
        let child = psql.spawn().unwrap();
        let asleep = "SELECT count(*) FROM pg_stat_activity WHERE wait_event = 'PgSleep' AND datname = current_database()";
        until("it sleeps", || place.monitor(asleep) == "1");
        kill_process(Pid::from_child(&child), Signal::INT).unwrap();
        let output = child.wait_with_output().unwrap();
        until("it sleeps no more", || place.monitor(asleep) == "0");
        format!("{}{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr), output.status)
    });
    assert!(told.contains("canceling statement due to user request"), "{told}");
}
