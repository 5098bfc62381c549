//! COPY: who reads what while data is asked for.

use super::scene::{Scene, Server};

const IN: &str = "Q COPY t FROM STDIN";

#[test]
fn data_goes_to_the_server_while_it_may_ask_for_it() {
    let mut server = Server::default();
    let mut scene = Scene::new(&mut server);
    assert_eq!(scene.client(IN), IN);
    assert_eq!(scene.answer("G"), "G");
    assert_eq!(scene.client("d 1 | d 2 | H | c"), "d 1 | d 2 | H | c");
    assert_eq!(scene.answer("C COPY 2 | Z I"), "C COPY 2 | Z I");
    assert!(scene.answers.is_settled());
    assert_eq!(scene.client("d late | c | f why"), "", "there is nobody to take it");
    assert!(scene.answers.is_settled());
}

#[test]
fn data_that_comes_before_it_is_asked_for() {
    let mut server = Server::default();
    let mut scene = Scene::new(&mut server);
    assert_eq!(
        scene.client("Q COPY t FROM STDIN; COPY u FROM STDIN | d 1 | c | d 2 | c"),
        "Q COPY t FROM STDIN; COPY u FROM STDIN | d 1 | c | d 2 | c"
    );
    assert_eq!(scene.client("Q SELECT 1"), "", "it could be taken for data");
    assert_eq!(scene.server("G | C COPY 1 | G | C COPY 1 | Z I"), ("G | C COPY 1 | G | C COPY 1 | Z I".into(), "Q SELECT 1".into()));
}

#[test]
fn an_error_in_the_middle_ends_it() {
    let mut server = Server::default();
    let mut scene = Scene::new(&mut server);
    scene.client(IN);
    scene.answer("G");
    assert_eq!(scene.client("d 1"), "d 1");
    assert_eq!(scene.answer("E 22P02 | Z I"), "E 22P02 | Z I");
    assert!(scene.answers.is_settled());
    assert_eq!(scene.client("d 2 | c | Q SELECT 1"), "Q SELECT 1");
    assert_eq!(scene.client_bytes(b"d\0\0\0\x10part"), b"", "without a server or with one: the rest of it goes nowhere too");
    assert_eq!(scene.client_bytes(b"xxxxxxxxS\0\0\0\x04"), b"S\0\0\0\x04");
}

#[test]
fn a_message_that_has_begun_goes_whole() {
    let mut server = Server::default();
    let mut scene = Scene::new(&mut server);
    scene.client(IN);
    scene.answer("G");
    assert_eq!(scene.client_bytes(b"d\0\0\0\x10part"), b"d\0\0\0\x10part");
    assert_eq!(scene.answer("E 22P02 | Z I"), "E 22P02 | Z I");
    assert!(scene.answers.is_settled() && !scene.intake.is_at_boundary(), "nobody else may have the connection yet");
    assert_eq!(scene.client_bytes(b"xxxxxxxxd\0\0\0\x04"), b"xxxxxxxx");
    assert!(scene.intake.is_at_boundary());
}

#[test]
fn the_client_gives_up() {
    let mut server = Server::default();
    let mut scene = Scene::new(&mut server);
    scene.client(IN);
    scene.answer("G");
    assert_eq!(scene.client("f why | Q SELECT 1"), "f why", "what follows could come back as another COPY's");
    assert_eq!(scene.server("E 57014 | Z I").1, "Q SELECT 1");
}

/// A `Sync` right after the `Execute` is nothing to a server that waits for data, and everything to one that does not.
#[test]
fn a_sync_that_the_server_ignores_is_not_counted() {
    let mut server = Server::default();
    let mut scene = Scene::new(&mut server);
    let batch = "P - COPY t FROM STDIN | B - - | E - | S";
    assert_eq!(scene.client(batch), "P - COPY t FROM STDIN | B - - | E - | H");
    assert_eq!(scene.answer("1 | 2 | G"), "1 | 2 | G");
    assert_eq!(scene.client("d 1 | c | S"), "d 1 | c | S");
    assert_eq!(scene.answer("C COPY 1 | Z I"), "C COPY 1 | Z I");
    assert!(scene.answers.is_settled());
}

