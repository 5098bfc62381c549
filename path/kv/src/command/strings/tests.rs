use super::super::desk::Desk;

#[test]
fn set_has_its_options() {
    let mut desk = Desk::new();
    desk.says("SET a 1", "+OK\r\n");
    desk.says("GET a", "$1\r\n1\r\n");
    desk.says("SET a 2 NX", "$-1\r\n");
    desk.says("SET b 2 XX", "$-1\r\n");
    desk.says("SET a 3 XX GET", "$1\r\n1\r\n");
    desk.says("SET a 3 NX XX", "-ERR syntax error\r\n");
    desk.says("SET a 3 EX 0", "-ERR invalid expire time in 'set' command\r\n");
    desk.says("SET a 3 EX x KEEPTTL", "-ERR syntax error\r\n");
    desk.says("SET a 3 PX x", "-ERR value is not an integer or out of range\r\n");
    desk.says("SET a 4 EX 7 EX 9 EX 1", "+OK\r\n");
    desk.pass(999);
    desk.says("SET a 5 KEEPTTL", "+OK\r\n");
    desk.says("GET a", "$1\r\n5\r\n");
    desk.pass(1);
    desk.says("GET a", "$-1\r\n");
}

#[test]
fn a_set_that_tells_wants_a_string() {
    let mut desk = Desk::new();
    desk.says("SADD s 1", ":1\r\n");
    desk.says("SET s 1 GET", "-WRONGTYPE Operation against a key holding the wrong kind of value\r\n");
    desk.says("SET s 1", "+OK\r\n");
    desk.says("SET s 2 NX GET", "$1\r\n1\r\n");
    desk.says("SET t 2 NX GET", "$-1\r\n");
    desk.says("GETSET t 3", "$1\r\n2\r\n");
    desk.says("SETNX t 4", ":0\r\n");
    desk.says("SETNX u 4", ":1\r\n");
}

#[test]
fn events_are_told_in_order() {
    let mut desk = Desk::new();
    desk.says("SET a 4 EX 1", "+OK\r\n");
    assert_eq!(desk.events(), ["set a", "expire a"]);
    assert_eq!(desk.effects(), ["SET a 4 PXAT 1790000001000"]);
    desk.pass(1000);
    desk.says("GET a", "$-1\r\n");
    assert_eq!(desk.events(), ["expired a", "keymiss a"]);
    desk.says("SET a 1 GET", "$-1\r\n");
    assert_eq!(desk.events(), ["keymiss a", "set a"]);
}

#[test]
fn getex_changes_what_becomes_of_a_key() {
    let mut desk = Desk::new();
    desk.says("GETEX a EX 0", "$-1\r\n");
    desk.says("SET a 1", "+OK\r\n");
    desk.says("GETEX a EX 0", "-ERR invalid expire time in 'getex' command\r\n");
    desk.says("GETEX a EX 10 PERSIST", "-ERR syntax error\r\n");
    desk.says("GETEX a NX", "-ERR syntax error\r\n");
    desk.events();
    desk.says("GETEX a EX 10", "$1\r\n1\r\n");
    desk.says("GETEX a PERSIST", "$1\r\n1\r\n");
    desk.says("GETEX a PERSIST", "$1\r\n1\r\n");
    desk.says("GETEX a PXAT 5", "$1\r\n1\r\n");
    desk.says("GETDEL a", "$-1\r\n");
    assert_eq!(desk.events(), ["expire a", "persist a", "del a", "keymiss a"]);
    assert_eq!(desk.effects(), ["PEXPIREAT a 1790000010000", "PERSIST a", "DEL a"]);
}

#[test]
fn an_expiry_too_far_for_the_store_is_far() {
    let mut desk = Desk::new();
    desk.says("SET a 1 PX 9000000000000000", "+OK\r\n");
    desk.says("PEXPIRETIME a", ":281474976710655\r\n");
    desk.says("SETEX a 9223372036854775807 1", "-ERR invalid expire time in 'setex' command\r\n");
    desk.says("PSETEX a 9223372036854775807 1", "-ERR invalid expire time in 'psetex' command\r\n");
}

#[test]
fn parts_are_read_and_written() {
    let mut desk = Desk::new();
    desk.be_patient();
    desk.says("APPEND a Hello", ":5\r\n");
    desk.says("APPEND a !", ":6\r\n");
    for (range, part) in [("0 -1", "Hello!"), ("-3 -2", "lo"), ("-1 -3", ""), ("3 1", ""), ("-100 1", "He"), ("4 100", "o!"), ("6 9", "")] {
        desk.says(&format!("GETRANGE a {range}"), &format!("${}\r\n{part}\r\n", part.len()));
    }
    desk.says("SETRANGE a 8 xy", ":10\r\n");
    desk.says("GET a", "$10\r\nHello!\0\0xy\r\n");
    desk.says("SETRANGE a -1 x", "-ERR offset is out of range\r\n");
    desk.says("SETRANGE a 536870911 xy", "-ERR string exceeds maximum allowed size (proto-max-bulk-len)\r\n");
    desk.answer(&[b"SETRANGE", b"none", b"5", b""]);
    desk.says("EXISTS none", ":0\r\n");
    desk.says("STRLEN a", ":10\r\n");
}

