//! Names that SQL uses: `PREPARE`, `EXECUTE`, `DEALLOCATE` beside the protocol's statements.

use super::scene::{PREPARED, Scene, Server, error};

#[test]
fn a_name_of_sql_is_taken() {
    let mut server = Server::default();
    let mut scene = Scene::new(&mut server);
    scene.client("Q PREPARE s AS SELECT a");
    scene.answer("C PREPARE | Z I");
    assert_eq!(scene.client("P s SELECT b | S"), "P s SELECT b | S");
    assert_eq!(scene.answer("E 42P05 | Z I"), "E 42P05 | Z I");
    assert_eq!(scene.client("B - s | S"), "B - s | S", "it is the server's own");
    scene.answer("2 | Z I");
    assert_eq!(scene.client("C S s | P s SELECT b | S"), "C S s | P plimsoll_1 SELECT b | S");
    assert_eq!(scene.answer("3 | 1 | Z I"), "3 | 1 | Z I");
    // And the other way round.
    assert_eq!(scene.client("Q PREPARE s AS SELECT a"), "P s | S | Q PREPARE s AS SELECT a");
    assert_eq!(scene.answer("1 | Z I | E 42P05 | Z I"), "E 42P05 | Z I");
    assert_eq!(scene.client("B - s | S"), "C S s | B - plimsoll_1 | S");
}

#[test]
fn what_is_prepared_by_sql_is_known_before_anything_follows() {
    let mut server = Server::default();
    let mut scene = Scene::new(&mut server);
    assert_eq!(scene.client("Q PREPARE s AS SELECT a | P s SELECT b | S"), "Q PREPARE s AS SELECT a");
    assert_eq!(scene.server("C PREPARE | Z I").1, "P s SELECT b | S");
}

#[test]
fn why_a_statement_cannot_be_executed_is_told() {
    for (code, status) in [("26000", "I"), ("25P02", "E")] {
        let (mut one, mut two) = (Server::default(), Server::default());
        let mut scene = Scene::new(&mut one);
        scene.client(PREPARED);
        scene.answer("1 | Z I");
        let mut scene = scene.on(&mut two);
        assert_eq!(scene.client("Q EXECUTE s"), "P s SELECT a | S | Q EXECUTE s");
        assert_eq!(scene.server_bytes(&error("42P01", "no table", "x")).unwrap(), b"");
        scene.answer(&format!("Z {status}"));
        let missing = error(code, "prepared statement \"s\" does not exist", "x");
        assert_eq!(scene.server_bytes(&missing).unwrap(), error("42P01", "no table", "x"));
        scene.answer(&format!("Z {status}"));
        scene.client("Q EXECUTE other");
        assert_eq!(scene.server_bytes(&missing).unwrap(), missing);
    }
}

#[test]
fn sql_finds_the_protocols_names() {
    let mut server = Server::default();
    let mut scene = Scene::new(&mut server);
    scene.client(PREPARED);
    scene.answer("1 | Z I");
    assert_eq!(scene.client("Q DEALLOCATE s | B - s | S"), "P s | S | Q DEALLOCATE s");
    assert_eq!(scene.server("1 | Z I | C DEALLOCATE | Z I"), ("C DEALLOCATE | Z I".into(), "B - s | S".into()));
    scene.answer("E 26000 | Z I");
    let mut other = Scene::new(&mut server);
    assert_eq!(other.client("P t SELECT a | S"), "P plimsoll_2 SELECT a | S");
    other.answer("1 | Z I");
    assert_eq!(other.client("Q EXECUTE t"), "C S plimsoll_1 | H");
    assert_eq!(other.server("3").1, "P t SELECT a | S | Q EXECUTE t");
    assert_eq!(other.answer("1 | Z I | C SELECT 1 | Z I"), "C SELECT 1 | Z I");
    assert_eq!(other.client("B - t | S"), "C S t | B - plimsoll_2 | S");
}

#[test]
fn deallocate_of_a_name_in_the_extended_protocol() {
    let mut server = Server::default();
    let mut scene = Scene::new(&mut server);
    scene.client(PREPARED);
    scene.answer("1 | Z I");
    assert_eq!(scene.client("P - DEALLOCATE s | B - - | E - | S"), "P s | P - DEALLOCATE s | B - - | E - | S");
    assert_eq!(scene.answer("1 | 1 | 2 | C DEALLOCATE | Z I"), "1 | 2 | C DEALLOCATE | Z I");
    assert_eq!(scene.client("B - s | S"), "B - s | S");
}

#[test]
fn a_deallocate_that_fails_leaves_the_name() {
    let mut server = Server::default();
    let mut scene = Scene::new(&mut server);
    scene.client(PREPARED);
    scene.answer("1 | Z I");
    scene.client("Q SELECT 1/0; DEALLOCATE s");
    assert_eq!(scene.answer("1 | Z I | E 22012 | Z I"), "E 22012 | Z I");
    assert_eq!(scene.client("B - s | S"), "C S s | B - plimsoll_1 | S");
}

