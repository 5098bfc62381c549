//! Clients at the door beside the same clients at the server: what they see is always the same.

use std::sync::Once;

use testkit::Wire;
use testkit::wire::frames::{bind, execute, parse, query, sync};
use testkit::wire::{Answer, Login};

use crate::histories::{LOOK, SCENARIOS, SCHEMA, Steps};
use crate::setup::{Door, kinds, login, server};

/// A client at the door and the same one at the server.
struct Twin {
    door: Wire,
    direct: Wire,
    status: u8,
}

/// How a statement goes.
#[derive(Clone, Copy)]
enum Way {
    Simple,
    Extended,
}

impl Way {
    fn ask(self, wire: &mut Wire, sql: &str) -> Result<Answer, String> {
        let several = sql.contains(';') || sql.starts_with("DO");
        match self {
            Way::Extended if !several => wire.ask(sql, &[]),
            _ => wire.query(sql),
        }
        .map_err(|error| error.to_string())
    }
}

impl Twin {
    fn new(door: &Door, login: &Login) -> Twin {
        Twin { door: door.log_in(login), direct: Wire::connect(&server().address(), login).unwrap(), status: b'I' }
    }

    fn same(&mut self, way: Way, sql: &str) -> Result<(), String> {
        let (said, direct) = (way.ask(&mut self.door, sql)?, way.ask(&mut self.direct, sql)?);
        self.status = direct.status;
        let is_hasty = |answer: &Answer| answer.errors.iter().any(|error| error.code == "57014");
        if is_hasty(&said) || is_hasty(&direct) {
            return Ok(());
        }
        // A name that somebody else has used is empty rather than unknown.
        let plain = |answer: &Answer| format!("{:?}", answer.rows).replace("None", "Some(\"\")");
        let codes = |answer: &Answer| answer.errors.iter().map(|error| error.code.clone()).collect::<Vec<_>>();
        if (plain(&said), &said.tags, codes(&said), said.status) != (plain(&direct), &direct.tags, codes(&direct), direct.status) {
            return Err(format!("of {sql}: {said:?}\nbut directly: {direct:?}"));
        }
        match self.door.parameters == self.direct.parameters {
            true => Ok(()),
            false => Err(format!("after {sql} it was told {:?}\nbut directly: {:?}", self.door.parameters, self.direct.parameters)),
        }
    }
}

/// Roles belong to no database.
fn roles() {
    static MADE: Once = Once::new();
    MADE.call_once(|| drop(server().psql("CREATE ROLE bob; CREATE ROLE carol; GRANT bob, carol TO app")));
}

fn play(door: &Door, way: Way, login: &Login, steps: Steps<'_>) -> Result<(), String> {
    let mut twins = [Twin::new(door, login), Twin::new(door, login)];
    for (who, sql) in steps {
        twins[usize::from(*who == 'b')].same(way, sql)?;
        for twin in twins.iter_mut().filter(|twin| twin.status != b'E') {
            twin.same(Way::Simple, LOOK).map_err(|error| format!("after {sql} of {who}: {error}"))?;
        }
    }
    Ok(())
}

fn play_all(way: Way) {
    let door = Door::new(2);
    let mut wrong = Vec::new();
    for (number, (user, startup, steps)) in SCENARIOS.iter().enumerate() {
        let login = startup.iter().fold(Login::new(user, "histories"), |login, (name, value)| login.with(name, value));
        if let Err(error) = play(&door, way, &login, steps) {
            wrong.push(format!("{number}: {steps:?}\n{error}"));
        }
    }
    assert!(wrong.is_empty(), "{} of {} are wrong:\n{}", wrong.len(), SCENARIOS.len(), wrong.join("\n\n"));
}

#[test]
fn two_clients_see_what_each_would_see_alone() {
    server().psql_in("postgres", "CREATE DATABASE histories");
    roles();
    server().psql_in("histories", SCHEMA);
    play_all(Way::Simple);
    play_all(Way::Extended);
}

