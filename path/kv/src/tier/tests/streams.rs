use super::*;

/// An answer with one entry of one stream.
fn entry(key: &str, id: &str, value: &str) -> String {
    format!("*1\r\n*2\r\n{}*1\r\n*2\r\n{}{}", bulk(key), bulk(id), list(&["f", value]))
}

#[test]
fn who_waits_for_entries_is_given_those_behind_what_was_last() {
    let served = Served::new();
    let (mut one, mut other, mut writer) = (served.client(), served.client(), served.client());
    writer.says("XADD s 1-0 f old", &bulk("1-0"));
    one.send("XREAD BLOCK 0 STREAMS none s $ $");
    other.send("XREAD COUNT 1 BLOCK 0 STREAMS s none 1-0 0");
    served.until_blocked(2);
    writer.says("XDEL s 1-0", ":1\r\n");
    writer.says("XADD s 1-5 f new", &bulk("1-5"));
    one.hears(&entry("s", "1-5", "new"));
    other.hears(&entry("s", "1-5", "new"));
    one.says("XREAD BLOCK 0 STREAMS s 1-2", &entry("s", "1-5", "new"));
    one.says("XREAD BLOCK 10 STREAMS s $", "*-1\r\n");
    one.says("MULTI\r\nXREAD BLOCK 0 STREAMS s $\r\nEXEC", "+OK\r\n+QUEUED\r\n*1\r\n*-1\r\n");
}

#[test]
fn an_entry_goes_to_one_of_a_group_who_waits() {
    let served = Served::new();
    let (mut one, mut other, mut writer) = (served.client(), served.client(), served.client());
    writer.says("XGROUP CREATE s g $ MKSTREAM", "+OK\r\n");
    one.send("XREADGROUP GROUP g one BLOCK 0 STREAMS s >");
    served.until_blocked(1);
    other.send("XREADGROUP GROUP g other BLOCK 0 NOACK STREAMS s >");
    served.until_blocked(2);
    writer.says("XADD s 1-0 f a\r\nXADD s 2-0 f b", &(bulk("1-0") + &bulk("2-0")));
    one.hears(&entry("s", "1-0", "a"));
    other.hears(&entry("s", "2-0", "b"));
    writer.says("XPENDING s g - + 9 other", "*0\r\n");
    assert!(writer.all("XPENDING s g - + 9").starts_with(&format!("*1\r\n*4\r\n{}{}", bulk("1-0"), bulk("one"))));
}

#[test]
fn who_waits_for_a_group_hears_of_its_end() {
    let served = Served::new();
    let (mut one, mut writer) = (served.client(), served.client());
    let ends = [
        ("XGROUP DESTROY s g", ":1\r\n", "-NOGROUP the consumer group this client was blocked on no longer exists\r\n"),
        ("DEL s", ":1\r\n", "-UNBLOCKED the stream key no longer exists\r\n"),
        ("SET s x", "+OK\r\n", "-UNBLOCKED the stream key no longer exists\r\n"),
    ];
    for (end, answer, heard) in ends {
        writer.says("XGROUP CREATE s g 0 MKSTREAM", "+OK\r\n");
        one.send("XREADGROUP GROUP g one BLOCK 0 STREAMS s >");
        served.until_blocked(1);
        writer.says(end, answer);
        one.hears(heard);
    }
    writer.says("DEL s\r\nXGROUP HELP x", ":1\r\n-ERR wrong number of arguments for 'xgroup|help' command\r\n");
}
