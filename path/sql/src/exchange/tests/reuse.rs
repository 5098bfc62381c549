//! Statements that are kept without a name, and what is tried again.

use super::scene::{Scene, Server};
use crate::exchange::answers::Trial;
use crate::exchange::worth::Reuse;
use crate::server::Wanted;

const BATCH: &str = "P - SELECT a FROM t WHERE id = $1 | B - - | D P - | E - | S";
const KEPT: &str = "B - plimsoll_1 | D P - | E - | S";

/// A client whose server has said that lookups are worth keeping.
fn worthy(server: &mut Server) -> Scene<'_> {
    let mut scene = Scene::new(server);
    scene.rules.reuse = Reuse::Lookups;
    assert_eq!(scene.client(BATCH), BATCH);
    scene.answer("1 | 2 | T a | C SELECT 0 | Z I");
    let unsure: Wanted = scene.intake.unsure.take().expect("nobody knows yet whether it is worth keeping");
    scene.worth.note(&scene.key, unsure, true, scene.generation);
    scene
}

#[test]
fn a_lookup_is_parsed_once() {
    let mut server = Server::default();
    let mut scene = worthy(&mut server);
    assert_eq!(scene.client(BATCH), format!("P plimsoll_1 SELECT a FROM t WHERE id = $1 | {KEPT}"));
    assert_eq!(scene.answer("1 | 2 | T a | C SELECT 0 | Z I"), "1 | 2 | T a | C SELECT 0 | Z I");
    assert_eq!(scene.client(BATCH), KEPT);
    assert_eq!(scene.said(), "", "whether it goes well is not known yet");
    assert_eq!(scene.answer("2 | T a | D 1 | C SELECT 1 | Z I"), "1 | 2 | T a | D 1 | C SELECT 1 | Z I");
    // The unnamed statement is what it was for the client, in another batch too.
    assert_eq!(scene.client("B - - | E - | S"), "P - SELECT a FROM t WHERE id = $1 | B - - | E - | S");
}

/// A name of the door's that the client means is closed.
#[test]
fn what_was_kept_under_a_name_that_the_client_means_is_parsed_anew() {
    let mut server = Server::default();
    let mut scene = worthy(&mut server);
    let text = "SELECT a FROM t WHERE id = $1";
    let sent = format!("P plimsoll_1 {text} | B - plimsoll_1 | C S plimsoll_1 | C S plimsoll_1 | P - {text} | B - - | S");
    assert_eq!(scene.client(&format!("P - {text} | B - - | C S plimsoll_1 | B - - | S")), sent);
    assert_eq!(scene.answer("1 | 2 | 3 | 3 | 1 | 2 | Z I"), "1 | 2 | 3 | 2 | Z I");
}

#[test]
fn nothing_is_tried_in_a_transaction_or_in_part() {
    let mut server = Server::default();
    let mut scene = worthy(&mut server);
    assert_eq!(scene.client(&format!("{BATCH} | {BATCH}")), format!("{BATCH} | {BATCH}"));
    scene.answer("1 | 2 | T a | C SELECT 0 | Z I | 1 | 2 | T a | C SELECT 0 | Z I");
    assert_eq!(scene.client("P - SELECT a FROM t WHERE id = $1"), "P - SELECT a FROM t WHERE id = $1");
    scene.client("B - - | S");
    scene.answer("1 | 2 | Z T");
    assert_eq!(scene.client(BATCH), BATCH);
}

#[test]
fn what_fails_is_done_again() {
    for code in ["0A000", "26000", "42P01"] {
        let mut server = Server::default();
        let mut scene = worthy(&mut server);
        scene.client(BATCH);
        scene.answer("1 | 2 | T a | C SELECT 0 | Z I");
        assert_eq!(scene.client(BATCH), KEPT);
        assert_eq!(scene.server(&format!("E {code}")), (String::new(), String::new()));
        assert_eq!(scene.server("Z I"), (String::new(), format!("C S plimsoll_1 | {BATCH}")), "{code}");
        assert_eq!(scene.answer("3 | 1 | 2 | T a b | C SELECT 0 | Z I"), "1 | 2 | T a b | C SELECT 0 | Z I");
        assert!(scene.answers.is_settled());
    }
}

