use crate::command::desk::Desk;

const WRONG: &str = "-WRONGTYPE Operation against a key holding the wrong kind of value\r\n";

/// A list of texts as it is answered.
fn texts(elements: &[&str]) -> String {
    let texts: String = elements.iter().map(|element| format!("${}\r\n{element}\r\n", element.len())).collect();
    format!("*{}\r\n{texts}", elements.len())
}

#[test]
fn elements_are_put_at_both_ends_and_read() {
    let mut desk = Desk::new();
    desk.says("RPUSH l c d", ":2\r\n");
    desk.says("LPUSH l b a", ":4\r\n");
    desk.says("LRANGE l 0 -1", &texts(&["a", "b", "c", "d"]));
    desk.says("LRANGE l -3 2", &texts(&["b", "c"]));
    desk.says("LRANGE l 2 1", "*0\r\n");
    desk.says("LRANGE l x 1", "-ERR value is not an integer or out of range\r\n");
    desk.says("LINDEX l -1", "$1\r\nd\r\n");
    desk.says("LINDEX l 4", "$-1\r\n");
    desk.says("LLEN l", ":4\r\n");
    desk.says("LLEN x", ":0\r\n");
    desk.says("LPUSHX x a", ":0\r\n");
    desk.says("RPUSHX l e", ":5\r\n");
    desk.says("TYPE l", "+list\r\n");
    assert_eq!(desk.events(), ["rpush l", "lpush l", "keymiss x", "rpush l"]);
}

#[test]
fn elements_are_popped() {
    let mut desk = Desk::new();
    desk.says("RPUSH l a b c d e", ":5\r\n");
    desk.events();
    desk.says("LPOP l", "$1\r\na\r\n");
    desk.says("RPOP l 2", &texts(&["e", "d"]));
    desk.says("LPOP l 0", "*0\r\n");
    desk.says("LPOP x", "$-1\r\n");
    desk.says("LPOP x 0", "*-1\r\n");
    desk.says("LPOP l -1", "-ERR value is out of range, must be positive\r\n");
    desk.says("LPOP l 1 2", "-ERR wrong number of arguments for 'lpop' command\r\n");
    desk.says("RPOP l 9", &texts(&["c", "b"]));
    assert_eq!(desk.events(), ["lpop l", "rpop l", "rpop l", "del l"]);
    assert!(desk.effects().is_empty());
}

#[test]
fn the_first_list_of_many_is_popped() {
    let mut desk = Desk::new();
    desk.says("RPUSH l a b c", ":3\r\n");
    desk.says("LMPOP 2 x l LEFT COUNT 2", "*2\r\n$1\r\nl\r\n*2\r\n$1\r\na\r\n$1\r\nb\r\n");
    desk.says("LMPOP 2 x l right", "*2\r\n$1\r\nl\r\n*1\r\n$1\r\nc\r\n");
    desk.says("LMPOP 2 x l right", "*-1\r\n");
    assert_eq!(desk.effects(), ["LPOP l 2", "RPOP l 1"]);
    desk.says("LMPOP 0 x LEFT", "-ERR numkeys should be greater than 0\r\n");
    desk.says("LMPOP 1 x LEFT COUNT 0", "-ERR count should be greater than 0\r\n");
    for line in ["LMPOP 2 x LEFT", "LMPOP 1 x UP", "LMPOP 1 x LEFT COUNT", "LMPOP 1 x LEFT COUNT 1 COUNT 2", "LMPOP 1 x LEFT 3"] {
        desk.says(line, "-ERR syntax error\r\n");
    }
}

#[test]
fn the_midst_is_changed() {
    let mut desk = Desk::new();
    desk.says("RPUSH l a b a c a", ":5\r\n");
    desk.says("LSET l -1 z", "+OK\r\n");
    desk.says("LSET l 5 z", "-ERR index out of range\r\n");
    desk.says("LSET x 5 z", "-ERR no such key\r\n");
    desk.says("LINSERT l AFTER b x", ":6\r\n");
    desk.says("LINSERT l before b y", ":7\r\n");
    desk.says("LINSERT l BEFORE nothing y", ":-1\r\n");
    desk.says("LINSERT x BEFORE a y", ":0\r\n");
    desk.says("LINSERT x IN a y", "-ERR syntax error\r\n");
    desk.says("LRANGE l 0 -1", &texts(&["a", "y", "b", "x", "a", "c", "z"]));
    desk.says("LREM l -1 a", ":1\r\n");
    desk.says("LREM l 0 a", ":1\r\n");
    desk.says("LREM l 0 a", ":0\r\n");
    desk.says("LTRIM l 1 -2", "+OK\r\n");
    desk.says("LRANGE l 0 -1", &texts(&["b", "x", "c"]));
    desk.events();
    desk.says("LTRIM l 5 9", "+OK\r\n");
    desk.says("LTRIM x 5 9", "+OK\r\n");
    assert_eq!(desk.events(), ["ltrim l", "del l"]);
}

