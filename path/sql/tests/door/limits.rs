//! Statements, transactions and clients that take longer than the plan allows.

use std::time::{Duration, Instant};

use plimsoll_sql::Limits;
use testkit::until;
use testkit::wire::frames::{bind, execute, flush, parse, query};

use crate::setup::{Door, plan, server};

const SHORT: Option<Duration> = Some(Duration::from_millis(400));

fn door(limits: Limits) -> Door {
    let mut plan = plan(1);
    plan.limits = limits;
    Door::start(plan)
}

fn code_of(error: &std::io::Error) -> String {
    error.to_string().split(':').next().unwrap().into()
}

#[test]
fn a_statement_that_takes_too_long_is_cancelled_and_its_client_stays() {
    let door = door(Limits { statement: SHORT, ..Limits::default() });
    let mut client = door.client();
    let began = Instant::now();
    assert_eq!(client.query("SELECT pg_sleep(600)").unwrap().code(), Some("57014"));
    assert!((400..5000).contains(&began.elapsed().as_millis()), "{:?}", began.elapsed());
    // Each has its own time, in one batch or transaction too.
    client.query("BEGIN").unwrap();
    for _ in 0..4 {
        assert_eq!(client.ask("SELECT pg_sleep(0.2)", &[]).unwrap().code(), None);
    }
    client.send(&[query("SELECT pg_sleep(0.3)"), query("SELECT pg_sleep(0.3)")].concat()).unwrap();
    assert_eq!((client.answer().unwrap().code(), client.answer().unwrap().code()), (None, None));
    assert_eq!(client.query("SELECT pg_sleep(600)").unwrap().code(), Some("57014"));
    client.query("ROLLBACK").unwrap();
    assert_eq!(client.query("SELECT 1").unwrap().value(), "1");
    door.rests();
}

#[test]
fn a_client_that_does_not_take_its_answer_keeps_no_connection_from_the_others() {
    let door = door(Limits { statement: SHORT, ..Limits::default() });
    let (mut deaf, mut other) = (door.client(), door.client());
    deaf.send(&query("SELECT repeat('x', 1000) FROM generate_series(1, 200000)")).unwrap();
    until("its statement runs", || door.handle.counts().busy == 1);
    other.send(&query("SELECT 1")).unwrap();
    assert_eq!(other.answer().unwrap().value(), "1");
    assert!(deaf.answer().is_err(), "it was cut off in the middle");
}

#[test]
fn a_client_that_does_not_send_its_data_keeps_no_connection_from_the_others() {
    for limits in [Limits { statement: SHORT, ..Limits::default() }, Limits { transaction: SHORT, ..Limits::default() }] {
        let begin = if limits.transaction.is_some() { "BEGIN" } else { "" };
        let door = door(limits);
        let (mut mute, mut other) = (door.client(), door.client());
        mute.query("CREATE TEMP TABLE mute (a int)").unwrap().fine();
        mute.query(begin).unwrap();
        mute.send(&query("COPY mute FROM STDIN")).unwrap();
        assert_eq!(mute.receive().unwrap().tag, b'G');
        other.send(&query("SELECT 1")).unwrap();
        assert_eq!(other.answer().unwrap().value(), "1");
        assert_eq!(code_of(&mute.answer().unwrap_err()), "57014 FATAL");
    }
}

#[test]
fn a_transaction_that_waits_for_its_client_is_rolled_back() {
    let door = door(Limits { idle_in_transaction: SHORT, ..Limits::default() });
    let (mut client, mut other) = (door.client(), door.client());
    server().psql("CREATE TABLE waited_for (a int)");
    server().psql("GRANT ALL ON waited_for TO app");
    client.query("BEGIN; INSERT INTO waited_for VALUES (1)").unwrap();
    other.send(&query("SELECT count(*) FROM waited_for")).unwrap();
    assert_eq!(code_of(&client.answer().unwrap_err()), "25P03 FATAL");
    assert_eq!(other.answer().unwrap().value(), "0");
    // Nothing ends a client outside a transaction, or one whose statement runs.
    assert_eq!(other.query("SELECT pg_sleep(0.8)").unwrap().code(), None);
    assert!(!other.hears_within(Duration::from_millis(800)).unwrap());
    assert_eq!(other.query("SELECT 1").unwrap().value(), "1");
}

#[test]
fn a_transaction_ends_that_lasts_too_long() {
    let door = door(Limits { transaction: SHORT, ..Limits::default() });
    let mut idle = door.client();
    idle.query("BEGIN").unwrap();
    assert_eq!(code_of(&idle.answer().unwrap_err()), "25P04 FATAL");
    let mut busy = door.client();
    busy.query("BEGIN").unwrap();
    assert_eq!(busy.query("SELECT pg_sleep(600)").unwrap().code(), Some("57014"));
    assert_eq!(code_of(&busy.answer().unwrap_err()), "25P04 FATAL");
    until("the connection is free", || door.handle.counts().busy == 0);
    assert_eq!(door.client().query("SELECT pg_sleep(0.8)").unwrap().code(), None);
}

#[test]
fn a_batch_without_its_end_is_a_transaction() {
    let limits = [Limits { idle_in_transaction: SHORT, ..Limits::default() }, Limits { transaction: SHORT, ..Limits::default() }];
    for (limits, code) in limits.into_iter().zip(["25P03 FATAL", "25P04 FATAL"]) {
        let door = door(limits);
        let (mut client, mut other) = (door.client(), door.client());
        client.send(&[parse("", "SELECT 1"), bind("", "", &[]), execute("", 0), flush()].concat()).unwrap();
        for tag in *b"12DC" {
            assert_eq!(client.receive().unwrap().tag, tag);
        }
        assert_eq!(door.handle.status().open.longest[0].doing, "idle");
        other.send(&query("SELECT 2")).unwrap();
        assert_eq!(code_of(&client.answer().unwrap_err()), code);
        assert_eq!(other.answer().unwrap().value(), "2");
    }
}
