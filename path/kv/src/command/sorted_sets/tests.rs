use crate::command::desk::Desk;

const WRONG: &str = "-WRONGTYPE Operation against a key holding the wrong kind of value\r\n";

/// A list of texts as it is answered.
fn texts(line: &str) -> String {
    let words: Vec<&str> = line.split_whitespace().collect();
    let texts: String = words.iter().map(|word| format!("${}\r\n{word}\r\n", word.len())).collect();
    format!("*{}\r\n{texts}", words.len())
}

#[test]
fn members_are_in_the_order_of_their_scores() {
    let mut desk = Desk::new();
    desk.says("ZADD z 2 b 1 a 3 c", ":3\r\n");
    desk.says("ZADD z 2.5 a", ":0\r\n");
    desk.says("ZADD z CH 9 a 3 c 1 d", ":2\r\n");
    desk.says("ZRANGE z 0 -1 WITHSCORES", &texts("d 1 b 2 c 3 a 9"));
    desk.says("ZREVRANGE z 0 1", &texts("a c"));
    desk.says("ZRANGE z 1 -2 REV", &texts("c b"));
    desk.says("ZSCORE z a", "$1\r\n9\r\n");
    desk.says("ZSCORE z x", "$-1\r\n");
    desk.says("ZMSCORE z a x", "*2\r\n$1\r\n9\r\n$-1\r\n");
    desk.says("ZMSCORE x a", "*1\r\n$-1\r\n");
    desk.says("ZCARD z", ":4\r\n");
    desk.says("ZRANK z c", ":2\r\n");
    desk.says("ZREVRANK z c", ":1\r\n");
    desk.says("ZRANK z x", "$-1\r\n");
    desk.says("TYPE z", "+zset\r\n");
    assert_eq!(desk.events()[..3], ["zadd z", "zadd z", "zadd z"]);
}

#[test]
fn scores_are_set_under_conditions() {
    let mut desk = Desk::new();
    desk.says("ZADD x XX 1 a", ":0\r\n");
    desk.says("EXISTS x", ":0\r\n");
    desk.says("ZADD z NX 1 a 2 b", ":2\r\n");
    desk.says("ZADD z NX CH 5 a 3 c", ":1\r\n");
    desk.says("ZADD z XX GT CH 0 a 9 b", ":1\r\n");
    desk.says("ZADD z LT 0 a", ":0\r\n");
    desk.says("ZADD z INCR 2.5 a", "$3\r\n2.5\r\n");
    desk.says("ZADD z NX INCR 2.5 a", "$-1\r\n");
    desk.says("ZADD z XX INCR 2.5 x", "$-1\r\n");
    desk.says("ZADD z GT INCR -1 a", "$-1\r\n");
    desk.says("ZINCRBY z -2.5 a", "$1\r\n0\r\n");
    desk.says("ZINCRBY z inf i", "$3\r\ninf\r\n");
    desk.says("ZINCRBY z -inf i", "-ERR resulting score is not a number (NaN)\r\n");
    desk.says("ZADD z NX XX 1 a", "-ERR XX and NX options at the same time are not compatible\r\n");
    for line in ["ZADD z NX GT 1 a", "ZADD z LT GT 1 a"] {
        desk.says(line, "-ERR GT, LT, and/or NX options at the same time are not compatible\r\n");
    }
    desk.says("ZADD z INCR 1 a 2 b", "-ERR INCR option supports a single increment-element pair\r\n");
    desk.says("ZADD z 1 a x b", "-ERR value is not a valid float\r\n");
    desk.says("ZADD z nan a", "-ERR value is not a valid float\r\n");
    desk.says("ZADD z NX CH", "-ERR syntax error\r\n");
    desk.says("ZADD z 1 a 2", "-ERR syntax error\r\n");
    desk.events();
    desk.says("ZADD z INCR 0 a", "$1\r\n0\r\n");
    desk.says("ZADD z INCR 1 a", "$1\r\n1\r\n");
    assert_eq!(desk.events(), ["zincr z"]);
}

