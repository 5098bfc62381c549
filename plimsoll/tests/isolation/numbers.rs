//! The same in numbers: of forty clients' settings all are kept and none leak, one client's DEALLOCATE ALL harms
//! nobody, five hundred listeners hear everything over eight connections.

use std::time::Duration;

use testkit::Wire;
use testkit::wire::Login;
use testkit::wire::frames::{bind, execute, parse, query, sync};

use crate::ground::{Ground, SERVER};

const CLIENTS: usize = 40;
const ROUNDS: usize = 10;

fn value(client: &mut Wire, sql: &str) -> String {
    client.query(sql).unwrap().fine().value().to_owned()
}

#[test]
fn of_forty_settings_forty_are_kept_and_none_leak() {
    let ground = Ground::new(0);
    let mut clients: Vec<Wire> = (0..CLIENTS).map(|_| ground.connect()).collect();
    for (number, client) in clients.iter_mut().enumerate() {
        client.query(&format!("SET application_name = 'own {number}'")).unwrap().fine();
    }
    let (mut kept, mut leaked) = (CLIENTS, 0);
    for _ in 0..ROUNDS {
        // all of them at once, so that they meet on the connections in ever another order
        clients.iter_mut().for_each(|client| client.send(&query("SELECT current_setting('application_name'), pg_sleep(0.001)")).unwrap());
        for (number, client) in clients.iter_mut().enumerate() {
            let answer = client.answer().unwrap().fine();
            kept -= usize::from(answer.rows[0][0].as_deref() != Some(&format!("own {number}")));
        }
        let mut strangers: Vec<Wire> = (0..SERVER).map(|_| ground.connect()).collect();
        strangers.iter_mut().for_each(|stranger| stranger.send(&query("SHOW application_name")).unwrap());
        leaked += strangers.iter_mut().filter_map(|stranger| stranger.answer().ok()).filter(|answer| !answer.value().is_empty()).count();
    }
    assert_eq!((kept, leaked), (CLIENTS, 0), "kept and leaked of {CLIENTS}");
    drop(clients);
    ground.clean(SERVER);
}

#[test]
fn deallocating_everything_is_ones_own_affair() {
    let ground = Ground::new(0);
    let mut clients: Vec<Wire> = (0..CLIENTS).map(|_| ground.connect()).collect();
    let own = |number: usize| format!("SELECT 'statement {number}'::text, $1::int");
    for (number, client) in clients.iter_mut().enumerate() {
        client.send(&[parse("same name", &own(number)), sync()].concat()).unwrap();
        client.answer().unwrap().fine();
    }
    let every = ["DEALLOCATE ALL", "DISCARD ALL", "DEALLOCATE \"same name\"", "DISCARD PLANS; DEALLOCATE PREPARE ALL"];
    for round in 0..ROUNDS {
        let forgetful = round % CLIENTS;
        clients[forgetful].query(every[round % every.len()]).unwrap().fine();
        let message = [bind("", "same name", &["7"]), execute("", 0), sync()].concat();
        clients.iter_mut().for_each(|client| client.send(&message).unwrap());
        for (number, client) in clients.iter_mut().enumerate() {
            let answer = client.answer().unwrap();
            if number <= forgetful {
                assert_eq!(answer.code(), Some("26000"), "{number} in round {round}");
            } else {
                assert_eq!(answer.fine().rows, [[Some(format!("statement {number}")), Some("7".into())]]);
            }
        }
    }
}

const LISTENERS: usize = 500;

#[test]
fn five_hundred_listeners_hear_everything_over_eight_connections() {
    let ground = Ground::new(0);
    let mut listeners: Vec<Wire> = (0..LISTENERS).map(|_| ground.connect()).collect();
    for (number, listener) in listeners.iter_mut().enumerate() {
        let own = number % 50;
        listener.query(&format!("LISTEN everybody; LISTEN some_{own}")).unwrap().fine();
    }
    let mut speaker = ground.connect();
    speaker.query("NOTIFY everybody, 'one'; NOTIFY some_7, 'seven'").unwrap().fine();
    speaker.query("BEGIN; NOTIFY everybody, 'lost'; ROLLBACK; NOTIFY nobody, 'x'").unwrap().fine();
    speaker.query("BEGIN; NOTIFY everybody, 'two'; SELECT pg_notify('everybody', 'three'); COMMIT").unwrap().fine();
    for (number, listener) in listeners.iter_mut().enumerate() {
        let heard: Vec<String> = if number % 50 == 7 {
            ["everybody one", "some_7 seven", "everybody two", "everybody three"].map(String::from).into()
        } else {
            ["everybody one", "everybody two", "everybody three"].map(String::from).into()
        };
        let told: Vec<String> = heard.iter().map(|_| notification(listener)).collect();
        assert_eq!(told, heard, "listener {number}");
    }
    // not within a transaction, but at its end
    let within = &mut listeners[0];
    within.query("BEGIN").unwrap().fine();
    speaker.query("NOTIFY everybody, 'four'").unwrap().fine();
    assert_eq!(value(within, "SELECT 1"), "1");
    assert!(!within.hears_within(Duration::from_millis(200)).unwrap(), "in a transaction");
    within.query("COMMIT").unwrap().fine();
    let open =
        ground.monitor().query("SELECT count(*) FROM pg_stat_activity WHERE usename = 'app'").unwrap().value().parse::<usize>().unwrap();
    assert!(open <= SERVER + 1, "{open} server connections for {LISTENERS} listeners");
}

fn notification(listener: &mut Wire) -> String {
    let message = listener.receive().unwrap();
    assert_eq!(message.tag, b'A', "{message:?}");
    let text = String::from_utf8_lossy(&message.body[4..]).into_owned();
    text.trim_end_matches('\0').replace('\0', " ")
}

/// Two connections, no queue that is too short: everybody gets a turn, also those who hold on for a while.
#[test]
fn a_small_pool_serves_all() {
    let ground = Ground::new(0);
    let mut clients: Vec<Wire> = (0..CLIENTS * 2).map(|_| ground.connect_as(&Login::new("app", "postgres"))).collect();
    for _ in 0..3 {
        clients.iter_mut().for_each(|client| client.send(&query("BEGIN")).unwrap());
        // those who were let in go on, whoever waits does so until they have ended
        let mut left: Vec<&mut Wire> = clients.iter_mut().collect();
        while !left.is_empty() {
            left.retain_mut(|client| match client.hears_within(Duration::from_millis(1)).unwrap() {
                false => true,
                true => {
                    assert_eq!(client.answer().unwrap().fine().status, b'T');
                    client.query("SELECT 1; COMMIT").unwrap().fine();
                    false
                }
            });
        }
    }
}
