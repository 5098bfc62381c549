//! What a real server says to the same texts.

use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};
use testkit::Postgres;
use testkit::wire::{Login, Wire};

use super::super::confirm::{confirmed, question};
use super::super::recognise::recognise;
use super::super::recognised::Step;
use super::super::tokens::Strings;

fn connected(server: &Postgres) -> Wire {
    Wire::connect(&server.address(), &Login::new("app", "app")).expect("the server lets app in")
}

const INT4: u32 = 23;
const INT8: u32 = 20;
const NUMERIC: u32 = 1700;
const TEXT: u32 = 25;
const VARCHAR: u32 = 1043;
const TIMESTAMP: u32 = 1114;

const TABLES: &str = r#"
CREATE TABLE plain (id bigint PRIMARY KEY, name varchar(20) UNIQUE, code char(5) UNIQUE, a int, b int, c int, d date UNIQUE, UNIQUE (a, b), UNIQUE (c) DEFERRABLE);
CREATE UNIQUE INDEX ON plain ((b + 1));
CREATE TABLE "Odd ""'one" ("Ke'y" int UNIQUE);
CREATE TABLE indexed (part int, live bool, collated text, pattern text, included int, more int);
CREATE UNIQUE INDEX ON indexed (part) WHERE live;
CREATE UNIQUE INDEX ON indexed (collated COLLATE "POSIX");
CREATE UNIQUE INDEX ON indexed (pattern text_pattern_ops);
CREATE UNIQUE INDEX ON indexed (included) INCLUDE (more);
CREATE INDEX ON indexed (more);
CREATE TABLE parent (id int PRIMARY KEY); CREATE TABLE child (PRIMARY KEY (id)) INHERITS (parent);
CREATE TABLE split (id int PRIMARY KEY) PARTITION BY RANGE (id); CREATE TABLE piece PARTITION OF split DEFAULT;
CREATE TABLE secured (id int PRIMARY KEY); ALTER TABLE secured ENABLE ROW LEVEL SECURITY;
CREATE TABLE ruled (id int PRIMARY KEY); CREATE RULE r AS ON DELETE TO ruled DO ALSO SELECT 1;
CREATE VIEW seen AS SELECT * FROM plain;
CREATE SCHEMA other; CREATE TABLE other.plain (id int);
"#;

#[test]
fn the_question_knows_a_unique_key() {
    let server = Postgres::start();
    let mut wire = connected(&server);
    assert!(wire.query(TABLES).unwrap().errors.is_empty());
    let cases: Vec<(&str, &[u32], bool)> = vec![
        ("SELECT * FROM plain WHERE id = $1", &[], true),
        ("SELECT * FROM plain WHERE id = $1", &[0], true),
        ("SELECT * FROM plain WHERE id = $1", &[INT8], true),
        ("SELECT * FROM plain WHERE id = $1", &[INT4], true),
        ("SELECT * FROM plain WHERE id = $1", &[NUMERIC], false),
        ("SELECT * FROM plain WHERE a = $1 AND id = $2", &[0, NUMERIC], false),
        ("SELECT * FROM plain WHERE a = 5 AND id = $1", &[], true),
        ("SELECT * FROM plain WHERE id = $1::int", &[], true),
        ("SELECT * FROM plain WHERE id = $1::numeric", &[], false),
        ("SELECT * FROM plain WHERE id = $1::nonsense", &[], false),
        ("SELECT * FROM plain WHERE id = $1::Integer", &[TEXT], true),
        ("SELECT * FROM plain WHERE name = $1", &[TEXT], true),
        ("SELECT * FROM plain WHERE name = $1::VARCHAR", &[], true),
        ("SELECT * FROM plain WHERE code = $1", &[], true),
        ("SELECT * FROM plain WHERE code = $1", &[VARCHAR], false),
        ("SELECT * FROM plain WHERE d = $1", &[TIMESTAMP], true),
        ("SELECT * FROM plain WHERE a = $1", &[], false),
        ("SELECT * FROM plain WHERE b = $1", &[], false),
        ("SELECT * FROM plain WHERE b = $1 AND a = $2", &[], true),
        ("SELECT * FROM plain WHERE b = $1 AND a = $2 AND c = $3", &[], true),
        ("SELECT * FROM plain WHERE c = $1", &[], false),
        ("SELECT * FROM plain WHERE missing = $1", &[], false),
        ("SELECT * FROM public.plain WHERE id = $1", &[], true),
        ("SELECT * FROM other.plain WHERE id = $1", &[], false),
        ("SELECT * FROM missing WHERE id = $1", &[], false),
        ("SELECT * FROM missing.plain WHERE id = $1", &[], false),
        ("SELECT * FROM \"Odd \"\"'one\" WHERE \"Ke'y\" = $1", &[], true),
        ("SELECT * FROM \"Odd \"\"'one\" WHERE \"ke'y\" = $1", &[], false),
        ("SELECT * FROM indexed WHERE part = $1", &[], false),
        ("SELECT * FROM indexed WHERE part = $1 AND live = true", &[], false),
        ("SELECT * FROM indexed WHERE collated = $1", &[], false),
        ("SELECT * FROM indexed WHERE pattern = $1", &[], false),
        ("SELECT * FROM indexed WHERE included = $1", &[], true),
        ("SELECT * FROM indexed WHERE more = $1", &[], false),
        ("SELECT * FROM parent WHERE id = $1", &[], false),
        ("SELECT * FROM child WHERE id = $1", &[], false),
        ("SELECT * FROM split WHERE id = $1", &[], false),
        ("SELECT * FROM piece WHERE id = $1", &[], false),
        ("SELECT * FROM secured WHERE id = $1", &[], false),
        ("DELETE FROM ruled WHERE id = $1", &[], false),
        ("SELECT * FROM seen WHERE id = $1", &[], false),
        ("UPDATE plain SET a = $1 WHERE id = $2", &[], true),
        ("DELETE FROM plain WHERE id = $1 RETURNING *", &[], true),
        ("INSERT INTO plain (id) VALUES ($1)", &[], true),
        ("INSERT INTO indexed (part) VALUES ($1)", &[], true),
        ("INSERT INTO piece (id) VALUES ($1)", &[], false),
        ("INSERT INTO secured (id) VALUES ($1)", &[], false),
        ("INSERT INTO seen (id) VALUES ($1)", &[], false),
        ("INSERT INTO pg_class VALUES ($1)", &[], true),
    ];
    for (sql, types, expected) in cases {
        assert_eq!(ask(&mut wire, sql, types), expected, "{sql} {types:?}");
    }
    for setting in ["search_path = other", "standard_conforming_strings = off"] {
        wire.query(&format!("SET {setting}")).unwrap();
        assert!(ask(&mut wire, "SELECT * FROM public.\"Odd \"\"'one\" WHERE \"Ke'y\" = $1", &[]), "{setting}");
        assert!(!ask(&mut wire, "SELECT * FROM plain WHERE id = $1", &[]), "{setting}");
    }
    wire.query("SET search_path = public; CREATE TEMP TABLE plain (id int PRIMARY KEY)").unwrap();
    assert!(!ask(&mut wire, "SELECT * FROM plain WHERE id = $1", &[]), "a temporary table is in its place");
}