#[test]
fn values_are_the_same_whatever_the_database_and_the_client_write_in() {
    let steps: &[(char, &str)] = &[
        ('a', "SET my.a = 'é'; SET search_path = \"é\", public"),
        ('b', "SET my.a = 'ü\\'"),
        ('a', "SET client_encoding = 'latin1'"),
        ('b', "SET application_name = 'b'"),
        ('a', "SET work_mem = '9MB'"),
        ('b', "SET client_encoding = 'utf8'"),
        ('a', "SET client_encoding = 'utf8'"),
        ('b', "RESET ALL"),
        ('a', "SET standard_conforming_strings = off"),
    ];
    let door = Door::new(2);
    for encoding in ["LATIN1", "SQL_ASCII"] {
        let database = format!("in_{}", encoding.to_ascii_lowercase());
        let template = "TEMPLATE template0 LC_COLLATE 'C' LC_CTYPE 'C'";
        server().psql_in("postgres", &format!("CREATE DATABASE {database} ENCODING '{encoding}' {template}"));
        for startup in [&[][..], &[("client_encoding", "utf8")], &[("client_encoding", "latin1")]] {
            let login = startup.iter().fold(Login::new("app", &database), |login, (name, value)| login.with(name, value));
            play(&door, Way::Simple, &login, steps).unwrap_or_else(|error| panic!("in {encoding}, {startup:?}: {error}"));
        }
    }
}

#[test]
fn names_given_as_values_are_found() {
    let door = Door::new(1);
    let (mut one, mut other) = (door.client(), door.client());
    let set = "SELECT set_config($1, $2, $3::bool)";
    assert_eq!(one.ask(set, &["sessions.tenant", "7", "false"]).unwrap().value(), "7");
    assert_eq!(one.ask(set, &["work_mem", "9MB", "f"]).unwrap().value(), "9MB");
    let look = "SELECT coalesce(current_setting('sessions.tenant', true), '') || current_setting('work_mem')";
    assert_eq!(other.query(look).unwrap().value(), "4MB");
    assert_eq!(one.query(look).unwrap().value(), "79MB");
    one.send(&[parse("s", set), sync()].concat()).unwrap();
    assert_eq!(kinds(&mut one, 1), "1ZI");
    other.query("SELECT 1").unwrap();
    one.send(&[bind("", "s", &["sessions.tenant", "8", "false"]), execute("", 0), sync()].concat()).unwrap();
    assert_eq!(kinds(&mut one, 1), "2DCZI");
    assert_eq!(other.query(look).unwrap().value(), "4MB");
    assert_eq!(one.query(look).unwrap().value(), "89MB");
}

#[test]
fn pins_follow_what_is_there_in_every_way_of_asking() {
    let door = Door::new(1);
    let mut client = door.client();
    let reasons = || door.handle.status().pinned.into_iter().flat_map(|pinned| pinned.reasons).collect::<Vec<_>>();
    for (begins, reason, ends) in [
        ("CREATE TEMP TABLE pinned (a int)", "temporary", "DROP TABLE pinned"),
        ("SELECT pg_advisory_lock(5150)", "advisory_lock", "SELECT pg_advisory_unlock(5150)"),
        ("DECLARE pinned CURSOR WITH HOLD FOR SELECT 1", "cursor", "CLOSE pinned"),
        ("PREPARE pinned AS SELECT 1", "prepare", "DEALLOCATE pinned"),
        ("PREPARE pinned AS SELECT 1", "prepare", "DISCARD ALL"),
    ] {
        for way in [Way::Simple, Way::Extended] {
            way.ask(&mut client, begins).unwrap().fine();
            assert_eq!(reasons(), [reason], "{begins}");
            way.ask(&mut client, ends).unwrap().fine();
            assert!(reasons().is_empty(), "{ends}");
            assert_eq!(door.handle.counts().busy, 0);
        }
    }
}

#[test]
fn who_is_pinned_is_told() {
    let door = Door::new(1);
    let mut client = door.log_in(&login().with("application_name", "pinned"));
    client.query("SELECT pg_advisory_lock(5151)").unwrap().fine();
    let server = client.query("SELECT pg_backend_pid()").unwrap().value().to_owned();
    let [pinned] = &door.handle.status().pinned[..] else { panic!("one is pinned") };
    assert_eq!((&*pinned.user, &*pinned.database, &*pinned.application), ("app", "app", "pinned"));
    assert_eq!((pinned.process, pinned.server.to_string()), (client.process, server));
    assert!(pinned.address.unwrap().ip().is_loopback());
}