/// The parameters are told before the server looks whether the columns are what they were.
#[test]
fn a_statement_that_is_outdated_when_it_is_described_is_parsed() {
    const DESCRIBED: &str = "P - SELECT a FROM t WHERE id = $1 | D S - | B - - | E - | S";
    let mut server = Server::default();
    let mut scene = worthy(&mut server);
    scene.client(BATCH);
    scene.answer("1 | 2 | T a | C SELECT 0 | Z I");
    assert_eq!(scene.client(DESCRIBED), "D S plimsoll_1 | B - plimsoll_1 | E - | S");
    assert_eq!(scene.answer("t"), "", "it may still be outdated");
    assert_eq!(scene.answer("N 01000"), "");
    assert_eq!(scene.answer("T a | 2 | C SELECT 0 | Z I"), "1 | t | N 01000 | T a | 2 | C SELECT 0 | Z I");
    assert_eq!(scene.client(DESCRIBED), "D S plimsoll_1 | B - plimsoll_1 | E - | S");
    assert_eq!(scene.answer("t"), "");
    assert_eq!(scene.answer("E 0A000"), "");
    assert_eq!(scene.server("Z I"), (String::new(), format!("C S plimsoll_1 | {DESCRIBED}")));
    assert_eq!(scene.answer("3 | 1 | t | T a b | 2 | C SELECT 0 | Z I"), "1 | t | T a b | 2 | C SELECT 0 | Z I");
    assert!(scene.answers.is_settled());
}

/// That there are no columns is told without a look, too.
#[test]
fn that_there_are_no_columns_proves_nothing() {
    const DESCRIBED: &str = "P - INSERT INTO t VALUES ($1) | D S - | B - - | E - | S";
    let mut server = Server::default();
    let mut scene = Scene::new(&mut server);
    scene.rules.reuse = Reuse::Always;
    scene.client(DESCRIBED);
    scene.answer("1 | t | n | 2 | C INSERT 0 1 | Z I");
    scene.client(DESCRIBED);
    assert_eq!(scene.answer("t | n | 2"), "1 | t | n | 2");
    scene.answer("C INSERT 0 1 | Z I");
    assert_eq!(scene.client(DESCRIBED), "D S plimsoll_1 | B - plimsoll_1 | E - | S");
    assert_eq!(scene.answer("t | n"), "", "the table may be gone");
    assert_eq!(scene.answer("E 42P01"), "");
    assert_eq!(scene.server("Z I"), (String::new(), format!("C S plimsoll_1 | {DESCRIBED}")));
    assert_eq!(scene.answer("3 | E 42P01 | Z I"), "E 42P01 | Z I");
}

/// Nobody would look whether it is still right.
#[test]
fn a_statement_that_is_not_bound_is_parsed() {
    for batch in ["P - SELECT a FROM t | S", "P - SELECT a FROM t | D S - | S", "P - SELECT a FROM t | B - s | E - | S"] {
        let mut server = Server::default();
        let mut scene = Scene::new(&mut server);
        scene.rules.reuse = Reuse::Always;
        scene.client("P - SELECT a FROM t | B - - | E - | S");
        scene.answer("1 | 2 | C SELECT 0 | Z I");
        assert_eq!(scene.client(batch), batch);
    }
}

#[test]
fn the_second_failure_is_told() {
    let mut server = Server::default();
    let mut scene = worthy(&mut server);
    scene.client(BATCH);
    scene.answer("1 | 2 | T a | C SELECT 0 | Z I");
    scene.client(BATCH);
    scene.server("E 42P01");
    scene.server("Z I");
    assert_eq!(scene.answer("3 | E 42P01 | Z I"), "E 42P01 | Z I");
}

/// It would take twice as long, and a cancel would be lost.
#[test]
fn what_is_cut_is_not_tried_again() {
    for code in ["57014", "55P03", "40P01", "53200"] {
        let mut server = Server::default();
        let mut scene = worthy(&mut server);
        scene.client(BATCH);
        scene.answer("1 | 2 | T a | C SELECT 0 | Z I");
        scene.client(BATCH);
        assert_eq!(scene.answer(&format!("E {code} | Z I")), format!("1 | E {code} | Z I"));
    }
}

