use super::*;

fn both(write: impl Fn(&mut Reply<'_>)) -> (String, String) {
    let answer = |protocol| {
        let mut out = Vec::new();
        write(&mut Reply::new(&mut out, protocol));
        String::from_utf8(out).unwrap()
    };
    (answer(Protocol::Resp2), answer(Protocol::Resp3))
}

fn same(write: impl Fn(&mut Reply<'_>)) -> String {
    let (two, three) = both(write);
    assert_eq!(two, three);
    two
}

#[test]
fn some_answers_are_the_same_in_both_protocols() {
    assert_eq!(same(|reply| reply.ok()), "+OK\r\n");
    assert_eq!(same(|reply| reply.simple("PONG")), "+PONG\r\n");
    assert_eq!(same(|reply| reply.error(&Fault::SYNTAX)), "-ERR syntax error\r\n");
    assert_eq!(same(|reply| reply.bulk(b"a\r\nb")), "$4\r\na\r\nb\r\n");
    assert_eq!(same(|reply| reply.bulk(&[b'x'; 1000])), format!("$1000\r\n{}\r\n", "x".repeat(1000)));
    assert_eq!(same(|reply| reply.bulk_int(-12)), "$3\r\n-12\r\n");
    assert_eq!(same(|reply| reply.array(3)), "*3\r\n");
}

#[test]
fn other_answers_are_not() {
    let (two, three) = both(|reply| {
        reply.null();
        reply.null_array();
        reply.bool(true);
        reply.bool(false);
    });
    assert_eq!((&*two, &*three), ("$-1\r\n*-1\r\n:1\r\n:0\r\n", "_\r\n_\r\n#t\r\n#f\r\n"));
    let (two, three) = both(|reply| {
        reply.map(2);
        reply.set(5);
        reply.push(3);
    });
    assert_eq!((&*two, &*three), ("*4\r\n*5\r\n*3\r\n", "%2\r\n~5\r\n>3\r\n"));
    let (two, three) = both(|reply| {
        reply.double(0.5);
        reply.double(f64::NEG_INFINITY);
        reply.human(1e20);
    });
    assert_eq!(two, "$3\r\n0.5\r\n$4\r\n-inf\r\n$21\r\n100000000000000000000\r\n");
    assert_eq!(three, ",0.5\r\n,-inf\r\n,100000000000000000000\r\n");
    let (two, three) = both(|reply| {
        reply.verbatim("txt", b"hello");
        reply.big_number(b"12345678901234567890");
    });
    assert_eq!(two, "$5\r\nhello\r\n$20\r\n12345678901234567890\r\n");
    assert_eq!(three, "=9\r\ntxt:hello\r\n(12345678901234567890\r\n");
}

#[test]
fn integers_of_every_length_are_written() {
    let edges = (0..19).flat_map(|power| [10i64.pow(power) - 1, 10i64.pow(power), -(10i64.pow(power))]);
    for value in edges.chain([i64::MAX, i64::MIN]) {
        assert_eq!(same(|reply| reply.int(value)), format!(":{value}\r\n"));
        assert_eq!(same(|reply| reply.bulk_int(value)), format!("${}\r\n{value}\r\n", value.to_string().len()));
    }
}

#[test]
fn an_error_stays_on_its_line() {
    let fault = Fault::made("ERR unknown command 'a\r\n+OK'".into());
    assert_eq!(same(|reply| reply.error(&fault)), "-ERR unknown command 'a  +OK'\r\n");
}

#[test]
fn a_count_known_late_is_written_with_as_many_digits_as_it_has() {
    for guess in [0, 10, 100_000] {
        for count in [0, 9, 10, 1234, 99_999, 100_000] {
            let (two, three) = both(|reply| {
                reply.ok();
                let hole = reply.later(guess);
                reply.bulk(b"x");
                reply.fill(hole, count);
                let hole = reply.later(guess);
                reply.int(7);
                reply.fill_map(hole, count);
                let hole = reply.later(guess);
                reply.fill_set(hole, count);
            });
            assert_eq!(two, format!("+OK\r\n*{count}\r\n$1\r\nx\r\n*{}\r\n:7\r\n*{count}\r\n", count * 2));
            assert_eq!(three, format!("+OK\r\n*{count}\r\n$1\r\nx\r\n%{count}\r\n:7\r\n~{count}\r\n"));
        }
    }
}

#[test]
fn holes_lie_in_holes_if_the_inner_is_filled_first() {
    let answer = same(|reply| {
        let outer = reply.later(0);
        let inner = reply.later(0);
        reply.int(1);
        reply.fill(inner, 1000);
        reply.fill(outer, 100);
    });
    assert_eq!(answer, "*100\r\n*1000\r\n:1\r\n");
}

#[test]
fn what_was_written_can_be_taken_back() {
    let answer = same(|reply| {
        reply.ok();
        let written = reply.written();
        reply.array(5);
        reply.undo(written);
        reply.error(&Fault::WRONG_TYPE);
    });
    assert!(answer.starts_with("+OK\r\n-WRONGTYPE "));
}
