use crate::command::desk::Desk;

const WRONG: &str = "-WRONGTYPE Operation against a key holding the wrong kind of value\r\n";

fn bulk(words: &[&str]) -> String {
    words.iter().map(|word| format!("${}\r\n{word}\r\n", word.len())).collect()
}

/// An entry with one field.
fn entry(id: &str, value: &str) -> String {
    format!("*2\r\n{}*2\r\n{}", bulk(&[id]), bulk(&["f", value]))
}

/// With the entries 1-0 to 3-0, and a group that was given none.
fn desk() -> Desk {
    let mut desk = Desk::new();
    for number in 1..4 {
        desk.says(&format!("XADD s {number}-0 f v{number}"), &bulk(&[&format!("{number}-0")]));
    }
    desk.says("XGROUP CREATE s g 0", "+OK\r\n");
    desk.events();
    desk
}

#[test]
fn ids_grow_and_are_made_explicit_in_the_log() {
    let mut desk = Desk::new();
    desk.says("XADD s * f v", &bulk(&["1790000000000-0"]));
    desk.says("XADD s * f v", &bulk(&["1790000000000-1"]));
    desk.says("XADD s 1790000000000-* f v", &bulk(&["1790000000000-2"]));
    desk.says("XADD s 5-* f v", "-ERR The ID specified in XADD is equal or smaller than the target stream top item\r\n");
    desk.says("XADD s 0-0 f v", "-ERR The ID specified in XADD must be greater than 0-0\r\n");
    desk.says("XADD s * f", "-ERR wrong number of arguments for 'xadd' command\r\n");
    desk.says("XADD x NOMKSTREAM * f v", "$-1\r\n");
    desk.says("XADD s MAXLEN 1 1790000000001-0 f v", &bulk(&["1790000000001-0"]));
    desk.says("XLEN s", ":1\r\n");
    assert_eq!(desk.effects(), ["XADD s 1790000000000-0 f v", "XADD s 1790000000000-1 f v", "XADD s 1790000000000-2 f v"]);
    assert_eq!(desk.events(), ["xadd s", "xadd s", "xadd s", "xadd s", "xtrim s"]);
    desk.says("SET t x", "+OK\r\n");
    desk.says("XADD t * f v", WRONG);
}

#[test]
fn trimming_roughly_is_logged_exactly() {
    let mut desk = Desk::new();
    (1..=250).for_each(|number| desk.says(&format!("XADD s {number}-0 f v"), &bulk(&[&format!("{number}-0")])));
    desk.says("XTRIM s MAXLEN ~ 249", ":0\r\n");
    desk.says("XTRIM s MAXLEN ~ 60", ":100\r\n");
    desk.says("XTRIM s MINID ~ 300 LIMIT 99", ":0\r\n");
    desk.says("XADD s MINID ~ 210 * f v", &bulk(&["1790000000000-0"]));
    desk.says("XTRIM s MAXLEN 2", ":49\r\n");
    let effects = ["XTRIM s MAXLEN = 150", "XADD s MINID = 201-0 1790000000000-0 f v"];
    assert_eq!(desk.effects(), effects);
}

#[test]
fn entries_are_read_from_both_ends() {
    let mut desk = desk();
    desk.says("XRANGE s - + COUNT 1", &format!("*1\r\n{}", entry("1-0", "v1")));
    desk.says("XREVRANGE s + (2 COUNT 9", &format!("*1\r\n{}", entry("3-0", "v3")));
    desk.says("XRANGE s (1-0 (3-0", &format!("*1\r\n{}", entry("2-0", "v2")));
    desk.says("XRANGE s - + COUNT 0", "*-1\r\n");
    desk.says("XRANGE x - + COUNT 0", "*0\r\n");
    desk.says("XREAD COUNT 1 STREAMS s x 1 0", &format!("*1\r\n*2\r\n{}*1\r\n{}", bulk(&["s"]), entry("2-0", "v2")));
    desk.says("XREAD BLOCK 0 STREAMS s $", "*-1\r\n");
    desk.hello_3();
    desk.says("XREAD STREAMS s 2", &format!("%1\r\n{}*1\r\n{}", bulk(&["s"]), entry("3-0", "v3")));
    desk.says("XREAD STREAMS s 3", "_\r\n");
}

