use std::rc::Rc;

use testkit::postgres::Postgres;

use super::guest::{Guest, House};
use crate::server::tests::on_a_loop;

fn reasons(house: &House) -> Vec<&'static str> {
    house.sessions.pins.list(std::time::Instant::now()).into_iter().flat_map(|pinned| pinned.reasons).collect()
}

async fn pins(house: &mut House, guest: &mut Guest, sql: &str) -> Vec<&'static str> {
    let said = house.run(guest, sql).await;
    assert!(said.errors.is_empty(), "{sql}: {said:?}");
    reasons(house)
}

#[test]
fn what_cannot_be_moved_keeps_its_connection_until_it_is_gone() {
    let server = Rc::new(Postgres::start());
    on_a_loop(async {
        let mut house = House::new(&server, "app");
        let mut guest = house.guest(&[]).await;
        for (begins, reason, goes_on, ends) in [
            ("CREATE TEMP TABLE x (a int)", "temporary", "INSERT INTO x VALUES (1)", "DROP TABLE x"),
            ("CREATE TEMP TABLE x (a int); CREATE TEMP TABLE y (a int)", "temporary", "DROP TABLE x", "DROP TABLE y"),
            ("SELECT 1 AS a INTO TEMP x", "temporary", "SELECT * FROM x", "DISCARD TEMP"),
            ("CREATE TEMP VIEW x AS SELECT 1", "temporary", "SELECT * FROM x", "DROP VIEW x"),
            (
                "CREATE FUNCTION pg_temp.f() RETURNS int LANGUAGE sql AS 'SELECT 1'",
                "temporary",
                "SELECT pg_temp.f()",
                "DROP FUNCTION pg_temp.f",
            ),
            ("CREATE TYPE pg_temp.e AS ENUM ('a')", "temporary", "SELECT 'a'::pg_temp.e", "DROP TYPE pg_temp.e"),
            (
                "SELECT pg_advisory_lock(1), pg_advisory_lock(1)",
                "advisory_lock",
                "SELECT pg_advisory_unlock(1)",
                "SELECT pg_advisory_unlock(1)",
            ),
            ("SELECT pg_try_advisory_lock_shared(1, 2)", "advisory_lock", "SELECT 1", "SELECT pg_advisory_unlock_all()"),
            ("DECLARE c CURSOR WITH HOLD FOR SELECT 1", "cursor", "FETCH c", "CLOSE c"),
            ("BEGIN; DECLARE c CURSOR WITH HOLD FOR SELECT 1; COMMIT", "cursor", "FETCH c", "CLOSE ALL"),
            ("PREPARE s AS SELECT 1", "prepare", "EXECUTE s", "DEALLOCATE s"),
        ] {
            assert_eq!(pins(&mut house, &mut guest, begins).await, [reason], "{begins}");
            assert_eq!(pins(&mut house, &mut guest, goes_on).await, [reason], "{begins}, {goes_on}");
            assert!(pins(&mut house, &mut guest, ends).await.is_empty(), "{begins}, {ends}");
            assert_eq!((house.free.len(), house.opened), (1, 1));
        }
    });
}

#[test]
fn what_only_seems_to_stay_pins_nothing() {
    let server = Rc::new(Postgres::start());
    on_a_loop(async {
        let mut house = House::new(&server, "app");
        let (mut guest, mut other) = (house.guest(&[]).await, house.guest(&[]).await);
        for sql in [
            "BEGIN; CREATE TEMP TABLE x (a int) ON COMMIT DROP; COMMIT",
            "BEGIN; CREATE TEMP TABLE x (a int); ROLLBACK",
            "CREATE TEMP TABLE x (a int); DROP TABLE x",
            "SELECT pg_advisory_xact_lock(1)",
            "BEGIN; DECLARE c CURSOR FOR SELECT 1; COMMIT",
            "BEGIN; DECLARE c CURSOR WITH HOLD FOR SELECT 1; ROLLBACK",
            "PREPARE s AS SELECT 1; DEALLOCATE s",
            "DO $$BEGIN PERFORM 1; END$$",
        ] {
            assert!(pins(&mut house, &mut guest, sql).await.is_empty(), "{sql}");
        }
        house.run(&mut other, "SELECT pg_advisory_lock(9)").await;
        assert_eq!(house.run(&mut guest, "SELECT pg_try_advisory_lock(9)").await.value(), "f");
        assert!(!guest.session.is_pinned(), "a failed try does not pin");
        house.run(&mut guest, "PREPARE s AS SELECT nonsense").await;
        house.run(&mut guest, "SELECT setseed(7)").await;
        assert_eq!(reasons(&house), ["advisory_lock"]);
    });
}

