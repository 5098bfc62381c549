//! What fails leaves everything else as it is.

use super::scene::{Scene, Server};

/// A client that has `s` and an unnamed statement.
fn prepared(server: &mut Server) -> Scene<'_> {
    let mut scene = Scene::new(server);
    assert_eq!(scene.client("P s SELECT a | P - SELECT b | S"), "P plimsoll_1 SELECT a | P - SELECT b | S");
    assert_eq!(scene.answer("1 | 1 | Z I"), "1 | 1 | Z I");
    scene
}

#[test]
fn a_name_that_is_taken_leaves_the_unnamed_statement() {
    let mut server = Server::default();
    let mut scene = prepared(&mut server);
    assert_eq!(scene.client("P s x | S"), "P s | P s x | S");
    assert_eq!(scene.answer("1 | E 42601 | Z I"), "E 42601 | Z I");
    assert_eq!(scene.client("B - - | S"), "C S s | P - SELECT b | B - - | S", "the door was not sure of it");
    assert_eq!(scene.answer("3 | 1 | 2 | Z I"), "2 | Z I");
}

#[test]
fn nothing_of_the_doors_goes_to_a_server_that_skips() {
    let mut server = Server::default();
    let mut scene = prepared(&mut server);
    assert_eq!(scene.client("P s x | Q SELECT 1"), "P s | P s x | Q SELECT 1");
    assert_eq!(scene.answer("1 | E 42P05"), "E 42P05");
    assert_eq!(scene.client("S"), "S", "the server would skip a Close before it");
    assert_eq!(scene.answer("Z I"), "Z I");
    assert_eq!(scene.client("S"), "C S s | S");
}
