use std::sync::Mutex;
use std::time::Instant;

use telemetry::Sink;

use super::*;
use crate::parse::{Strings, recognise};
use crate::server::Key;

fn key() -> Key {
    Key { user: "app".into(), database: "shop".into() }
}

fn top(slow: Option<Duration>, log: Log) -> Arc<Top> {
    Top::new("main".into(), 2, slow, log)
}

fn run(measure: &mut Measure, text: &str, took: Duration, rows: u64, failed: bool) {
    let began = Instant::now();
    let mark = measure.begin(&recognise(text.as_bytes(), Strings::Standard), text.as_bytes(), Strings::Standard, began);
    measure.done(mark, began + took, rows, failed, &key());
}

const MS: Duration = Duration::from_millis(1);

#[test]
fn loops_are_added_up_and_the_longest_come_first() {
    let top = top(None, Log::nowhere());
    let (mut one, mut other) = (Measure::new(top.clone(), 0), Measure::new(top.clone(), 1));
    run(&mut one, "SELECT 1", 2 * MS, 1, false);
    run(&mut other, "select 2", 5 * MS, 1, true);
    run(&mut one, "UPDATE a SET b = 'secret'", 100 * MS, 7, false);
    run(&mut one, "", MS, 0, false);
    let found = top.statements();
    let shown: Vec<_> = found.iter().map(|one| (&*one.text, one.calls, one.errors, one.rows, one.total, one.longest)).collect();
    let expected = [("update a set b = $1", 1, 0, 7, 100 * MS, 100 * MS), ("select $1", 2, 1, 2, 7 * MS, 5 * MS), ("", 1, 0, 0, MS, MS)];
    assert_eq!(shown, expected);
}

#[test]
fn places_are_bounded_and_the_much_used_keep_theirs() {
    let top = top(None, Log::nowhere());
    let mut measure = Measure::new(top.clone(), 0);
    for number in 0..20_000 {
        run(&mut measure, &format!("SELECT a{number}"), MS, 1, false);
        for often in ["COMMIT", "BEGIN", "SELECT a FROM often"] {
            run(&mut measure, often, MS, 1, false);
        }
    }
    // one that comes late finds a place and keeps it
    for number in 0..5_000 {
        run(&mut measure, &format!("SELECT b{number}"), MS, 1, false);
        run(&mut measure, "SELECT late", MS, 1, false);
    }
    let found = top.statements();
    assert_eq!(found.len(), KINDS);
    let calls = |text: &str| found.iter().find(|one| &*one.text == text).map_or(0, |one| one.calls);
    assert_eq!((calls("commit"), calls("select a from often")), (20_000, 20_000));
    assert!(calls("select late") > 4_900, "{}", calls("select late"));
}

#[test]
fn a_statement_that_lost_its_place_is_counted_with_the_rest() {
    let top = top(None, Log::nowhere());
    let mut measure = Measure::new(top.clone(), 0);
    let (text, began) = (b"SELECT lost", Instant::now());
    let mark = measure.begin(&recognise(text, Strings::Standard), text, Strings::Standard, began);
    for number in 0..20_000 {
        run(&mut measure, &format!("SELECT a{number}"), MS, 1, false);
    }
    measure.done(mark, began + MS, 1, false, &key());
    assert!(top.statements().iter().any(|one| one.fingerprint == 0 && one.calls == 1));
}

#[derive(Clone, Default)]
struct Lines(Arc<Mutex<String>>);

impl Sink for Lines {
    fn write(&mut self, _stream: &str, lines: &[u8]) {
        self.0.lock().unwrap().push_str(&String::from_utf8_lossy(lines));
    }
    fn flush(&mut self) {}
}

#[test]
fn slow_ones_are_written_without_constants_and_not_too_many() {
    let lines = Lines::default();
    let (log, writer) = Log::start(Box::new(lines.clone()));
    let top = top(Some(100 * MS), log);
    let mut measure = Measure::new(top.clone(), 0);
    let text = b"SELECT *\nFROM a WHERE b = 'secret'";
    let recognised = recognise(text, Strings::Standard);
    let start = Instant::now();
    let mut at = |began: Duration, took: Duration, failed| {
        let mark = measure.begin(&recognised, text, Strings::Standard, start + began);
        measure.done(mark, start + began + took, 3, failed, &key());
    };
    at(Duration::ZERO, 99 * MS, false);
    at(Duration::ZERO, 100 * MS, false);
    (0..30).for_each(|_| at(100 * MS, 200 * MS, true));
    at(1200 * MS, 100 * MS, false);
    top.set_slow(None);
    at(9000 * MS, 9000 * MS, false);
    writer.finish();
    let written = lines.0.lock().unwrap().clone();
    let lines: Vec<&str> = written.lines().collect();
    assert_eq!(lines.len(), 11, "{written}");
    assert_eq!(lines[0], "warning sql: main: slow, 0.100 s, 3 rows, app on shop: select * from a where b = $1");
    assert_eq!(lines[1], "warning sql: main: slow, 0.200 s, 3 rows, failed, app on shop: select * from a where b = $1");
    let last = "warning sql: main: slow, 0.100 s, 3 rows, app on shop: select * from a where b = $1 (21 more before it were not said)";
    assert_eq!(lines[10], last);
}

#[test]
fn metrics_tell_of_few_kinds_with_short_texts() {
    let top = top(None, Log::nowhere());
    let mut measure = Measure::new(top.clone(), 0);
    for number in 0..50 {
        run(&mut measure, &format!("SELECT {}{number}", "é".repeat(150)), (100 - number) * MS, 1, false);
    }
    let mut out = Exposition::default();
    top.collect(&mut out);
    let text = out.finish();
    let samples: Vec<&str> = text.lines().filter(|line| line.starts_with("sql_statement_calls_total")).collect();
    assert_eq!(samples.len(), TOLD);
    assert!(samples.iter().all(|line| line.len() < 240 && line.contains("database=\"main\"") && line.contains('…')), "{samples:?}");
}