fn ask(wire: &mut Wire, sql: &str, types: &[u32]) -> bool {
    let lookup = recognise(sql.as_bytes(), Strings::Standard).lookup.unwrap_or_else(|| panic!("no lookup: {sql}"));
    let question = question(&lookup, types);
    let answer = wire.query(&question).unwrap();
    assert!(answer.errors.is_empty(), "{:?}\n{question}", answer.errors);
    let rows = answer.rows.into_iter().map(|row| row.into_iter().map(|value| value.map(String::into_bytes)).collect());
    confirmed(&rows.collect::<Vec<_>>())
}

/// A confirmed lookup: the plan without the values is one by a unique index, as with them.
#[test]
fn a_confirmed_lookup_has_one_plan() {
    let server = Postgres::start();
    let mut wire = connected(&server);
    assert!(wire.query(TABLES).unwrap().errors.is_empty());
    wire.query("INSERT INTO plain (id, name, code, a, b, d) SELECT n, n, n, n, n, date '2000-01-01' + n FROM generate_series(1, 20000) n; ANALYZE plain")
        .unwrap()
        .fine();
    for (sql, types, index) in [
        ("SELECT * FROM plain WHERE id = $1", "int4", "plain_pkey"),
        ("SELECT * FROM plain WHERE name = $1", "text", "plain_name_key"),
        ("SELECT * FROM plain WHERE d = $1", "timestamp", "plain_d_key"),
        ("SELECT * FROM plain WHERE a = $1 AND b = 1", "int8", "plain_a_b_key"),
        ("UPDATE plain SET c = 1 WHERE id = $1", "int8", "plain_pkey"),
    ] {
        wire.query(&format!("SET plan_cache_mode = force_generic_plan; PREPARE p ({types}) AS {sql}")).unwrap();
        let value = if types == "timestamp" { "'2001-01-01'" } else { "'7'" };
        let plan = wire.query(&format!("EXPLAIN EXECUTE p({value}); DEALLOCATE p")).unwrap();
        let plan: String = plan.rows.iter().flat_map(|row| row[0].clone()).collect();
        assert!(plan.contains(&format!("Index Scan using {index}")), "{sql}: {plan}");
    }
}

