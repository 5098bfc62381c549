use crate::command::desk::Desk;

const WRONG: &str = "-WRONGTYPE Operation against a key holding the wrong kind of value\r\n";

#[test]
fn members_are_there_once() {
    let mut desk = Desk::new();
    desk.says("SADD s b a b", ":2\r\n");
    desk.says("SADD s a", ":0\r\n");
    desk.says("SCARD s", ":2\r\n");
    desk.says("SISMEMBER s a", ":1\r\n");
    desk.says("SISMEMBER x a", ":0\r\n");
    desk.says("SMISMEMBER s a x b", "*3\r\n:1\r\n:0\r\n:1\r\n");
    desk.says("SMISMEMBER x a", "*1\r\n:0\r\n");
    desk.says("SREM s a x", ":1\r\n");
    desk.says("SREM x a", ":0\r\n");
    desk.says("SMEMBERS s", "*1\r\n$1\r\nb\r\n");
    assert_eq!(desk.events(), ["sadd s", "keymiss x", "keymiss x", "srem s"]);
    desk.says("SREM s b", ":1\r\n");
    desk.says("SMEMBERS s", "*0\r\n");
    assert_eq!(desk.events(), ["srem s", "del s", "keymiss s"]);
}

#[test]
fn integers_are_told_in_order() {
    let mut desk = Desk::new();
    desk.says("SADD s 10 9 -3 0", ":4\r\n");
    desk.says("SMEMBERS s", "*4\r\n$2\r\n-3\r\n$1\r\n0\r\n$1\r\n9\r\n$2\r\n10\r\n");
}

#[test]
fn answers_are_sets_in_resp3() {
    let mut desk = Desk::new();
    desk.hello_3();
    desk.says("SADD s 1 2", ":2\r\n");
    desk.says("SMEMBERS s", "~2\r\n$1\r\n1\r\n$1\r\n2\r\n");
    desk.says("SMEMBERS x", "~0\r\n");
    desk.says("SINTER s x", "~0\r\n");
    desk.says("SUNION s x", "~2\r\n$1\r\n1\r\n$1\r\n2\r\n");
    desk.says("SPOP s 0", "~0\r\n");
    desk.says("SPOP x 1", "~0\r\n");
    desk.says("SPOP x", "_\r\n");
    desk.says("SRANDMEMBER s 9", "*2\r\n$1\r\n1\r\n$1\r\n2\r\n");
    desk.says("SRANDMEMBER x", "_\r\n");
    desk.says("SPOP s 9", "~2\r\n$1\r\n1\r\n$1\r\n2\r\n");
}

#[test]
fn a_member_moves_from_set_to_set() {
    let mut desk = Desk::new();
    desk.says("SADD a 1 2", ":2\r\n");
    desk.says("SADD b 2", ":1\r\n");
    desk.says("SET t x", "+OK\r\n");
    desk.events();
    desk.says("SMOVE a b 3", ":0\r\n");
    desk.says("SMOVE a a 1", ":1\r\n");
    desk.says("SMOVE x t 1", ":0\r\n");
    desk.says("SMOVE a t 3", WRONG);
    desk.says("SMOVE t a 3", WRONG);
    assert!(desk.events().is_empty());
    desk.says("SMOVE a b 2", ":1\r\n");
    desk.says("SMOVE a c 1", ":1\r\n");
    assert_eq!(desk.events(), ["srem a", "srem a", "del a", "sadd c"]);
}

#[test]
fn several_sets_become_one() {
    let mut desk = Desk::new();
    desk.says("SADD a 1 2 3 4", ":4\r\n");
    desk.says("SADD b 3 4 5", ":3\r\n");
    desk.says("SADD c 4 x", ":2\r\n");
    desk.says("SINTER a b c", "*1\r\n$1\r\n4\r\n");
    desk.says("SINTER a none", "*0\r\n");
    desk.says("SUNION b c", "*4\r\n$1\r\n3\r\n$1\r\n4\r\n$1\r\n5\r\n$1\r\nx\r\n");
    desk.says("SDIFF a b none", "*2\r\n$1\r\n1\r\n$1\r\n2\r\n");
    desk.says("SDIFF none a", "*0\r\n");
    desk.says("SINTERCARD 2 a b", ":2\r\n");
    desk.says("SINTERCARD 2 a b LIMIT 1", ":1\r\n");
    desk.says("SINTERCARD 2 a b LIMIT 0", ":2\r\n");
    desk.says("SINTERCARD 0 a", "-ERR numkeys should be greater than 0\r\n");
    desk.says("SINTERCARD x a", "-ERR numkeys should be greater than 0\r\n");
    desk.says("SINTERCARD 2 a", "-ERR Number of keys can't be greater than number of args\r\n");
    desk.says("SINTERCARD 1 a LIMIT -1", "-ERR LIMIT can't be negative\r\n");
    desk.says("SINTERCARD 1 a LIMIT", "-ERR syntax error\r\n");
    desk.says("SINTERCARD 1 a b", "-ERR syntax error\r\n");
}