#[test]
fn ranges_are_between_scores() {
    let mut desk = Desk::new();
    desk.says("ZADD z 1 a 2 b 2 c 3 d inf e", ":5\r\n");
    desk.says("ZRANGEBYSCORE z (1 3", &texts("b c d"));
    desk.says("ZRANGEBYSCORE z -inf +inf WITHSCORES LIMIT 1 2", &texts("b 2 c 2"));
    desk.says("ZREVRANGEBYSCORE z 3 (1 LIMIT 1 -1", &texts("c b"));
    desk.says("ZRANGE z (3 2 BYSCORE REV", &texts("c b"));
    desk.says("ZRANGE z 0 9 BYSCORE LIMIT -1 2", "*0\r\n");
    desk.says("ZRANGE z 0 9 BYSCORE LIMIT 9 2", "*0\r\n");
    desk.says("ZCOUNT z 2 (1e400", ":3\r\n");
    desk.says("ZCOUNT z ( 1", ":1\r\n");
    desk.says("ZCOUNT z 2 1", ":0\r\n");
    desk.says("ZCOUNT z x 1", "-ERR min or max is not a float\r\n");
    desk.says("ZCOUNT x 1 2", ":0\r\n");
    let limited = "-ERR syntax error, LIMIT is only supported in combination with either BYSCORE or BYLEX\r\n";
    desk.says("ZRANGE z 0 9 LIMIT 0 1", limited);
    desk.says("ZRANGE z 0 9 REV REV", "-ERR syntax error\r\n");
    desk.says("ZRANGEBYSCORE z 0 9 REV", "-ERR syntax error\r\n");
    desk.says("ZRANGE z 0 9 BYSCORE LIMIT 0", "-ERR syntax error\r\n");
    desk.says("ZRANGE z 0 x", "-ERR value is not an integer or out of range\r\n");
}

#[test]
fn ranges_are_between_texts() {
    let mut desk = Desk::new();
    desk.says("ZADD z 0 a 0 b 0 c 0 d", ":4\r\n");
    desk.says("ZRANGEBYLEX z - +", &texts("a b c d"));
    desk.says("ZRANGEBYLEX z (a [c", &texts("b c"));
    desk.says("ZREVRANGEBYLEX z + (b LIMIT 1 5", &texts("c"));
    desk.says("ZRANGE z [c - BYLEX REV", &texts("c b a"));
    desk.says("ZLEXCOUNT z [b +", ":3\r\n");
    desk.says("ZLEXCOUNT z + -", ":0\r\n");
    desk.says("ZLEXCOUNT z a +", "-ERR min or max not valid string range item\r\n");
    let scored = "-ERR syntax error, WITHSCORES not supported in combination with BYLEX\r\n";
    desk.says("ZRANGE z - + BYLEX WITHSCORES", scored);
    desk.says("ZREMRANGEBYLEX z [b (d", ":2\r\n");
    desk.says("ZREMRANGEBYSCORE z (0 1", ":0\r\n");
    desk.says("ZREMRANGEBYRANK z -1 -1", ":1\r\n");
    desk.events();
    desk.says("ZREMRANGEBYSCORE z 0 0", ":1\r\n");
    desk.says("ZREMRANGEBYRANK z 0 0", ":0\r\n");
    assert_eq!(desk.events(), ["zremrangebyscore z", "del z"]);
}

