use crate::command::desk::Desk;

const WRONG: &str = "-WRONGTYPE Operation against a key holding the wrong kind of value\r\n";

#[test]
fn fields_are_set_and_read() {
    let mut desk = Desk::new();
    desk.says("HSET h a 1 b 2 a 3", ":2\r\n");
    desk.says("HSET h a 4", ":0\r\n");
    desk.says("HMSET h c long", "+OK\r\n");
    desk.says("HSETNX h c x", ":0\r\n");
    desk.says("HSETNX h d x", ":1\r\n");
    desk.says("HGET h a", "$1\r\n4\r\n");
    desk.says("HGET h x", "$-1\r\n");
    desk.says("HGET x x", "$-1\r\n");
    desk.says("HMGET h a x c", "*3\r\n$1\r\n4\r\n$-1\r\n$4\r\nlong\r\n");
    desk.says("HMGET x a b", "*2\r\n$-1\r\n$-1\r\n");
    desk.says("HLEN h", ":4\r\n");
    desk.says("HSTRLEN h c", ":4\r\n");
    desk.says("HSTRLEN h x", ":0\r\n");
    desk.says("HEXISTS h c", ":1\r\n");
    desk.says("HEXISTS h x", ":0\r\n");
    desk.says("HKEYS h", "*4\r\n$1\r\na\r\n$1\r\nb\r\n$1\r\nc\r\n$1\r\nd\r\n");
    desk.says("HVALS h", "*4\r\n$1\r\n4\r\n$1\r\n2\r\n$4\r\nlong\r\n$1\r\nx\r\n");
    desk.says("HSET h a", "-ERR wrong number of arguments for 'hset' command\r\n");
    desk.says("HMSET h a 1 b", "-ERR wrong number of arguments for 'hmset' command\r\n");
    desk.says("TYPE h", "+hash\r\n");
}

#[test]
fn a_hash_is_a_map_in_resp3() {
    let mut desk = Desk::new();
    desk.says("HSET h a 1", ":1\r\n");
    desk.says("HGETALL h", "*2\r\n$1\r\na\r\n$1\r\n1\r\n");
    desk.says("HGETALL x", "*0\r\n");
    desk.hello_3();
    desk.says("HGETALL h", "%1\r\n$1\r\na\r\n$1\r\n1\r\n");
    desk.says("HGETALL x", "%0\r\n");
    desk.says("HKEYS x", "*0\r\n");
    desk.says("HGET x x", "_\r\n");
    desk.says("HRANDFIELD h 5 WITHVALUES", "*1\r\n*2\r\n$1\r\na\r\n$1\r\n1\r\n");
    desk.says("HRANDFIELD x", "_\r\n");
}

#[test]
fn a_hash_without_fields_is_not_there() {
    let mut desk = Desk::new();
    desk.says("HSET h a 1 b 2", ":2\r\n");
    desk.says("HDEL h a x", ":1\r\n");
    desk.says("HDEL h a", ":0\r\n");
    desk.says("HDEL x a", ":0\r\n");
    assert_eq!(desk.events(), ["hset h", "hdel h"]);
    desk.says("HDEL h b", ":1\r\n");
    desk.says("EXISTS h", ":0\r\n");
    assert_eq!(desk.events(), ["hdel h", "del h", "keymiss h"]);
}

#[test]
fn numbers_are_added() {
    let mut desk = Desk::new();
    desk.says("HINCRBY h n 5", ":5\r\n");
    desk.says("HINCRBY h n -7", ":-2\r\n");
    desk.says("HINCRBY h n 9223372036854775807", ":9223372036854775805\r\n");
    desk.says("HINCRBY h n 3", "-ERR increment or decrement would overflow\r\n");
    desk.says("HINCRBY h n x", "-ERR value is not an integer or out of range\r\n");
    desk.says("HSET h t text", ":1\r\n");
    desk.says("HINCRBY h t 1", "-ERR hash value is not an integer\r\n");
    desk.says("HINCRBYFLOAT h t 1", "-ERR hash value is not a float\r\n");
    desk.says("HINCRBYFLOAT h t x", "-ERR value is not a valid float\r\n");
    desk.says("HINCRBYFLOAT h t inf", "-ERR value is NaN or Infinity\r\n");
    desk.says("HSET h t inf", ":0\r\n");
    desk.says("HINCRBYFLOAT h t 1", "-ERR increment would produce NaN or Infinity\r\n");
    desk.effects();
    desk.says("HINCRBYFLOAT h f 0.1", "$3\r\n0.1\r\n");
    desk.says("HINCRBYFLOAT h f 0.2", "$3\r\n0.3\r\n");
    assert_eq!(desk.effects(), ["HSET h f 0.1", "HSET h f 0.3"]);
    desk.says("HINCRBYFLOAT h f -0.3", "$1\r\n0\r\n");
}

