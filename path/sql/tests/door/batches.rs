//! Sequences of messages within one batch or one transaction that must not reach other clients, nor miss their own.

use testkit::Wire;
use testkit::wire::frames::{bind, execute, parse, sync};

use crate::setup::{Door, kinds};

fn fine(client: &mut Wire, sql: &str) -> String {
    client.query(sql).unwrap().fine().value().to_owned()
}

#[test]
fn the_unnamed_statement_is_there_after_a_question_of_the_doors() {
    let door = Door::new(1);
    let mut client = door.client();
    client.send(&[parse("", "SELECT 7"), sync()].concat()).unwrap();
    assert_eq!(kinds(&mut client, 1), "1ZI");
    client.send(&[parse("n", "SET application_name = 'q'"), bind("", "n", &[]), execute("", 0), sync()].concat()).unwrap();
    client.answer().unwrap().fine();
    client.send(&[bind("", "", &[]), execute("", 0), sync()].concat()).unwrap();
    assert_eq!(client.answer().unwrap().fine().value(), "7");
}

#[test]
fn what_was_parsed_in_the_midst_of_a_change_goes_with_its_client() {
    let door = Door::new(2);
    let mut blocker = door.client();
    let text = "SELECT '01/02/2020'::date";
    for is_polite in [true, false] {
        let mut client = door.client();
        // B has the statement at another connection.
        let mut other = door.client();
        other.send(&[parse("s", text), sync()].concat()).unwrap();
        assert_eq!(kinds(&mut other, 1), "1ZI");
        fine(&mut blocker, "SELECT 1");
        blocker.query("BEGIN").unwrap().fine();
        client.query("BEGIN; SET LOCAL DateStyle = 'SQL, DMY'").unwrap().fine();
        client.send(&[parse("t", text), sync()].concat()).unwrap();
        assert_eq!(kinds(&mut client, 1), "1ZT");
        if is_polite {
            client.terminate()
        } else {
            client.vanish()
        }
        other.query("BEGIN; SET LOCAL statement_timeout = '5s'").unwrap().fine();
        other.send(&[bind("", "s", &[]), execute("", 0), sync()].concat()).unwrap();
        assert_eq!(other.answer().unwrap().fine().value(), "2020-01-02");
        other.query("COMMIT").unwrap().fine();
        blocker.query("COMMIT").unwrap().fine();
        other.terminate();
        door.rests();
    }
}
