//! The server goes away, and comes back.

use std::time::{Duration, Instant};

use contract::{DatabaseKeeper, ServerAddress, ServerState};
use telemetry::Log;
use testkit::wire::frames::{bind, describe_portal, execute, flush, message, parse, query, sync};
use testkit::{Postgres, until};

use crate::between::Between;
use crate::setup::{Door, database, kinds, plan, server};

fn said(answer: std::io::Result<testkit::wire::Answer>) -> String {
    answer.unwrap_err().to_string()
}

#[test]
fn a_statement_under_way_is_of_unknown_outcome_and_the_next_one_waits_for_the_server() {
    let server = Postgres::start();
    let door = Door::over(plan(2), &server);
    let (mut busy, mut open, mut idle) = (door.client(), door.client(), door.client());
    idle.query("SELECT 1").unwrap();
    open.query("BEGIN").unwrap();
    busy.send(&query("SELECT pg_sleep(600)")).unwrap();
    until("it sleeps", || server.psql("SELECT count(*) FROM pg_stat_activity WHERE wait_event = 'PgSleep'") == "1");
    server.kill();
    assert!(said(busy.answer()).starts_with("08006 FATAL"), "the outcome is unknown");
    let told = said(open.answer());
    assert!(told.contains(" FATAL"), "{told}");
    std::thread::scope(|scope| {
        let waits = scope.spawn(|| idle.query("SELECT 2").unwrap().value().to_string());
        until("it waits", || door.handle.counts().waiting == 1);
        server.restart();
        assert_eq!(waits.join().unwrap(), "2");
    });
    door.rests();
}

#[test]
fn a_client_whose_statement_is_tried_as_the_server_had_it_is_told_at_once() {
    let server = Postgres::start();
    let door = Door::over(plan(1), &server);
    let mut client = door.client();
    client.send(&[parse("s", "SELECT pg_sleep($1::float)"), bind("", "s", &["0"]), execute("", 0), sync()].concat()).unwrap();
    assert_eq!(kinds(&mut client, 1), "12DCZI");
    client.send(&[bind("", "s", &["600"]), describe_portal(""), execute("", 0), sync()].concat()).unwrap();
    until("it sleeps", || server.psql("SELECT count(*) FROM pg_stat_activity WHERE wait_event = 'PgSleep'") == "1");
    server.kill();
    let began = std::time::Instant::now();
    assert!(said(client.answer()).starts_with("08006 FATAL"));
    assert!(began.elapsed() < Duration::from_secs(4), "nothing is waited for");
}

#[test]
fn a_server_that_does_not_come_back_is_said_and_clients_stay() {
    let server = Postgres::start();
    let mut plan = plan(2);
    plan.pool.wait = Duration::from_millis(500);
    let door = Door::over(plan, &server);
    let mut client = door.client();
    server.stop();
    let answer = client.query("SELECT 1").unwrap();
    assert_eq!((&*answer.errors[0].code, &*answer.errors[0].severity, answer.status), ("57P03", "ERROR", b'I'));
    client.send(&[parse("s", "SELECT 1"), bind("", "s", &[]), execute("", 0), sync(), query("SELECT 1")].concat()).unwrap();
    assert_eq!(kinds(&mut client, 2), "EZIEZI");
    server.restart();
    until("it answers again", || client.query("SELECT 3").unwrap().errors.is_empty());
    client.send(&[bind("", "s", &[]), sync()].concat()).unwrap();
    assert_eq!(client.answer().unwrap().errors[0].code, "26000", "it was never parsed");
}

#[test]
fn when_no_connection_comes_free_the_statement_fails_and_the_client_stays() {
    let mut plan = plan(1);
    plan.pool.wait = Duration::from_millis(300);
    let door = Door::start(plan);
    let (mut one, mut two) = (door.client(), door.client());
    one.query("BEGIN").unwrap();
    let answer = two.query("SELECT 1").unwrap();
    assert_eq!((&*answer.errors[0].code, answer.status), ("53300", b'I'));
    two.send(&[parse("", "SELECT 1"), bind("", "", &[]), execute("", 0), sync()].concat()).unwrap();
    assert_eq!(kinds(&mut two, 1), "EZI");
    one.query("COMMIT").unwrap();
    assert_eq!(two.query("SELECT 2").unwrap().value(), "2");
}

