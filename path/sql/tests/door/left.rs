//! What a client leaves behind when it goes, and what it finds of others: nothing.

use std::sync::Once;

use testkit::Wire;
use testkit::wire::frames::{bind, execute, parse, query, sync};

use crate::setup::{Door, kinds, login, server};

/// What could be found of another on a connection, and what its settings are.
const FOUND: &str = "SELECT (SELECT count(*) FROM pg_prepared_statements WHERE from_sql) + (SELECT count(*) FROM pg_cursors)
    + (SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND pid = pg_backend_pid())
    + (SELECT count(*) FROM pg_listening_channels()) + (SELECT count(*) FROM pg_depend WHERE refclassid = 2615 AND refobjid = pg_my_temp_schema())
    || current_setting('work_mem') || current_user || current_setting('timezone')";

/// What belongs to all databases' clients here.
fn schema() {
    static MADE: Once = Once::new();
    MADE.call_once(|| {
        server().psql(
            "CREATE TABLE left_ids (id serial); GRANT ALL ON left_ids, left_ids_id_seq TO app;
             CREATE PROCEDURE left_lock() LANGUAGE plpgsql AS 'BEGIN PERFORM pg_advisory_lock(4713); END';
             CREATE PROCEDURE left_set() LANGUAGE plpgsql AS 'BEGIN PERFORM set_config(''work_mem'', ''9MB'', false); END';
             CREATE PROCEDURE left_table() LANGUAGE plpgsql AS 'BEGIN CREATE TEMP TABLE left_over (a int); END';
             CREATE PROCEDURE left_ears() LANGUAGE plpgsql AS 'BEGIN LISTEN left_over; END'",
        );
    });
}

/// A client that is pinned by its use of sequences only.
fn reader(door: &Door) -> Wire {
    let mut client = door.client();
    for sql in ["INSERT INTO left_ids DEFAULT VALUES", "SELECT 1", "INSERT INTO left_ids DEFAULT VALUES"] {
        client.query(sql).unwrap().fine();
        let _ = client.query("SELECT lastval()").unwrap();
    }
    assert_eq!(door.handle.status().pinned[0].reasons, ["sequence"]);
    client
}

#[test]
fn who_leaves_between_two_transactions_ends_none() {
    schema();
    let door = Door::new(1);
    let mut client = reader(&door);
    let process = client.query("SELECT pg_backend_pid()").unwrap().fine().value().to_owned();
    client.terminate();
    door.rests();
    let last = format!("SELECT query FROM pg_stat_activity WHERE pid = {process}");
    assert!(!server().psql(&last).contains("ROLLBACK"), "the server would warn of it");
    assert_eq!(door.client().query("SELECT pg_backend_pid()").unwrap().fine().value(), process);
}

#[test]
fn who_was_pinned_by_a_sequence_alone_leaves_nothing_else_behind() {
    schema();
    let door = Door::new(1);
    let clean = door.client().query(FOUND).unwrap().value().to_owned();
    for leaves in [
        "PREPARE left_over AS SELECT 1",
        "CREATE TEMP TABLE left_over (a int)",
        "SELECT pg_advisory_lock(4712)",
        "DECLARE left_over CURSOR WITH HOLD FOR SELECT 1",
        "LISTEN left_over",
        "SET work_mem = '9MB'",
        "CALL left_lock()",
        "CALL left_set()",
        "CALL left_table()",
        "CALL left_ears()",
        "DO $$BEGIN EXECUTE 'PREPARE left_over AS SELECT 1'; END$$",
        "BEGIN; CALL left_lock()",
        "BEGIN; SELECT pg_advisory_lock(4712); SELECT 1/0",
    ] {
        for is_polite in [true, false] {
            let mut client = reader(&door);
            let _ = client.query(leaves).unwrap();
            if is_polite {
                client.terminate()
            } else {
                client.vanish()
            }
            let mut next = door.client();
            assert_eq!(next.query(FOUND).unwrap().fine().value(), clean, "after {leaves}");
            assert_eq!(next.query("SELECT lastval()").unwrap().code(), Some("55000"), "after {leaves}");
        }
    }
}

