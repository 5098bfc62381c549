use testkit::wire::frames::{bind, close_portal, describe_portal, execute, flush, message, parse, query, sync};

use crate::setup::{Door, kinds, server};

#[test]
fn simple_queries_are_answered_as_from_postgres() {
    let door = Door::new(2);
    let mut direct = testkit::Wire::connect(&server().address(), &crate::setup::login()).unwrap();
    let mut client = door.client();
    for text in [
        "SELECT 1",
        "SELECT 1, NULL, 'a'; SELECT 2",
        "",
        "SELEC",
        "SELECT 1; SELECT 1/0; SELECT 3",
        "DO $$BEGIN RAISE NOTICE 'n'; END$$",
        "BEGIN; SELECT 1",
        "SELECT 1/0",
        "SELECT 1",
        "COMMIT",
        "SELECT generate_series(1, 10000), repeat('x', 100)",
        "COMMIT",
    ] {
        assert_eq!(client.query(text).unwrap(), direct.query(text).unwrap(), "{text}");
    }
    door.rests();
}

#[test]
fn a_transaction_keeps_its_connection_and_others_wait() {
    let door = Door::new(1);
    let (mut one, mut two) = (door.client(), door.client());
    one.query("BEGIN").unwrap();
    let process = one.query("SELECT pg_backend_pid()").unwrap().value().to_string();
    two.send(&query("SELECT pg_backend_pid()")).unwrap();
    testkit::until("the other waits", || door.handle.counts().waiting == 1);
    assert_eq!(one.query("SELECT pg_backend_pid()").unwrap().value(), process);
    one.query("COMMIT").unwrap();
    assert_eq!(two.answer().unwrap().value(), process);
}

#[test]
fn pipelines_flushes_and_errors_in_the_middle() {
    let door = Door::new(1);
    let mut client = door.client();
    let ask = |text: &str| [parse("", text), bind("", "", &[]), describe_portal(""), execute("", 0)].concat();
    client.send(&[ask("SELECT 1"), sync(), ask("SELECT 1/0"), ask("SELECT 2"), sync(), ask("SELECT 3"), sync()].concat()).unwrap();
    assert_eq!(kinds(&mut client, 3), "12TDCZI1EZI12TDCZI");
    client.send(&[ask("SELECT 1"), flush()].concat()).unwrap();
    for tag in *b"12TDC" {
        assert_eq!(client.receive().unwrap().tag, tag);
    }
    client.send(&[ask("SELECT x"), flush()].concat()).unwrap();
    assert_eq!(client.receive().unwrap().tag, b'E');
    client.send(&[ask("SELECT 1"), flush(), ask("SELECT 2"), sync()].concat()).unwrap();
    assert_eq!(kinds(&mut client, 1), "ZI");
    door.rests();
}

#[test]
fn portals_live_through_syncs_of_a_transaction() {
    let door = Door::new(2);
    let mut client = door.client();
    client.query("BEGIN").unwrap();
    client.send(&[parse("", "SELECT generate_series(1, 5)"), bind("p", "", &[]), execute("p", 2), sync()].concat()).unwrap();
    assert_eq!(kinds(&mut client, 1), "12DDsZT");
    client.send(&[execute("p", 2), sync()].concat()).unwrap();
    assert_eq!(kinds(&mut client, 1), "DDsZT");
    client.send(&[describe_portal("p"), execute("p", 0), close_portal("p"), sync()].concat()).unwrap();
    assert_eq!(kinds(&mut client, 1), "TDC3ZT");
    client.query("COMMIT").unwrap();
    door.rests();
}

#[test]
fn function_calls() {
    let door = Door::new(1);
    let mut client = door.client();
    let oid: u32 = client.query("SELECT 'pg_catalog.pg_backend_pid'::regproc::oid").unwrap().value().parse().unwrap();
    client.send(&message(b'F', &[&oid.to_be_bytes()[..], &[0, 0, 0, 0, 0, 0]].concat())).unwrap();
    assert_eq!(kinds(&mut client, 1), "VZI");
    client.send(&message(b'F', &[&0u32.to_be_bytes()[..], &[0, 0, 0, 0, 0, 0]].concat())).unwrap();
    assert_eq!(kinds(&mut client, 1), "EZI");
}

#[test]
fn what_is_no_message_ends_the_client() {
    let door = Door::new(1);
    for bytes in [&b"z\0\0\0\x04"[..], b"Q\0\0\0\x01", b"S\x01\0\0\0"] {
        let mut client = door.client();
        client.send(&query("SELECT 1")).unwrap();
        client.send(bytes).unwrap();
        assert_eq!(kinds(&mut client, 1), "TDCZI");
        assert_eq!(client.answer().unwrap_err().to_string().split(':').next(), Some("08P01 FATAL"));
    }
    door.rests();
    assert_eq!(door.handle.counts().errors, 3);
}

#[test]
fn rows_of_any_size_pass() {
    let door = Door::new(1);
    let mut client = door.client();
    for length in [10, 20_000, 3_000_000] {
        let answer = client.query(&format!("SELECT repeat('x', {length})")).unwrap();
        assert_eq!(answer.value().len(), length);
        let text = "y".repeat(length);
        assert_eq!(client.ask("SELECT length($1)", &[&text]).unwrap().value(), length.to_string());
        let long = format!("SELECT length('{text}')");
        assert_eq!(client.query(&long).unwrap().value(), length.to_string());
        assert_eq!(client.ask(&long, &[]).unwrap().value(), length.to_string());
        client.query("BEGIN").unwrap();
        client.send(&[query(&long), query("SELECT 1"), query("COMMIT")].concat()).unwrap();
        assert_eq!(client.answer().unwrap().value(), length.to_string());
        assert_eq!(kinds(&mut client, 2), "TDCZTCZI");
    }
}