#[test]
fn all_names_go_with_deallocate_all() {
    for text in ["DEALLOCATE ALL", "DISCARD ALL"] {
        let mut server = Server::default();
        let mut scene = Scene::new(&mut server);
        scene.client(PREPARED);
        scene.answer("1 | Z I");
        assert_eq!(scene.client(&format!("Q {text} | P s SELECT a | S")), format!("Q {text}"));
        assert_eq!(scene.server(&format!("C {text} | Z I")).1, "P plimsoll_2 SELECT a | S");
        scene.answer("1 | Z I");
        let mut other = Scene::new(&mut server);
        assert_eq!(other.client("B - s | S"), "B - s | S");
    }
}

/// The session is made anew behind it, before anything else is in it.
#[test]
fn no_batch_goes_behind_discard_all_before_all_is_answered() {
    let mut server = Server::default();
    let mut scene = Scene::new(&mut server);
    let batch = "P - DISCARD ALL | B - - | E -";
    assert_eq!(scene.client(&format!("{batch} | B - - | S | Q PREPARE s AS SELECT a")), format!("{batch} | H"));
    assert_eq!(scene.server("1 | 2 | C DISCARD ALL").1, "P - DISCARD ALL | B - - | S");
    assert_eq!(scene.server("1 | 2 | Z I").1, "Q PREPARE s AS SELECT a");
}

/// What SQL prepares under a name that was lent is not the door's to close.
#[test]
fn a_name_that_sql_has_taken_anew_stays() {
    let mut server = Server::default();
    let mut scene = Scene::new(&mut server);
    scene.client(PREPARED);
    scene.answer("1 | Z I");
    let text = "DEALLOCATE s; PREPARE s AS SELECT b";
    assert_eq!(scene.client(&format!("Q {text}")), format!("P s | S | Q {text}"));
    assert_eq!(scene.answer("1 | Z I | C DEALLOCATE | C PREPARE | Z I"), "C DEALLOCATE | C PREPARE | Z I");
    assert_eq!(scene.client("P s SELECT c | S"), "P s SELECT c | S");
    // Nor is it while nobody knows yet.
    let mut server = Server::default();
    let mut scene = Scene::new(&mut server);
    scene.client(PREPARED);
    scene.answer("1 | Z I");
    assert_eq!(scene.client(&format!("Q {text} | S | S")), format!("P s | S | Q {text} | S | S"));
    scene.answer("1 | Z I | C DEALLOCATE | C PREPARE | Z I | Z I | Z I");
    assert_eq!(scene.client("S"), "S");
}

/// A statement that could not be lent, because somebody unseen has that name, is not the door's to close.
#[test]
fn what_was_not_lent_is_not_closed() {
    let mut server = Server::default();
    let mut scene = Scene::new(&mut server);
    scene.client(PREPARED);
    scene.answer("1 | Z I");
    assert_eq!(scene.client("P - PREPARE s AS SELECT c | S"), "P s | P - PREPARE s AS SELECT c | S");
    scene.answer("E 42P05 | Z I");
    assert_eq!(scene.client("S"), "S");
}

#[test]
fn a_query_may_use_several_names() {
    let mut server = Server::default();
    let mut scene = Scene::new(&mut server);
    scene.client("P s SELECT a | P t SELECT b | S");
    scene.answer("1 | 1 | Z I");
    assert_eq!(scene.client("Q EXECUTE s; EXECUTE t"), "P s SELECT a | S | P t SELECT b | S | Q EXECUTE s; EXECUTE t");
    assert_eq!(scene.answer("1 | Z I | 1 | Z I | C SELECT 1 | C SELECT 1 | Z I"), "C SELECT 1 | C SELECT 1 | Z I");
}

/// The server would skip a `Query` behind a message that fails, up to a `Sync` that the client does not send.
#[test]
fn a_query_in_an_open_batch_is_answered_even_if_nothing_can_be_lent_to_it() {
    let mut server = Server::default();
    let mut scene = Scene::new(&mut server);
    scene.client("P s SELECT a | P t SELECT b | S");
    scene.answer("1 | 1 | Z I");
    assert_eq!(scene.client("P - SELECT 1 | Q EXECUTE s; EXECUTE t"), "P - SELECT 1 | H");
    assert_eq!(scene.server("1"), ("1".into(), "P s SELECT a | H".into()));
    assert_eq!(scene.server("1").1, "P t SELECT b | H");
    assert_eq!(scene.server("1"), (String::new(), "Q EXECUTE s; EXECUTE t".into()));
    assert_eq!(scene.answer("C SELECT 1 | C SELECT 1 | Z I"), "C SELECT 1 | C SELECT 1 | Z I");

    assert_eq!(scene.client("P - SELECT 1 | Q EXECUTE s"), "C S t | C S s | P - SELECT 1 | H");
    assert_eq!(scene.server("3 | 3 | 1").1, "P s SELECT a | H");
    scene.client_bytes(b"");
    assert_eq!(scene.server("E 42P01"), ("E 42P01".into(), "S".into()), "it was looked at again meanwhile");
    assert_eq!(scene.answer("Z I"), "Z I");
    assert!(scene.answers.is_settled());
    assert_eq!(scene.client("B - - | S"), "C S - | B - - | S", "a `Query` ends the unnamed statement");
}