#[test]
fn a_group_is_given_each_entry_once_and_the_log_knows_to_whom() {
    let mut desk = desk();
    let given = |all: &str, count: usize| format!("*1\r\n*2\r\n{}*{count}\r\n{all}", bulk(&["s"]));
    desk.says("XREADGROUP GROUP g a COUNT 1 STREAMS s >", &given(&entry("1-0", "v1"), 1));
    assert_eq!(
        desk.effects(),
        [
            "XGROUP CREATECONSUMER s g a",
            "XCLAIM s g a 0 1-0 TIME 1790000000000 RETRYCOUNT 1 FORCE JUSTID LASTID 1-0",
            "XGROUP SETID s g 1-0 ENTRIESREAD 1"
        ]
    );
    desk.says("XREADGROUP GROUP g b NOACK STREAMS s >", &given(&(entry("2-0", "v2") + &entry("3-0", "v3")), 2));
    assert_eq!(desk.effects(), ["XGROUP CREATECONSUMER s g b", "XGROUP SETID s g 3-0 ENTRIESREAD 3"]);
    desk.says("XREADGROUP GROUP g a STREAMS s >", "*-1\r\n");
    desk.says("XDEL s 1-0", ":1\r\n");
    desk.says("XREADGROUP GROUP g a STREAMS s 0", &given(&format!("*2\r\n{}*-1\r\n", bulk(&["1-0"])), 1));
    desk.says("XACK s g 1-0 2-0", ":1\r\n");
    desk.says("XPENDING s g", "*4\r\n:0\r\n$-1\r\n$-1\r\n*-1\r\n");
    assert_eq!(desk.events(), ["xgroup-createconsumer s", "xgroup-createconsumer s", "xdel s"]);
    desk.says("XREADGROUP GROUP x a STREAMS s >", "-NOGROUP No such key 's' or consumer group 'x' in XREADGROUP with GROUP option\r\n");
}

#[test]
fn what_is_pending_is_claimed_by_another() {
    let mut desk = desk();
    desk.run("XREADGROUP GROUP g a STREAMS s >");
    desk.pass(50);
    desk.says("XCLAIM s g b 51 1-0", "*0\r\n");
    desk.effects();
    desk.says("XCLAIM s g b 50 1-0 JUSTID", &format!("*1\r\n{}", bulk(&["1-0"])));
    let claimed = "XCLAIM s g b 0 1-0 TIME 1790000000050 RETRYCOUNT 1 FORCE JUSTID LASTID 3-0";
    assert_eq!(desk.effects(), ["XGROUP CREATECONSUMER s g b", claimed]);
    desk.says("XDEL s 2-0", ":1\r\n");
    let answer = format!("*3\r\n{}*1\r\n{}*1\r\n{}", bulk(&["0-0"]), entry("3-0", "v3"), bulk(&["2-0"]));
    desk.says("XAUTOCLAIM s g b 50 0", &answer);
    assert_eq!(desk.effects(), ["XACK s g 2-0", "XCLAIM s g b 0 3-0 TIME 1790000000050 RETRYCOUNT 2 FORCE JUSTID LASTID 3-0"]);
    desk.pass(5);
    let rows = [("1-0", 1), ("3-0", 2)].map(|(id, count)| format!("*4\r\n{}:5\r\n:{count}\r\n", bulk(&[id, "b"])));
    desk.says("XPENDING s g - + 9", &format!("*2\r\n{}", rows.concat()));
    desk.says("XPENDING s g IDLE 6 - + 9", "*0\r\n");
    desk.says("XGROUP DELCONSUMER s g b", ":2\r\n");
    desk.says("XCLAIM s g b x 1-0", "-ERR Invalid min-idle-time argument for XCLAIM\r\n");
    desk.says("XCLAIM s g b 0 1-0 IDLE x", "-ERR Invalid IDLE option argument for XCLAIM\r\n");
}

#[test]
fn what_the_log_says_of_a_group_makes_the_same_group() {
    let (mut desk, mut copy) = (desk(), desk());
    for line in [
        "XREADGROUP GROUP g a COUNT 2 STREAMS s >",
        "XREADGROUP GROUP g b NOACK STREAMS s >",
        "XREADGROUP GROUP g a STREAMS s 0",
        "XCLAIM s g c 0 2-0 RETRYCOUNT 9 LASTID 3-0",
        "XAUTOCLAIM s g d 0 - COUNT 1",
    ] {
        desk.run(line);
        desk.effects().iter().for_each(|line| assert!(!copy.run(line).starts_with('-'), "{line}"));
    }
    assert_eq!(copy.run("XINFO STREAM s FULL"), desk.run("XINFO STREAM s FULL"));
}

#[test]
fn a_long_command_is_for_a_worker() {
    let mut desk = Desk::new();
    (1..3000).for_each(|number| drop(desk.run(&format!("XADD s {number}-0 f v"))));
    assert!(desk.run("XRANGE s 5-0 6-0").starts_with("*2"));
    assert!(desk.run("XRANGE s - + COUNT 1500").starts_with("*1500"));
    desk.be_patient();
    assert!(desk.run("XRANGE s - +").starts_with("*2999"));
}
