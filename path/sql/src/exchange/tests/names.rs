//! Names of prepared statements over several server connections.

use super::scene::{PREPARED, Scene, Server, error};

/// A client that prepared `s` on `server` and was told its columns if `told`.
fn prepared<'s>(server: &'s mut Server, told: &str) -> Scene<'s> {
    let mut scene = Scene::new(server);
    assert_eq!(scene.client("P s SELECT a | D S s | S"), "P plimsoll_1 SELECT a | D S plimsoll_1 | S");
    if told.is_empty() {
        scene.answer("1 | E 42P01 | Z I");
    } else {
        assert_eq!(scene.answer(&format!("1 | t | {told} | Z I")), format!("1 | t | {told} | Z I"));
    }
    scene
}

#[test]
fn a_name_is_one_of_the_doors_at_the_server() {
    let mut server = Server::default();
    let mut scene = Scene::new(&mut server);
    assert_eq!(scene.client(PREPARED), "P plimsoll_1 SELECT a | S");
    scene.answer("1 | Z I");
    assert_eq!(scene.client("B p s | D P p | E p | D S s | S"), "B p plimsoll_1 | D P p | E p | D S plimsoll_1 | S");
    scene.answer("2 | T a | D 1 | C SELECT 1 | t | T a | Z I");
    let mut scene = Scene::new(&mut server);
    assert_eq!(scene.client("P other SELECT a | S"), "P plimsoll_2 SELECT a | S", "a client's Parse is looked at by the server");
    scene.answer("1 | Z I");
    assert_eq!(scene.client("S"), "C S plimsoll_1 | S", "the older copy is of no use any more");
    assert_eq!(scene.answer("3 | Z I"), "Z I");
}

#[test]
fn another_server_prepares_it_when_it_is_needed() {
    let (mut one, mut two) = (Server::default(), Server::default());
    let mut scene = Scene::new(&mut one);
    scene.client(PREPARED);
    scene.answer("1 | Z I");
    let mut scene = scene.on(&mut two);
    assert_eq!(scene.client("B - s | E - | S"), "P plimsoll_1 SELECT a | B - plimsoll_1 | E - | S");
    assert_eq!(scene.answer("1 | 2 | C SELECT 0 | Z I"), "2 | C SELECT 0 | Z I");
    assert_eq!(scene.client("B - s | E - | S"), "B - plimsoll_1 | E - | S");
    scene.answer("2 | C SELECT 0 | Z I");
    let mut scene = scene.on(&mut one);
    assert_eq!(scene.client("B - s | E - | S"), "B - plimsoll_1 | E - | S");
}

#[test]
fn preparing_it_anew_may_fail_and_then_that_is_the_answer() {
    let (mut one, mut two) = (Server::default(), Server::default());
    let mut scene = Scene::new(&mut one);
    scene.client(PREPARED);
    scene.answer("1 | Z I");
    let mut scene = scene.on(&mut two);
    scene.client("B - s | E - | S");
    assert_eq!(scene.answer("E 42P01 | Z I"), "E 42P01 | Z I");
    assert_eq!(scene.client("B - s | S"), "P plimsoll_2 SELECT a | B - plimsoll_2 | S");
}

#[test]
fn a_name_counts_once_it_was_confirmed() {
    let mut server = Server::default();
    let mut scene = Scene::new(&mut server);
    scene.client("P s SELECT a | S");
    scene.answer("E 42P01 | Z I");
    assert_eq!(scene.client("B - s | S"), "B - s | S", "the server says that there is none");
    scene.answer("E 26000 | Z I");
    // In a later batch it is not known yet what became of it.
    assert_eq!(scene.client("P s SELECT b | S | B - s | E - | S"), "P plimsoll_2 SELECT b | S");
    assert_eq!(scene.server("1 | Z I").1, "B - plimsoll_2 | E - | S");
    scene.answer("2 | C SELECT 0 | Z I");
    // In the same batch it holds, or nothing does.
    assert_eq!(scene.client("P t SELECT c | B - t | C S t | B - t | S"), "P plimsoll_3 SELECT c | B - plimsoll_3 | B - t | S");
    assert_eq!(scene.answer("1 | 2 | E 26000 | Z I"), "1 | 2 | 3 | E 26000 | Z I");
}