#[test]
fn other_kinds_are_refused() {
    let mut desk = Desk::new();
    desk.says("SET s 1", "+OK\r\n");
    for line in [
        "HSET s a 1",
        "HSETNX s a 1",
        "HGET s a",
        "HMGET s a",
        "HGETALL s",
        "HKEYS s",
        "HVALS s",
        "HDEL s a",
        "HLEN s",
        "HSTRLEN s a",
        "HEXISTS s a",
        "HINCRBY s a 1",
        "HINCRBYFLOAT s a 1",
        "HRANDFIELD s",
        "HRANDFIELD s 1",
        "HSCAN s 0",
    ] {
        desk.says(line, WRONG);
    }
    desk.says("HINCRBY s a x", "-ERR value is not an integer or out of range\r\n");
    desk.says("HSCAN s x", "-ERR invalid cursor\r\n");
}

#[test]
fn fields_are_picked_by_chance() {
    let mut desk = Desk::new();
    desk.says("HRANDFIELD h 1", "*0\r\n");
    desk.says("HSET h a 1 b 2", ":2\r\n");
    desk.says("HRANDFIELD h 0", "*0\r\n");
    desk.says("HRANDFIELD h 3", "*2\r\n$1\r\na\r\n$1\r\nb\r\n");
    desk.says("HRANDFIELD h 2 withvalues", "*4\r\n$1\r\na\r\n$1\r\n1\r\n$1\r\nb\r\n$1\r\n2\r\n");
    let many = desk.run("HRANDFIELD h -100");
    assert!(many.starts_with("*100\r\n") && many.contains("\na\r") && many.contains("\nb\r"), "{many}");
    desk.says("HRANDFIELD h 1 x", "-ERR syntax error\r\n");
    desk.says("HRANDFIELD h 1 WITHVALUES x", "-ERR syntax error\r\n");
    desk.says("HRANDFIELD h -4611686018427387904 WITHVALUES", "-ERR value is out of range\r\n");
    let least = "-ERR value is out of range, value must between -9223372036854775807 and 9223372036854775807\r\n";
    desk.says("HRANDFIELD h -9223372036854775808", least);
}

#[test]
fn a_big_hash_is_scanned_whole() {
    let mut desk = Desk::new();
    desk.says("HSCAN h 0", "*2\r\n$1\r\n0\r\n*0\r\n");
    desk.says("HSET h a 1 ab 2", ":2\r\n");
    desk.says("HSCAN h 0 MATCH a? COUNT 1", "*2\r\n$1\r\n0\r\n*2\r\n$2\r\nab\r\n$1\r\n2\r\n");
    (0..300).for_each(|number| {
        desk.says(&format!("HSET big {number} v{number}"), ":1\r\n");
    });
    let (mut cursor, mut found, mut calls) = (String::from("0"), Vec::new(), 0);
    while calls == 0 || cursor != "0" {
        let answer = desk.run(&format!("HSCAN big {cursor} COUNT 20"));
        let mut words = answer.split("\r\n").filter(|word| !word.starts_with(['*', '$'])).map(String::from);
        cursor = words.next().unwrap();
        found.extend(words.filter(|word| !word.is_empty()));
        calls += 1;
    }
    assert!((10..=16).contains(&calls), "{calls} calls");
    let mut fields: Vec<u32> = found.iter().step_by(2).map(|field| field.parse().unwrap()).collect();
    assert!(found.chunks(2).all(|pair| pair[1] == format!("v{}", pair[0])));
    fields.sort_unstable();
    assert!(fields.into_iter().eq(0..300));
}
