//! What a client has parsed itself is what it gets, wherever others have parsed the same text.

use super::scene::{Scene, Server};
use crate::exchange::worth::Reuse;

/// Another client on the same connection.
fn other(server: &mut Server) -> Scene<'_> {
    let mut scene = Scene::new(server);
    scene.rules.client = 2;
    scene
}

#[test]
fn what_is_parsed_after_a_change_is_not_what_others_parsed_before() {
    for change in ["SET LOCAL datestyle = 'SQL, DMY'", "CREATE TEMP TABLE t (a int)"] {
        let mut server = Server::default();
        let mut scene = other(&mut server);
        scene.client("P s SELECT '01/02/2020'::date | S");
        scene.answer("1 | Z I");
        let mut scene = Scene::new(&mut server);
        scene.client(&format!("Q BEGIN | Q {change}"));
        scene.answer("C BEGIN | Z T | C X | Z T");
        let batch = "P s SELECT '01/02/2020'::date | B - s | E - | S";
        assert_eq!(scene.client(batch), "P plimsoll_2 SELECT '01/02/2020'::date | B - plimsoll_2 | E - | S", "{change}");
    }
}

#[test]
fn each_private_parse_is_one_of_its_own() {
    let mut server = Server::default();
    let mut scene = Scene::new(&mut server);
    scene.rules.is_private = true;
    assert_eq!(scene.client("P s SELECT 'a' | P t SELECT 'a' | S"), "P plimsoll_1 SELECT 'a' | P plimsoll_2 SELECT 'a' | S");
    scene.answer("1 | 1 | Z I");
    assert_eq!(scene.client("B - s | B - t | S"), "B - plimsoll_1 | B - plimsoll_2 | S");
}

#[test]
fn constants_are_what_they_were_at_the_parse() {
    let mut server = Server::default();
    let mut scene = Scene::new(&mut server);
    scene.client("P s SELECT '01/02/2020'::date | P t SELECT a | S");
    scene.answer("1 | 1 | Z I");
    scene.rules.environment = 7;
    assert_eq!(scene.client("B - s | S"), "B - plimsoll_1 | S");
    scene.answer("2 | Z I");
    assert_eq!(scene.client("B - t | S"), "P plimsoll_3 SELECT a | B - plimsoll_3 | S", "nothing is read only once");
}

#[test]
fn constants_of_the_moment_are_each_parses_own() {
    const TEXT: &str = "SELECT ' Now '::timestamptz";
    let (mut first, mut second) = (Server::default(), Server::default());
    let mut scene = other(&mut first);
    scene.client(&format!("P y {TEXT} | S"));
    scene.answer("1 | Z I");
    let mut scene = Scene::new(&mut second);
    scene.client(&format!("P y {TEXT} | S"));
    scene.answer("1 | Z I");
    let mut scene = scene.on(&mut first);
    assert_eq!(scene.client("B - y | E - | S"), format!("P plimsoll_2 {TEXT} | B - plimsoll_2 | E - | S"));
    scene.answer("1 | 2 | C SELECT 1 | Z I");
    assert_eq!(scene.client("B - y | E - | S"), "B - plimsoll_2 | E - | S");
    scene.answer("2 | C SELECT 1 | Z I");
    let parsed = scene.client(&format!("C S y | P y {TEXT} | S"));
    assert_eq!(parsed, format!("C S plimsoll_2 | P plimsoll_3 {TEXT} | S"), "nobody else could have it");
    assert_eq!(scene.answer("3 | 1 | Z I"), "3 | 1 | Z I");
    assert_eq!(scene.client("B - y | E - | S"), "B - plimsoll_3 | E - | S");
}

#[test]
fn what_is_not_named_and_of_the_moment_is_not_kept() {
    for text in ["INSERT INTO t VALUES ($1, 'NOW')", "SELECT a FROM t WHERE b = E'to\\day'", "SELECT $$ tomorrow 10:00 $$::timestamp"] {
        let mut server = Server::default();
        let mut scene = Scene::new(&mut server);
        scene.rules.reuse = Reuse::Always;
        for _ in 0..2 {
            let batch = format!("P - {text} | B - - | E - | S");
            assert_eq!(scene.client(&batch), batch);
            scene.answer("1 | 2 | C X | Z I");
        }
    }
}