#[test]
fn a_reset_goes_back_to_what_the_client_came_with_while_it_is_pinned_too() {
    let door = Door::new(1);
    let login = login().with("application_name", "came").with("timezone", "Asia/Tokyo").with("work_mem", "5MB");
    let look = "SELECT current_setting('application_name') || current_setting('timezone') || current_setting('work_mem')";
    for pins in ["CREATE TEMP TABLE resets (a int)", "SELECT pg_advisory_lock(4714)", "PREPARE resets AS SELECT 1"] {
        for reset in [
            &["RESET application_name"][..],
            &["RESET ALL"],
            &["SET application_name TO DEFAULT", "SET TIME ZONE DEFAULT"],
            &["BEGIN", "RESET ALL", "COMMIT"],
            &["BEGIN; RESET ALL; COMMIT"],
            &["BEGIN", "RESET ALL", "ROLLBACK"],
        ] {
            let mut client = door.log_in(&login);
            client.query(pins).unwrap().fine();
            client.query("SET application_name = 'other'; SET timezone = 'Europe/Paris'; SET work_mem = '9MB'").unwrap().fine();
            client.query("RESET timezone").unwrap().fine();
            client.query("RESET work_mem").unwrap().fine();
            for sql in reset {
                client.query(sql).unwrap().fine();
            }
            let name = if reset.contains(&"ROLLBACK") { "other" } else { "came" };
            assert_eq!(client.query(look).unwrap().fine().value(), format!("{name}Asia/Tokyo5MB"), "{pins}, {reset:?}");
            assert_eq!(client.parameters["application_name"], name, "{pins}, {reset:?}");
            assert_eq!(client.parameters["TimeZone"], "Asia/Tokyo", "{pins}, {reset:?}");
            client.terminate();
            door.rests();
        }
    }
}

#[test]
fn a_pinned_client_that_used_no_sequence_has_no_last_value() {
    schema();
    let door = Door::new(1);
    for is_known in [false, true] {
        let mut client = door.client();
        client.query("INSERT INTO left_ids DEFAULT VALUES").unwrap().fine();
        if is_known {
            client.query("SELECT lastval()").unwrap();
        }
        client.terminate();
        let mut pinned = door.client();
        pinned.query("CREATE TEMP TABLE no_sequence (a int)").unwrap().fine();
        assert_eq!(pinned.query("SELECT lastval()").unwrap().code(), Some("55000"));
        assert_eq!(pinned.query("SELECT currval('left_ids_id_seq')").unwrap().code(), Some("55000"));
        let id = pinned.query("INSERT INTO left_ids DEFAULT VALUES RETURNING id").unwrap().value().to_owned();
        assert_eq!(pinned.query("SELECT lastval()").unwrap().value(), id);
        pinned.terminate();
        door.rests();
    }
}

#[test]
fn what_a_pinned_client_listens_on_does_not_stay_when_its_connection_goes_back() {
    schema();
    let door = Door::new(1);
    let mut next = door.client();
    let clean = next.query(FOUND).unwrap().value().to_owned();
    for (pins, ends) in [
        ("CREATE TEMP TABLE ears (a int)", Some("DROP TABLE ears")),
        ("SELECT pg_advisory_lock(4715)", Some("SELECT pg_advisory_unlock(4715)")),
        ("PREPARE ears AS SELECT 1", Some("DISCARD ALL")),
        ("CREATE TEMP TABLE ears (a int)", None),
        ("", None),
    ] {
        let mut client = if pins.is_empty() { reader(&door) } else { door.client() };
        client.query(pins).unwrap().fine();
        client.query("LISTEN left_ears").unwrap().fine();
        assert_eq!(client.query("NOTIFY left_ears").unwrap().fine().notifications.len(), 1);
        if let Some(ends) = ends {
            client.query(ends).unwrap().fine();
            assert_eq!(next.query(FOUND).unwrap().value(), clean, "{pins}, {ends}");
            let hears = if ends == "DISCARD ALL" { 0 } else { 1 };
            assert_eq!(client.query("NOTIFY left_ears").unwrap().fine().notifications.len(), hears, "{pins}, {ends}");
        }
        client.terminate();
        assert_eq!(next.query(FOUND).unwrap().value(), clean, "{pins}");
        assert!(next.query("NOTIFY left_ears").unwrap().notifications.is_empty());
    }
}