#[test]
fn what_has_come_fails_with_what_waited_in_vain_and_a_sync_waits_for_nothing() {
    let mut plan = plan(1);
    plan.pool.wait = Duration::from_secs(2);
    let door = Door::start(plan);
    let (mut one, mut two) = (door.client(), door.client());
    one.query("BEGIN").unwrap();
    let mut took = |sent: &[Vec<u8>], answered: &str| {
        let (began, readies) = (Instant::now(), answered.matches('Z').count());
        two.send(&sent.concat()).unwrap();
        let heard = if readies > 0 { kinds(&mut two, readies) } else { (two.receive().unwrap().tag as char).to_string() };
        assert_eq!(heard, answered);
        began.elapsed()
    };
    let (waits, at_once) = (Duration::from_secs(2)..Duration::from_millis(3900), Duration::ZERO..Duration::from_millis(1500));
    let batch = || [parse("", "SELECT 1"), bind("", "", &[]), execute("", 0), sync()].concat();
    for (sent, answered, time) in [
        (vec![sync()], "ZI", &at_once),
        (vec![flush(), sync(), sync()], "ZIZI", &at_once),
        (vec![parse("", "SELECT 1"), flush()], "E", &waits),
        (vec![bind("", "", &[]), execute("", 0), sync(), sync()], "ZIZI", &at_once),
        (vec![query("BEGIN"), query("SELECT 1"), batch(), sync(), batch(), query("COMMIT")], "EZIEZIEZIZIEZIEZI", &waits),
        (vec![parse("", "SELECT 1"), flush(), sync(), batch()], "EZIEZI", &waits),
    ] {
        let took = took(&sent, answered);
        assert!(time.contains(&took), "{took:?} until {answered}");
    }
    one.query("COMMIT").unwrap();
    assert_eq!(two.query("SELECT 2").unwrap().value(), "2");
}

#[test]
fn who_listens_hears_the_server_that_statements_go_to() {
    let (first, second) = (Postgres::start(), Postgres::start());
    let door = Door::over(plan(2), &first);
    let (mut ears, mut mouth) = (door.client(), door.client());
    ears.query("LISTEN moved").unwrap().fine();
    mouth.query("NOTIFY moved, 'one'").unwrap().fine();
    assert_eq!(ears.receive().unwrap().tag, b'A');
    door.handle.swap(plan(2), database(&second)).unwrap();
    assert_eq!(ears.receive().unwrap().tag, b'N', "something may have been missed");
    mouth.query("NOTIFY moved, 'two'").unwrap().fine();
    let heard = ears.receive().unwrap();
    assert_eq!((heard.tag, &heard.body[4..]), (b'A', &b"moved\0two\0"[..]));
}

#[test]
fn a_connection_that_takes_nothing_is_no_matter_of_the_client_whose_statement_did_not_go_out() {
    let between = Between::new(server());
    let door = Door::before(plan(2), between.database(), Log::nowhere());
    let mut client = door.client();
    let batch = |number: &str| [parse("", "SELECT $1::int"), bind("", "", &[number]), execute("", 0), sync()].concat();
    for number in ["1", "2", "3"] {
        assert_eq!(client.query(&format!("SELECT {number}")).unwrap().value(), number);
        assert_eq!(between.deafen(), 1);
        client.send(&batch(number)).unwrap();
        assert!(client.hears_within(Duration::from_secs(10)).unwrap(), "it waits for ever");
        assert_eq!(client.answer().unwrap().value(), number);
    }
    door.rests();
}

#[test]
fn what_a_server_says_when_it_ends_a_connection_of_the_pool_is_told_to_nobody_who_is_done_with_it() {
    const FATAL: &[u8] = b"SFATAL\0VFATAL\0C57P01\0Mterminating connection due to administrator command\0\0";
    let between = Between::new(server());
    let door = Door::before(plan(1), between.database(), Log::nowhere());
    let (mut client, mut keeps) = (door.client(), door.client());
    for number in ["1", "2", "3"] {
        between.end_next(&message(b'E', FATAL));
        assert_eq!(client.query(&format!("SELECT {number}")).unwrap().value(), number);
    }
    assert_eq!(client.query("SELECT 4").unwrap().value(), "4");
    // Who keeps the connection loses what it has there.
    keeps.query("SELECT pg_advisory_lock(77)").unwrap().fine();
    between.end_next(&message(b'E', FATAL));
    keeps.query("SELECT 1").unwrap().fine();
    assert!(said(keeps.answer()).starts_with("57P01 FATAL"));
    assert_eq!(client.query("SELECT 5").unwrap().value(), "5");
}

#[test]
fn who_waits_for_a_server_that_failed_is_a_reason_to_try_it_again() {
    let (mut keeper, database) = DatabaseKeeper::new(ServerState::Down("the disk is full".into()));
    let door = Door::before(plan(1), database, Log::nowhere());
    std::thread::scope(|scope| {
        let waits = scope.spawn(|| door.client().query("SELECT 1").unwrap().value().to_string());
        until("it is wanted", || keeper.wanted.try_recv().is_ok());
        keeper.state.send_replace(ServerState::Up(ServerAddress::Tcp("127.0.0.1".into(), server().port())));
        assert_eq!(waits.join().unwrap(), "1");
    });
}
