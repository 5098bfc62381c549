//! What changes a session and does not look like it: it is kept, and nobody else finds it.

use testkit::Wire;
use testkit::wire::Login;
use testkit::wire::frames::{bind, execute, sync};

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
