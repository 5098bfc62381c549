//! Messages in pieces, and what is not copied.

use proptest::prelude::*;

use super::notation::{back, front};
use super::scene::{Scene, Server};
use crate::frame::{HEADER, header};

const SENT: &str =
    "P s SELECT a | B - s | E - | S | Q SELECT 1 | B p s | D S s | C S s | E p | H | S | P - x | B - - | S | F body | Q DEALLOCATE ALL";

/// What a server answers that finds nothing wrong.
fn answers(mut asked: &[u8]) -> Vec<u8> {
    let mut said = Vec::new();
    while let Ok(Some(header)) = header(asked) {
        said.extend(back(match header.tag {
            b'P' => "1",
            b'B' => "2",
            b'D' => "t | T a",
            b'E' => "N 00000 | D some | C SELECT 1",
            b'C' => "3",
            b'S' => "S a b | Z T",
            b'Q' => "T a | D some | C X | C Y | Z I",
            b'F' => "V v | Z I",
            _ => "",
        }));
        asked = &asked[HEADER + header.body..];
    }
    said
}

/// What comes out of both sides when they speak in pieces of these lengths.
fn pieces(ups: &[usize], downs: &[usize]) -> (Vec<u8>, Vec<u8>) {
    let mut server = Server::default();
    let mut scene = Scene::new(&mut server);
    let (mut up, mut down) = (Vec::new(), Vec::new());
    for piece in cut(&front(SENT), ups) {
        up.extend(scene.client_bytes(piece));
    }
    let mut answered = 0;
    while answered < up.len() {
        let said = answers(&up[std::mem::replace(&mut answered, up.len())..]);
        for piece in cut(&said, downs) {
            down.extend(scene.server_bytes(piece).unwrap());
            up.extend(scene.client_bytes(b""));
        }
    }
    assert!(scene.answers.is_settled() && scene.intake.is_at_boundary());
    (up, down)
}

fn cut<'b>(bytes: &'b [u8], ends: &[usize]) -> Vec<&'b [u8]> {
    let mut ends: Vec<_> = ends.iter().map(|end| end % (bytes.len() + 1)).chain([0, bytes.len()]).collect();
    ends.sort_unstable();
    ends.windows(2).map(|pair| &bytes[pair[0]..pair[1]]).collect()
}

/// What the door says itself never stands within a message of the server's.
#[test]
fn an_answer_of_the_doors_awaits_the_end_of_the_one_before() {
    let said = back("2 | T first second | Z I");
    let whole = back("2 | T first second | 3 | Z I");
    for cut in 0..said.len() {
        let mut server = Server::default();
        let mut scene = Scene::new(&mut server);
        scene.client("P s SELECT a | S");
        scene.answer("1 | Z I");
        scene.client("B p s | D P p | C S s | S");
        let mut told = scene.server_bytes(&said[..cut]).unwrap();
        told.extend(scene.server_bytes(&said[cut..]).unwrap());
        assert_eq!(told, whole, "cut at {cut}");
    }
}

proptest! {
    #[test]
    fn where_reads_end_does_not_matter(ups in prop::collection::vec(any::<usize>(), 0..20), downs in prop::collection::vec(any::<usize>(), 0..20)) {
        prop_assert_eq!(pieces(&ups, &downs), pieces(&[], &[]));
    }

    #[test]
    fn no_input_is_too_strange(client in prop::collection::vec(any::<u8>(), 0..200), said in prop::collection::vec(any::<u8>(), 0..200)) {
        let mut server = Server::default();
        let mut scene = Scene::new(&mut server);
        scene.client_bytes(&client);
        let _ = scene.server_bytes(&said);
        scene.client_bytes(&client);
    }
}

#[test]
fn a_large_value_goes_on_as_it_comes() {
    let mut server = Server::default();
    let mut scene = Scene::new(&mut server);
    scene.client("P s SELECT $1 | S");
    scene.answer("1 | Z I");
    let mut bind = b"B\x10\0\0\0-\0s\0".to_vec();
    bind[5] = b'p';
    bind.extend_from_slice(&[7; 1000]);
    let up = scene.client_bytes(&bind);
    assert_eq!(up[..18], *b"B\x10\0\0\x09p\0plimsoll_1\0");
    assert_eq!(up.len(), bind.len() + 9);
    assert_eq!(scene.client_bytes(&[8; 5000]), [8; 5000]);
    assert!(!scene.intake.is_at_boundary());

    let mut scene = Scene::new(&mut server);
    scene.client("Q SELECT 1");
    let row = [b"D\x10\0\0\0".as_slice(), &[9; 100]].concat();
    assert_eq!(scene.server_bytes(&row), Ok(row.clone()));
    assert_eq!(scene.server_bytes(&[9; 5000]), Ok(vec![9; 5000]));
}
