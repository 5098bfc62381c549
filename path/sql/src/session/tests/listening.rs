use std::rc::Rc;

use telemetry::{Collect, Exposition};
use testkit::postgres::Postgres;

use super::guest::{Guest, House};
use crate::server::tests::on_a_loop;

fn metric(house: &House, name: &str) -> String {
    let mut out = Exposition::default();
    house.events.collect(&mut out);
    let text = out.finish();
    let line = text.lines().find(|line| line.starts_with(name)).unwrap();
    line.rsplit(' ').next().unwrap().into()
}

fn texts(heard: &[(u32, String, String)]) -> Vec<(&str, &str)> {
    heard.iter().map(|(_, channel, payload)| (&**channel, &**payload)).collect()
}

/// All that comes for a client up to a message that is sent last.
async fn until_last(house: &mut House, guest: &mut Guest) -> Vec<(String, String)> {
    house.server.psql("NOTIFY last");
    let mut all = Vec::new();
    loop {
        let said = guest.hears().await;
        assert!(!said.heard.is_empty(), "it did not come");
        all.extend(said.heard.into_iter().map(|(_, channel, payload)| (channel, payload)));
        if all.last().is_some_and(|(channel, _)| channel == "last") {
            all.pop();
            return all;
        }
    }
}

#[test]
fn many_listen_over_one_connection() {
    let server = Rc::new(Postgres::start());
    on_a_loop(async {
        let mut house = House::new(&server, "app");
        let mut guests = Vec::new();
        for number in 0..100 {
            let mut guest = house.guest(&[]).await;
            let said = house.run(&mut guest, &format!("LISTEN all_of_us; LISTEN only_{number}")).await;
            assert_eq!((&said.tags[..], said.errors.len()), (&["LISTEN".to_owned(), "LISTEN".into()][..], 0));
            assert_eq!(house.run(&mut guest, "LISTEN \"Mine\"").await.order, "CZ");
            guests.push(guest);
        }
        assert_eq!(house.opened, 1);
        assert_eq!(metric(&house, "sql_listening_clients"), "100");
        let long = "x".repeat(7999);
        house.server.psql(&format!("NOTIFY only_7, '{long}'; NOTIFY all_of_us, 'hello'; NOTIFY nobody"));
        for (number, guest) in guests.iter_mut().enumerate() {
            let heard = guest.hears().await.heard;
            let expected = [("only_7", &*long), ("all_of_us", "hello")];
            let expected = if number == 7 { &expected[..] } else { &expected[1..] };
            assert_eq!(texts(&heard), expected);
        }
        let count = "SELECT count(*) FROM pg_stat_activity WHERE usename = 'app' AND application_name = 'plimsoll listener'";
        assert_eq!(server.psql(count), "1");
        drop(guests);
        testkit_until(async || metric(&house, "sql_listening_clients") == "0").await;
    });
}

async fn testkit_until(mut is: impl AsyncFnMut() -> bool) {
    while !is().await {
        tokio::task::yield_now().await;
    }
}

#[test]
fn what_counts_is_what_was_committed() {
    let server = Rc::new(Postgres::start());
    on_a_loop(async {
        let mut house = House::new(&server, "app");
        let mut guest = house.guest(&[]).await;
        house.run(&mut guest, "LISTEN last").await;
        for (sql, heard) in [
            ("BEGIN; LISTEN a; ROLLBACK", ""),
            ("BEGIN; LISTEN a; SAVEPOINT s; LISTEN b; ROLLBACK TO s; COMMIT", "a"),
            ("LISTEN b; SELECT 1/0", "a"),
            ("BEGIN; UNLISTEN a; ROLLBACK", "a"),
            ("BEGIN; SAVEPOINT s; UNLISTEN a; ROLLBACK TO s; LISTEN b; COMMIT", "a b"),
            ("BEGIN; UNLISTEN a; COMMIT", "b"),
            ("UNLISTEN *; LISTEN last", ""),
            ("LISTEN a", "a"),
            ("BEGIN; UNLISTEN *; LISTEN b; LISTEN last; COMMIT", "b"),
            ("UNLISTEN b", ""),
        ] {
            let one_at_a_time = sql.starts_with("BEGIN");
            for sql in sql.split(if one_at_a_time { "; " } else { "\0" }) {
                house.run(&mut guest, sql).await;
            }
            house.server.psql("NOTIFY a; NOTIFY b");
            let all: Vec<String> = until_last(&mut house, &mut guest).await.into_iter().map(|(channel, _)| channel).collect();
            assert_eq!(all.join(" "), heard, "after {sql}");
            assert!(!guest.session.is_pinned() && house.opened == 1);
        }
        assert_eq!(house.run(&mut guest, "SELECT count(*) FROM pg_listening_channels()").await.value(), "0");
    });
}

