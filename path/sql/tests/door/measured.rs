//! What is known afterwards of the statements that were run.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use telemetry::{Log, Sink};
use testkit::until;

use crate::setup::{Door, plan, server};

#[derive(Clone, Default)]
struct Lines(Arc<Mutex<String>>);

impl Sink for Lines {
    fn write(&mut self, _stream: &str, lines: &[u8]) {
        self.0.lock().unwrap().push_str(&String::from_utf8_lossy(lines));
    }
    fn flush(&mut self) {}
}

#[test]
fn kinds_of_statements_with_their_calls_rows_and_errors() {
    let door = Door::new(2);
    let (mut one, mut other) = (door.client(), door.client());
    for n in 1..=3 {
        one.query(&format!("SELECT generate_series(1, {n})")).unwrap().fine();
        other.ask("SELECT generate_series(1, $1::int)", &["2"]).unwrap().fine();
    }
    one.query("SELECT 1 / 0").unwrap();
    other.ask("SELECT 1 / $1::int", &["0"]).unwrap();
    one.query("SELECT 'it''s secret' /* so is this */; SELECT pg_sleep(0.2)").unwrap().fine();
    let found = door.handle.statements();
    let of = |text: &str| found.iter().find(|one| &*one.text == text).map(|one| (one.calls, one.errors, one.rows));
    assert_eq!(of("select generate_series($1, $2)"), Some((3, 0, 6)));
    assert_eq!(of("select generate_series($1, $2::int)"), Some((3, 0, 6)));
    assert_eq!(of("select $1 / $2"), Some((1, 1, 0)));
    assert_eq!(of("select $1 / $2::int"), Some((1, 1, 0)));
    let slowest = &found[0];
    assert_eq!((&*slowest.text, slowest.calls), ("select $1; select pg_sleep($2)", 1));
    assert!(slowest.total >= Duration::from_millis(200) && slowest.longest == slowest.total, "{slowest:?}");
    let counts = door.handle.counts();
    assert_eq!((counts.queries, counts.errors), (9, 2));
}

#[test]
fn bytes_are_counted_both_ways() {
    let door = Door::new(1);
    let mut client = door.client();
    client.query("SELECT repeat('x', 1000000)").unwrap().fine();
    client.ask("SELECT length($1)", &[&"y".repeat(500_000)]).unwrap().fine();
    let of = |direction: &str| {
        let name = format!("sql_bytes_total{{database=\"main\",direction=\"{direction}\"}} ");
        let rendered = door.metrics.render();
        rendered.lines().find_map(|line| line.strip_prefix(&name)?.parse::<u64>().ok()).expect("it is there")
    };
    assert!((500_000..510_000).contains(&of("in")), "{}", of("in"));
    assert!((1_000_000..1_010_000).contains(&of("out")), "{}", of("out"));
}

#[test]
fn slow_statements_are_in_the_log_without_their_constants() {
    let lines = Lines::default();
    let (log, writer) = Log::start(Box::new(lines.clone()));
    let mut plan = plan(1);
    plan.slow = Some(Duration::from_millis(100));
    let door = Door::with_log(plan, server(), log);
    let mut client = door.client();
    client.query("SELECT 'fast'").unwrap().fine();
    client.query("SELECT pg_sleep(0.15), 'secret'").unwrap().fine();
    client.ask("SELECT pg_sleep($1::float), 'secret' WHERE 1 / $2::int > 0", &["0.15", "0"]).unwrap();
    until("both were said or none will be", || lines.0.lock().unwrap().contains("slow") || door.handle.counts().queries == 3);
    drop(door);
    writer.finish();
    let said = lines.0.lock().unwrap().clone();
    let slow: Vec<&str> = said.lines().filter(|line| line.contains("slow")).collect();
    assert_eq!(slow.len(), 1, "{said}");
    assert!(
        slow[0].starts_with("warning sql: main: slow, 0.") && slow[0].ends_with("1 rows, app on app: select pg_sleep($1), $2"),
        "{said}"
    );
}

/// The client gets the server's word; that it is the file's password which is wrong only the log can say.
#[test]
fn a_password_that_the_server_does_not_know_is_told_to_the_operator() {
    let lines = Lines::default();
    let mut plan = plan(2);
    plan.users.insert("app".into(), plimsoll_sql::Password("another".into()));
    let door = Door::with_log(plan, server(), Log::start(Box::new(lines.clone())).0);
    let login = testkit::wire::Login { password: "another".into(), ..super::setup::login() };
    let refused = testkit::Wire::connect(&door.address, &login).err().expect("the server does not let it in").to_string();
    assert!(refused.starts_with("28P01"), "{refused}");
    testkit::until("the log", || lines.0.lock().unwrap().contains("the file has another password than the server"));
}
