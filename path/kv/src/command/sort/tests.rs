use super::super::desk::Desk;

/// An answer that is a list of texts.
fn list(texts: &[&str]) -> String {
    let all: String = texts.iter().map(|text| format!("${}\r\n{text}\r\n", text.len())).collect();
    format!("*{}\r\n{all}", texts.len())
}

#[test]
fn elements_are_sorted_as_numbers_or_as_texts() {
    let mut desk = Desk::new();
    desk.says("RPUSH list 10 9 -1 1e1 9", ":5\r\n");
    desk.says("SORT list", &list(&["-1", "9", "9", "10", "1e1"]));
    desk.says("SORT list DESC LIMIT 1 2", &list(&["10", "9"]));
    desk.says("SORT list ALPHA", &list(&["-1", "10", "1e1", "9", "9"]));
    desk.says("SORT_RO list ALPHA DESC LIMIT 0 1", &list(&["9"]));
    desk.says("SORT list LIMIT -5 -5", &list(&["-1", "9", "9", "10", "1e1"]));
    desk.says("SORT list LIMIT 9 1", &list(&[]));
    desk.says("SADD set b a 2", ":3\r\n");
    desk.says("SORT set", "-ERR One or more scores can't be converted into double\r\n");
    desk.says("SORT set ALPHA", &list(&["2", "a", "b"]));
    desk.says("SORT none", "*0\r\n");
    desk.says("SET text 1", "+OK\r\n");
    desk.says("SORT text", "-WRONGTYPE Operation against a key holding the wrong kind of value\r\n");
    desk.says("SORT list WHAT", "-ERR syntax error\r\n");
    desk.says("SORT_RO list STORE x", "-ERR syntax error\r\n");
}

#[test]
fn patterns_lead_to_other_keys() {
    let mut desk = Desk::new();
    desk.says("RPUSH list 1 2 3", ":3\r\n");
    desk.says("MSET w1 30 w3 10 name1 one name3 three", "+OK\r\n");
    desk.says("HSET h2 name two weight 20", ":2\r\n");
    desk.says("SORT list BY w*", &list(&["2", "3", "1"]));
    desk.says("SORT list BY w* GET name* GET #", "*6\r\n$-1\r\n$1\r\n2\r\n$5\r\nthree\r\n$1\r\n3\r\n$3\r\none\r\n$1\r\n1\r\n");
    desk.says("SORT list BY h*->weight DESC GET h*->name", "*3\r\n$3\r\ntwo\r\n$-1\r\n$-1\r\n");
    desk.says("SORT list BY nothing DESC", &list(&["3", "2", "1"]));
    desk.says("SORT list GET nothing", "*3\r\n$-1\r\n$-1\r\n$-1\r\n");
}

#[test]
fn a_result_is_kept_as_a_list() {
    let mut desk = Desk::new();
    desk.says("ZADD sorted 3 a 2 b 1 c", ":3\r\n");
    desk.says("SORT sorted BY nothing DESC LIMIT 0 2", &list(&["a", "b"]));
    desk.says("SET target x EX 100", "+OK\r\n");
    desk.events();
    desk.effects();
    desk.says("SORT sorted ALPHA STORE target", ":3\r\n");
    assert_eq!((desk.events(), desk.effects()), (vec!["sortstore target".into()], vec!["DEL target".into(), "RPUSH target a b c".into()]));
    desk.says("LRANGE target 0 -1", &list(&["a", "b", "c"]));
    desk.says("TTL target", ":-1\r\n");
    desk.says("SORT none STORE target", ":0\r\n");
    desk.says("EXISTS target", ":0\r\n");
    desk.says("SADD set z y x", ":3\r\n");
    desk.says("SORT set BY nothing STORE target", ":3\r\n");
    desk.says("LRANGE target 0 -1", &list(&["x", "y", "z"]));
}