/// Statements with the tag of their answer, each of which can be run at any time.
const STATEMENTS: &[(&str, &str)] = &[
    ("SELECT 1", "SELECT 1"),
    ("SELECT ';'", "SELECT 1"),
    ("SELECT 'a'';', N';' AS \"a;\"\"b\"", "SELECT 1"),
    (r"SELECT E'\';'", "SELECT 1"),
    (r"SELECT E'\\', 'b'", "SELECT 1"),
    ("SELECT E'a' -- ;'\n '\\';'", "SELECT 1"),
    (r"SELECT '\'", "SELECT 1"),
    ("SELECT $$;'$$, $a$ ; $$ $a $b$ $a$", "SELECT 1"),
    ("SELECT 1 AS a$$b", "SELECT 1"),
    (r#"SELECT U&'\0041;''' AS U&"\0041;""#, "SELECT 1"),
    ("SELECT B'1', X'F'", "SELECT 1"),
    ("SELECT 1 /* ; /* ; */ ' */ + 2 -- ; '\n", "SELECT 1"),
    ("SELECT 2 *-/* ; */1", "SELECT 1"),
    ("SELECT 1 #-- ;\n -1", "SELECT 1"),
    ("SELECT 1.5e-3, .5, 1., 1.e1, 'a'::text", "SELECT 1"),
    ("SELECT (ARRAY[1,2])[1:2]", "SELECT 1"),
    ("SELECT 1 AS é", "SELECT 1"),
    ("VALUES (1), (2)", "SELECT 2"),
    ("SET a.b = ';'", "SET"),
    ("SET LOCAL \"a\".c TO 1", "SET"),
    ("SET TIME ZONE 'UTC'", "SET"),
    ("RESET a.b", "RESET"),
    ("LISTEN a", "LISTEN"),
    ("UNLISTEN *", "UNLISTEN"),
    ("NOTIFY a, ';'", "NOTIFY"),
    ("DISCARD PLANS", "DISCARD PLANS"),
    ("DEALLOCATE PREPARE ALL", "DEALLOCATE ALL"),
    (
        "CREATE OR REPLACE FUNCTION pg_temp.f() RETURNS int BEGIN ATOMIC SELECT CASE 1 WHEN 1 THEN 2 END; SELECT 1 AS end; END",
        "CREATE FUNCTION",
    ),
    ("CREATE OR REPLACE FUNCTION pg_temp.g() RETURNS int LANGUAGE sql AS $$ SELECT 1; SELECT 2 $$", "CREATE FUNCTION"),
    ("CREATE OR REPLACE FUNCTION pg_temp.\"begin\"(atomic int) RETURNS int LANGUAGE sql RETURN 1", "CREATE FUNCTION"),
    ("DO $$ BEGIN NULL; END $$", "DO"),
    ("EXPLAIN (COSTS off) SELECT 1", "EXPLAIN"),
];

#[test]
fn statements_and_answers_are_as_many() {
    let server = Postgres::start();
    let wire = std::cell::RefCell::new(connected(&server));
    let texts =
        prop::collection::vec((0..STATEMENTS.len(), prop::sample::select(vec![";", " ; ", ";;", "; /* ; */ ;", "; -- ;\n"])), 1..12);
    let mut runner = TestRunner::new(Config { cases: 300, failure_persistence: None, ..Config::default() });
    let outcome = runner.run(&texts, |chosen| {
        let text: String = chosen.iter().map(|(number, end)| format!("{}{end}", STATEMENTS[*number].0)).collect();
        let expected: Vec<&str> = chosen.iter().map(|(number, _)| STATEMENTS[*number].1).collect();
        let answer = wire.borrow_mut().query(&text).unwrap();
        prop_assert!(answer.errors.is_empty(), "{:?}", answer.errors);
        prop_assert_eq!(&answer.tags, &expected, "{}", text);
        let steps = recognise(text.as_bytes(), Strings::Standard).steps;
        prop_assert_eq!(steps.iter().map(tag).collect::<Vec<_>>(), expected.iter().map(|tag| plain(tag)).collect::<Vec<_>>(), "{}", text);
        Ok(())
    });
    outcome.unwrap();
}

#[test]
fn with_backslashes_too() {
    let server = Postgres::start();
    let mut wire = connected(&server);
    wire.query("SET standard_conforming_strings = off; SET escape_string_warning = off").unwrap().fine();
    for (text, steps) in [
        (r"SELECT 'a\';'; SELECT 2", 2),
        (r"SELECT 'a\\'; SELECT ';'", 2),
        (r"SELECT N'\';'; SELECT E'\';'", 2),
        ("SELECT 'a' \n'\\';'; SELECT $$\\$$", 2),
        (r#"SELECT 1 AS "\"; SELECT '''\';'"#, 2),
    ] {
        assert_eq!(wire.query(text).unwrap().fine().tags.len(), steps, "{text}");
        assert_eq!(recognise(text.as_bytes(), Strings::Backslash).steps.len(), steps, "{text}");
    }
}

/// The first word of the tag that a step is answered with, where it tells.
fn tag(step: &Step) -> &'static str {
    match step {
        Step::Set(_) | Step::SetLocal => "SET",
        Step::Reset(_) => "RESET",
        Step::Listen(_) => "LISTEN",
        Step::Unlisten(_) => "UNLISTEN",
        Step::Notify => "NOTIFY",
        Step::Discard => "DISCARD",
        Step::Deallocate(_) => "DEALLOCATE",
        _ => "",
    }
}

fn plain(tag: &str) -> &str {
    let word = tag.split(' ').next().unwrap_or_default();
    if ["SET", "RESET", "LISTEN", "UNLISTEN", "NOTIFY", "DISCARD", "DEALLOCATE"].contains(&word) { word } else { "" }
}