#[test]
fn a_close_that_was_skipped_has_closed_nothing() {
    let mut server = Server::default();
    let mut scene = Scene::new(&mut server);
    scene.client(PREPARED);
    scene.answer("1 | Z I");
    assert_eq!(scene.client("B - x | C S s | S"), "B - x | S");
    assert_eq!(scene.answer("E 26000 | Z I"), "E 26000 | Z I");
    assert_eq!(scene.client("B - s | S"), "B - plimsoll_1 | S");
    scene.answer("2 | Z I");
    assert_eq!(scene.client("C S s"), "");
    assert_eq!(scene.said(), "3");
    assert_eq!(scene.client("C S s | S"), "C S s | S");
}

#[test]
fn a_name_that_is_taken_is_refused_by_the_server() {
    let mut server = Server::default();
    let mut scene = Scene::new(&mut server);
    scene.client(PREPARED);
    scene.answer("1 | Z I");
    assert_eq!(scene.client("P s SELECT b | S"), "P s | P s SELECT b | S");
    assert_eq!(scene.answer("1 | E 42P05 | Z I"), "E 42P05 | Z I");
    assert_eq!(scene.client("B - s | S"), "C S s | B - plimsoll_1 | S");
    assert_eq!(scene.answer("3 | 2 | Z I"), "2 | Z I");
}

#[test]
fn the_doors_own_names_are_out_of_reach() {
    let mut server = Server::default();
    let mut scene = Scene::new(&mut server);
    scene.client(PREPARED);
    scene.answer("1 | Z I");
    let mut scene = Scene::new(&mut server);
    assert_eq!(
        scene.client("B - plimsoll_1 | D S plimsoll_1 | S"),
        "C S plimsoll_1 | B - plimsoll_1 | C S plimsoll_1 | D S plimsoll_1 | S"
    );
    assert_eq!(scene.answer("3 | E 26000 | Z I"), "E 26000 | Z I");
    for text in ["DEALLOCATE plimsoll_1", "EXECUTE plimsoll_1", "PREPARE plimsoll_1 AS SELECT a"] {
        let (mut server, mut another) = (Server::default(), Server::default());
        let mut owner = Scene::new(&mut server);
        owner.client(PREPARED);
        owner.answer("1 | Z I");
        let mut owner = owner.on(&mut another);
        let mut scene = Scene::new(&mut server);
        assert_eq!(scene.client(&format!("Q {text}")), format!("C S plimsoll_1 | Q {text}"));
        scene.answer("3 | E 26000 | Z I");
        owner = owner.on(&mut server);
        assert_eq!(owner.client("B - s | S"), "P plimsoll_2 SELECT a | B - plimsoll_2 | S", "its owner is not harmed by {text}");
    }
}

#[test]
fn a_client_may_call_its_statements_as_the_door_does() {
    let mut server = Server::default();
    let mut scene = Scene::new(&mut server);
    assert_eq!(scene.client("P plimsoll_1 SELECT a | B - plimsoll_1 | S"), "P plimsoll_2 SELECT a | B - plimsoll_2 | S");
    scene.answer("1 | 2 | Z I");
    assert_eq!(scene.client("Q DEALLOCATE plimsoll_1"), "P plimsoll_1 | S | Q DEALLOCATE plimsoll_1");
    scene.answer("1 | Z I | C DEALLOCATE | Z I");
    scene.client("Q PREPARE plimsoll_3 AS SELECT b");
    scene.answer("C PREPARE | Z I");
    assert_eq!(scene.client("P s SELECT c | S"), "P plimsoll_4 SELECT c | S");
}

#[test]
fn an_error_calls_a_statement_as_the_client_does() {
    let mut server = Server::default();
    let mut scene = Scene::new(&mut server);
    scene.client(PREPARED);
    scene.answer("1 | Z I");
    scene.client("B - s | S");
    let down = scene.server_bytes(&error("08P01", "statement \"plimsoll_1\" requires 0", "x")).unwrap();
    assert_eq!(down, error("08P01", "statement \"s\" requires 0", "x"));
}

#[test]
fn the_unnamed_statement_outlives_all_names() {
    let mut server = Server::default();
    let mut scene = Scene::new(&mut server);
    scene.client("P s DISCARD ALL | P - SELECT a | S");
    scene.answer("1 | 1 | Z I");
    scene.client("B - s | E - | S");
    scene.answer("2 | C DISCARD ALL | Z I");
    assert_eq!(scene.client("B - - | B - s | S"), "P - SELECT a | B - - | B - s | S");
}

