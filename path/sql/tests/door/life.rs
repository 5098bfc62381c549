use std::time::Duration;

use testkit::until;
use testkit::wire::frames::{bind, copy_data, copy_done, execute, message, parse, query, sync};

use crate::setup::{Door, kinds, server};

fn sleepers(mark: &str) -> String {
    server().psql(&format!(
        "SELECT count(*) FROM pg_stat_activity WHERE query LIKE '%{mark}%' AND pid <> pg_backend_pid() AND state = 'active'"
    ))
}

#[test]
fn a_client_that_leaves_in_a_transaction_rolls_it_back_and_its_connection_serves_on() {
    let door = Door::new(1);
    let mut client = door.client();
    client.query("CREATE TABLE left_behind (a int)").unwrap();
    let process = client.query("SELECT pg_backend_pid()").unwrap().value().to_string();
    for is_polite in [true, false] {
        let mut client = door.client();
        client.query("BEGIN; INSERT INTO left_behind VALUES (1)").unwrap();
        if is_polite {
            client.terminate()
        } else {
            client.vanish()
        }
        door.rests();
    }
    assert_eq!(client.query("SELECT count(*) FROM left_behind").unwrap().value(), "0");
    assert_eq!(client.query("SELECT pg_backend_pid()").unwrap().value(), process);
}

#[test]
fn a_client_that_vanishes_in_a_statement_stops_it() {
    let door = Door::new(1);
    let mut client = door.client();
    client.send(&query("SELECT pg_sleep(600) /* vanishes */")).unwrap();
    until("it sleeps", || sleepers("vanishes */") == "1");
    client.vanish();
    until("it is stopped", || sleepers("vanishes */") == "0");
    assert_eq!(door.client().query("SELECT 1").unwrap().value(), "1");
}

#[test]
fn what_was_sent_before_a_farewell_is_done() {
    let door = Door::new(1);
    let mut client = door.client();
    client.query("CREATE TABLE farewell (a int)").unwrap();
    client.send(&[query("SELECT pg_sleep(0.2); INSERT INTO farewell VALUES (1)"), message(b'X', b"")].concat()).unwrap();
    drop(client);
    until("it was done", || server().psql("SELECT count(*) FROM farewell") == "1");
    door.rests();
}

#[test]
fn a_client_that_vanishes_in_a_copy_costs_its_connection() {
    let door = Door::new(1);
    let mut client = door.client();
    client.query("CREATE TABLE copied (a int)").unwrap();
    client.send(&query("COPY copied FROM STDIN")).unwrap();
    assert_eq!(client.receive().unwrap().tag, b'G');
    client.send(&copy_data(b"1\n")).unwrap();
    client.vanish();
    let mut client = door.client();
    assert_eq!(client.query("SELECT count(*) FROM copied").unwrap().value(), "0");
}

/// Bytes that clients have sent.
fn sent_in(door: &Door) -> usize {
    let rendered = door.metrics.render();
    let line = rendered.lines().find(|line| line.starts_with("sql_bytes_total{database=\"main\",direction=\"in\"} ")).unwrap();
    line.rsplit(' ').next().unwrap().parse().unwrap()
}

#[test]
fn a_client_that_vanishes_in_the_queue_is_gone_at_once() {
    let door = Door::new(1);
    let (mut one, mut two) = (door.client(), door.client());
    one.query("BEGIN").unwrap();
    two.send(&query("SELECT 1")).unwrap();
    until("it waits", || door.handle.counts().waiting == 1);
    two.vanish();
    until("it waits no more", || door.handle.counts().waiting == 0 && door.handle.clients() == 1);
    one.query("COMMIT").unwrap();
}

#[test]
fn what_was_sent_before_a_farewell_is_done_when_it_has_to_wait_too() {
    let door = Door::new(1);
    let mut one = door.client();
    one.query("CREATE TABLE farewell_in_line (a int); BEGIN").unwrap();
    for after in [false, true] {
        let mut two = door.client();
        let (said, bye) = (query("INSERT INTO farewell_in_line VALUES (1)"), message(b'X', b""));
        if after {
            two.send(&said).unwrap();
            until("it waits", || door.handle.counts().waiting == 2);
            let before = sent_in(&door);
            two.send(&bye).unwrap();
            until("that is heard", || sent_in(&door) == before + 5);
        } else {
            two.send(&[said, bye].concat()).unwrap();
        }
        two.vanish();
        until("it waits", || door.handle.counts().waiting == 1 + u64::from(after));
    }
    one.query("COMMIT").unwrap();
    until("nobody waits", || door.handle.clients() == 1);
    assert_eq!(one.query("SELECT count(*) FROM farewell_in_line").unwrap().value(), "2");
}

#[test]
fn a_copy_whose_data_has_ended_before_the_farewell_is_done() {
    let door = Door::new(1);
    let mut client = door.client();
    client
        .query(
            "CREATE TABLE farewell_copy (a int);
             CREATE FUNCTION slowly() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN PERFORM pg_sleep(0.1); RETURN NEW; END';
             CREATE TRIGGER slowly BEFORE INSERT ON farewell_copy FOR EACH ROW EXECUTE FUNCTION slowly()",
        )
        .unwrap()
        .fine();
    for (is_ended, rows) in [(true, "2"), (false, "2")] {
        let mut client = door.client();
        client.send(&query("COPY farewell_copy FROM STDIN")).unwrap();
        assert_eq!(client.receive().unwrap().tag, b'G');
        let data = [copy_data(b"1\n2\n"), if is_ended { copy_done() } else { Vec::new() }].concat();
        client.send(&[data, message(b'X', b"")].concat()).unwrap();
        client.vanish();
        until("it has left", || door.handle.clients() == 1);
        until("its statement has ended", || sleepers("farewell_copy FROM") == "0");
        assert_eq!(server().psql("SELECT count(*) FROM farewell_copy"), rows);
    }
}