#[test]
fn elements_are_found() {
    let mut desk = Desk::new();
    desk.says("RPUSH l a b c a b c a", ":7\r\n");
    desk.says("LPOS l a", ":0\r\n");
    desk.says("LPOS l x", "$-1\r\n");
    desk.says("LPOS l a RANK 2", ":3\r\n");
    desk.says("LPOS l a RANK -1", ":6\r\n");
    desk.says("LPOS l a COUNT 0", "*3\r\n:0\r\n:3\r\n:6\r\n");
    desk.says("LPOS l a COUNT 2 RANK -2", "*2\r\n:3\r\n:0\r\n");
    desk.says("LPOS l a COUNT 0 MAXLEN 4", "*2\r\n:0\r\n:3\r\n");
    desk.says("LPOS x a", "$-1\r\n");
    desk.says("LPOS x a COUNT 1", "*0\r\n");
    desk.says("LPOS l a COUNT -1", "-ERR COUNT can't be negative\r\n");
    desk.says("LPOS l a MAXLEN x", "-ERR MAXLEN can't be negative\r\n");
    assert!(desk.run("LPOS l a RANK 0").starts_with("-ERR RANK can't be zero"));
    desk.says("LPOS l a RANK", "-ERR syntax error\r\n");
}

#[test]
fn an_element_is_moved() {
    let mut desk = Desk::new();
    desk.says("RPUSH l a b c", ":3\r\n");
    desk.says("SET s 1", "+OK\r\n");
    desk.events();
    desk.says("LMOVE l m LEFT RIGHT", "$1\r\na\r\n");
    desk.says("RPOPLPUSH l m", "$1\r\nc\r\n");
    desk.says("LMOVE l l LEFT RIGHT", "$1\r\nb\r\n");
    desk.says("LMOVE m m RIGHT LEFT", "$1\r\na\r\n");
    desk.says("LRANGE m 0 -1", &texts(&["a", "c"]));
    desk.says("RPOPLPUSH l s", WRONG);
    desk.says("RPOPLPUSH x s", "$-1\r\n");
    desk.says("RPOPLPUSH l m", "$1\r\nb\r\n");
    let events = ["rpush m", "lpop l", "lpush m", "rpop l", "rpush l", "lpop l", "lpush m", "rpop m", "lpush m", "rpop l", "del l"];
    assert_eq!(desk.events(), events);
    desk.says("LMOVE m m UP LEFT", "-ERR syntax error\r\n");
}

#[test]
fn other_kinds_are_refused() {
    let mut desk = Desk::new();
    desk.says("SET s 1", "+OK\r\n");
    for line in [
        "LPUSH s a",
        "RPUSHX s a",
        "LPOP s",
        "RPOP s 0",
        "LMPOP 2 x s LEFT",
        "LLEN s",
        "LINDEX s 0",
        "LRANGE s 0 1",
        "LPOS s a",
        "LSET s 0 a",
        "LINSERT s BEFORE a b",
        "LREM s 0 a",
        "LTRIM s 0 1",
        "LMOVE s l LEFT LEFT",
        "RPOPLPUSH s l",
    ] {
        desk.says(line, WRONG);
    }
}

#[test]
fn a_long_list_is_a_worker_s() {
    let mut desk = Desk::new();
    for number in 0..5_000 {
        desk.run(&format!("RPUSH l {number}"));
    }
    desk.says("LINDEX l 4321", "$4\r\n4321\r\n");
    desk.says("LRANGE l 2500 2501", &texts(&["2500", "2501"]));
    assert!(std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| desk.run("LRANGE l 0 -1"))).is_err(), "it would take long");
}

#[test]
fn elements_of_any_length_are_kept() {
    let mut desk = Desk::new();
    desk.be_patient();
    let elements = [vec![b'a'; 3_000], vec![b'b'; 1 << 20], b"c".to_vec(), Vec::new()];
    for (number, element) in elements.iter().enumerate() {
        assert_eq!(desk.answer(&[b"RPUSH", b"l", element]), format!(":{}\r\n", number + 1));
    }
    desk.says("LSET l 2 short", "+OK\r\n");
    assert_eq!(desk.answer(&[b"LINSERT", b"l", b"BEFORE", b"short", &elements[1]]), ":5\r\n");
    assert_eq!(desk.answer(&[b"LREM", b"l", b"-1", &elements[1]]), ":1\r\n");
    desk.says("LRANGE l 2 -1", &texts(&["short", ""]));
    assert_eq!(desk.answer(&[b"LPOS", b"l", &elements[1]]), ":1\r\n");
    desk.says("LTRIM l 2 2", "+OK\r\n");
    desk.says("LPOP l", "$5\r\nshort\r\n");
    desk.says("EXISTS l", ":0\r\n");
}
