use testkit::wire::frames::{bind, close_statement, describe_statement, execute, parse, query, sync};

use crate::setup::{Door, kinds, server};

#[test]
fn names_are_each_clients_own_on_every_connection() {
    let door = Door::new(3);
    let mut clients: Vec<_> = (0..6).map(|_| door.client()).collect();
    for (number, client) in clients.iter_mut().enumerate() {
        client.send(&[parse("s", &format!("SELECT {number}, $1::int")), sync()].concat()).unwrap();
        assert_eq!(kinds(client, 1), "1ZI");
    }
    for round in 0..20 {
        for client in &mut clients {
            client.send(&[bind("", "s", &["5"]), execute("", 0), sync()].concat()).unwrap();
        }
        for (number, client) in clients.iter_mut().enumerate() {
            let answer = client.answer().unwrap();
            assert_eq!(answer.rows, [[Some(number.to_string()), Some("5".into())]], "{round}");
        }
    }
    door.rests();
}

#[test]
fn a_name_twice_an_unknown_one_and_closing() {
    let door = Door::new(1);
    let mut client = door.client();
    client.send(&[parse("s", "SELECT 1"), sync(), parse("s", "SELECT 2"), sync(), bind("", "nobody", &[]), sync()].concat()).unwrap();
    assert_eq!(kinds(&mut client, 1), "1ZI");
    assert_eq!(client.answer().unwrap().errors[0].code, "42P05");
    let answer = client.answer().unwrap();
    assert_eq!((&*answer.errors[0].code, &*answer.errors[0].text), ("26000", "prepared statement \"nobody\" does not exist"));
    client.send(&[close_statement("s"), bind("", "s", &[]), sync()].concat()).unwrap();
    assert_eq!(kinds(&mut client, 1), "3EZI");
    client.send(&[parse("s", "SELECT 3"), bind("", "s", &[]), execute("", 0), sync()].concat()).unwrap();
    assert_eq!(client.answer().unwrap().value(), "3");
}

#[test]
fn sql_knows_the_protocols_names() {
    let door = Door::new(2);
    let mut client = door.client();
    let mut other = door.client();
    client.send(&[parse("s", "SELECT 7"), sync()].concat()).unwrap();
    assert_eq!(kinds(&mut client, 1), "1ZI");
    assert_eq!(client.query("EXECUTE s").unwrap().value(), "7");
    assert_eq!(client.query("DEALLOCATE s").unwrap().tags, ["DEALLOCATE"]);
    assert_eq!(client.query("DEALLOCATE s").unwrap().errors[0].code, "26000");
    other.send(&[parse("s", "SELECT 8"), sync()].concat()).unwrap();
    assert_eq!(kinds(&mut other, 1), "1ZI");
    assert_eq!(client.query("DEALLOCATE ALL").unwrap().tags, ["DEALLOCATE ALL"]);
    assert_eq!(client.query("DISCARD ALL").unwrap().tags, ["DISCARD ALL"]);
    other.send(&[bind("", "s", &[]), execute("", 0), sync()].concat()).unwrap();
    assert_eq!(other.answer().unwrap().value(), "8");
}

#[test]
fn definitions_under_prepared_statements_are_never_worse_than_direct() {
    let door = Door::new(2);
    let mut client = door.client();
    let mut direct = testkit::Wire::connect(&server().address(), &crate::setup::login()).unwrap();
    direct.query("CREATE TABLE changing (a int); INSERT INTO changing VALUES (1)").unwrap();
    for wire in [&mut client, &mut direct] {
        wire.send(&[parse("s", "SELECT * FROM changing"), describe_statement("s"), sync()].concat()).unwrap();
        assert_eq!(kinds(wire, 1), "1tTZI");
    }
    server().psql("ALTER TABLE changing ADD b int");
    for wire in [&mut client, &mut direct] {
        wire.send(&[bind("", "s", &[]), execute("", 0), sync()].concat()).unwrap();
        assert_eq!(wire.answer().unwrap().errors[0].code, "0A000");
    }
    // A statement that is parsed now is what the table is now.
    client.send(&[parse("new", "SELECT * FROM changing"), bind("", "new", &[]), execute("", 0), sync()].concat()).unwrap();
    assert_eq!(client.answer().unwrap().rows, [[Some("1".into()), None]]);
}

#[test]
fn unnamed_lookups_are_kept_and_survive_definitions() {
    let door = Door::new(1);
    let mut client = door.client();
    client.query("CREATE TABLE kept (id int PRIMARY KEY, a text); INSERT INTO kept VALUES (1, 'x')").unwrap();
    let text = "SELECT * FROM kept WHERE id = $1";
    client.query("CREATE TABLE asked (n int)").unwrap();
    for n in ["1", "2", "3", "4"] {
        assert_eq!(client.ask("INSERT INTO asked VALUES ($1)", &[n]).unwrap().tags, ["INSERT 0 1"]);
    }
    assert_eq!(client.query("SELECT string_agg(n::text, '' ORDER BY n) FROM asked").unwrap().value(), "1234", "each once");
    for _ in 0..10 {
        assert_eq!(client.ask(text, &["1"]).unwrap().rows, [[Some("1".into()), Some("x".into())]]);
    }
    let prepared = client.query("SELECT name FROM pg_prepared_statements WHERE statement LIKE '%FROM kept%'").unwrap();
    assert_eq!(prepared.rows.len(), 1, "{prepared:?}");
    server().psql("ALTER TABLE kept ADD b int");
    assert_eq!(client.ask(text, &["1"]).unwrap().rows, [[Some("1".into()), Some("x".into()), None]]);
    server().psql("DROP TABLE kept");
    assert_eq!(client.ask(text, &["1"]).unwrap().errors[0].code, "42P01");
    assert_eq!(client.query("SELECT 1").unwrap().value(), "1");
}

#[test]
fn statements_are_bounded_on_each_connection() {
    let mut plan = crate::setup::plan(1);
    plan.pool.statements = 5;
    let door = Door::start(plan);
    let mut client = door.client();
    for round in 0..3 {
        for number in 0..12 {
            if round == 0 {
                client.send(&[parse(&format!("s{number}"), &format!("SELECT {number}")), sync()].concat()).unwrap();
                assert_eq!(kinds(&mut client, 1), "1ZI");
            }
            client.send(&[bind("", &format!("s{number}"), &[]), execute("", 0), sync()].concat()).unwrap();
            assert_eq!(client.answer().unwrap().value(), number.to_string());
        }
    }
    client.send(&query("SELECT count(*) FROM pg_prepared_statements")).unwrap();
    assert!(client.answer().unwrap().value().parse::<usize>().unwrap() <= 6);
}