#[test]
fn the_least_recently_used_is_closed() {
    let mut server = Server::default();
    let mut scene = Scene::new(&mut server);
    scene.rules.most = 2;
    for name in ["a", "b"] {
        scene.client(&format!("P {name} SELECT {name} | S"));
        scene.answer("1 | Z I");
    }
    scene.client("B - a | S");
    scene.answer("2 | Z I");
    assert_eq!(scene.client("P c SELECT c | S"), "P plimsoll_3 SELECT c | S");
    scene.answer("1 | Z I");
    assert_eq!(scene.client("B - b | S"), "C S plimsoll_2 | P plimsoll_4 SELECT b | B - plimsoll_4 | S");
    assert_eq!(scene.answer("3 | 1 | 2 | Z I"), "2 | Z I");
}

#[test]
fn the_unnamed_statement_stays_its_clients() {
    let (mut one, mut two) = (Server::default(), Server::default());
    let mut scene = Scene::new(&mut one);
    assert_eq!(scene.client("P - SELECT a | D S - | S"), "P - SELECT a | D S - | S");
    scene.answer("1 | t | T a | Z I");
    assert_eq!(scene.client("B - - | E - | S"), "B - - | E - | S");
    scene.answer("2 | C SELECT 0 | Z I");
    let mut scene = scene.on(&mut two);
    assert_eq!(scene.client("B - - | E - | S"), "P - SELECT a | B - - | E - | S");
    assert_eq!(scene.answer("1 | 2 | C SELECT 0 | Z I"), "2 | C SELECT 0 | Z I");
    // Postgres forgets it with a `Query`.
    scene.client("Q SELECT 1");
    scene.answer("C SELECT 1 | Z I");
    assert_eq!(scene.client("B - - | S"), "C S - | B - - | S");
    assert_eq!(scene.answer("3 | E 26000 | Z I"), "E 26000 | Z I");
    // And with a `Parse` that fails.
    scene.client("P - SELECT a | S | P - x | S");
    scene.answer("1 | Z I | E 42601 | Z I");
    assert_eq!(scene.client("B - - | S"), "C S - | B - - | S");
    let mut other = Scene::new(&mut two);
    assert_eq!(other.client("B - - | S"), "C S - | B - - | S", "another client's must not be found");
}

#[test]
fn what_a_client_was_told_of_the_columns_holds() {
    let (mut one, mut two) = (Server::default(), Server::default());
    let mut scene = prepared(&mut one, "T a").on(&mut two);
    assert_eq!(scene.client("B - s | E - | S"), "P plimsoll_1 SELECT a | D S plimsoll_1 | H");
    assert_eq!(scene.server("1 | t | T a"), (String::new(), "B - plimsoll_1 | E - | S".into()));
    assert_eq!(scene.answer("2 | D 1 | C SELECT 1 | Z I"), "2 | D 1 | C SELECT 1 | Z I");
    assert_eq!(scene.client("B - s | E - | S"), "B - plimsoll_1 | E - | S", "asked once");

    let (mut one, mut two) = (Server::default(), Server::default());
    let mut scene = prepared(&mut one, "T a").on(&mut two);
    scene.client("B - s | E - | S");
    let (down, up) = scene.server("1 | t | T a b");
    assert_eq!((&*down, &*up), ("", "P - cached plan must not change result type | E - | S"));
    assert_eq!(scene.answer("E 42601 | Z I"), "E 0A000 | Z I");
    // It is told anew and holds from then on.
    assert_eq!(scene.client("D S s | S"), "D S plimsoll_1 | S");
    assert_eq!(scene.answer("t | T a b | Z I"), "t | T a b | Z I");
    assert_eq!(scene.client("B - s | E - | S"), "B - plimsoll_1 | E - | S");
}

#[test]
fn asking_for_the_columns_may_fail() {
    let (mut one, mut two) = (Server::default(), Server::default());
    let mut scene = prepared(&mut one, "n").on(&mut two);
    scene.client("B - s | E - | S");
    assert_eq!(scene.server("E 42P01"), ("E 42P01".into(), "S".into()));
    assert_eq!(scene.answer("Z I"), "Z I");
    assert!(scene.answers.is_settled());
}

#[test]
fn statements_of_different_settings_are_different() {
    let (mut one, mut two) = (Server::default(), Server::default());
    let mut scene = Scene::new(&mut one);
    scene.client(PREPARED);
    scene.answer("1 | Z I");
    scene.rules.environment = 7;
    assert_eq!(scene.client("B - s | S"), "P plimsoll_2 SELECT a | B - plimsoll_2 | S");
    scene.answer("1 | 2 | Z I");
    scene.rules.environment = 0;
    assert_eq!(scene.client("B - s | S"), "B - plimsoll_1 | S");
    scene.answer("2 | Z I");
    scene.rules.environment = 7;
    let mut scene = scene.on(&mut two);
    assert_eq!(scene.client("B - s | S"), "P plimsoll_1 SELECT a | B - plimsoll_1 | S");
    scene.answer("1 | 2 | Z I");
    let mut other = Scene::new(&mut one);
    other.rules.environment = 7;
    other.client("P t SELECT a | S");
    other.answer("1 | Z I");
    let mut other = other.on(&mut two);
    assert_eq!(other.client("B - t | S"), "B - plimsoll_1 | S");
    other.answer("2 | Z I");
    let mut third = Scene::new(&mut two);
    assert_eq!(third.client("P u SELECT a | B - u | S"), "P plimsoll_2 SELECT a | B - plimsoll_2 | S");
}