#[test]
fn lastval_is_ones_own() {
    server().psql("CREATE TABLE lasts (id serial); GRANT ALL ON lasts, lasts_id_seq TO app");
    let door = Door::new(2);
    let (mut one, mut other) = (door.client(), door.client());
    for way in [Way::Simple, Way::Extended] {
        let id = way.ask(&mut one, "INSERT INTO lasts DEFAULT VALUES RETURNING id").unwrap().value().to_owned();
        assert_eq!(way.ask(&mut other, "SELECT lastval()").unwrap().code(), Some("55000"));
        way.ask(&mut one, "INSERT INTO lasts DEFAULT VALUES").unwrap().fine();
        let next = (id.parse::<u32>().unwrap() + 1).to_string();
        assert_eq!(way.ask(&mut one, "SELECT lastval()").unwrap().value(), next);
        assert_eq!(way.ask(&mut other, "SELECT currval('lasts_id_seq')").unwrap().code(), Some("55000"));
        assert_eq!(way.ask(&mut one, "SELECT currval('lasts_id_seq')").unwrap().value(), next);
    }
}

#[test]
fn numbers_that_a_definition_takes_are_no_other_clients_last_value() {
    server().psql("CREATE TABLE numbered AS SELECT 1 AS a");
    server().psql("CREATE SEQUENCE numbers; CREATE MATERIALIZED VIEW numbered_anew AS SELECT nextval('numbers')");
    for way in [Way::Simple, Way::Extended] {
        for (column, sql) in [
            ("b", "ALTER TABLE numbered ADD COLUMN b serial"),
            ("c", "ALTER TABLE numbered ADD COLUMN c int GENERATED ALWAYS AS IDENTITY"),
            ("b", "REFRESH MATERIALIZED VIEW numbered_anew"),
        ] {
            let door = Door::new(1);
            let [mut one, mut other] = [(); 2].map(|()| door.log_in(&Login::new("postgres", "app")));
            way.ask(&mut one, sql).unwrap().fine();
            assert_eq!(way.ask(&mut other, "SELECT lastval()").unwrap().code(), Some("55000"), "{sql}");
            way.ask(&mut one, &format!("ALTER TABLE numbered DROP COLUMN IF EXISTS {column}")).unwrap().fine();
        }
    }
}

#[test]
fn notifications_come_when_postgres_would_send_them() {
    let door = Door::new(2);
    let (mut one, mut other) = (door.client(), door.client());
    for way in [Way::Simple, Way::Extended] {
        way.ask(&mut one, "LISTEN sessions").unwrap().fine();
        let said = way.ask(&mut one, "NOTIFY sessions, 'own'").unwrap();
        assert_eq!(said.notifications, [("sessions".into(), "own".into())]);
        assert!(said.order.ends_with("CAZ"), "{}", said.order);
        one.query("BEGIN").unwrap();
        way.ask(&mut one, "NOTIFY sessions, 'later'").unwrap().fine();
        way.ask(&mut other, "NOTIFY sessions, 'others'").unwrap().fine();
        assert!(one.query("SELECT 1").unwrap().notifications.is_empty());
        let said = one.query("COMMIT").unwrap();
        assert_eq!(said.notifications.iter().map(|heard| &*heard.1).collect::<Vec<_>>(), ["others", "later"]);
        way.ask(&mut other, "NOTIFY sessions, 'idle'").unwrap().fine();
        let message = one.receive().unwrap();
        assert_eq!((message.tag, &message.body[4..]), (b'A', &b"sessions\0idle\0"[..]));
        way.ask(&mut one, "UNLISTEN sessions").unwrap().fine();
        way.ask(&mut other, "NOTIFY sessions").unwrap().fine();
        assert!(one.query("NOTIFY sessions").unwrap().notifications.is_empty());
        door.rests();
    }
}

#[test]
fn what_one_client_listens_on_is_bounded() {
    let door = Door::new(1);
    let mut client = door.client();
    let all: String = (0..4096).map(|number| format!("LISTEN crowd_{number};")).collect();
    client.query(&all).unwrap().fine();
    let said = client.query("LISTEN one_more").unwrap();
    assert_eq!((said.errors[0].code.as_str(), &*said.errors[0].severity), ("54000", "ERROR"));
    client.query("LISTEN crowd_7").unwrap().fine();
    client.query("UNLISTEN crowd_8").unwrap().fine();
    client.query("LISTEN one_more").unwrap().fine();
    let said = client.query("NOTIFY crowd_8; NOTIFY crowd_4095; NOTIFY one_more").unwrap();
    assert_eq!(said.notifications.iter().map(|heard| &*heard.0).collect::<Vec<_>>(), ["crowd_4095", "one_more"]);
    // What a transaction adds is known when it is over.
    client.query("BEGIN; LISTEN two_more; COMMIT").unwrap().fine();
    let last = client.receive().unwrap();
    assert!(last.tag == b'E' && last.body.windows(5).any(|code| code == b"54000"), "{last:?}");
    assert!(client.receive().is_err());
    door.rests();
    assert_eq!(door.client().query("SELECT count(*) FROM pg_listening_channels()").unwrap().value(), "0");
}

