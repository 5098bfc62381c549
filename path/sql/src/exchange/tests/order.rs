//! Which answers are outstanding, and when all are there.

use super::scene::{Scene, Server};
use crate::exchange::answers::Breach;
use crate::exchange::intake::Planned;
use crate::parse::Effects;

/// `=>`: the client sends the first, the server gets the second. `<=`: the server says the second, the client gets the first.
/// At the end all is settled, or not.
fn run(script: &[&str], settled: bool) {
    let mut server = Server::default();
    let mut scene = Scene::new(&mut server);
    for line in script {
        if let Some((sent, got)) = line.split_once("=>") {
            assert_eq!(scene.client(sent), same(sent, got), "{line}");
        } else if let Some((got, said)) = line.split_once("<=") {
            assert_eq!(scene.answer(said), same(said, got), "{line}");
        }
    }
    assert_eq!(scene.answers.is_settled(), settled, "{script:?}");
}

/// `=` is the same again.
fn same(one: &str, other: &str) -> String {
    if other.trim() == "=" { one.trim().into() } else { other.trim().into() }
}

#[test]
fn simple_queries() {
    run(&["Q SELECT 1 => =", "= <= T a | D 1 | C SELECT 1 | Z I"], true);
    run(&["Q SELECT 1; SELECT 2 => =", "= <= T a | D 1 | C SELECT 1 | T b", "= <= D 2 | C SELECT 1 | Z I"], true);
    run(&["Q => =", "= <= I | Z I"], true);
    run(&["Q x => =", "= <= E 42601", "= <= Z I"], true);
    run(&["Q SELECT 1 | Q SELECT 2 => =", "= <= C SELECT 1 | Z I", "= <= C SELECT 1 | Z I"], true);
    run(&["Q BEGIN => =", "= <= N 25001 | C BEGIN | Z T", "Q COMMIT => =", "= <= C COMMIT | Z I"], true);
    run(&["F body => =", "= <= V x | Z I"], true);
}

#[test]
fn a_call_counts_once_it_has_ended() {
    let mut server = Server::default();
    let mut scene = Scene::new(&mut server);
    scene.client("F \0\0\u{6}?rest");
    scene.answer("E 22003 | Z I");
    assert!(scene.done.steps.is_empty());
    scene.client("F \0\0\u{6}?rest");
    assert_eq!(scene.answer("V x | Z I"), "V x | Z I");
    let effects: Vec<_> = scene.done.steps.iter().map(|(text, _)| text.effects).collect();
    assert_eq!(effects, [Effects::SEED], "it was setseed");
}

#[test]
fn batches() {
    run(&["P - SELECT 1 | B - - | D P - | E - | S => =", "= <= 1 | 2 | T a | D 1 | C SELECT 1 | Z I"], true);
    run(&["P - x | D S - | S => =", "= <= 1 | t | n | Z I"], true);
    run(&["P - => =", "B - - | E - => =", "S => =", "= <= 1 | 2 | I | Z I"], true);
    run(
        &[
            "B p - => C S - | B p -",
            "E p | S => =",
            "2 | s | Z T <= 3 | 2 | s | Z T",
            "E p | C P p | S => =",
            "= <= D x | C SELECT 1 | 3 | Z I",
        ],
        true,
    );
    run(&["P - x | B - - | E - | H => =", "= <= 1 | 2 | D x | C SELECT 1", "S => =", "= <= Z I"], true);
    run(&["S | S | S => =", "= <= Z I | Z I", "= <= Z I"], true);
    run(&["E - | Q SELECT 1 => =", "= <= C SELECT 1 | C SELECT 1 | Z I"], true);
    run(&["H => ="], true);
}

