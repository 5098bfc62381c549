use std::collections::BTreeSet;

use super::super::desk::Desk;

#[test]
fn keys_go_and_are_counted_as_often_as_they_are_named() {
    let mut desk = Desk::new();
    desk.says("SET a 1", "+OK\r\n");
    desk.says("EXISTS a a b", ":2\r\n");
    desk.says("TYPE a", "+string\r\n");
    desk.says("DEL a a b", ":1\r\n");
    desk.says("TYPE a", "+none\r\n");
    assert_eq!(desk.events(), ["set a", "keymiss b", "del a", "keymiss a"]);
    desk.says("TOUCH a", ":0\r\n");
    desk.says("UNLINK a", ":0\r\n");
}

#[test]
fn an_expiry_is_set_on_conditions() {
    let mut desk = Desk::new();
    desk.says("EXPIRE a 10", ":0\r\n");
    desk.says("SET a 1", "+OK\r\n");
    let lines = [
        ("EXPIRE a 10 XX", 0i64),
        ("EXPIRE a 10 GT", 0),
        ("EXPIRE a 10 NX", 1),
        ("EXPIRE a 20 NX", 0),
        ("PEXPIRE a 9999 GT", 0),
        ("PEXPIRE a 10001 GT XX", 1),
        ("PEXPIRE a 10001 LT", 0),
        ("EXPIREAT a 1790000009 LT", 1),
        ("TTL a", 9),
        ("PTTL a", 9000),
        ("EXPIRETIME a", 1_790_000_009),
        ("PEXPIRETIME a", 1_790_000_009_000),
        ("PERSIST a", 1),
        ("PERSIST a", 0),
        ("TTL a", -1),
        ("TTL b", -2),
    ];
    for (line, answer) in lines {
        desk.says(line, &format!(":{answer}\r\n"));
    }
    assert_eq!(desk.effects(), ["PEXPIREAT a 1790000010000", "PEXPIREAT a 1790000010001", "PEXPIREAT a 1790000009000"]);
}

#[test]
fn an_expiry_that_is_past_takes_a_key_away() {
    let mut desk = Desk::new();
    for line in ["EXPIRE a 0", "EXPIRE a -1", "PEXPIREAT a 1790000000000", "EXPIREAT a 5 LT"] {
        desk.says("SET a 1", "+OK\r\n");
        desk.says(line, ":1\r\n");
        desk.says("EXISTS a", ":0\r\n");
        assert_eq!((desk.events(), desk.effects()), (vec!["set a".into(), "del a".into(), "keymiss a".into()], vec!["DEL a".into()]));
    }
}

#[test]
fn an_expiry_that_is_none_is_refused() {
    let mut desk = Desk::new();
    desk.says("EXPIRE a x", "-ERR value is not an integer or out of range\r\n");
    desk.says("EXPIRE a 9223372036854775", "-ERR invalid expire time in 'expire' command\r\n");
    desk.says("EXPIRE a -9223372036854776", "-ERR invalid expire time in 'expire' command\r\n");
    desk.says("PEXPIRE a 9223372036854775807", "-ERR invalid expire time in 'pexpire' command\r\n");
    desk.says("EXPIRE a 1 NX GT", "-ERR NX and XX, GT or LT options at the same time are not compatible\r\n");
    desk.says("EXPIRE a 1 LT GT", "-ERR GT and LT options at the same time are not compatible\r\n");
    desk.says("EXPIRE a 1 NY", "-ERR Unsupported option NY\r\n");
}

#[test]
fn a_key_takes_all_that_it_holds_to_another_name() {
    let mut desk = Desk::new();
    desk.says("SET a 12", "+OK\r\n");
    desk.says("APPEND a 3", ":3\r\n");
    desk.says("EXPIRE a 10", ":1\r\n");
    desk.says("SADD b x", ":1\r\n");
    desk.events();
    desk.says("RENAME a b", "+OK\r\n");
    assert_eq!(desk.events(), ["rename_from a", "rename_to b"]);
    desk.says("OBJECT ENCODING b", "$3\r\nraw\r\n");
    desk.says("TTL b", ":10\r\n");
    desk.says("RENAME a b", "-ERR no such key\r\n");
    desk.says("SET a 1", "+OK\r\n");
    desk.says("RENAMENX a b", ":0\r\n");
    desk.says("RENAMENX a c", ":1\r\n");
    desk.says("RENAME c c", "+OK\r\n");
    desk.says("RENAMENX c c", ":0\r\n");
    desk.says("DBSIZE", ":2\r\n");
}

#[test]
fn a_key_that_was_not_there_is_new() {
    let mut desk = Desk::new();
    desk.want_new();
    let lines = [
        ("SET a 1", vec!["new a", "set a"]),
        ("SET a 2", vec!["set a"]),
        ("APPEND b x", vec!["new b", "append b"]),
        ("SETBIT c 1 1", vec!["new c", "setbit c"]),
        ("SADD d 1", vec!["new d", "sadd d"]),
        ("RENAME a b", vec!["new b", "rename_from a", "rename_to b"]),
        ("COPY b c REPLACE", vec!["new c", "copy_to c"]),
        ("INCR b", vec!["incrby b"]),
    ];
    for (line, events) in lines {
        desk.run(line);
        assert_eq!(desk.events(), events, "{line}");
    }
}

