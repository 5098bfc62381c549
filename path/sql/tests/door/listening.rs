//! Notifications come with the answer of whatever is asked after they were sent.

use testkit::Wire;
use testkit::wire::frames::{bind, execute, parse, query, sync};

use crate::setup::{Door, kinds};

const ROUNDS: usize = 40;

fn notifications(client: &mut Wire, asks: &[u8]) -> usize {
    client.send(asks).unwrap();
    kinds(client, 1).matches('A').count()
}

fn batch(sql: &str) -> Vec<u8> {
    [parse("", sql), bind("", "", &[]), execute("", 0), sync()].concat()
}

#[test]
fn what_was_committed_before_a_client_asks_comes_with_its_answer() {
    let door = Door::new(3);
    let (mut ears, mut mouth) = (door.client(), door.client());
    let mut others: Vec<_> = (0..4).map(|_| door.client()).collect();
    ears.query("LISTEN asked_a").unwrap().fine();
    ears.query("LISTEN asked_b").unwrap().fine();
    others.iter_mut().for_each(|other| drop(other.query("LISTEN asked_a").unwrap().fine()));
    for asks in [query("SELECT 1"), batch("SELECT 1"), sync(), query("BEGIN; COMMIT"), query("LISTEN asked_a")] {
        for round in 0..ROUNDS {
            mouth.query("NOTIFY asked_a, '1'; NOTIFY asked_b, '2'").unwrap().fine();
            assert_eq!(notifications(&mut ears, &asks), 2, "round {round} of {:?}", String::from_utf8_lossy(&asks));
        }
    }
}

#[test]
fn what_was_committed_before_a_channel_is_left_is_heard() {
    let door = Door::new(3);
    let (mut ears, mut mouth) = (door.client(), door.client());
    for leaves in [
        query("UNLISTEN leaving"),
        query("UNLISTEN *"),
        batch("UNLISTEN leaving"),
        query("DISCARD ALL"),
        query("BEGIN; UNLISTEN leaving; COMMIT"),
    ] {
        for round in 0..ROUNDS {
            ears.query("LISTEN leaving").unwrap().fine();
            mouth.query("NOTIFY leaving").unwrap().fine();
            assert_eq!(notifications(&mut ears, &leaves), 1, "round {round} of {:?}", String::from_utf8_lossy(&leaves));
            mouth.query("NOTIFY leaving").unwrap().fine();
            assert_eq!(notifications(&mut ears, &query("SELECT 1")), 0);
        }
    }
}