/// What is private is what the client has parsed itself since it changed something.
#[test]
fn what_a_client_parses_after_a_change_is_what_it_binds() {
    let mut server = Server::default();
    let mut other = Scene::new(&mut server);
    other.client(PREPARED);
    other.answer("1 | Z I");
    let mut scene = Scene::new(&mut server);
    scene.client("Q BEGIN");
    scene.answer("C BEGIN | Z T");
    scene.client("Q SET LOCAL datestyle = german");
    scene.answer("C SET | Z T");
    assert_eq!(scene.client("P s SELECT a | B - s | S"), "P plimsoll_2 SELECT a | B - plimsoll_2 | S");
    scene.answer("1 | 2 | Z T");
    assert_eq!(scene.client("B - s | S"), "B - plimsoll_2 | S");
}

/// What is dropped of many is closed while more come, and the next client waits for few of them.
#[test]
fn what_many_statements_push_out_is_closed_in_time() {
    let mut server = Server::default();
    let mut scene = Scene::new(&mut server);
    let parses: String = (0..5000).map(|number| format!("P n{number} SELECT {number} | ")).collect();
    let (mut sent, mut there) = (scene.client(&format!("{parses}S")), 0i64);
    for _ in 0..60 {
        let count = |tag: &str| sent.split(" | ").filter(|message| message.starts_with(tag)).count();
        let answers = sent.split(" | ").filter_map(|message| match message.get(..1) {
            Some("P") => Some("1"),
            Some("C") => Some("3"),
            Some("S") => Some("Z I"),
            _ => None,
        });
        there += count("P") as i64 - count("C") as i64;
        let answers = answers.collect::<Vec<_>>().join(" | ");
        if answers.is_empty() {
            break;
        }
        sent = scene.server(&answers).1;
    }
    assert!(scene.answers.is_settled());
    assert!(there < 300, "{there} statements are at the server");
    let mut other = Scene::new(&mut server);
    let before = other.client("Q SELECT 1").matches("C S").count();
    assert!((1..=64).contains(&before), "{before}");
}

#[test]
fn what_may_make_tables_counts() {
    for (text, expected) in [
        ("CREATE TEMP TABLE t (a int)", true),
        ("CALL make()", true),
        ("COMMIT PREPARED 'x'", true),
        ("SELECT 1 a INTO t", true),
        ("INSERT INTO t VALUES (1)", false),
        ("COMMIT", false),
    ] {
        let mut server = Server::default();
        let mut scene = Scene::new(&mut server);
        scene.client(&format!("Q {text}"));
        assert_eq!(scene.intake.defines, expected, "{text}");
    }
}

/// A table that is made nearer on the search path is found by what is parsed afterwards, not by what was before.
#[test]
fn a_copy_of_before_a_definition_is_for_those_who_parsed_before_it() {
    let (mut one, mut two) = (Server::default(), Server::default());
    let mut old = Scene::new(&mut one);
    old.client(PREPARED);
    old.answer("1 | Z I");
    let mut new = Scene::new(&mut two);
    assert!(!new.intake.defines);
    new.client("Q CREATE TABLE b.t (a int)");
    assert!(new.intake.defines);
    assert!(!new.answers.take_committed());
    new.answer("C CREATE TABLE | Z I");
    assert!(new.answers.take_committed() && !new.answers.take_committed());
    new.generation = 1;
    new.client(PREPARED);
    new.answer("1 | Z I");
    let mut new = new.on(&mut one);
    assert_eq!(new.client("B - s | S"), "C S plimsoll_1 | P plimsoll_2 SELECT a | B - plimsoll_2 | S".replace("C S plimsoll_1 | ", ""));
    new.answer("1 | 2 | Z I");
    let mut again = Scene::new(&mut one);
    assert_eq!(again.client("S"), "C S plimsoll_1 | S");
}