#[test]
fn big_values_move_and_are_copied() {
    let mut desk = Desk::new();
    for number in 0..300 {
        desk.run(&format!("SADD set {number}"));
        desk.run(&format!("HSET hash f{number} {number}"));
    }
    desk.says("HPEXPIRE hash 50 FIELDS 1 f7", "*1\r\n:1\r\n");
    for (kind, count) in [("set", "SCARD"), ("hash", "HLEN")] {
        desk.says(&format!("COPY {kind} other"), ":1\r\n");
        desk.says(&format!("COPY {kind} other"), ":0\r\n");
        desk.says(&format!("RENAME other {kind}2"), "+OK\r\n");
        desk.says(&format!("DEL {kind}"), ":1\r\n");
        desk.says(&format!("{count} {kind}2"), ":300\r\n");
    }
    desk.pass(50);
    desk.says("HLEN hash2", ":299\r\n");
    desk.says("COPY set2 set2", "-ERR source and destination objects are the same\r\n");
    desk.says("COPY set2 x DB 1", "-ERR DB index is out of range\r\n");
    desk.says("COPY set2 hash2 DB 0 REPLACE", ":1\r\n");
    desk.says("MOVE set2 0", "-ERR source and destination objects are the same\r\n");
    desk.says("MOVE set2 1", "-ERR DB index is out of range\r\n");
}

#[test]
fn a_scan_finds_every_key_once() {
    let mut desk = Desk::new();
    let keys: BTreeSet<String> = (0..1000).map(|number| format!("key:{number}")).collect();
    keys.iter().for_each(|key| desk.says(&format!("SET {key} 1"), "+OK\r\n"));
    desk.says("SADD other 1", ":1\r\n");
    let (mut cursor, mut found) = ("0".to_string(), Vec::new());
    loop {
        let answer = desk.run(&format!("SCAN {cursor} COUNT 17 MATCH key:* TYPE string"));
        let mut lines = answer.split("\r\n").skip(2).step_by(2);
        cursor = lines.next().unwrap().to_string();
        found.extend(answer.split("\r\n").filter(|line| line.starts_with("key:")).map(String::from));
        if cursor == "0" {
            break;
        }
    }
    assert_eq!((found.len(), found.into_iter().collect::<BTreeSet<_>>()), (1000, keys));
    desk.says("SCAN 0 MATCH nothing COUNT 2000", "*2\r\n$1\r\n0\r\n*0\r\n");
    desk.says("SCAN x", "-ERR invalid cursor\r\n");
    desk.says("SCAN 18446744073709551615", "*2\r\n$1\r\n0\r\n*0\r\n");
}

#[test]
fn keys_are_found_by_a_pattern() {
    let mut desk = Desk::new();
    desk.says("KEYS *", "*0\r\n");
    desk.says("RANDOMKEY", "$-1\r\n");
    desk.says("MSET one 1 two 2 three 3", "+OK\r\n");
    desk.says("PEXPIRE two 1", ":1\r\n");
    desk.says("KEYS tw*", "*1\r\n$3\r\ntwo\r\n");
    desk.pass(1);
    desk.says("KEYS t*", "*1\r\n$5\r\nthree\r\n");
    desk.says("DBSIZE", ":3\r\n");
    for _ in 0..50 {
        assert!(["$3\r\none\r\n", "$5\r\nthree\r\n"].contains(&&*desk.run("RANDOMKEY")));
    }
    desk.says("DBSIZE", ":2\r\n");
    desk.says("FLUSHALL NOW", "-ERR syntax error\r\n");
    desk.says("FLUSHALL ASYNC", "+OK\r\n");
    desk.says("DBSIZE", ":0\r\n");
}

#[test]
fn objects_are_described() {
    let mut desk = Desk::new();
    desk.says("OBJECT ENCODING a", "$-1\r\n");
    desk.says("SADD a 1", ":1\r\n");
    desk.says("OBJECT ENCODING a", "$6\r\nintset\r\n");
    desk.says("OBJECT REFCOUNT a", ":1\r\n");
    desk.says("OBJECT X a", "-ERR unknown subcommand 'X'. Try OBJECT HELP.\r\n");
    desk.says("OBJECT ENCODING", "-ERR wrong number of arguments for 'object|encoding' command\r\n");
    assert!(desk.run("OBJECT HELP").starts_with("*6\r\n+OBJECT <subcommand>"));
}

/// The bytes that a dump answers.
fn dumped(desk: &mut Desk, key: &str) -> Vec<u8> {
    let answer = desk.bytes(&[b"DUMP", key.as_bytes()]);
    let from = answer.iter().position(|byte| *byte == b'\n').unwrap() + 1;
    answer[from..answer.len() - 2].to_vec()
}

