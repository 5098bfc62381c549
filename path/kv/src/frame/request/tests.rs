use proptest::prelude::*;

use super::*;
use crate::error::Fault;
use crate::frame::fuzzing::{Told, listed, told};

/// What is read if all bytes come at once.
fn read(bytes: impl AsRef<[u8]>) -> Told {
    told(bytes.as_ref(), &Limits::default(), usize::MAX, std::iter::once(bytes.as_ref().len()))
}

/// What is read if every byte comes alone.
fn trickled(bytes: impl AsRef<[u8]>, limits: &Limits) -> Told {
    told(bytes.as_ref(), limits, usize::MAX, std::iter::repeat(1))
}

fn request(words: &[&str]) -> Vec<Vec<u8>> {
    words.iter().map(|word| word.as_bytes().to_vec()).collect()
}

fn broken(text: &str) -> Option<Cut> {
    Some(Cut::Broken(Fault::made(format!("ERR Protocol error: {text}"))))
}

#[test]
fn lists_and_lines_are_read() {
    let (all, cut) = read("*3\r\n$3\r\nSET\r\n$1\r\nk\r\n$2\r\n\r\n\r\nPING\r\n*1\r\n$0\r\n\r\nget \"a b\"\n");
    assert_eq!(all, [request(&["SET", "k", "\r\n"]), request(&["PING"]), request(&[""]), request(&["get", "a b"])]);
    assert_eq!(cut, None);
}

#[test]
fn requests_without_arguments_are_none() {
    assert_eq!(read("\r\n\n \t\r\n*0\r\n*-10\r\n*-1\r\nPING\r\n"), (vec![request(&["PING"])], None));
}

#[test]
fn requests_before_a_broken_one_are_read() {
    let (all, cut) = read("PING\r\n*1\r\nfoo\r\n");
    assert_eq!((all, cut), (vec![request(&["PING"])], broken("expected '$', got 'f'")));
}

#[test]
fn broken_requests_are_named() {
    let named = [
        ("*3000000000\r\n", "invalid multibulk length"),
        ("*99999999999999999999\r\n", "invalid multibulk length"),
        ("*+1\r\n", "invalid multibulk length"),
        ("*01\r\n", "invalid multibulk length"),
        ("*\r\n", "invalid multibulk length"),
        ("*-0\r\n", "invalid multibulk length"),
        ("*1 \r\n", "invalid multibulk length"),
        ("*3\r\n$3\r\nSET\r\n$1\r\nx\r\nfooz\r\n", "expected '$', got 'f'"),
        ("*1\r\n\u{e9}", "expected '$', got '?'"),
        ("*1\r\n*1\r\n$4\r\nPING\r\n", "expected '$', got '*'"),
        ("*1\r\n$-10\r\n", "invalid bulk length"),
        ("*1\r\n$2000000000\r\n", "invalid bulk length"),
        ("*1\r\n$536870913\r\n", "invalid bulk length"),
        ("*1\r\n$blabla\r\n", "invalid bulk length"),
        ("*1\r\n$\r\n", "invalid bulk length"),
        ("*1\r\n$9223372036854775808\r\n", "invalid bulk length"),
        ("set \"\"\"test-key\"\"\" test-value\r\n", "unbalanced quotes in request"),
        ("\0", "too big inline request"),
    ];
    for (bytes, text) in named {
        assert_eq!(read(bytes), (vec![], broken(text)), "{bytes:?}");
        assert_eq!(trickled(bytes, &Limits::default()), (vec![], broken(text)), "{bytes:?}");
    }
}

#[test]
fn lines_that_do_not_end_are_cut() {
    for (start, text) in [("*", "too big mbulk count string"), ("*1\r\n$", "too big bulk count string"), ("", "too big inline request")] {
        let fits = format!("{start}{}", "1".repeat(line::LONGEST));
        assert_eq!(read(&fits), (vec![], None));
        assert_eq!(read(fits + "1"), (vec![], broken(text)));
    }
    let longest = format!("{}\n", "a".repeat(line::LONGEST - 1));
    assert_eq!(read(longest).0.len(), 1);
}

#[test]
fn strangers_may_send_little() {
    let stranger = Limits { known: false, ..Limits::default() };
    assert_eq!(trickled("*11\r\n", &stranger), (vec![], broken("unauthenticated multibulk length")));
    assert_eq!(trickled("*10\r\n$16385\r\n", &stranger), (vec![], broken("unauthenticated bulk length")));
    assert_eq!(trickled("*10\r\n$16384\r\n", &stranger), (vec![], None));
    assert_eq!(read("*11\r\n$16385\r\n"), (vec![], None));
}

#[test]
fn browsers_are_cut_off() {
    for line in ["POST / HTTP/1.1\r\n", "Host: here\r\n", "host: x\n", "\"post\"\n"] {
        assert_eq!(read(format!("PING\r\n{line}SET k v\r\n")), (vec![request(&["PING"])], Some(Cut::CrossProtocol)), "{line}");
    }
    let (all, cut) = read("GET / HTTP/1.1\r\nUser-Agent: x\r\nHost: x\r\n\r\n");
    assert_eq!((all.len(), cut), (2, Some(Cut::CrossProtocol)));
}

