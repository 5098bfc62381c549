//! What changes a session and does not look like it: it is kept, and nobody else finds it.

use std::time::Duration;

use testkit::Wire;
use testkit::wire::Login;
use testkit::wire::frames::{bind, execute, message, parse, sync};

use crate::setup::{Door, kinds, login, server};

fn reasons(door: &Door) -> Vec<&'static str> {
    door.handle.status().pinned.into_iter().flat_map(|pinned| pinned.reasons).collect()
}

fn fine(client: &mut Wire, sql: &str) -> String {
    let answer = client.query(sql).unwrap().fine();
    if answer.rows.is_empty() { String::new() } else { answer.rows[0][0].clone().unwrap_or_default() }
}

#[test]
fn a_plain_table_where_the_path_begins_with_the_temporary_schema_is_a_temporary_one() {
    server().psql("GRANT CREATE ON SCHEMA public TO app");
    let door = Door::new(2);
    let mut other = door.client();
    let with = |path: &str| door.log_in(&login().with("search_path", path));
    let mut of_startup = with("pg_temp, public");
    for (client, begins, ends) in [
        (&mut door.client(), &["SET search_path TO pg_temp, public", "CREATE TABLE hidden AS SELECT 1 a"][..], "DROP TABLE hidden"),
        (&mut door.client(), &["SELECT set_config('search_path', 'pg_temp', false)", "SELECT 1 a INTO hidden"], "DROP TABLE hidden"),
        (&mut of_startup, &["CREATE VIEW hidden AS SELECT 1 a"], "DROP VIEW hidden"),
        (
            &mut door.client(),
            &["BEGIN; SELECT set_config('search_path', 'pg_' || 'temp', true); CREATE TABLE hidden (a int); COMMIT"],
            "DROP TABLE hidden",
        ),
    ] {
        begins.iter().for_each(|sql| drop(fine(client, sql)));
        assert_eq!(reasons(&door), ["temporary"], "{begins:?}");
        assert_eq!(other.query("SELECT * FROM hidden").unwrap().code(), Some("42P01"), "{begins:?}");
        fine(client, "SELECT * FROM hidden");
        fine(client, ends);
        assert!(reasons(&door).is_empty(), "{begins:?}");
    }
}

#[test]
fn seeds_and_libraries_pin_in_every_way_of_asking() {
    let door = Door::new(1);
    let mut other = door.client();
    for (sql, reason) in [
        ("SELECT setseed(0.5)", "seed"),
        ("SELECT set_config('seed', '0.5', false)", "seed"),
        ("SET seed = 0.5", "seed"),
        ("LOAD 'plpgsql'", "library"),
        ("SELECT pg_create_physical_replication_slot('hidden_' || pg_backend_pid(), false, true)", "library"),
        (
            "SELECT pg_replication_origin_create('hidden_' || pg_backend_pid()), \
             pg_replication_origin_session_setup('hidden_' || pg_backend_pid())",
            "library",
        ),
    ] {
        for is_simple in [true, false] {
            let mut client = door.log_in(&Login::new("postgres", "app"));
            if is_simple { client.query(sql) } else { client.ask(sql, &[]) }.unwrap().fine();
            assert_eq!(reasons(&door), [reason], "{sql}");
            client.terminate();
            door.rests();
            assert_eq!(fine(&mut other, "SELECT 1"), "1");
        }
    }
}

#[test]
fn settings_changed_as_rows_of_their_view_are_settings() {
    let door = Door::new(1);
    let (mut client, mut other) = (door.client(), door.client());
    for sql in [
        "UPDATE pg_settings SET setting = '9216' WHERE name = 'work_mem'",
        "WITH s AS (SELECT 1) UPDATE pg_catalog.\"pg_settings\" SET setting = '9216' WHERE name = 'work_mem'",
        "PREPARE s AS UPDATE pg_settings SET setting = '9216' WHERE name = 'work_mem'; EXECUTE s; DEALLOCATE s",
        "DO $$BEGIN UPDATE pg_settings SET setting = '9216' WHERE name = 'work_mem'; END$$",
    ] {
        fine(&mut client, sql);
        assert_eq!(fine(&mut other, "SHOW work_mem"), "4MB", "{sql}");
        assert_eq!(fine(&mut client, "SHOW work_mem"), "9MB", "{sql}");
        fine(&mut client, "RESET work_mem");
    }
    assert!(reasons(&door).is_empty());
}

