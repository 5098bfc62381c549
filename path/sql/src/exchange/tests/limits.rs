//! What a client is told whom the door stops.

use super::scene::{Scene, Server, error};
use crate::exchange::limits::Over;
use crate::exchange::said;

#[test]
fn a_statement_that_the_door_cuts_took_too_long() {
    let asked = error("57014", "canceling statement due to user request", "ProcessInterrupts");
    let mut server = Server::default();
    let mut scene = Scene::new(&mut server);
    scene.client("Q SELECT a | Q SELECT b");
    scene.answers.cut(Over::Statement);
    let cut = said::reworded(&asked[5..], Over::Statement.said().0.as_bytes(), Some(Over::Statement.said().1));
    assert!(cut.windows(16).any(|part| part == b"limits.statement"));
    assert_eq!(scene.server_bytes(&asked).unwrap(), cut);
    scene.answer("Z I");
    assert_eq!(scene.server_bytes(&asked).unwrap(), asked, "that was the client's own");
    scene.answer("Z I");
    // One that ended before it was cut.
    scene.client("Q SELECT a");
    scene.answers.cut(Over::Statement);
    scene.answer("C SELECT 0 | Z I");
    scene.client("Q SELECT a");
    assert_eq!(scene.server_bytes(&asked).unwrap(), asked);
}
