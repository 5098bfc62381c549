//! Sequences of messages within one batch or one transaction that must not reach other clients, nor miss their own.

use testkit::Wire;
use testkit::wire::frames::{bind, copy_data, copy_done, execute, flush, message, parse, query, sync};

use crate::setup::{Door, kinds, server};

fn fine(client: &mut Wire, sql: &str) -> String {
    client.query(sql).unwrap().fine().value().to_owned()
}

/// A `FunctionCall` with arguments and result as text.
fn call(function: &str, arguments: &[&str]) -> Vec<u8> {
    let oid: u32 = server().psql(&format!("SELECT '{function}'::regprocedure::oid")).trim().parse().unwrap();
    let mut body = oid.to_be_bytes().to_vec();
    body.extend([0, 0]);
    body.extend((arguments.len() as u16).to_be_bytes());
    for argument in arguments {
        body.extend((argument.len() as u32).to_be_bytes());
        body.extend(argument.bytes());
    }
    body.extend([0, 0]);
    message(b'F', &body)
}

#[test]
fn what_a_function_call_leaves_is_the_callers() {
    server().psql("CREATE SEQUENCE called_ids; GRANT ALL ON SEQUENCE called_ids TO app");
    let door = Door::new(1);
    let (mut client, mut other) = (door.client(), door.client());
    for arguments in [["called.tenant", "secret", "f"], ["work_mem", "9MB", "f"]] {
        client.send(&call("set_config(text,text,boolean)", &arguments)).unwrap();
        assert_eq!(kinds(&mut client, 1), "VZI");
    }
    assert_eq!(fine(&mut other, "SHOW work_mem"), "4MB");
    let tenant = "SELECT coalesce(current_setting('called.tenant', true), '')";
    assert_eq!(fine(&mut other, tenant), "");
    assert_eq!(fine(&mut client, "SHOW work_mem"), "9MB");
    client.send(&call("pg_advisory_lock(bigint)", &["4720"])).unwrap();
    assert_eq!(kinds(&mut client, 1), "VZI");
    assert_eq!(door.handle.status().pinned[0].reasons, ["advisory_lock"]);
    client.send(&call("pg_advisory_unlock(bigint)", &["4720"])).unwrap();
    assert_eq!(kinds(&mut client, 1), "VZI");
    fine(&mut other, "SELECT nextval('called_ids')");
    client.send(&call("lastval()", &[])).unwrap();
    assert_eq!(client.answer().unwrap().code(), Some("55000"));
    client.send(&call("lo_creat(integer)", &["-1"])).unwrap();
    assert_eq!(kinds(&mut client, 1), "VZI");
    assert!(door.handle.status().pinned.is_empty());
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

#[test]
fn sequences_of_others_are_not_read_in_an_open_batch() {
    server().psql("CREATE SEQUENCE batch_ids START 4243; GRANT ALL ON SEQUENCE batch_ids TO app");
    let door = Door::new(1);
    let mut other = door.client();
    for is_named in [false, true] {
        let mut client = door.client();
        if is_named {
            client.send(&[parse("last", "SELECT lastval()"), sync()].concat()).unwrap();
            assert_eq!(kinds(&mut client, 1), "1ZI");
        }
        fine(&mut other, "SELECT nextval('batch_ids')");
        client.send(&[parse("", "SELECT 1"), flush()].concat()).unwrap();
        assert_eq!(client.receive().unwrap().tag, b'1');
        let name = if is_named { "last" } else { "" };
        let parsed = if is_named { Vec::new() } else { parse("", "SELECT lastval()") };
        client.send(&[parsed, bind("", name, &[]), execute("", 0), sync()].concat()).unwrap();
        assert_eq!(client.answer().unwrap().code(), Some("55000"));
        // Its own it has.
        let batch = |text: &str| [parse("", text), bind("", "", &[]), execute("", 0)].concat();
        fine(&mut other, "SELECT nextval('batch_ids')");
        client.send(&[parse("", "SELECT 1"), flush()].concat()).unwrap();
        assert_eq!(client.receive().unwrap().tag, b'1');
        client.send(&[batch("SELECT nextval('batch_ids')"), batch("SELECT lastval()"), sync()].concat()).unwrap();
        let answer = client.answer().unwrap();
        let answer = answer.fine();
        assert_eq!(answer.rows[0], answer.rows[1]);
        client.terminate();
    }
}

#[test]
fn a_reader_of_sequences_waits_for_no_answer_that_waits_for_its_data() {
    server()
        .psql("CREATE SEQUENCE copy_ids; CREATE TABLE batch_copied (a int); GRANT ALL ON SEQUENCE copy_ids TO app; GRANT ALL ON batch_copied TO app");
    let door = Door::new(1);
    let mut other = door.client();
    let text = "COPY batch_copied FROM STDIN";
    for (begins, ends) in [([parse("", text), bind("", "", &[]), execute("", 0), flush()].concat(), sync()), (query(text), Vec::new())] {
        let mut client = door.client();
        fine(&mut other, "SELECT nextval('copy_ids')");
        client.send(&begins).unwrap();
        while client.receive().unwrap().tag != b'G' {}
        client.send(&[copy_data(b"1\n"), copy_done(), ends, query("SELECT lastval()")].concat()).unwrap();
        assert_eq!(client.answer().unwrap().fine().tags, ["COPY 1"]);
        assert_eq!(client.answer().unwrap().code(), Some("55000"));
        client.terminate();
    }
}
#[test]
fn texts_are_read_as_the_transaction_has_it() {
    let door = Door::new(1);
    let (mut client, mut other) = (door.client(), door.client());
    let odd = r"SELECT '\'', set_config('work_mem','9MB',false) --'";
    for off in ["SET LOCAL standard_conforming_strings = off", "SELECT set_config('standard_conforming' || '_strings', 'off', true)"] {
        client.query("BEGIN").unwrap().fine();
        client.query(off).unwrap().fine();
        client.query(odd).unwrap().fine();
        client.query("COMMIT").unwrap().fine();
        assert_eq!(fine(&mut other, "SHOW work_mem"), "4MB", "{off}");
        client.query("RESET work_mem").unwrap().fine();
    }
    let batch = |text: &str| [parse("", text), bind("", "", &[]), execute("", 0)].concat();
    client.send(&[batch("SET LOCAL standard_conforming_strings = off"), batch(odd), sync(), query("SELECT 1")].concat()).unwrap();
    client.answer().unwrap();
    client.answer().unwrap();
    assert_eq!(fine(&mut other, "SHOW work_mem"), "4MB");
}

#[test]
fn a_session_that_cannot_be_set_costs_nobody_a_connection() {
    for servers in [1, 3] {
        let role = format!("dropped_{servers}");
        let door = Door::new(servers);
        let mut others: Vec<_> = (0..servers).map(|_| door.client()).collect();
        let mut client = door.client();
        server().psql(&format!("CREATE ROLE {role}; GRANT {role} TO app"));
        client.query(&format!("SET ROLE {role}")).unwrap().fine();
        server().psql(&format!("DROP ROLE {role}"));
        // All connections have a past with others.
        let pids = |others: &mut Vec<Wire>| {
            others.iter_mut().for_each(|other| drop(other.query("BEGIN").unwrap().fine()));
            let pids: std::collections::BTreeSet<_> = others.iter_mut().map(|other| fine(other, "SELECT pg_backend_pid()")).collect();
            others.iter_mut().for_each(|other| drop(other.query("COMMIT").unwrap().fine()));
            pids
        };
        pids(&mut others);
        let refused = |client: &mut Wire| {
            let answer = client.query("SELECT 1").unwrap();
            assert_eq!(answer.errors[0].text, format!("role \"{role}\" does not exist"));
        };
        // The first time one of them may be closed, to see whether it is its fault.
        refused(&mut client);
        let before = pids(&mut others);
        (0..5).for_each(|_| refused(&mut client));
        assert_eq!(pids(&mut others), before);
        client.query("SET ROLE none").unwrap();
    }
}

#[test]
fn the_unnamed_statement_stays_as_in_postgres() {
    let door = Door::new(1);
    let batch = |text: &str| [parse("", text), bind("", "", &[]), execute("", 0)].concat();
    let again = || [bind("", "", &[]), execute("", 0), sync()].concat();
    let mut direct = Wire::connect(&server().address(), &crate::setup::login()).unwrap();
    for wire in [&mut direct, &mut door.client()] {
        for text in ["LISTEN ch1", "UNLISTEN *", "DISCARD ALL", "DEALLOCATE ALL", "SET work_mem = '5MB'", "RESET ALL", "SELECT 7"] {
            wire.send(&[batch(text), sync(), again()].concat()).unwrap();
            wire.answer().unwrap().fine();
            wire.answer().unwrap().fine();
            wire.send(&[batch(text), sync()].concat()).unwrap();
            wire.answer().unwrap().fine();
            wire.send(&again()).unwrap();
            wire.answer().unwrap().fine();
        }
        // One that fails when it is executed is there all the same.
        wire.send(&[batch("SELECT 1/0"), sync(), again()].concat()).unwrap();
        assert_eq!(wire.answer().unwrap().code(), Some("22012"));
        assert_eq!(wire.answer().unwrap().code(), Some("22012"));
        wire.send(&again()).unwrap();
        assert_eq!(wire.answer().unwrap().code(), Some("22012"));
    }
}

#[test]
fn a_copy_behind_very_many_statements_takes_its_data() {
    server().psql("CREATE TABLE copied_late (a int); GRANT ALL ON copied_late TO app");
    let door = Door::new(1);
    let mut client = door.client();
    let text = "SELECT;".repeat(16_400) + "COPY copied_late FROM STDIN";
    client.send(&query(&text)).unwrap();
    while client.receive().unwrap().tag != b'G' {}
    client.send(&[copy_data(b"1\n"), copy_done()].concat()).unwrap();
    assert_eq!(client.answer().unwrap().fine().tags, ["COPY 1"]);
}

#[test]
fn the_rest_of_a_message_goes_before_anything_is_prepared() {
    server().psql("CREATE SEQUENCE rest_ids; GRANT ALL ON SEQUENCE rest_ids TO app");
    let door = Door::new(1);
    let (mut client, mut other) = (door.client(), door.client());
    client.send(&[parse("n", "SELECT $1::text"), sync()].concat()).unwrap();
    assert_eq!(kinds(&mut client, 1), "1ZI");
    fine(&mut other, "SELECT nextval('rest_ids')");
    let binding = bind("", "n", &["value"]);
    let (beginning, rest) = binding.split_at(10);
    client.send(&[&query("SELECT 1"), beginning].concat()).unwrap();
    client.answer().unwrap().fine();
    let reading = [parse("", "SELECT lastval()"), bind("", "", &[]), execute("", 0), sync()].concat();
    client.send(&[rest, &execute("", 0), &reading].concat()).unwrap();
    let answer = client.answer().unwrap();
    assert_eq!((answer.rows, answer.errors[0].code.as_str()), (vec![vec![Some("value".to_owned())]], "55000"));
}