#[test]
fn its_own_notifications_come_before_it_is_ready_and_only_after_the_commit() {
    let server = Rc::new(Postgres::start());
    on_a_loop(async {
        let mut house = House::new(&server, "app");
        let (mut guest, mut other) = (house.guest(&[]).await, house.guest(&[]).await);
        house.run(&mut guest, "LISTEN a").await;
        let said = house.run(&mut guest, "NOTIFY a, '1'").await;
        assert_eq!((&*said.order, texts(&said.heard)), ("CAZ", vec![("a", "1")]));
        assert_eq!(said.heard[0].0, 1_000_001, "the number that the client knows as its own");
        house.run(&mut guest, "BEGIN").await;
        assert!(house.run(&mut guest, "SELECT pg_notify('a', '2')").await.heard.is_empty());
        house.run(&mut other, "NOTIFY a, 'other'").await;
        assert!(house.run(&mut guest, "SELECT 1").await.heard.is_empty());
        let said = house.run(&mut guest, "COMMIT").await;
        assert_eq!(texts(&said.heard), [("a", "other"), ("a", "2")]);
        assert!(said.order.ends_with("AAZ"), "{}", said.order);
        assert!(said.heard[0].0 < 1_000_000);
        house.run(&mut guest, "BEGIN; NOTIFY a, '3'; ROLLBACK").await;
        let said = house.run(&mut guest, "NOTIFY a, '4'").await;
        assert_eq!(texts(&said.heard), [("a", "4")]);
        let said = house.run(&mut other, "BEGIN; LISTEN a; NOTIFY a, '5'; COMMIT").await;
        assert_eq!(texts(&said.heard), [("a", "5")]);
    });
}

#[test]
fn who_is_pinned_listens_on_its_own_connection_until_it_is_not() {
    let server = Rc::new(Postgres::start());
    on_a_loop(async {
        let mut house = House::new(&server, "app");
        let mut guest = house.guest(&[]).await;
        house.run(&mut guest, "LISTEN before").await;
        house.run(&mut guest, "CREATE TEMP TABLE x (a int)").await;
        house.run(&mut guest, "LISTEN own").await;
        assert_eq!(
            house.run(&mut guest, "SELECT string_agg(c, ' ' ORDER BY c) FROM pg_listening_channels() c").await.value(),
            "before own"
        );
        let said = house.run(&mut guest, "NOTIFY before; NOTIFY own, '1'").await;
        assert_eq!(texts(&said.heard), [("before", ""), ("own", "1")]);
        house.run(&mut guest, "DROP TABLE x").await;
        assert!(!guest.session.is_pinned());
        assert_eq!(house.run(&mut guest, "SELECT count(*) FROM pg_listening_channels()").await.value(), "0");
        house.server.psql("NOTIFY before; NOTIFY own");
        let mut heard = Vec::new();
        while heard.len() < 2 {
            heard.extend(guest.hears().await.heard.into_iter().map(|(_, channel, _)| channel));
        }
        assert_eq!(heard, ["before", "own"]);
    });
}

