//! Properties of the codecs over generated messages: mostly well formed, with what breaks them mixed in.

use plimsoll_http::fuzzing;
use proptest::prelude::*;

/// One of `choices`, or sometimes any short text.
fn one_of(choices: &'static [&'static str]) -> impl Strategy<Value = String> {
    prop_oneof![20 => prop::sample::select(choices).prop_map(str::to_owned), 1 => "[ -~\r\n\t\0]{0,6}"]
}

fn request_line() -> impl Strategy<Value = String> {
    let method = one_of(&["GET", "POST", "OPTIONS", "BREW", "TRACE", "CONNECT"]);
    let target = one_of(&["/", "/a/../b?c=%20", "*", "http://a/x", "https://b?y", "/%2e%2e/a", "/a%2f..%2f", "//a/./b/"]);
    let version = one_of(&["HTTP/1.1", "HTTP/1.1", "HTTP/1.0", "HTTP/1.2", "HTTP/2.0"]);
    (method, target, version).prop_map(|(method, target, version)| format!("{method} {target} {version}"))
}

fn field() -> impl Strategy<Value = String> {
    let name = one_of(&[
        "Host",
        "Content-Length",
        "Transfer-Encoding",
        "Connection",
        "Upgrade",
        "Expect",
        "TE",
        "X-A",
        "X_Forwarded_For",
        "Cookie",
    ]);
    let between = one_of(&[": ", ":", ":\t", " : "]);
    let value =
        one_of(&["a", "a:80", "5", "0", "chunked", "close", "keep-alive, X-A", "upgrade", "websocket", "100-continue", "trailers", ""]);
    (name, between, value).prop_map(|(name, between, value)| format!("{name}{between}{value}"))
}

/// A first line, fields and what ends the lines; the byte before says how the fuzzing entrance cuts it.
fn message(first: impl Strategy<Value = String>) -> impl Strategy<Value = Vec<u8>> {
    let end = prop_oneof![60 => Just("\r\n"), 1 => Just("\n"), 1 => Just("\r"), 1 => Just("\r\n ")];
    (any::<u8>(), first, prop::collection::vec((field(), end), 0..6), "[a-z\r\n]{0,4}").prop_map(|(cut, first, fields, rest)| {
        let fields: String = fields.into_iter().map(|(field, end)| field + end).collect();
        let mut bytes = vec![cut];
        bytes.extend_from_slice(format!("{first}\r\nHost: a\r\n{fields}\r\n{rest}").as_bytes());
        bytes
    })
}

fn chunks() -> impl Strategy<Value = Vec<u8>> {
    let part = one_of(&[
        "5\r\nhello\r\n",
        "1;a=b\r\nx\r\n",
        "0A\r\n0123456789\r\n",
        "0\r\n",
        "\r\n",
        "X-A: b\r\n",
        "Host: c\r\n",
        "2\r\nx\n\r\n",
        "3\nabc\r\n",
    ]);
    (any::<u8>(), prop::collection::vec(part, 0..8)).prop_map(|(cut, parts)| [&[cut], parts.concat().as_bytes(), b"0\r\n\r\n"].concat())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2_000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn request_heads_keep_their_promises(message in message(request_line())) {
        fuzzing::head(&message);
    }

    #[test]
    fn chunked_bodies_keep_their_promises(body in chunks()) {
        fuzzing::chunk(&body);
    }

    #[test]
    fn answers_keep_their_promises(
        asked in any::<u8>(),
        message in message(one_of(&["HTTP/1.1 200 OK", "HTTP/1.0 404", "HTTP/1.1 101 x", "HTTP/1.1 204 ", "HTTP/1.1 304 x", "HTTP/1.1 100 Continue"])),
    ) {
        // An answer has no Host field of its own to mind; the one of `message` is a field like others.
        fuzzing::response(&[&[asked], &message[..]].concat());
    }

    #[test]
    fn any_bytes_are_read_or_refused(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
        fuzzing::head(&bytes);
        fuzzing::chunk(&bytes);
        fuzzing::response(&bytes);
    }
}

#[test]
fn the_generators_reach_both_verdicts() {
    use proptest::strategy::ValueTree;
    use proptest::test_runner::TestRunner;
    let mut runner = TestRunner::deterministic();
    let accepted = (0..1_000).filter(|_| {
        let tree = message(request_line()).new_tree(&mut runner).expect("a value");
        fuzzing::accepts(&tree.current()[1..])
    });
    let accepted = accepted.count();
    assert!((50..950).contains(&accepted), "{accepted} of 1000 accepted: the generator proves little");
}
