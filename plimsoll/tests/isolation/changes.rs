//! DDL under prepared statements: seven ways to run a statement times seven changes, each directly and through the
//! door. The door may do better than Postgres, never worse: right rows, or the error that Postgres gives.

use testkit::Wire;
use testkit::wire::frames::{bind, close_statement, describe_portal, describe_statement, execute, parse, sync};
use testkit::wire::{Answer, Login};

use crate::ground::Ground;

/// What changes between the first runs and the later ones.
const CHANGES: [(&str, &str); 7] = [
    ("a column more", "ALTER TABLE t ADD COLUMN more text DEFAULT 'more'"),
    ("a column less", "ALTER TABLE t DROP COLUMN b"),
    ("another type", "ALTER TABLE t ALTER COLUMN b TYPE text"),
    ("another name", "ALTER TABLE t RENAME COLUMN b TO c"),
    ("made anew", "DROP TABLE t; CREATE TABLE t (id int PRIMARY KEY, b int, z int DEFAULT 9); INSERT INTO t VALUES (1, 100), (2, 200)"),
    ("an index less", "ALTER TABLE t DROP CONSTRAINT t_pkey; INSERT INTO t VALUES (1, 11)"),
    ("in a transaction", "BEGIN; ALTER TABLE t ADD COLUMN rolled int; ROLLBACK; BEGIN; ALTER TABLE t ADD COLUMN kept int; COMMIT"),
];

/// A way to run a statement.
struct Way {
    name: &'static str,
    sql: &'static str,
    run: fn(&mut Wire, &str) -> Answer,
    /// Prepared before, by name.
    named: bool,
}

const ALL: &str = "SELECT * FROM t WHERE id = $1";

const WAYS: [Way; 7] = [
    Way { name: "named", sql: ALL, run: named, named: true },
    Way { name: "named, described", sql: ALL, run: described, named: true },
    Way { name: "named, in a transaction", sql: ALL, run: in_a_transaction, named: true },
    Way { name: "unnamed", sql: ALL, run: unnamed, named: false },
    Way { name: "unnamed, described", sql: ALL, run: unnamed_described, named: false },
    Way { name: "named columns", sql: "SELECT id, b FROM t WHERE id = $1", run: named, named: true },
    Way { name: "returning", sql: "UPDATE t SET id = id WHERE id = $1 RETURNING *", run: named, named: true },
];

fn send(wire: &mut Wire, messages: &[Vec<u8>]) -> Answer {
    wire.send(&messages.concat()).unwrap();
    wire.answer().unwrap()
}

fn named(wire: &mut Wire, _: &str) -> Answer {
    send(wire, &[bind("", "s", &["1"]), execute("", 0), sync()])
}

fn described(wire: &mut Wire, _: &str) -> Answer {
    send(wire, &[bind("", "s", &["1"]), describe_portal(""), execute("", 0), sync()])
}

fn in_a_transaction(wire: &mut Wire, sql: &str) -> Answer {
    wire.query("BEGIN").unwrap().fine();
    let answer = named(wire, sql);
    wire.query("ROLLBACK").unwrap().fine();
    answer
}

fn unnamed(wire: &mut Wire, sql: &str) -> Answer {
    send(wire, &[parse("", sql), bind("", "", &["1"]), execute("", 0), sync()])
}

fn unnamed_described(wire: &mut Wire, sql: &str) -> Answer {
    let first = send(wire, &[parse("", sql), describe_statement(""), sync()]);
    if !first.errors.is_empty() {
        return first;
    }
    send(wire, &[bind("", "", &["1"]), describe_portal(""), execute("", 0), sync()])
}

/// What a client sees of an answer: rows and their number, or the error.
fn seen(answer: &Answer) -> String {
    match answer.code() {
        Some(code) => format!("error {code}"),
        None => format!("{:?} {:?}", answer.rows, answer.tags),
    }
}

/// What the runs after the change see, and what a new statement on a new connection would see.
fn scenario(ground: &Ground, address: &str, way: &Way, change: &str) -> (Vec<String>, String) {
    ground.server.psql(
        "DROP TABLE IF EXISTS t; CREATE TABLE t (id int PRIMARY KEY, b int); INSERT INTO t VALUES (1, 10), (2, 20); GRANT ALL ON t TO app",
    );
    let connect = || Wire::connect(address, &Login::new("app", "app")).unwrap();
    let (mut one, mut other) = (connect(), connect());
    for wire in [&mut one, &mut other] {
        if way.named {
            send(wire, &[parse("s", way.sql), sync()]).fine();
        }
        // from the sixth on Postgres may keep a plan for all parameters
        (0..7).for_each(|_| drop((way.run)(wire, way.sql).fine()));
    }
    ground.server.psql(&format!("{change}; GRANT ALL ON t TO app"));
    let mut told: Vec<String> = (0..3).flat_map(|_| [seen(&(way.run)(&mut one, way.sql)), seen(&(way.run)(&mut other, way.sql))]).collect();
    send(&mut one, &[close_statement("s"), parse("s", way.sql), sync()]);
    told.push(seen(&(way.run)(&mut one, way.sql)));
    let mut fresh = Wire::connect(&ground.server.address(), &Login::new("app", "app")).unwrap();
    let right = seen(&unnamed(&mut fresh, way.sql));
    (told, right)
}

#[test]
fn changes_under_prepared_statements_are_never_worse_than_directly() {
    let ground = Ground::new(0);
    let mut worse = Vec::new();
    for way in &WAYS {
        for (name, change) in CHANGES {
            let (direct, _) = scenario(&ground, &ground.server.address(), way, change);
            let (through, right) = scenario(&ground, &ground.door, way, change);
            for (direct, through) in direct.iter().zip(&through).filter(|(direct, through)| direct != through) {
                if *through != right {
                    worse.push(format!("{}, {name}: directly {direct}, through the door {through}, right is {right}", way.name));
                }
            }
        }
    }
    assert!(worse.is_empty(), "{} worse:\n{}", worse.len(), worse.join("\n"));
}