#[test]
fn members_are_popped() {
    let mut desk = Desk::new();
    desk.says("ZADD z 1 a 2 b 3 c 4 d 5 e", ":5\r\n");
    desk.says("ZPOPMIN z", &texts("a 1"));
    desk.says("ZPOPMAX z 2", &texts("e 5 d 4"));
    desk.says("ZPOPMIN z 0", "*0\r\n");
    desk.says("ZPOPMIN x", "*0\r\n");
    desk.says("ZPOPMIN z -1", "-ERR value is out of range, must be positive\r\n");
    desk.says("ZPOPMIN z 1 2", "-ERR syntax error\r\n");
    desk.events();
    desk.says("ZMPOP 2 x z MAX COUNT 9", "*2\r\n$1\r\nz\r\n*2\r\n*2\r\n$1\r\nc\r\n$1\r\n3\r\n*2\r\n$1\r\nb\r\n$1\r\n2\r\n");
    desk.says("ZMPOP 2 x z MIN", "*-1\r\n");
    assert_eq!(desk.events(), ["zpopmax z", "del z"]);
    assert_eq!(desk.effects(), ["ZPOPMAX z 2"]);
    desk.says("ZMPOP 1 z UP", "-ERR syntax error\r\n");
    desk.says("ZADD z 1 a 2 b", ":2\r\n");
    desk.hello_3();
    desk.says("ZPOPMIN z 1", "*1\r\n*2\r\n$1\r\na\r\n,1\r\n");
    desk.says("ZRANGE z 0 -1 WITHSCORES", "*1\r\n*2\r\n$1\r\nb\r\n,2\r\n");
    desk.says("ZPOPMIN z", "*2\r\n$1\r\nb\r\n,2\r\n");
    desk.says("ZSCORE z b", "_\r\n");
}

#[test]
fn sorted_sets_and_sets_are_combined() {
    let mut desk = Desk::new();
    desk.says("ZADD a 1 x 2 y 3 z", ":3\r\n");
    desk.says("ZADD b 10 y 20 z 30 w", ":3\r\n");
    desk.says("SADD s y w", ":2\r\n");
    desk.says("ZUNION 2 a b WITHSCORES", &texts("x 1 y 12 z 23 w 30"));
    desk.says("ZINTER 3 a b s WITHSCORES", &texts("y 13"));
    desk.says("ZDIFF 2 a s WITHSCORES", &texts("x 1 z 3"));
    desk.says("ZINTERCARD 2 a b", ":2\r\n");
    desk.says("ZINTERCARD 2 a b LIMIT 1", ":1\r\n");
    desk.says("ZUNION 2 a b WEIGHTS 2 -1 AGGREGATE MAX WITHSCORES", &texts("w -30 x 2 y 4 z 6"));
    desk.events();
    desk.says("ZINTERSTORE a 2 a b AGGREGATE MIN", ":2\r\n");
    desk.says("ZRANGE a 0 -1 WITHSCORES", &texts("y 2 z 3"));
    desk.says("ZDIFFSTORE a 1 none", ":0\r\n");
    desk.says("ZUNIONSTORE a 1 s", ":2\r\n");
    desk.says("ZRANGESTORE s b 0 (30 BYSCORE", ":2\r\n");
    desk.says("ZRANGE s 0 -1", &texts("y z"));
    desk.says("ZRANGESTORE s none 0 -1", ":0\r\n");
    let events = ["zinterstore a", "keymiss none", "del a", "zunionstore a", "zrangestore s", "keymiss none", "del s"];
    assert_eq!(desk.events(), events);
    desk.says("ZUNION 0 a", "-ERR at least 1 input key is needed for 'zunion' command\r\n");
    desk.says("ZUNION x a", "-ERR value is not an integer or out of range\r\n");
    desk.says("ZUNION 1 a WEIGHTS x", "-ERR weight value is not a float\r\n");
    desk.says("ZINTERCARD 1 a LIMIT -1", "-ERR LIMIT can't be negative\r\n");
    for line in ["ZUNION 2 a", "ZUNION 1 a WEIGHTS", "ZUNION 1 a AGGREGATE AVG", "ZDIFF 1 a WEIGHTS 1", "ZUNIONSTORE d 1 a WITHSCORES"] {
        desk.says(line, "-ERR syntax error\r\n");
    }
}