#[test]
fn its_own_notification_bears_the_process_that_the_client_was_told() {
    let door = Door::new(1);
    let mut client = door.client();
    client.query("LISTEN process").unwrap();
    client.send(&query("NOTIFY process")).unwrap();
    let mut heard = None;
    loop {
        let message = client.receive().unwrap();
        match message.tag {
            b'A' => heard = Some(u32::from_be_bytes(message.body[..4].try_into().unwrap())),
            b'Z' => break,
            _ => {}
        }
    }
    assert_eq!(heard, Some(client.process));
}

#[test]
fn discard_all_is_ones_own_affair() {
    let door = Door::new(1);
    let (mut one, mut other) = (door.log_in(&login().with("application_name", "one")), door.client());
    other.send(&[parse("kept", "SELECT 7"), sync()].concat()).unwrap();
    kinds(&mut other, 1);
    other.query("SET work_mem = '9MB'; LISTEN discarded").unwrap().fine();
    for way in [Way::Simple, Way::Extended] {
        one.query("SET work_mem = '5MB'; LISTEN discarded; CREATE TEMP TABLE x (a int)").unwrap().fine();
        assert_eq!(way.ask(&mut one, "DISCARD ALL").unwrap().tags, ["DISCARD ALL"]);
        let look = "SELECT current_setting('work_mem') || current_setting('application_name') || (to_regclass('x') IS NULL)";
        assert_eq!(one.query(look).unwrap().value(), "4MBonetrue");
        assert!(one.query("NOTIFY discarded").unwrap().notifications.is_empty());
        assert_eq!(other.receive().unwrap().tag, b'A');
        other.send(&[bind("", "kept", &[]), execute("", 0), sync()].concat()).unwrap();
        assert_eq!(kinds(&mut other, 1), "2DCZI");
        assert_eq!(other.query("SHOW work_mem").unwrap().value(), "9MB");
    }
}

/// What a client may do next, in or outside a transaction.
const MOVES: &[&str] = &[
    "BEGIN",
    "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY",
    "COMMIT",
    "COMMIT",
    "ROLLBACK",
    "SAVEPOINT s",
    "ROLLBACK TO s",
    "RELEASE s",
    "SELECT 1/0",
    "SET work_mem = '9MB'",
    "SET work_mem = '17MB'; SELECT 1/0",
    "SET LOCAL work_mem = '5MB'",
    "RESET work_mem",
    "SET search_path = evil, pg_catalog",
    "SET search_path TO DEFAULT",
    "SELECT pg_catalog.set_config('search_path', 'a, b', true)",
    "SELECT pg_catalog.set_config('search_path', 'c', false)",
    "SET application_name = 'x'",
    "SET LOCAL application_name = 'y'",
    "RESET application_name",
    "BEGIN; RESET application_name; ROLLBACK",
    "RESET ALL",
    "RESET ALL; SELECT 1/0",
    "SET timezone = 'Asia/Tokyo'; SET datestyle = 'SQL, DMY'",
    "RESET timezone; RESET datestyle",
    "BEGIN; SET timezone = 'GMT'; SAVEPOINT t; SET timezone = 'UTC'; ROLLBACK TO t; COMMIT",
    "SET my.a = 'it''s'",
    "RESET my.a",
    "SELECT pg_catalog.set_config('my.a', pg_catalog.concat(pg_catalog.current_setting('my.a', true), '+'), false)",
    "SELECT pg_catalog.set_config('my.b.c', 'local', true)",
    "SET ROLE bob",
    "SET ROLE carol; SET my.b.c = 'as carol'",
    "SET ROLE NONE",
    "RESET ROLE",
    "SET LOCAL ROLE bob",
    "SET SESSION AUTHORIZATION bob",
    "RESET SESSION AUTHORIZATION",
    "SET client_encoding = 'latin1'",
    "SET client_encoding = 'sjis'",
    "RESET client_encoding",
    "SET standard_conforming_strings = off",
    "SET standard_conforming_strings = on",
    "SET default_transaction_isolation = 'serializable'; SET default_transaction_read_only = on",
    "RESET default_transaction_isolation; RESET default_transaction_read_only",
    "SET transaction_read_only = on",
    "SET statement_timeout = '10min'",
    "SET statement_timeout TO DEFAULT",
    "PREPARE p AS SELECT pg_catalog.set_config('my.a', 'prepared', false)",
    "EXECUTE p",
    "DEALLOCATE p",
    "DISCARD ALL",
    "DISCARD TEMP",
    "UPDATE pg_catalog.pg_settings SET setting = '7168' WHERE name OPERATOR(pg_catalog.=) 'work_mem'",
    "SELECT pg_catalog.set_config(pg_catalog.concat('my', '.a'), 'computed', false)",
    "SELECT pg_catalog.set_config('search_path', pg_catalog.concat('pg_', 'temp'), false)",
    "CREATE TEMP TABLE IF NOT EXISTS moved (a int)",
    "SET search_path = pg_temp, public; CREATE TABLE IF NOT EXISTS moved (a int)",
    "DO $$BEGIN EXECUTE 'SET time' || 'zone = ''GMT'''; END$$",
    "SELECT pg_catalog.pg_advisory_unlock_all(); CLOSE ALL; UNLISTEN *; RESET ALL",
];

