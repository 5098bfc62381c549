use std::rc::Rc;

use testkit::postgres::Postgres;

use super::guest::House;
use crate::server::tests::on_a_loop;

const TABLE: &str = "CREATE TABLE t (id serial, a int); GRANT ALL ON t, t_id_seq TO app";

#[test]
fn nobody_sees_anothers_sequence_use_and_who_reads_its_own_keeps_it() {
    let server = Rc::new(Postgres::start());
    server.psql(TABLE);
    on_a_loop(async {
        let mut house = House::new(&server, "app");
        let (mut one, mut other) = (house.guest(&[]).await, house.guest(&[]).await);
        house.run(&mut one, "INSERT INTO t (a) VALUES (1)").await;
        assert_eq!(house.run(&mut other, "SELECT lastval()").await.errors, ["55000"]);
        assert_eq!(house.run(&mut other, "SELECT currval('t_id_seq')").await.errors, ["55000"]);
        house.run(&mut one, "INSERT INTO t (a) VALUES (2)").await;
        assert_eq!(house.run(&mut one, "SELECT lastval()").await.value(), "2");
        assert!(one.session.is_pinned());
        house.run(&mut one, "INSERT INTO t (a) VALUES (3)").await;
        house.run(&mut other, "INSERT INTO t (a) VALUES (4)").await;
        assert_eq!(house.run(&mut one, "SELECT lastval() || ',' || currval('t_id_seq')").await.value(), "3,3");
        assert_eq!(house.run(&mut other, "SELECT lastval()").await.value(), "4");
        house.run(&mut one, "DISCARD ALL").await;
        assert!(!one.session.is_pinned() && other.session.is_pinned());
        assert_eq!(house.run(&mut one, "SELECT lastval()").await.errors, ["55000"]);
    });
}

#[test]
fn in_one_transaction_it_is_as_ever() {
    let server = Rc::new(Postgres::start());
    server.psql(TABLE);
    on_a_loop(async {
        let mut house = House::new(&server, "app");
        let (mut one, mut other) = (house.guest(&[]).await, house.guest(&[]).await);
        house.run(&mut other, "INSERT INTO t (a) VALUES (1)").await;
        for sql in ["BEGIN", "SELECT 1"] {
            house.run(&mut one, sql).await;
        }
        assert_eq!(house.run(&mut one, "SELECT lastval()").await.errors, ["55000"]);
        house.run(&mut one, "ROLLBACK").await;
        house.run(&mut one, "BEGIN").await;
        house.run(&mut one, "INSERT INTO t (a) VALUES (2)").await;
        assert_eq!(house.run(&mut one, "SELECT lastval()").await.value(), "2");
        house.run(&mut one, "COMMIT").await;
    });
}

#[test]
fn the_connection_of_last_time_is_asked_for() {
    let server = Rc::new(Postgres::start());
    server.psql(TABLE);
    on_a_loop(async {
        let mut house = House::new(&server, "app");
        let (mut one, mut other) = (house.guest(&[]).await, house.guest(&[]).await);
        house.run(&mut other, "BEGIN").await;
        house.run(&mut one, "INSERT INTO t (a) VALUES (1)").await;
        house.run(&mut other, "COMMIT").await;
        assert_eq!(house.free.len(), 2);
        assert_eq!(house.run(&mut one, "SELECT lastval()").await.value(), "1");
    });
}

#[test]
fn what_another_left_before_is_gone_although_one_used_a_sequence_since_or_seemed_to() {
    let server = Rc::new(Postgres::start());
    server.psql(TABLE);
    server.psql("CREATE TABLE plain (a int); GRANT ALL ON plain TO app");
    on_a_loop(async {
        let mut house = House::new(&server, "app");
        let (mut one, mut other) = (house.guest(&[]).await, house.guest(&[]).await);
        house.run(&mut one, "INSERT INTO t (a) VALUES (1)").await;
        house.run(&mut other, "INSERT INTO plain VALUES (1)").await;
        assert_eq!(house.run(&mut other, "SELECT lastval()").await.errors, ["55000"]);
        // now that somebody reads, everybody's traces are kept apart
        let (mut third, mut fourth) = (house.guest(&[]).await, house.guest(&[]).await);
        for (guest, id) in [(&mut third, "2"), (&mut fourth, "3")] {
            house.run(guest, "INSERT INTO t (a) VALUES (1)").await;
            assert_eq!(house.run(guest, "SELECT lastval()").await.value(), id);
        }
    });
}