#[test]
fn members_are_picked_and_scanned() {
    let mut desk = Desk::new();
    desk.says("ZRANDMEMBER z", "$-1\r\n");
    desk.says("ZRANDMEMBER z 1", "*0\r\n");
    desk.says("ZADD z 1.5 a 100000000000000000 b", ":2\r\n");
    desk.says("ZRANDMEMBER z 5 WITHSCORES", &texts("a 1.5 b 1e+17"));
    let many = desk.run("ZRANDMEMBER z -50");
    assert!(many.starts_with("*50\r\n") && many.contains("\na\r") && many.contains("\nb\r"), "{many}");
    desk.says("ZRANDMEMBER z 1 x", "-ERR syntax error\r\n");
    desk.says("ZSCAN z 0", &format!("*2\r\n$1\r\n0\r\n{}", texts("a 1.5 b 100000000000000000")));
    desk.says("ZSCAN z 0 MATCH b*", &format!("*2\r\n$1\r\n0\r\n{}", texts("b 100000000000000000")));
    desk.says("ZSCAN z x", "-ERR invalid cursor\r\n");
    desk.says("ZREM z a x", ":1\r\n");
    desk.says("ZREM z b", ":1\r\n");
    desk.says("EXISTS z", ":0\r\n");
}

#[test]
fn a_big_one_is_scanned_whole() {
    let mut desk = Desk::new();
    for number in 0..500 {
        desk.says(&format!("ZADD z {} m{number}", number % 10), ":1\r\n");
    }
    let (mut cursor, mut found) = (String::from("0"), Vec::new());
    loop {
        let answer = desk.run(&format!("ZSCAN z {cursor} COUNT 30"));
        let mut words = answer.split("\r\n").filter(|word| !word.is_empty() && !word.starts_with(['*', '$'])).map(String::from);
        cursor = words.next().unwrap();
        found.extend(words.filter(|word| word.starts_with('m')));
        if cursor == "0" {
            break;
        }
    }
    found.sort_unstable();
    found.dedup();
    assert_eq!(found.len(), 500);
    desk.says("ZRANK z m99", ":499\r\n");
    desk.says("ZREVRANK z m0", ":499\r\n");
    desk.says("ZRANGE z 49 50 WITHSCORES", &texts("m90 0 m1 1"));
    desk.says("ZREMRANGEBYSCORE z 3 8", ":300\r\n");
    desk.says("ZCARD z", ":200\r\n");
    desk.says("ZCOUNT z 2 9", ":100\r\n");
}

#[test]
fn other_kinds_are_refused() {
    let mut desk = Desk::new();
    desk.says("SET s 1", "+OK\r\n");
    for line in [
        "ZADD s 1 a",
        "ZADD s XX 1 a",
        "ZINCRBY s 1 a",
        "ZREM s a",
        "ZREMRANGEBYRANK s 0 1",
        "ZSCORE s a",
        "ZMSCORE s a",
        "ZCARD s",
        "ZRANK s a",
        "ZCOUNT s 0 1",
        "ZLEXCOUNT s - +",
        "ZRANGE s 0 1",
        "ZRANGESTORE d s 0 1",
        "ZPOPMIN s",
        "ZPOPMIN s 0",
        "ZMPOP 1 s MIN",
        "ZRANDMEMBER s",
        "ZSCAN s 0",
        "ZUNION 1 s",
        "ZINTERCARD 1 s",
        "ZDIFFSTORE d 1 s",
    ] {
        desk.says(line, WRONG);
    }
}

#[test]
fn members_of_any_length_are_kept() {
    let mut desk = Desk::new();
    let members = [vec![b'a'; 3_000], vec![b'b'; 1 << 20], b"c".to_vec(), Vec::new()];
    for (score, member) in members.iter().enumerate() {
        assert_eq!(desk.answer(&[b"ZADD", b"z", score.to_string().as_bytes(), member]), ":1\r\n");
    }
    for (score, member) in members.iter().enumerate() {
        assert_eq!(desk.answer(&[b"ZRANK", b"z", member]), ":0\r\n");
        assert_eq!(desk.answer(&[b"ZADD", b"z", b"XX", b"CH", (9 - score).to_string().as_bytes(), member]), ":1\r\n");
    }
    desk.says("ZRANGE z 0 1 WITHSCORES", "*4\r\n$0\r\n\r\n$1\r\n6\r\n$1\r\nc\r\n$1\r\n7\r\n");
    for member in &members {
        assert_eq!(desk.answer(&[b"ZREM", b"z", member]), ":1\r\n");
    }
    desk.says("EXISTS z", ":0\r\n");
}
