use super::notation::{back, front};
use super::scene::{Scene, Server};
use crate::exchange::intake::Planned;

/// `Parse`s of `name` and a number, of 30 KB each.
fn parses(name: &str, numbers: std::ops::Range<usize>) -> Vec<u8> {
    let text = |number| format!("P {name}{number} SELECT_{number}_{}", "x".repeat(30_000));
    numbers.flat_map(|number| front(&if name == "-" { text(number).replacen(&format!("-{number}"), "-", 1) } else { text(number) })).collect()
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