#[test]
fn what_discard_all_changes_is_told_before_it_is_ready() {
    let door = Door::new(1);
    for pins in ["SELECT 1", "CREATE TEMP TABLE told (a int)"] {
        let mut client = door.client();
        client.query(pins).unwrap().fine();
        client.query("SET datestyle = 'SQL, DMY'").unwrap().fine();
        client.send(&query("DISCARD ALL")).unwrap();
        let order = kinds(&mut client, 1);
        assert!(order.starts_with('C') && order.ends_with("SZI"), "{order}");
        assert_eq!(client.parameters["DateStyle"], "ISO, MDY");
        client.query("SET datestyle = 'SQL, DMY'").unwrap().fine();
        client.send(&[parse("", "DISCARD ALL"), bind("", "", &[]), execute("", 0), sync()].concat()).unwrap();
        let order = kinds(&mut client, 1);
        assert!(order.ends_with("SZI"), "{order}");
        assert_eq!(client.parameters["DateStyle"], "ISO, MDY");
        client.query("SET datestyle = 'SQL, DMY'").unwrap().fine();
        client.send(&[query("DISCARD ALL"), query("SELECT 1")].concat()).unwrap();
        let order = kinds(&mut client, 2);
        let told = order.find('S').unwrap();
        assert!(told < order.find('Z').unwrap(), "{order}");
        client.terminate();
        door.rests();
    }
}

#[test]
fn a_reset_holds_for_what_was_sent_behind_it_at_once() {
    let door = Door::new(1);
    for pins in ["SELECT 1", "CREATE TEMP TABLE behind (a int)"] {
        for reset in ["RESET application_name", "RESET ALL", "DISCARD ALL"] {
            let mut client = door.log_in(&login().with("application_name", "came"));
            client.query(pins).unwrap().fine();
            client.query("SET application_name = 'other'").unwrap().fine();
            client.send(&[query(reset), query("SHOW application_name")].concat()).unwrap();
            client.answer().unwrap().fine();
            assert_eq!(client.answer().unwrap().fine().value(), "came", "{pins}, {reset}");
            client.query("SET application_name = 'other'").unwrap().fine();
            let ask = |sql| [parse("", sql), bind("", "", &[]), execute("", 0), sync()].concat();
            client.send(&[ask(reset), ask("SHOW application_name")].concat()).unwrap();
            client.answer().unwrap().fine();
            assert_eq!(client.answer().unwrap().fine().value(), "came", "{pins}, {reset}");
            client.terminate();
            door.rests();
        }
    }
}

#[test]
fn a_notification_comes_once_and_not_where_its_own_transaction_ends_the_listening() {
    let door = Door::new(2);
    let mut direct = Wire::connect(&server().address(), &login()).unwrap();
    for pins in ["SELECT 1", "CREATE TEMP TABLE once (a int)"] {
        let mut client = door.client();
        client.query(pins).unwrap().fine();
        for sql in [
            "LISTEN one",
            "NOTIFY one, 'a'; LISTEN one",
            "LISTEN one; NOTIFY one, 'b'",
            "LISTEN two; NOTIFY one, 'c'; NOTIFY two, 'd'",
            "UNLISTEN one; NOTIFY one, 'e'; NOTIFY two, 'f'",
            "BEGIN; NOTIFY two, 'g'; LISTEN one; NOTIFY one, 'h'; UNLISTEN two; COMMIT",
            "NOTIFY one, 'i'; NOTIFY two, 'j'",
            "NOTIFY one, 'k'; UNLISTEN *",
            "NOTIFY one, 'l'",
        ] {
            let other = sql.replace("one", "own_one").replace("two", "own_two");
            let (mut said, mut expected) = (client.query(sql).unwrap().fine(), direct.query(&other).unwrap().fine());
            expected.notifications.iter_mut().for_each(|(channel, _)| *channel = channel.replace("own_", ""));
            said.notifications.sort();
            expected.notifications.sort();
            assert_eq!(said.notifications, expected.notifications, "{sql}, {pins}");
        }
        client.terminate();
    }
}