#[test]
fn what_was_prepared_by_sql_and_is_bound_by_the_protocol_counts() {
    let door = Door::new(1);
    let (mut client, mut other) = (door.client(), door.client());
    fine(&mut client, "PREPARE x AS SELECT set_config('work_mem', '9MB', false)");
    client.send(&[bind("", "x", &[]), execute("", 0), sync()].concat()).unwrap();
    assert_eq!(kinds(&mut client, 1), "2DCZI");
    fine(&mut client, "DEALLOCATE x");
    assert_eq!(fine(&mut other, "SHOW work_mem"), "4MB");
    assert_eq!(fine(&mut client, "SHOW work_mem"), "9MB");
    client.send(&[bind("", "nothing", &[]), execute("", 0), sync()].concat()).unwrap();
    assert_eq!(kinds(&mut client, 1), "EZI");
    assert!(reasons(&door).is_empty());
}

/// What others find of a custom parameter, and what its client does.
fn tenant(client: &mut Wire, name: &str) -> String {
    fine(client, &format!("SELECT coalesce(current_setting('{name}', true), '')"))
}

#[test]
fn a_parameter_whose_name_is_computed_keeps_its_connection() {
    let door = Door::new(2);
    let mut other = door.client();
    for sql in [
        "SELECT set_config('computed.' || 'tenant', 'own', false)",
        "SELECT set_config(n, 'own', false) FROM (SELECT 'computed.' || 'tenant') t(n)",
        "PREPARE s AS SELECT set_config($1, 'own', false); EXECUTE s('computed.tenant'); DEALLOCATE s",
        "BEGIN; SELECT set_config('computed.' || 'tenant', 'own', false); COMMIT",
    ] {
        let mut client = door.client();
        fine(&mut client, sql);
        assert_eq!(reasons(&door), ["parameter"], "{sql}");
        assert_eq!(tenant(&mut other, "computed.tenant"), "", "{sql}");
        assert_eq!(tenant(&mut client, "computed.tenant"), "own", "{sql}");
        fine(&mut client, "DISCARD ALL");
        assert!(reasons(&door).is_empty(), "{sql}");
        assert_eq!(tenant(&mut other, "computed.tenant") + &tenant(&mut client, "computed.tenant"), "", "{sql}");
        fine(&mut client, sql);
        client.terminate();
        door.rests();
    }
    fine(&mut other, "SELECT set_config('computed.' || 'tenant', 'own', true)");
    assert!(reasons(&door).is_empty(), "for one transaction only");
}

#[test]
fn what_a_body_sets_is_nobody_elses() {
    server().psql("CREATE PROCEDURE hides(n text, v text) LANGUAGE plpgsql AS 'BEGIN PERFORM set_config(n || ''.tenant'', v, false); END'");
    let door = Door::new(1);
    let (mut client, mut other) = (door.log_in(&login().with("timezone", "Asia/Tokyo")), door.client());
    fine(&mut client, "SET work_mem = '9MB'; SET my.own = 'kept'");
    for (number, sql) in [
        "CALL hides('hidden#', 'secret')",
        "DO $$BEGIN EXECUTE 'SET hidden#' || '.tenant = secret'; END$$",
        "CREATE TEMP TABLE body (a int); CALL hides('hidden#', 'secret'); DROP TABLE body",
        "SELECT 1; CALL hides('hidden#', 'secret')",
    ]
    .into_iter()
    .enumerate()
    {
        fine(&mut client, &sql.replace('#', &number.to_string()));
        assert_eq!(tenant(&mut other, &format!("hidden{number}.tenant")), "", "{sql}");
        assert_eq!(fine(&mut other, "SELECT current_setting('work_mem') || current_setting('timezone')"), "4MBEtc/UTC");
        let look = "SELECT current_setting('work_mem') || current_setting('timezone') || current_setting('my.own')";
        assert_eq!(fine(&mut client, look), "9MBAsia/Tokyokept");
        assert_eq!(client.parameters["TimeZone"], "Asia/Tokyo");
    }
    fine(&mut client, "CREATE TEMP TABLE body (a int)");
    fine(&mut client, "CALL hides('hidden', 'own')");
    assert_eq!(tenant(&mut client, "hidden.tenant"), "own", "who is pinned keeps all");
    fine(&mut client, "DROP TABLE body");
    assert_eq!(tenant(&mut other, "hidden.tenant"), "");
}

