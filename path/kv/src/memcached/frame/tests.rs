use super::super::request::{ERROR, TOO_LARGE};

/// Reads all of `bytes`, which come in pieces of `size`: what is asked for, as text, and whether it was cut.
fn read(bytes: &[u8], size: usize) -> (Vec<String>, bool) {
    crate::memcached::fuzzing::told(bytes, std::iter::repeat(size))
}

#[test]
fn requests_are_the_same_whatever_the_pieces() {
    let text = b"get a b\r\nset a 1 2 3\r\nabc\r\nset a 0 0 1\r\nabc\r\nmg YWI= b v\r\nms a 2 T5\nhi\r\nset k 0 0 2000000 noreply\r\n";
    let bytes = [&text[..], &vec![b'x'; 2_000_000], b"\r\nquit\r\n"].concat();
    let whole = read(&bytes, bytes.len());
    assert_eq!((whole.0.len(), whole.1), (8, false));
    for size in [7, 1000, 65_536] {
        assert_eq!(read(&bytes, size), whole, "{size}");
    }
    let said = |at: usize, text: &str| assert!(whole.0[at].contains(text), "{}", whole.0[at]);
    said(2, "bad data chunk");
    said(3, ERROR);
    said(4, "Meta");
    said(6, "TooLarge");
    said(7, "Quit");
    assert!(TOO_LARGE.starts_with("SERVER_ERROR"));
}

#[test]
fn a_long_line_is_read_only_if_it_asks_for_keys() {
    let keys = |name: &str| format!("{name} {}\r\n", "key ".repeat(1000)).into_bytes();
    assert!(!read(&keys("get"), 100).1 && !read(&keys("gats 10"), 100).1);
    assert_eq!(read(&keys("delete"), 100), (vec![], true));
    assert_eq!(read(&[b'x'; 3000], 3000), (vec![], true));
    assert!(read(&[&b" ".repeat(200)[..], &keys("get")].concat(), 100).1);
    assert!(read(&[&b"get "[..], &b"k ".repeat(600_000)].concat(), 60_000).1);
}