#[test]
fn what_several_become_is_stored() {
    let mut desk = Desk::new();
    desk.says("SADD a 1 2 3", ":3\r\n");
    desk.says("SADD b 2 3", ":2\r\n");
    desk.says("SET to text EX 100", "+OK\r\n");
    desk.events();
    desk.says("SINTERSTORE to a b", ":2\r\n");
    desk.says("SMEMBERS to", "*2\r\n$1\r\n2\r\n$1\r\n3\r\n");
    desk.pass(200_000);
    desk.says("SUNIONSTORE a a b", ":3\r\n");
    desk.says("SDIFFSTORE to a b", ":1\r\n");
    desk.says("SDIFFSTORE to b a", ":0\r\n");
    desk.says("SINTERSTORE to a none", ":0\r\n");
    assert_eq!(desk.events(), ["sinterstore to", "sunionstore a", "sdiffstore to", "del to", "keymiss none"]);
}

#[test]
fn members_are_picked_by_chance() {
    let mut desk = Desk::new();
    desk.says("SADD s a b c", ":3\r\n");
    let one = desk.run("SRANDMEMBER s");
    assert!(["$1\r\na\r\n", "$1\r\nb\r\n", "$1\r\nc\r\n"].contains(&&*one), "{one}");
    assert!(desk.run("SRANDMEMBER s -7").starts_with("*7\r\n"));
    assert!(desk.run("SRANDMEMBER s 2").starts_with("*2\r\n"));
    desk.says("SRANDMEMBER s 0", "*0\r\n");
    desk.says("SRANDMEMBER x 3", "*0\r\n");
    desk.says("SRANDMEMBER s 1 2", "-ERR syntax error\r\n");
    desk.says("SRANDMEMBER s x", "-ERR value is not an integer or out of range\r\n");
}

#[test]
fn the_log_says_which_members_were_popped() {
    let mut desk = Desk::new();
    desk.says("SADD s a b c d e f", ":6\r\n");
    desk.events();
    let popped = desk.run("SPOP s");
    assert_eq!(desk.effects(), [format!("SREM s {}", popped.split("\r\n").nth(1).unwrap())]);
    let popped = desk.run("SPOP s 2");
    let words: Vec<&str> = popped.split("\r\n").collect();
    assert_eq!(desk.effects(), [format!("SREM s {} {}", words[2], words[4])]);
    desk.says("SCARD s", ":3\r\n");
    assert!(desk.run("SPOP s 3").starts_with("*3\r\n"));
    assert_eq!(desk.effects(), ["DEL s"]);
    assert_eq!(desk.events(), ["spop s", "spop s", "spop s", "del s"]);
    desk.says("SADD s a", ":1\r\n");
    desk.says("SPOP s", "$1\r\na\r\n");
    assert_eq!(desk.events(), ["sadd s", "spop s", "del s"]);
    desk.says("SPOP s -1", "-ERR value is out of range, must be positive\r\n");
    desk.says("SPOP s x", "-ERR value is out of range, must be positive\r\n");
    desk.says("SPOP s 1 2", "-ERR syntax error\r\n");
}

#[test]
fn other_kinds_are_refused() {
    let mut desk = Desk::new();
    desk.says("SET t 1", "+OK\r\n");
    desk.says("SADD s a", ":1\r\n");
    for line in [
        "SADD t a",
        "SREM t a",
        "SMEMBERS t",
        "SISMEMBER t a",
        "SMISMEMBER t a",
        "SCARD t",
        "SPOP t",
        "SPOP t 1",
        "SRANDMEMBER t",
        "SRANDMEMBER t 1",
        "SINTER t",
        "SINTER none t",
        "SINTERCARD 2 s t",
        "SINTERSTORE x s t",
        "SUNION s t",
        "SUNIONSTORE s t s",
        "SDIFF s t",
        "SDIFFSTORE x s t",
        "SSCAN t 0",
    ] {
        desk.says(line, WRONG);
    }
    desk.says("SMEMBERS s", "*1\r\n$1\r\na\r\n");
}

#[test]
fn a_big_set_is_scanned_whole() {
    let mut desk = Desk::new();
    (0..300).for_each(|number| {
        desk.says(&format!("SADD big {number}"), ":1\r\n");
    });
    let (mut cursor, mut found) = (String::from("0"), Vec::new());
    loop {
        let answer = desk.run(&format!("SSCAN big {cursor} MATCH *7 COUNT 25"));
        let mut words = answer.split("\r\n").filter(|word| !word.is_empty() && !word.starts_with(['*', '$'])).map(String::from);
        cursor = words.next().unwrap();
        found.extend(words.map(|word| word.parse::<u32>().unwrap()));
        if cursor == "0" {
            break;
        }
    }
    found.sort_unstable();
    assert!(found.into_iter().eq((0..300).filter(|number| number % 10 == 7)));
}