#[test]
fn a_statement_is_parsed_again_once_names_may_mean_something_else() {
    let mut server = Server::default();
    let mut scene = worthy(&mut server);
    scene.client(BATCH);
    scene.answer("1 | 2 | T a | C SELECT 0 | Z I");
    scene.generation += 1;
    let mut scene = scene.settle();
    assert_eq!(scene.client(BATCH), BATCH, "it may not come again in this generation");
    scene.answer("1 | 2 | T a | C SELECT 0 | Z I");
    assert_eq!(scene.client(BATCH), format!("P plimsoll_2 SELECT a FROM t WHERE id = $1 | {}", KEPT.replace('1', "2")));
}

#[test]
fn a_text_with_a_word_for_a_time_is_not_kept() {
    let mut server = Server::default();
    let mut scene = Scene::new(&mut server);
    scene.rules.reuse = Reuse::Always;
    for text in ["SELECT a FROM t WHERE b < 'now'", "INSERT INTO t VALUES ($1, 'Today 12:00')", "SELECT E'\\156ow'", "SELECT 'no'\n'w'"] {
        let batch = format!("P - {text} | B - - | E - | S");
        assert_eq!(scene.client(&batch), batch);
        scene.answer("1 | 2 | C X | Z I");
    }
    assert!(scene.client("P - SELECT 'known' | B - - | E - | S").starts_with("P plimsoll_1"));
}

#[test]
fn a_fatal_error_is_not_tried_again() {
    let mut server = Server::default();
    let mut scene = worthy(&mut server);
    scene.client(BATCH);
    scene.answer("1 | 2 | T a | C SELECT 0 | Z I");
    scene.client(BATCH);
    assert_eq!(scene.answer("N 01000 | E 57P01 FATAL"), "N 01000 | 1 | E 57P01");
}

#[test]
fn a_named_statement_that_is_described_again_need_not_know() {
    let mut server = Server::default();
    let mut scene = Scene::new(&mut server);
    scene.client("P s SELECT a | S");
    scene.answer("1 | Z I");
    assert_eq!(scene.client("B - s | D P - | E - | S"), "B - plimsoll_1 | D P - | E - | S");
    assert_eq!(
        scene.server("E 0A000 | Z I"),
        (String::new(), "C S plimsoll_1 | P plimsoll_2 SELECT a | B - plimsoll_2 | D P - | E - | S".into())
    );
    assert_eq!(scene.answer("3 | 1 | 2 | T a b | C SELECT 0 | Z I"), "2 | T a b | C SELECT 0 | Z I");
    // Its parameters were wrong: that is no reason.
    scene.client("B - s | D P - | E - | S");
    assert_eq!(scene.answer("E 22P02 | Z I"), "E 22P02 | Z I");
}

#[test]
fn a_named_statement_that_is_not_described_again_is_not() {
    let mut server = Server::default();
    let mut scene = Scene::new(&mut server);
    scene.client("P s SELECT a | S");
    scene.answer("1 | Z I");
    scene.client("B - s | E - | S");
    assert_eq!(scene.answers.trial, Trial::None);
    assert_eq!(scene.answer("E 0A000 | Z I"), "E 0A000 | Z I");
    assert_eq!(scene.client("B - s | E - | S"), "C S plimsoll_1 | P plimsoll_2 SELECT a | B - plimsoll_2 | E - | S");
}

#[test]
fn all_that_only_read_and_write_with_custom_plans() {
    let mut server = Server::default();
    let mut scene = Scene::new(&mut server);
    scene.rules.reuse = Reuse::Always;
    let text = |text: &str| format!("P - {text} | B - - | E - | S");
    assert_eq!(scene.client(&text("SELECT count(*) FROM t")), "P plimsoll_1 SELECT count(*) FROM t | B - plimsoll_1 | E - | S");
    scene.answer("1 | 2 | C SELECT 1 | Z I");
    for other in ["CREATE TABLE t (a int)", "SET x = 1", "DEALLOCATE ALL", "LISTEN a", ""] {
        assert_eq!(scene.client(&text(other)), text(other).replace("-  |", "- |"), "{other}");
        scene.answer("1 | 2 | C X | Z I");
    }
}
