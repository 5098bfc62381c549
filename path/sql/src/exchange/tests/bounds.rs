use super::notation::{back, front};
use super::scene::{Scene, Server};
use crate::exchange::intake::Planned;
use crate::exchange::worth::Reuse;
use crate::session::{Changes, Names, Resting};

/// `Parse`s of `name` and a number, of 30 KB each.
fn parses(name: &str, numbers: std::ops::Range<usize>) -> Vec<u8> {
    let text = |number| format!("P {name}{number} SELECT_{number}_{}", "x".repeat(30_000));
    numbers
        .flat_map(|number| front(&if name == "-" { text(number).replacen(&format!("-{number}"), "-", 1) } else { text(number) }))
        .collect()
}

/// How many messages of this type there are.
fn count(mut bytes: &[u8], tag: u8) -> usize {
    let mut count = 0;
    while let Ok(Some(header)) = crate::frame::header(bytes) {
        count += usize::from(header.tag == tag);
        bytes = &bytes[crate::frame::HEADER + header.body..];
    }
    count
}

#[test]
fn a_megabyte_of_statements_waits_for_its_answers() {
    for name in ["-", "s"] {
        let mut server = Server::default();
        let mut scene = Scene::new(&mut server);
        let sent = scene.client_bytes(&parses(name, 0..100));
        assert_eq!((count(&sent, b'P'), scene.planned), (35, Planned::Stalled));
        assert!(sent.ends_with(b"H\0\0\0\x04"), "the server shall not wait for more");
        let down = scene.server_bytes(&back(&["1"; 35].join(" | "))).unwrap();
        assert_eq!(count(&down, b'1'), 35);
        assert_eq!(count(&scene.client_bytes(b""), b'P'), 35);
    }
}

#[test]
fn a_connection_keeps_eight_megabytes_of_statements() {
    let mut server = Server::default();
    let mut scene = Scene::new(&mut server);
    scene.rules.most = 1000;
    let mut closed = 0;
    for number in 0..500 {
        let sent = scene.client_bytes(&[parses("s", number..number + 1), front("S")].concat());
        let closes = count(&sent, b'C');
        scene.answer(&[vec!["3"; closes], vec!["1", "Z I"]].concat().join(" | "));
        closed += closes;
    }
    assert_eq!(closed, 500 - 279 - 1);
    assert_eq!(count(&scene.client_bytes(&front("B - s499 | S")), b'P'), 0);
}

#[test]
fn long_unnamed_statements_of_clients_that_rest_are_given_up_once_used_where_there_are_many() {
    let resting = Resting::default();
    let rests = |words: &str| {
        let mut server = Server::default();
        let mut scene = Scene::new(&mut server);
        scene.client_bytes(&[parses("-", 0..1), front("S")].concat());
        scene.answer("1 | Z I");
        if !words.is_empty() {
            scene.client(&format!("{words} | S"));
            scene.answer("2 | C SELECT 0 | Z I");
        }
        scene.names.rest(&resting);
        scene.names
    };
    let many: Vec<Names> = (0..2300).map(|_| rests("B - - | E -")).collect();
    let has = |names: &Names| names.has_unnamed(&Changes::default());
    let kept = many.iter().filter(|names| has(names)).count();
    assert!((2100..2240).contains(&kept), "{kept}");
    assert!(has(&rests("")), "it was prepared to be used");
    assert!(!has(&rests("B - - | E -")));
    drop(many);
    assert!(has(&rests("B - - | E -")));
}

#[test]
fn long_unnamed_statements_are_not_kept_for_others() {
    let mut server = Server::default();
    let mut scene = Scene::new(&mut server);
    scene.rules.reuse = Reuse::Always;
    for (long, name) in [(false, &b"plimsoll_1\0"[..]), (true, b"\0")] {
        let text = format!("P - SELECT_{} | B - - | E - | S", if long { "x".repeat(30_000) } else { "x".into() });
        let sent = scene.client_bytes(&front(&text));
        assert!(sent[crate::frame::HEADER..].starts_with(name), "{long}");
        scene.answer("1 | 2 | C SELECT 0 | Z I");
    }
}