#[test]
fn locks_taken_in_a_transaction_that_is_rolled_back_stay() {
    let server = Rc::new(Postgres::start());
    on_a_loop(async {
        let mut house = House::new(&server, "app");
        let mut guest = house.guest(&[]).await;
        assert_eq!(pins(&mut house, &mut guest, "BEGIN; SELECT pg_advisory_lock(1); ROLLBACK").await, ["advisory_lock"]);
        assert_eq!(pins(&mut house, &mut guest, "CREATE TEMP TABLE x (a int)").await, ["temporary", "advisory_lock"]);
        assert_eq!(pins(&mut house, &mut guest, "DO $$BEGIN PERFORM pg_advisory_unlock_all(); END$$").await, ["temporary"]);
        assert!(pins(&mut house, &mut guest, "DISCARD ALL").await.is_empty());
        assert_eq!(house.run(&mut guest, "SELECT to_regclass('x') IS NULL").await.value(), "t");
    });
}

#[test]
fn discard_all_leaves_nothing_but_what_was_seeded() {
    let server = Rc::new(Postgres::start());
    on_a_loop(async {
        let mut house = House::new(&server, "app");
        let mut guest = house.guest(&[("application_name", "one")]).await;
        house.run(&mut guest, "SELECT pg_advisory_lock(1)").await;
        let all =
            "PREPARE \"it's\" AS SELECT 1; CREATE TEMP TABLE x (a int); DECLARE c CURSOR WITH HOLD FOR SELECT 1; SET work_mem = '9MB'";
        assert_eq!(pins(&mut house, &mut guest, all).await, ["temporary", "advisory_lock", "cursor", "prepare"]);
        assert!(pins(&mut house, &mut guest, "DISCARD ALL").await.is_empty());
        assert_eq!(
            house.run(&mut guest, "SELECT current_setting('work_mem') || current_setting('application_name')").await.value(),
            "4MBone"
        );
        let left = "SELECT (SELECT count(*) FROM pg_locks WHERE locktype = 'advisory') + (SELECT count(*) FROM pg_prepared_statements) \
                    + (SELECT count(*) FROM pg_cursors WHERE is_holdable) + (SELECT count(*) FROM pg_class WHERE relname = 'x')";
        assert_eq!(house.run(&mut guest, left).await.value(), "0");
        assert_eq!(pins(&mut house, &mut guest, "SELECT setseed(0.5)").await, ["seed"]);
        assert_eq!(pins(&mut house, &mut guest, "DISCARD ALL").await, ["seed"]);
    });
}

/// Nobody can ask for a parameter whose name nobody knows, but whether it was reset.
#[test]
fn a_name_that_was_computed_keeps_its_connection_until_all_is_reset() {
    let server = Rc::new(Postgres::start());
    on_a_loop(async {
        let mut house = House::new(&server, "app");
        let mut guest = house.guest(&[]).await;
        let set = "SELECT set_config('a.' || 'b', '1', false)";
        for (sql, expected) in [
            (set, &["parameter"][..]),
            ("SET work_mem = '9MB'", &["parameter"]),
            ("BEGIN; RESET ALL; ROLLBACK", &["parameter"]),
            ("BEGIN; SAVEPOINT s; RESET ALL; ROLLBACK TO s; COMMIT", &["parameter"]),
            ("RESET ALL", &[]),
            ("RESET ALL; SELECT set_config('a.' || 'b', '1', false)", &["parameter"]),
            ("BEGIN; RESET ALL; COMMIT", &[]),
            (set, &["parameter"]),
            ("DISCARD ALL", &[]),
        ] {
            assert_eq!(pins(&mut house, &mut guest, sql).await, expected, "{sql}");
        }
        assert_eq!(house.run(&mut guest, "SELECT coalesce(current_setting('a.b', true), '')").await.value(), "");
    });
}

#[test]
fn a_server_that_will_not_say_lets_the_client_keep_its_connection() {
    let server = Rc::new(Postgres::start());
    server.psql("REVOKE EXECUTE ON FUNCTION pg_catalog.getdatabaseencoding() FROM PUBLIC");
    on_a_loop(async {
        let mut house = House::new(&server, "app");
        let (mut guest, mut other) = (house.guest(&[]).await, house.guest(&[]).await);
        assert_eq!(pins(&mut house, &mut guest, "SET work_mem = '9MB'").await, ["unknown"]);
        assert_eq!(house.run(&mut other, "SHOW work_mem").await.value(), "4MB");
        assert_eq!(house.run(&mut guest, "SHOW work_mem").await.value(), "9MB");
        server.psql("GRANT EXECUTE ON FUNCTION pg_catalog.getdatabaseencoding() TO PUBLIC");
        assert!(pins(&mut house, &mut guest, "SELECT 1").await.is_empty());
        assert_eq!(house.run(&mut other, "SHOW work_mem").await.value(), "4MB");
        assert_eq!(house.run(&mut guest, "SHOW work_mem").await.value(), "9MB");
    });
}