/// Small and seeded.
struct Random(u64);

impl Random {
    fn below(&mut self, bound: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 % bound as u64) as usize
    }
}

/// A longer run: `PLIMSOLL_HISTORIES=1000`; another one: `PLIMSOLL_SEED=…`.
#[test]
fn whatever_two_clients_do_they_see_what_each_would_see_alone() {
    let variable = |name: &str, default: u64| std::env::var(name).map_or(default, |text| text.parse().unwrap());
    let (seed, histories) = (variable("PLIMSOLL_SEED", 4), variable("PLIMSOLL_HISTORIES", 30));
    server().psql_in("postgres", "CREATE DATABASE moves");
    roles();
    server().psql_in("moves", SCHEMA);
    let door = Door::new(2);
    let mut random = Random(seed * 0x9e37_79b9 + 1);
    for history in 0..histories {
        let user = ["app", "postgres"][random.below(2)];
        let mut login = Login::new(user, "moves");
        for (name, value) in [("application_name", "given"), ("timezone", "Europe/Paris"), ("my.a", "given"), ("role", "carol")] {
            // What becomes of the role when a superuser becomes somebody else nobody can set again.
            if random.below(4) == 0 && (user, name) != ("postgres", "role") {
                login = login.with(name, value);
            }
        }
        let steps: Vec<(char, &str)> = (0..24).map(|_| (['a', 'b'][random.below(2)], MOVES[random.below(MOVES.len())])).collect();
        let way = [Way::Simple, Way::Extended][random.below(2)];
        if let Err(error) = play(&door, way, &login, &steps) {
            panic!("history {history} of PLIMSOLL_SEED={seed}, {login:?}:\n{steps:#?}\n{error}");
        }
    }
}

#[test]
fn lastval_is_ones_own_in_the_middle_of_many_messages() {
    server().psql("CREATE TABLE piped (id serial); GRANT ALL ON piped, piped_id_seq TO app");
    let door = Door::new(1);
    let (mut one, mut other) = (door.client(), door.client());
    one.query("INSERT INTO piped DEFAULT VALUES").unwrap().fine();
    other.send(&[query("BEGIN"), query("SELECT 1"), query("SELECT lastval()"), query("ROLLBACK")].concat()).unwrap();
    let codes: Vec<_> = (0..4).map(|_| other.answer().unwrap().code().map(String::from)).collect();
    assert_eq!(codes, [None, None, Some("55000".into()), None]);
    other.send(&[parse("", "INSERT INTO piped DEFAULT VALUES"), bind("", "", &[]), execute("", 0), sync()].concat()).unwrap();
    other.send(&[parse("", "SELECT lastval()"), bind("", "", &[]), execute("", 0), sync()].concat()).unwrap();
    other.answer().unwrap().fine();
    assert_eq!(other.answer().unwrap().value(), "2");
}