#[test]
fn a_sync_after_a_copy_that_never_began_is_answered() {
    let mut server = Server::default();
    let mut scene = Scene::new(&mut server);
    scene.client("P - COPY t FROM STDIN | B - - | E - | S");
    assert_eq!(scene.server("1 | 2 | E 42P01"), ("1 | 2 | E 42P01".into(), "S".into()));
    assert_eq!(scene.answer("Z I"), "Z I");
    assert!(scene.answers.is_settled());
}

#[test]
fn a_copy_that_fails_before_it_has_any_data_leaves_the_sync() {
    let mut server = Server::default();
    let mut scene = Scene::new(&mut server);
    scene.client("P - COPY t FROM STDIN | B - - | E - | S");
    assert_eq!(scene.server("1 | 2 | G | E 23514"), ("1 | 2 | G | E 23514".into(), "S".into()));
    assert_eq!(scene.answer("Z I"), "Z I");
    assert_eq!(scene.client("d 1 | c | S"), "S");
    assert_eq!(scene.answer("Z I"), "Z I");
    assert!(scene.answers.is_settled());
}

#[test]
fn an_error_in_the_middle_of_an_extended_copy() {
    let mut server = Server::default();
    let mut scene = Scene::new(&mut server);
    scene.client("P - COPY t FROM STDIN | B - - | E - | S");
    scene.answer("1 | 2 | G");
    assert_eq!(scene.client("d 1 | d 2"), "d 1 | d 2");
    assert_eq!(scene.answer("E 22P02"), "E 22P02");
    assert!(!scene.answers.is_settled());
    assert_eq!(scene.client("d 3 | c | S"), "S");
    assert_eq!(scene.answer("Z T"), "Z T");
    assert!(scene.answers.is_settled());
}

#[test]
fn data_all_at_once_with_two_syncs() {
    let mut server = Server::default();
    let mut scene = Scene::new(&mut server);
    assert_eq!(scene.client("P - COPY t FROM STDIN | B - - | E - | d 1 | c | S"), "P - COPY t FROM STDIN | B - - | E - | d 1 | c | H");
    assert_eq!(scene.server("1 | 2 | G").1, "S");
    assert_eq!(scene.answer("C COPY 1 | Z I"), "C COPY 1 | Z I");
    assert!(scene.answers.is_settled());
}

#[test]
fn out_of_a_table_nothing_is_held_up() {
    let mut server = Server::default();
    let mut scene = Scene::new(&mut server);
    let batch = "P - COPY t TO STDOUT | B - - | E - | S";
    assert_eq!(scene.client(batch), batch);
    assert_eq!(scene.answer("1 | 2 | H | d 1 | d 2 | c | C COPY 2 | Z I"), "1 | 2 | H | d 1 | d 2 | c | C COPY 2 | Z I");
    assert!(scene.answers.is_settled());
}

#[test]
fn what_does_not_belong_into_a_copy_costs_the_connection() {
    let mut server = Server::default();
    let mut scene = Scene::new(&mut server);
    scene.client(IN);
    scene.answer("G");
    assert_eq!(scene.client("Q SELECT 1"), "Q SELECT 1");
    assert_eq!(scene.answer("E 08P01 | Z I"), "E 08P01 | Z I", "the server says what it means");
    assert!(scene.answers.is_adrift() && !scene.answers.is_settled());
    let mut scene = Scene::new(&mut server);
    scene.client(IN);
    scene.answer("G");
    assert_eq!(scene.client("d 1 | S"), "d 1 | S");
    assert!(scene.answers.is_adrift());
    // Although names may have changed: nothing is answered any more before the server has seen it.
    let mut scene = Scene::new(&mut server);
    scene.client("Q DEALLOCATE ALL; COPY t FROM STDIN");
    scene.answer("C DEALLOCATE ALL | G");
    assert_eq!(scene.client("Q SELECT 1"), "Q SELECT 1");
    assert!(scene.answers.is_adrift());
}