#[test]
fn an_error_skips_to_the_next_sync() {
    run(&["P - x | B - - | E - | S => =", "= <= E 42601", "= <= Z I"], true);
    run(&["P - x | B - - | S | P - y | B - - | E - | S => =", "= <= 1 | E 22P02 | Z I", "= <= 1 | 2 | C SELECT 1 | Z I"], true);
    // The `Sync` was not sent yet: the server waits for it, whatever else comes.
    run(&["P - x | H => =", "= <= E 42601", "B - - | E - | H => ", "Q SELECT 1 => ", "S => =", "= <= Z I"], true);
    run(&["P - x => =", "= <= E 42601", "B - - => "], false);
    // A deferred constraint fails at the `Sync` itself.
    run(&["E - | S | S => =", "= <= C INSERT 0 1 | E 23503", "= <= Z I | Z I"], true);
    // A `Query` before the `Sync` is skipped too.
    run(&["P - x | Q SELECT 1 | S => =", "= <= E 42601 | Z I"], true);
}

#[test]
fn a_connection_is_free_only_when_every_sync_is_answered() {
    let batch = "P - x | B - - | E - | S";
    let many = [batch; 50].join(" | ");
    let mut server = Server::default();
    let mut scene = Scene::new(&mut server);
    assert_eq!(scene.client(&many), many);
    for left in (0..50).rev() {
        scene.answer("1 | 2 | C SELECT 0 | Z I");
        assert_eq!((scene.answers.is_settled(), scene.answers.outstanding()), (left == 0, left * 4));
    }
}

#[test]
fn what_may_come_at_any_time_changes_nothing() {
    run(&["S => =", "= <= N 01000 | S TimeZone UTC | Z I | N 01000"], true);
}

#[test]
fn notifications_are_for_those_who_listen_there() {
    let mut server = Server::default();
    let mut scene = Scene::new(&mut server);
    assert_eq!(scene.server_bytes(b"A\0\0\0\x0b\0\0\0\x07c\0\0").unwrap(), b"");
    scene.hears = Some((7, 300));
    assert_eq!(scene.server_bytes(b"A\0\0\0\x0b\0\0\0\x07c\0\0").unwrap(), b"A\0\0\0\x0b\0\0\x01\x2cc\0\0");
    assert_eq!(scene.server_bytes(b"A\0\0\0\x0b\0\0\0\x08c\0\0").unwrap(), b"A\0\0\0\x0b\0\0\0\x08c\0\0");
}

#[test]
fn a_server_out_of_turn_is_not_believed() {
    for wrong in ["1", "2", "3", "Z I", "C SELECT 1", "s", "n", "T a"] {
        let mut server = Server::default();
        let mut scene = Scene::new(&mut server);
        assert_eq!(scene.server_bytes(&super::notation::back(wrong)), Err(Breach), "{wrong}");
    }
    let mut server = Server::default();
    let mut scene = Scene::new(&mut server);
    scene.client("P - x | S");
    assert_eq!(scene.server_bytes(b"Z\0\0\0\x05I"), Err(Breach));
    let mut scene = Scene::new(&mut server);
    scene.client("S");
    assert_eq!(scene.server_bytes(b"Z\0\0\0\x05X"), Err(Breach));
}

#[test]
fn the_last_words_of_a_server_are_passed_on() {
    let mut server = Server::default();
    let mut scene = Scene::new(&mut server);
    scene.client("Q SELECT 1");
    assert_eq!(scene.answer("E 57P01 FATAL"), "E 57P01");
    assert!(scene.answers.is_ending() && !scene.answers.is_settled());
}

#[test]
fn leaving_and_what_is_no_message() {
    let mut server = Server::default();
    let mut scene = Scene::new(&mut server);
    assert_eq!((scene.client("Q SELECT 1 | X"), scene.planned), ("Q SELECT 1".into(), Planned::Leaves));
    let mut scene = Scene::new(&mut server);
    assert_eq!(scene.client_bytes(b"S\0\0\0\x04z"), b"S\0\0\0\x04");
    assert_eq!(scene.planned, Planned::Leaves);
}

#[test]
fn too_many_outstanding_answers_hold_the_input_up() {
    let mut server = Server::default();
    let mut scene = Scene::new(&mut server);
    let many = super::notation::front("S").repeat(20_000);
    assert_eq!(scene.client_bytes(&many).len(), 5 * 16_384);
    assert_eq!(scene.planned, Planned::Stalled);
    let (_, up) = scene.server(&["Z I"; 100].join(" | "));
    assert_eq!(up.split('|').count(), 100);
}