#[test]
fn a_long_string_grows_where_it_lies() {
    let mut desk = Desk::new();
    let piece = [b'x'; 1000];
    for number in 1..=300 {
        assert_eq!(desk.answer(&[b"APPEND", b"long", &piece]), format!(":{}\r\n", number * 1000));
    }
    desk.says("GETRANGE long 299998 -1", "$2\r\nxx\r\n");
    desk.says("SETRANGE long 300010 end", ":300013\r\n");
    desk.says("GETRANGE long 299999 -1", "$14\r\nx\0\0\0\0\0\0\0\0\0\0end\r\n");
}

#[test]
fn numbers_are_counted_where_they_lie() {
    let mut desk = Desk::new();
    desk.says("INCR n", ":1\r\n");
    desk.says("INCRBY n 98", ":99\r\n");
    desk.says("EXPIRE n 100", ":1\r\n");
    desk.says("INCR n", ":100\r\n");
    desk.says("DECRBY n 50", ":50\r\n");
    desk.says("DECR n", ":49\r\n");
    desk.says("TTL n", ":100\r\n");
    desk.says("INCRBY n x", "-ERR value is not an integer or out of range\r\n");
    desk.says("DECRBY n -9223372036854775808", "-ERR decrement would overflow\r\n");
    desk.says("INCRBY n 9223372036854775807", "-ERR increment or decrement would overflow\r\n");
    desk.says("SET n 1.5", "+OK\r\n");
    desk.says("INCR n", "-ERR value is not an integer or out of range\r\n");
    desk.effects();
    desk.says("INCRBYFLOAT n 0.1", "$3\r\n1.6\r\n");
    assert_eq!(desk.effects(), ["SET n 1.6 KEEPTTL"]);
    desk.says("INCRBYFLOAT n x", "-ERR value is not a valid float\r\n");
    desk.says("INCRBYFLOAT n inf", "-ERR increment would produce NaN or Infinity\r\n");
}

#[test]
fn encodings_are_those_of_redis() {
    let mut desk = Desk::new();
    let long = "x".repeat(45);
    let lines = [
        ("SET a 12", "int"),
        ("SET a x", "embstr"),
        (&*format!("SET a {long}"), "raw"),
        ("SET a 12", "int"),
        ("APPEND a 3", "raw"),
        ("INCR a", "int"),
        ("SETRANGE a 0 9", "raw"),
        ("INCR a", "int"),
        ("EXPIRE a 100", "int"),
        ("APPEND a x", "raw"),
        ("PERSIST a", "raw"),
        ("SETBIT a 1 1", "raw"),
        ("GETSET a 01", "embstr"),
    ];
    for (line, encoding) in lines {
        desk.run(line);
        desk.says("OBJECT ENCODING a", &format!("${}\r\n{encoding}\r\n", encoding.len()));
    }
}

#[test]
fn many_are_set_all_or_none() {
    let mut desk = Desk::new();
    desk.says("MSET a 1 b 2 a 3", "+OK\r\n");
    desk.says("SADD s 1", ":1\r\n");
    desk.says("MGET a s b none", "*4\r\n$1\r\n3\r\n$-1\r\n$1\r\n2\r\n$-1\r\n");
    desk.says("MSETNX c 1 a 1", ":0\r\n");
    desk.says("MSETNX c 1 d 1", ":1\r\n");
    desk.says("MSET a", "-ERR wrong number of arguments for 'mset' command\r\n");
    desk.says("MSET a 1 b", "-ERR wrong number of arguments for 'mset' command\r\n");
}

#[test]
fn common_subsequences_are_found() {
    let mut desk = Desk::new();
    desk.says("MSET a ohmytext b mynewtext", "+OK\r\n");
    desk.says("LCS a b", "$6\r\nmytext\r\n");
    desk.says("LCS a b LEN", ":6\r\n");
    let places = "*4\r\n$7\r\nmatches\r\n*2\r\n*3\r\n*2\r\n:4\r\n:7\r\n*2\r\n:5\r\n:8\r\n:4\r\n\
        *3\r\n*2\r\n:2\r\n:3\r\n*2\r\n:0\r\n:1\r\n:2\r\n$3\r\nlen\r\n:6\r\n";
    desk.says("LCS a b IDX WITHMATCHLEN", places);
    desk.says("LCS a b IDX MINMATCHLEN 4", "*4\r\n$7\r\nmatches\r\n*1\r\n*2\r\n*2\r\n:4\r\n:7\r\n*2\r\n:5\r\n:8\r\n$3\r\nlen\r\n:6\r\n");
    desk.says("LCS a none", "$0\r\n\r\n");
    desk.says("LCS a b LEN IDX", "-ERR If you want both the length and indexes, please just use IDX.\r\n");
}