#[test]
fn a_batch_in_pieces_takes_no_connection_until_it_is_whole() {
    let door = Door::new(1);
    let (mut slow, mut quick) = (door.client(), door.client());
    for text in ["SELECT 1".to_owned(), format!("SELECT '{}'", "x".repeat(100_000))] {
        let (before, first) = (sent_in(&door), [parse("", &text), bind("", "", &[])].concat());
        slow.send(&first).unwrap();
        until("it has come", || sent_in(&door) == before + first.len());
        assert_eq!(quick.query("SELECT 2").unwrap().value(), "2");
        slow.send(&execute("", 0)).unwrap();
        assert_eq!(quick.query("SELECT 2").unwrap().value(), "2");
        slow.send(&sync()).unwrap();
        assert_eq!(kinds(&mut slow, 1), "12DCZI");
    }
}

#[test]
fn a_cancel_stops_the_statement_and_nothing_else() {
    let door = Door::new(1);
    let (mut client, mut other) = (door.client(), door.client());
    client.send(&query("SELECT pg_sleep(600) /* cancelled */")).unwrap();
    until("it sleeps", || sleepers("cancelled */") == "1");
    client.cancel().unwrap();
    assert_eq!(client.answer().unwrap().errors[0].code, "57014");
    client.cancel().unwrap();
    for _ in 0..50 {
        assert_eq!(other.query("SELECT 1").unwrap().value(), "1");
    }
    // One that waits for a connection.
    other.query("BEGIN").unwrap();
    client.send(&query("SELECT 1")).unwrap();
    until("it waits", || door.handle.counts().waiting == 1);
    client.cancel().unwrap();
    assert_eq!(client.answer().unwrap().errors[0].code, "57014");
    other.query("COMMIT").unwrap();
    assert_eq!(client.query("SELECT 1").unwrap().value(), "1");
}

#[test]
fn a_lost_server_connection_is_said_and_an_idle_one_is_replaced() {
    let door = Door::new(1);
    let mut client = door.client();
    let process = client.query("SELECT pg_backend_pid()").unwrap().value().to_string();
    server().psql(&format!("SELECT pg_terminate_backend({process})"));
    until("it is gone", || server().psql(&format!("SELECT count(*) FROM pg_stat_activity WHERE pid = {process}")) == "0");
    assert_ne!(client.query("SELECT pg_backend_pid()").unwrap().value(), process);
    client.query("BEGIN").unwrap();
    let process = client.query("SELECT pg_backend_pid()").unwrap().value().to_string();
    server().psql(&format!("SELECT pg_terminate_backend({process})"));
    assert_eq!(client.answer().unwrap_err().to_string().split(':').next(), Some("57P01 FATAL"));
}

#[test]
fn a_drain_waits_for_transactions_and_tells_the_others() {
    let door = Door::new(2);
    let (mut idle, mut busy, mut pinned) = (door.client(), door.client(), door.client());
    pinned.query("CREATE TEMP TABLE mine (a int)").unwrap();
    busy.query("BEGIN").unwrap();
    std::thread::scope(|scope| {
        let drained = scope.spawn(|| {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
            runtime.block_on(door.handle.drain(Duration::from_secs(20)))
        });
        for wire in [&mut idle, &mut pinned] {
            assert_eq!(wire.answer().unwrap_err().to_string().split(':').next(), Some("57P01 FATAL"));
        }
        assert_eq!(busy.query("SELECT 1").unwrap().value(), "1");
        busy.send(&query("COMMIT")).unwrap();
        assert_eq!(busy.answer().unwrap().tags, ["COMMIT"]);
        assert_eq!(busy.answer().unwrap_err().to_string().split(':').next(), Some("57P01 FATAL"));
        assert!(drained.join().unwrap());
    });
}

#[test]
fn who_does_not_leave_within_the_drain_is_closed() {
    let door = Door::new(3);
    let [mut idle, mut copies, mut sleeps, mut waits] = std::array::from_fn(|_| door.client());
    idle.query("CREATE TABLE not_left (a int)").unwrap();
    idle.query("BEGIN; INSERT INTO not_left VALUES (1)").unwrap();
    copies.send(&query("COPY not_left FROM STDIN")).unwrap();
    assert_eq!(copies.receive().unwrap().tag, b'G');
    sleeps.send(&query("SELECT pg_sleep(600) /* stays */")).unwrap();
    until("it sleeps", || sleepers("stays */") == "1");
    waits.send(&query("SELECT 1")).unwrap();
    until("it waits", || door.handle.counts().waiting == 1);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    assert!(!runtime.block_on(door.handle.drain(Duration::from_millis(100))));
    for wire in [&mut idle, &mut copies, &mut sleeps, &mut waits] {
        assert_eq!(wire.answer().unwrap_err().to_string().split(':').next(), Some("57P01 FATAL"));
    }
    until("nobody is left", || door.handle.clients() == 0);
    until("its statement is stopped", || sleepers("stays */") == "0");
    until("the locks are gone", || server().psql("SET lock_timeout = '1s'; SELECT count(*) FROM not_left").ends_with('0'));
}