#[test]
fn nothing_is_lost_or_heard_twice_when_who_listens_changes() {
    let server = Rc::new(Postgres::start());
    on_a_loop(async {
        let mut house = House::new(&server, "app");
        let mut guest = house.guest(&[]).await;
        house.run(&mut guest, "LISTEN a").await;
        house.run(&mut guest, "SELECT pg_advisory_lock(1)").await;
        let said = house.run(&mut guest, "DO 'BEGIN END'; NOTIFY a, '1'").await;
        assert_eq!(texts(&said.heard), [("a", "1")]);
        let mut said = house.run(&mut guest, "BEGIN; LISTEN b; NOTIFY a, '2'; NOTIFY b, '2'; COMMIT").await;
        // They came on two ways.
        said.heard.sort_by(|one, other| one.1.cmp(&other.1));
        assert_eq!(texts(&said.heard), [("a", "2"), ("b", "2")]);
        let said = house.run(&mut guest, "NOTIFY a, '3'; NOTIFY b, '3'; SELECT pg_advisory_unlock_all()").await;
        assert_eq!(texts(&said.heard), [("a", "3"), ("b", "3")]);
        assert!(!guest.session.is_pinned());
        let said = house.run(&mut guest, "NOTIFY a, '4'; NOTIFY b, '4'").await;
        assert_eq!(texts(&said.heard), [("a", "4"), ("b", "4")]);
    });
}

#[test]
fn whoever_leaves_takes_its_ears_along() {
    let server = Rc::new(Postgres::start());
    on_a_loop(async {
        let mut house = House::new(&server, "app");
        let mut guest = house.guest(&[]).await;
        house.run(&mut guest, "CREATE TEMP SEQUENCE s; SELECT nextval('s'), lastval()").await;
        house.run(&mut guest, "LISTEN a").await;
        house.run(&mut guest, "DROP SEQUENCE s").await;
        assert!(guest.session.is_pinned() && !guest.session.leaves_clean());
    });
}

#[test]
fn another_encoding_than_the_databases_is_heard_in_it() {
    let server = Rc::new(Postgres::start());
    on_a_loop(async {
        let mut house = House::new(&server, "app");
        let mut guest = house.guest(&[]).await;
        house.run(&mut guest, "LISTEN a; LISTEN \"é\"").await;
        assert!(!guest.session.is_pinned());
        house.run(&mut guest, "SET client_encoding = latin1").await;
        assert_eq!(house.sessions.pins.list(std::time::Instant::now())[0].reasons, ["listen"]);
        assert_eq!(house.run(&mut guest, "SELECT count(*) FROM pg_listening_channels()").await.value(), "2");
        house.run(&mut guest, "RESET client_encoding").await;
        assert!(!guest.session.is_pinned());
        let said = house.run(&mut guest, "NOTIFY \"é\", 'ü'").await;
        assert_eq!(texts(&said.heard), [("é", "ü")]);
    });
}

#[test]
fn a_lost_connection_is_made_again_and_everybody_told() {
    let server = Rc::new(Postgres::start());
    on_a_loop(async {
        let mut house = House::new(&server, "app");
        let (mut guest, mut late) = (house.guest(&[]).await, house.guest(&[]).await);
        house.run(&mut guest, "LISTEN a").await;
        let kill = "SELECT pg_terminate_backend(pid, 10000) FROM pg_stat_activity WHERE application_name = 'plimsoll listener'";
        assert_eq!(server.psql(kill), "t");
        assert_eq!(house.run(&mut late, "LISTEN a").await.tags, ["LISTEN"]);
        let said = guest.hears().await;
        assert_eq!(said.notices, ["01000"], "{said:?}");
        server.psql("NOTIFY a, 'again'");
        assert_eq!(texts(&guest.hears().await.heard), [("a", "again")]);
        assert_eq!(metric(&house, "sql_listening_lost_total"), "1");
        assert_eq!(metric(&house, "sql_listening_connections"), "1");
    });
}

#[test]
fn without_a_server_listen_waits_no_longer_than_it_may() {
    let server = Rc::new(Postgres::start());
    on_a_loop(async {
        let mut house = House::new(&server, "app");
        let mut guest = house.guest(&[]).await;
        server.stop();
        house.sessions.patience.set(std::time::Duration::from_millis(50));
        assert_eq!(house.run(&mut guest, "LISTEN a").await.errors, ["57P03"]);
        house.sessions.patience.set(std::time::Duration::from_secs(20));
        server.restart();
        house.free.clear();
        assert_eq!(house.run(&mut guest, "LISTEN a").await.tags, ["LISTEN"]);
    });
}