#[test]
fn a_name_given_as_a_value_is_found_however_its_bytes_come() {
    let door = Door::new(1);
    let (mut client, mut other) = (door.client(), door.client());
    client.send(&[parse("s", "SELECT set_config($1::text, $2, false)"), sync()].concat()).unwrap();
    assert_eq!(kinds(&mut client, 1), "1ZI");
    fine(&mut client, "BEGIN");
    let bytes = [bind("", "s", &["pieces.tenant", "own"]), execute("", 0), sync()].concat();
    for (at, byte) in bytes.iter().enumerate() {
        client.send(&[*byte]).unwrap();
        if at % 8 == 0 {
            assert!(!client.hears_within(Duration::from_millis(10)).unwrap());
        }
    }
    assert_eq!(kinds(&mut client, 1), "2DCZT");
    fine(&mut client, "COMMIT");
    assert_eq!(tenant(&mut other, "pieces.tenant"), "");
    assert_eq!(tenant(&mut client, "pieces.tenant"), "own");
    assert!(reasons(&door).is_empty());
    let mut second = door.client();
    let long = "x".repeat(100_000);
    second
        .send(&[parse("", "SELECT length($1), set_config($2, $3, false)"), bind("", "", &[&long, "pieces.long", "own"])].concat())
        .unwrap();
    second.send(&[execute("", 0), sync()].concat()).unwrap();
    assert_eq!(kinds(&mut second, 1), "12DCZI");
    assert_eq!(reasons(&door), ["parameter"], "not all of it was seen");
    second.terminate();
    assert_eq!(tenant(&mut other, "pieces.long"), "");
}

/// A call of function `oid` with texts.
fn call(oid: u32, values: &[&[u8]]) -> Vec<u8> {
    let mut body = oid.to_be_bytes().to_vec();
    body.extend([0, 0, 0, values.len() as u8]);
    for value in values {
        body.extend((value.len() as u32).to_be_bytes());
        body.extend(*value);
    }
    body.extend([0, 0]);
    message(b'F', &body)
}

#[test]
fn functions_called_by_number_count() {
    let door = Door::new(1);
    let (mut client, mut other) = (door.client(), door.client());
    for (name, set) in [("work_mem", "9MB"), ("numbered.tenant", "own")] {
        client.send(&call(2078, &[name.as_bytes(), set.as_bytes(), b"f"])).unwrap();
        assert_eq!(kinds(&mut client, 1), "VZI");
        assert_ne!(tenant(&mut other, name), set, "{name}");
    }
    assert_eq!(tenant(&mut client, "work_mem"), "9MB");
    client.send(&call(2880, &[b"4716"])).unwrap();
    assert_eq!(kinds(&mut client, 1), "VZI");
    assert_eq!(reasons(&door), ["advisory_lock"]);
}

#[test]
fn statements_that_a_body_deallocates_are_prepared_again() {
    let door = Door::new(1);
    let (mut client, mut other) = (door.client(), door.client());
    other.send(&[parse("kept", "SELECT 7"), sync()].concat()).unwrap();
    assert_eq!(kinds(&mut other, 1), "1ZI");
    for sql in ["DO $$BEGIN EXECUTE 'DEALLOCATE ALL'; END$$", "DO $$BEGIN EXECUTE 'DISCARD PLANS'; END$$"] {
        fine(&mut client, sql);
        other.send(&[bind("", "kept", &[]), execute("", 0), sync()].concat()).unwrap();
        assert_eq!(kinds(&mut other, 1), "2DCZI", "{sql}");
    }
}
