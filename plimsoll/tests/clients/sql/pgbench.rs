//! pgbench, in all its modes: the sums of its tables tell whether every transaction was whole.

use testkit::postgres::programs;

use super::ground::{Place, same};

const CLIENTS: u32 = 8;
const TRANSACTIONS: u32 = 40;

fn pgbench(place: &Place, arguments: &[&str]) -> String {
    place.run(place.command(programs().join("pgbench")).args(arguments))
}

/// Lines of the summary that do not speak of time.
fn counts(text: &str) -> String {
    let counted = ["query mode", "number of clients", "actually processed", "failed transactions", "retried", "error", "aborted", "exit"];
    text.lines().filter(|line| counted.iter().any(|word| line.contains(word))).map(|line| format!("{line}\n")).collect()
}

fn balance(place: &Place) -> String {
    place.monitor(
        "SELECT a = h AND b = t, n FROM (SELECT sum(abalance) a FROM pgbench_accounts) a, (SELECT sum(bbalance) b FROM pgbench_branches) b,
         (SELECT sum(tbalance) t FROM pgbench_tellers) t, (SELECT coalesce(sum(delta), 0) h, count(*) n FROM pgbench_history) h",
    )
}

fn mode(mode: &str) {
    let told = same(&format!("pgbench_{mode}"), |place| {
        let mut told = counts(&pgbench(place, &["-i", "-s", "1", "-q"]));
        let (clients, transactions) = (CLIENTS.to_string(), TRANSACTIONS.to_string());
        for script in ["tpcb-like", "simple-update", "select-only"] {
            // a thread each: pgbench waits for an answer to its Parse with all clients of a thread
            let arguments = ["-n", "-M", mode, "-c", &clients, "-j", &clients, "-t", &transactions, "-b", script];
            told += &counts(&pgbench(place, &arguments));
        }
        told += &counts(&pgbench(place, &["-n", "-M", mode, "-C", "-c", "4", "-j", "4", "-t", "10", "-b", "select-only"]));
        told + &balance(place)
    });
    let written = format!("t|{}", 2 * CLIENTS * TRANSACTIONS);
    assert!(told.ends_with(&written), "every transaction is there once and whole: {told}");
}

#[test]
fn pgbench_simple() {
    mode("simple");
}

#[test]
fn pgbench_extended() {
    mode("extended");
}

#[test]
fn pgbench_prepared() {
    mode("prepared");
}

const PIPELINE: &str = r"
\set id random(1, 1000)
\startpipeline
SELECT :id + 1;
BEGIN;
INSERT INTO piped VALUES (:id, :client_id);
UPDATE piped SET client = client WHERE id = :id;
COMMIT;
SELECT count(*) FROM piped WHERE id = :id;
\endpipeline
\if :id > 500
\startpipeline
SELECT 1;
\endpipeline
\endif
SELECT 2 AS n \gset two_
";

#[test]
fn pgbench_pipelines() {
    let told = same("pgbench_pipelines", |place| {
        std::fs::write(place.folder.path().join("pipeline.sql"), PIPELINE).unwrap();
        place.monitor("CREATE TABLE piped (id int, client int); ALTER TABLE piped OWNER TO app");
        let mut told = String::new();
        for mode in ["extended", "prepared"] {
            told += &counts(&pgbench(place, &["-n", "-M", mode, "-c", "8", "-j", "8", "-t", "50", "-f", "pipeline.sql"]));
        }
        told + &place.monitor("SELECT count(*) FROM piped")
    });
    assert!(told.ends_with("800"), "{told}");
}