#[test]
fn what_was_dumped_is_restored() {
    let mut desk = Desk::new();
    desk.says("DUMP none", "$-1\r\n");
    desk.says("SET text some", "+OK\r\n");
    desk.says("SADD set 1 2 x", ":3\r\n");
    desk.says("RPUSH list b a b", ":3\r\n");
    desk.says("ZADD sorted 1.5 b -inf a", ":2\r\n");
    desk.says("HSET hash a 1 b 2", ":2\r\n");
    desk.says("HPEXPIRE hash 50 FIELDS 1 a", "*1\r\n:1\r\n");
    desk.says("XADD stream 18446744073709551615-1 f v g w", "$22\r\n18446744073709551615-1\r\n");
    desk.says("XADD stream 18446744073709551615-2 f x", "$22\r\n18446744073709551615-2\r\n");
    desk.says("XGROUP CREATE stream group 0", "+OK\r\n");
    desk.says("XGROUP CREATE stream other $ ENTRIESREAD 7", "+OK\r\n");
    desk.says("XGROUP CREATECONSUMER stream group idle", ":1\r\n");
    desk.run("XREADGROUP GROUP group busy STREAMS stream >");
    desk.says("XDEL stream 18446744073709551615-2", ":1\r\n");
    let asked = [
        ("stream", "XINFO STREAM stream FULL"),
        ("text", "GET text"),
        ("set", "SMEMBERS set"),
        ("hash", "HGETALL hash"),
        ("list", "LRANGE list 0 -1"),
        ("sorted", "ZRANGE sorted 0 -1 WITHSCORES"),
    ];
    for (key, ask) in asked {
        let (bytes, before) = (dumped(&mut desk, key), desk.run(ask));
        assert_eq!(desk.answer(&[b"RESTORE", key.as_bytes(), b"0", &bytes]), "-BUSYKEY Target key name already exists.\r\n");
        desk.run(&format!("DEL {key}"));
        assert_eq!(desk.answer(&[b"RESTORE", key.as_bytes(), b"100", &bytes]), "+OK\r\n");
        assert_eq!((desk.run(ask), desk.run(&format!("PTTL {key}"))), (before, ":100\r\n".into()));
        for at in 0..bytes.len() {
            let mut other = bytes.clone();
            other[at] ^= 1;
            let answer = desk.answer(&[b"RESTORE", key.as_bytes(), b"0", &other, b"REPLACE"]);
            assert_eq!(answer, "-ERR DUMP payload version or checksum are wrong\r\n");
        }
    }
    desk.pass(50);
    desk.says("HGETALL hash", "*2\r\n$1\r\nb\r\n$1\r\n2\r\n");
}

#[test]
fn restore_has_its_options() {
    let mut desk = Desk::new();
    desk.says("SET a 1", "+OK\r\n");
    let bytes = dumped(&mut desk, "a");
    desk.events();
    let mut says = |words: &[&[u8]], answer: &str| assert_eq!(desk.answer(words), answer);
    says(&[b"RESTORE", b"a", b"-1", &bytes, b"REPLACE"], "-ERR Invalid TTL value, must be >= 0\r\n");
    says(&[b"RESTORE", b"b", b"0", b"x"], "-ERR DUMP payload version or checksum are wrong\r\n");
    says(&[b"RESTORE", b"b", b"0", &bytes, b"IDLETIME", b"-1"], "-ERR Invalid IDLETIME value, must be >= 0\r\n");
    says(&[b"RESTORE", b"b", b"0", &bytes, b"FREQ", b"256"], "-ERR Invalid FREQ value, must be >= 0 and <= 255\r\n");
    says(&[b"RESTORE", b"b", b"0", &bytes, b"IDLETIME", b"1", b"FREQ", b"1"], "-ERR syntax error\r\n");
    says(&[b"RESTORE", b"a", b"1790000000001", &bytes, b"ABSTTL", b"REPLACE", b"FREQ", b"1"], "+OK\r\n");
    says(&[b"PTTL", b"a"], ":1\r\n");
    says(&[b"RESTORE", b"a", b"1", &bytes, b"ABSTTL", b"REPLACE"], "+OK\r\n");
    says(&[b"EXISTS", b"a"], ":0\r\n");
    assert_eq!(desk.events(), ["restore a", "del a", "keymiss a"]);
}

#[test]
fn the_last_use_is_known_and_not_counted_by_who_asks() {
    let mut desk = Desk::new();
    desk.says("SET a 1", "+OK\r\n");
    desk.pass(2_560);
    desk.says("OBJECT IDLETIME a", ":2\r\n");
    desk.says("TTL a", ":-1\r\n");
    desk.says("OBJECT IDLETIME a", ":2\r\n");
    desk.says("GET a", "$1\r\n1\r\n");
    desk.says("OBJECT IDLETIME a", ":0\r\n");
    desk.says("OBJECT IDLETIME b", "$-1\r\n");
    assert!(desk.run("OBJECT FREQ a").starts_with("-ERR An LFU maxmemory policy is not selected"));
}