#[test]
fn names_are_bounded() {
    let mut server = Server::default();
    let mut scene = Scene::new(&mut server);
    scene.rules.most = 10_000;
    let long = "x".repeat(16_000);
    let mut count = 0;
    while !scene.client(&format!("P {count} SELECT {long} | S")).contains("P - cached plan must not change") {
        // The copy that the name before had is of no use any more.
        scene.answer(if count < 2 { "1 | Z I" } else { "3 | 1 | Z I" });
        count += 1;
    }
    assert!((4000..4200).contains(&count), "{count}");
    assert_eq!(scene.answer("3 | E 42601 | Z I"), "E 54000 | Z I");
    scene.client("C S 7 | S");
    scene.answer("Z I");
    assert!(scene.client("P c SELECT c | S").contains("P plimsoll_"));
}

/// What the server may skip it may not have.
#[test]
fn the_unnamed_statement_that_is_prepared_anew_is_awaited() {
    let (mut one, mut two) = (Server::default(), Server::default());
    let mut scene = Scene::new(&mut one);
    scene.client("P - SELECT a | S");
    scene.answer("1 | Z I");
    let mut scene = scene.on(&mut two);
    assert_eq!(scene.client("E x | D S - | S | D S - | S"), "E x | P - SELECT a | D S - | S");
    assert_eq!(scene.server("E 34000 | Z I"), ("E 34000 | Z I".into(), "P - SELECT a | D S - | S".into()));
    assert_eq!(scene.answer("1 | t | T a | Z I"), "t | T a | Z I");
}

/// A message may wait for more than one answer: each is asked for.
#[test]
fn each_answer_that_is_waited_for_is_flushed() {
    let (mut one, mut two) = (Server::default(), Server::default());
    let mut scene = prepared(&mut one, "T a");
    scene.client("P t SELECT b | S");
    scene.answer("1 | Z I");
    let mut scene = scene.on(&mut two);
    let begun = "P t | P - DEALLOCATE t | B - - | E - | H";
    assert_eq!(scene.client("P - DEALLOCATE t | B - - | E - | B - s | E - | S"), begun);
    assert_eq!(scene.server("1 | 1 | 2 | C DEALLOCATE").1, "P plimsoll_1 SELECT a | D S plimsoll_1 | H");
    assert_eq!(scene.server("1 | t | T a").1, "B - plimsoll_1 | E - | S");
}

/// Neither names nor copies that are not confirmed make a batch slow: some answers come first.
#[test]
fn a_batch_of_names_waits_for_answers() {
    let mut server = Server::default();
    let mut scene = Scene::new(&mut server);
    let parses: String = (0..5000).map(|number| format!("P n{number} SELECT {number} | ")).collect();
    let sent = scene.client(&parses);
    assert!(sent.ends_with("| H") && sent.matches("P plimsoll").count() <= 128);
    let (_, more) = scene.server(&"1 | ".repeat(120));
    assert!(more.matches("P plimsoll").count() >= 100);
}

#[test]
fn names_are_as_long_as_postgres_takes_them() {
    let mut server = Server::default();
    let mut scene = Scene::new(&mut server);
    let name = "n".repeat(63);
    scene.client(&format!("P {name}one SELECT a | S"));
    scene.answer("1 | Z I");
    assert_eq!(scene.client(&format!("B - {name}two | S")), "B - plimsoll_1 | S");
}

#[test]
fn what_is_parsed_in_the_midst_of_changes_is_nobody_elses() {
    for change in ["SET LOCAL search_path = a", "SET search_path = a", "CREATE TABLE t (a int)", "DO $$BEGIN END$$"] {
        let mut server = Server::default();
        let mut scene = Scene::new(&mut server);
        scene.client(PREPARED);
        scene.answer("1 | Z I");
        scene.client("Q BEGIN");
        scene.answer("C BEGIN | Z T");
        assert_eq!(
            scene.client(&format!("Q {change} | P t SELECT b | B - s | B - t | S")),
            format!("Q {change} | P plimsoll_2 SELECT b | B - plimsoll_1 | B - plimsoll_2 | S")
        );
        scene.answer("C X | Z T | 1 | 2 | 2 | Z T");
        assert_eq!(scene.client("B - t | S"), "B - plimsoll_2 | S");
        scene.answer("2 | Z T");
        scene.client("Q COMMIT");
        scene.answer("C COMMIT | Z I");
        scene.server.prepared.end_privacy();
        let mut scene = scene.settle();
        assert_eq!(scene.client("B - t | S"), "C S plimsoll_2 | P plimsoll_3 SELECT b | B - plimsoll_3 | S", "{change}");
    }
}