#[test]
fn a_transaction_that_failed_may_end_in_an_open_batch() {
    let mut server = Server::default();
    let mut scene = Scene::new(&mut server);
    scene.client("P s SELECT a | P r ROLLBACK | S");
    scene.answer("1 | 1 | Z I");
    scene.client("Q BEGIN | Q x");
    scene.answer("C BEGIN | Z T | E 42601 | Z E");
    assert_eq!(scene.client("B - r | E - | Q EXECUTE s"), "B - plimsoll_2 | E - | H");
    assert_eq!(scene.server("2 | C ROLLBACK").1, "P s SELECT a | H");
    assert_eq!(scene.server("1").1, "Q EXECUTE s");
}

/// Lent to a text of the same batch, which need not be there yet.
#[test]
fn a_query_waits_for_what_was_lent_to_others() {
    let mut server = Server::default();
    let mut scene = Scene::new(&mut server);
    scene.client(PREPARED);
    scene.answer("1 | Z I");
    assert_eq!(scene.client("P - EXECUTE s | Q EXECUTE s"), "P s SELECT a | P - EXECUTE s | H");
    assert_eq!(scene.server("1 | 1"), ("1".into(), "Q EXECUTE s".into()));
}

/// The server skips on behind a `Query` or a call in a batch that has failed.
#[test]
fn what_follows_a_query_in_an_open_batch_is_not_decided_before_its_answer() {
    for end in ["Q SELECT 1", "F x"] {
        let mut server = Server::default();
        let mut scene = Scene::new(&mut server);
        scene.client(PREPARED);
        scene.answer("1 | Z I");
        assert_eq!(scene.client(&format!("P s SELECT b | {end} | P s SELECT b")), format!("P s | P s SELECT b | {end}"));
        assert_eq!(scene.server("1 | E 42P05"), ("E 42P05".into(), String::new()));
        assert_eq!(scene.client("S"), "S");
        scene.answer("Z E");
        assert_eq!(scene.client("P s SELECT b | S"), "C S s | P s | P s SELECT b | S");
    }
}

#[test]
fn what_was_lent_is_closed_although_the_loan_before_was_skipped() {
    let mut server = Server::default();
    let mut scene = Scene::new(&mut server);
    scene.client(PREPARED);
    scene.answer("1 | Z I");
    let twice = "B - x | P s SELECT b | S | P s SELECT b | S";
    assert_eq!(scene.client(twice), "B - x | P s | P s SELECT b | S | C S s | P s | P s SELECT b | S");
    assert_eq!(scene.answer("E 26000 | Z I | 3 | 1 | E 42P05 | Z I"), "E 26000 | Z I | E 42P05 | Z I");
    assert_eq!(scene.client("S"), "C S s | S");
}

/// The server may skip a `Close` of the door's; what SQL prepares then under that name stays.
#[test]
fn a_name_of_the_doors_is_vacated_for_each_batch() {
    let mut server = Server::default();
    let mut scene = Scene::new(&mut server);
    scene.client(PREPARED);
    scene.answer("1 | Z I");
    let mut scene = Scene::new(&mut server);
    let prepare = "Q PREPARE plimsoll_1 AS SELECT b";
    let sent = format!("B - x | C S plimsoll_1 | B - plimsoll_1 | S | C S plimsoll_1 | {prepare}");
    assert_eq!(scene.client(&format!("B - x | B - plimsoll_1 | S | {prepare}")), sent);
    assert_eq!(scene.answer("E 26000 | Z I | 3 | C PREPARE | Z I"), "E 26000 | Z I | C PREPARE | Z I");
    assert_eq!(scene.client("B - plimsoll_1 | E - | B - plimsoll_1 | S"), "B - plimsoll_1 | E - | B - plimsoll_1 | S");
}

/// Before it is known whether the server took a loan of the same name, nothing is closed.
#[test]
fn a_name_that_sql_has_taken_is_not_closed_in_the_next_batch() {
    let mut server = Server::default();
    let mut scene = Scene::new(&mut server);
    scene.client("Q PREPARE s AS SELECT a");
    scene.answer("C PREPARE | Z I");
    for second in ["P s SELECT c", "P - EXECUTE s"] {
        assert_eq!(scene.client(&format!("P s SELECT b | {second} | S | S")), "P s SELECT b | H");
        assert_eq!(scene.server("E 42P05"), ("E 42P05".into(), "S | S".into()));
        scene.answer("Z I | Z I");
    }
    // Closed by the client it is the door's again.
    assert_eq!(scene.client("C S s | P s SELECT b | P s SELECT c | S"), "C S s | P plimsoll_1 SELECT b | H");
    assert_eq!(scene.server("3 | 1").1, "P s | P s SELECT c | S");
}