#[test]
fn a_request_has_a_bound() {
    let limits = Limits { request: 30, ..Limits::default() };
    let fits = "*2\r\n$3\r\nGET\r\n$9\r\n123456789\r\n"; // 28 bytes
    assert_eq!(trickled(fits.repeat(2), &limits).0.len(), 2);
    assert_eq!(trickled("*2\r\n$3\r\nGET\r\n$12\r\n", &limits), (vec![], Some(Cut::TooLong)));
    assert_eq!(trickled(format!("*9\r\n{}", "$0\r\n\r\n".repeat(9)), &limits), (vec![], Some(Cut::TooLong)));
}

#[test]
fn it_is_said_how_much_is_missing() {
    let mut requests = Requests::default();
    let limits = Limits::default();
    assert_eq!(requests.read(b"", 10, &limits), Rest::Needs(1));
    let mut bytes = b"*2\r\n$3\r\nGET\r\n$100000000\r\nabc".to_vec();
    assert_eq!(requests.read(&bytes, 10, &limits), Rest::Needs(100_000_000 + 2 - 3));
    assert_eq!(requests.consumed(), 0);
    bytes.extend_from_slice(b"def");
    assert_eq!(requests.read(&bytes, 10, &limits), Rest::Needs(100_000_000 + 2 - 6));
}

#[test]
fn as_many_are_read_as_are_asked_for() {
    let bytes = "PING\r\n".repeat(5);
    let mut requests = Requests::default();
    assert_eq!(requests.read(bytes.as_bytes(), 2, &Limits::default()), Rest::More);
    assert_eq!((requests.len(), requests.consumed()), (2, 12));
    assert_eq!(requests.read(&bytes.as_bytes()[12..], 3, &Limits::default()), Rest::More);
    assert_eq!(requests.read(b"", 2, &Limits::default()), Rest::Needs(1));
}

#[test]
fn the_last_request_can_be_taken() {
    let long = vec![b'x'; 100_000];
    for (before, taken) in [("", true), ("PING\r\n", false)] {
        let mut bytes = [before.as_bytes(), &listed(&[b"SET".to_vec(), long.clone()]), b"*1\r\n$4\r\nPI"].concat();
        let (mut requests, place) = (Requests::default(), bytes.as_ptr());
        assert_eq!(requests.read(&bytes, 10, &Limits::default()), Rest::Needs(4));
        let owned = requests.take_last(&mut bytes).unwrap();
        assert!(owned.args().iter().eq([&b"SET"[..], &long]));
        let header = b"*2\r\n$3\r\n".len();
        assert_eq!(owned.args().at(0).as_ptr() == place.wrapping_add(header), taken);
        assert_eq!((&bytes[..], requests.consumed(), requests.len()), (&b"*1\r\n$4\r\nPI"[..], 0, 0));
        bytes.extend_from_slice(b"NG\r\n");
        assert_eq!(requests.read(&bytes, 10, &Limits::default()), Rest::Needs(1));
        assert!(requests.take_last(&mut bytes).unwrap().args().is(0, "ping") && bytes.is_empty());
        assert_eq!(requests.take_last(&mut bytes), None);
    }
}

#[test]
fn memory_is_given_back() {
    let large = listed(&vec![b"x".to_vec(); 100_000]);
    let mut requests = Requests::default();
    requests.read(&large, 10, &Limits::default());
    assert!(requests.spans.capacity() >= 100_000);
    requests.read(b"*2\r\n$1\r\nx\r\n", 10, &Limits::default());
    assert!(requests.spans.capacity() <= 2 * KEPT);
    requests.read(b"*2\r\n$1\r\nx\r\n$1\r\ny\r\n", 10, &Limits::default());
    assert_eq!(requests.len(), 1);
}

/// Bytes of which many are requests, and some nearly.
fn traffic() -> impl Strategy<Value = Vec<u8>> {
    let list = prop::collection::vec(prop::collection::vec(any::<u8>(), 0..20), 0..5).prop_map(|words| listed(&words));
    let line = "[a-z \"'\\\\x0-9]{0,12}\r?\n".prop_map(String::into_bytes);
    let noise = "[*$0-9\r\n-]{0,8}".prop_map(String::into_bytes);
    prop::collection::vec(prop_oneof![6 => list, 3 => line, 1 => noise], 0..8).prop_map(|parts| parts.concat())
}

proptest! {
    #[test]
    fn pieces_make_no_difference(bytes in traffic(), pieces in prop::collection::vec(1usize..40, 0..50), most in 1usize..5) {
        prop_assert_eq!(told(&bytes, &Limits::default(), most, pieces.into_iter()), read(&bytes));
    }

    #[test]
    fn lists_are_read_as_they_were_written(all in prop::collection::vec(prop::collection::vec(prop::collection::vec(any::<u8>(), 0..300), 1..6), 0..6)) {
        let bytes = all.iter().flat_map(|words| listed(words)).collect::<Vec<u8>>();
        prop_assert_eq!(read(bytes), (all, None));
    }

    #[test]
    fn any_bytes_keep_the_fuzzers_promises(bytes: Vec<u8>) {
        crate::frame::fuzzing::requests(&bytes);
        crate::frame::fuzzing::numbers(&bytes);
    }
}
