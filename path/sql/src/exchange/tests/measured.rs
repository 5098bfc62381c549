//! Which statements are measured, and what of them.

use std::time::Duration;

use super::scene::{Scene, Server};
use crate::exchange::records::Measured;

/// Rows of the statements that ended since the last time; none: it failed.
fn ended(scene: &mut Scene<'_>) -> Vec<Option<u64>> {
    scene.done.measured.drain(..).map(|Measured { rows, failed, .. }| (!failed).then_some(rows)).collect()
}

#[test]
fn a_query_is_one_with_all_its_rows() {
    let mut server = Server::default();
    let mut scene = Scene::new(&mut server);
    scene.client("Q SELECT a; UPDATE t SET a = 1; BEGIN");
    scene.answer("T a | D 1 | C SELECT 3 | C UPDATE 2 | C BEGIN");
    assert_eq!(ended(&mut scene), []);
    scene.answer("Z I");
    assert_eq!(ended(&mut scene), [Some(5)]);
    scene.client("Q INSERT INTO t VALUES (1) | Q x | Q");
    scene.answer("C INSERT 0 7 | Z I | E 42601 | Z I | I | Z I");
    assert_eq!(ended(&mut scene), [Some(7), None, Some(0)]);
}

#[test]
fn an_execute_is_one_and_what_is_skipped_none() {
    let mut server = Server::default();
    let mut scene = Scene::new(&mut server);
    let batch = "P - SELECT a | B - - | E - | B - - | E - | S";
    scene.client(batch);
    scene.answer("1 | 2 | C SELECT 2 | 2 | C SELECT 3 | Z I");
    assert_eq!(ended(&mut scene), [Some(2), Some(3)]);
    scene.client(batch);
    scene.answer("1 | 2 | E 22012 | Z I");
    assert_eq!(ended(&mut scene), [None]);
    for failing in ["E 42601 | Z I", "1 | E 22012 | Z I"] {
        scene.client(batch);
        scene.answer(failing);
        assert_eq!(ended(&mut scene), [None]);
    }
    scene.client("P - SELECT a | D S - | S");
    scene.answer("1 | t | n | Z I");
    assert_eq!(ended(&mut scene), []);
}

#[test]
fn it_begins_when_it_came() {
    let mut server = Server::default();
    let mut scene = Scene::new(&mut server);
    scene.client("P - SELECT a | B - - | H");
    scene.answer("1 | 2");
    let bound = scene.came;
    scene.came += Duration::from_secs(1);
    scene.client("E - | S");
    scene.answer("C SELECT 1 | Z I");
    let measured = scene.done.measured[0];
    assert_eq!(measured.mark, measured.mark.again(bound + Duration::from_secs(1)));
}
