//! Clients that are told what others publish.

use super::*;

#[test]
fn subscribers_hear_in_order_what_is_said() {
    let served = Served::new();
    let (mut reader, mut writer) = (served.client(), served.client());
    reader.says("SUBSCRIBE a b", "*3\r\n$9\r\nsubscribe\r\n$1\r\na\r\n:1\r\n*3\r\n$9\r\nsubscribe\r\n$1\r\nb\r\n:2\r\n");
    reader.says("PSUBSCRIBE a*", "*3\r\n$10\r\npsubscribe\r\n$2\r\na*\r\n:3\r\n");
    writer.says("PUBLISH a 1\r\nPUBLISH b 2\r\nPUBLISH c 3", ":2\r\n:1\r\n:0\r\n");
    reader.hears(&[list(&["message", "a", "1"]), list(&["pmessage", "a*", "a", "1"]), list(&["message", "b", "2"])].concat());
    reader.says("PING\r\nPING x", &(list(&["pong", ""]) + &list(&["pong", "x"])));
    let refused = "-ERR Can't execute 'get': only (P|S)SUBSCRIBE / (P|S)UNSUBSCRIBE / PING / QUIT / RESET are allowed in this context\r\n";
    reader.says("GET a", refused);
    writer.says("PUBSUB CHANNELS\r\nPUBSUB NUMPAT\r\nPUBSUB NUMSUB a z", "*2\r\n");
    let named = writer.all("");
    assert!(named.contains("$1\r\na\r\n") && named.ends_with(":1\r\n*4\r\n$1\r\na\r\n:1\r\n$1\r\nz\r\n:0\r\n"), "{named}");
    reader.says("UNSUBSCRIBE a", "*3\r\n$11\r\nunsubscribe\r\n$1\r\na\r\n:2\r\n");
    reader.says(
        "UNSUBSCRIBE\r\nPUNSUBSCRIBE",
        "*3\r\n$11\r\nunsubscribe\r\n$1\r\nb\r\n:1\r\n*3\r\n$12\r\npunsubscribe\r\n$2\r\na*\r\n:0\r\n",
    );
    reader.says("UNSUBSCRIBE\r\nGET a", "*3\r\n$11\r\nunsubscribe\r\n$-1\r\n:0\r\n$-1\r\n");
    reader.says("SSUBSCRIBE a", "*3\r\n$10\r\nssubscribe\r\n$1\r\na\r\n:1\r\n");
    writer.says("SPUBLISH a x\r\nPUBLISH a x\r\nPUBSUB SHARDCHANNELS", &format!(":1\r\n:0\r\n{}", list(&["a"])));
    reader.hears(&list(&["smessage", "a", "x"]));
}

#[test]
fn who_speaks_resp3_is_pushed_to_and_may_go_on() {
    let served = Served::new();
    let mut client = served.client();
    assert!(client.all("HELLO 3").starts_with("%7\r\n$6\r\nserver\r\n"));
    client.says("SUBSCRIBE a", ">3\r\n$9\r\nsubscribe\r\n$1\r\na\r\n:1\r\n");
    client.says("PUBLISH a x\r\nGET a", ">3\r\n$7\r\nmessage\r\n$1\r\na\r\n$1\r\nx\r\n:1\r\n_\r\n");
    client.says("PING", "+PONG\r\n");
    client.says("MULTI\r\nPUBLISH a y\r\nEXEC", "+OK\r\n+QUEUED\r\n*1\r\n>3\r\n$7\r\nmessage\r\n$1\r\na\r\n$1\r\ny\r\n:1\r\n");
    client.says("RESET\r\nGET a", "+RESET\r\n$-1\r\n");
}

#[test]
fn events_of_keys_are_published() {
    let served = Served::new();
    let (mut reader, mut writer) = (served.client(), served.client());
    writer.says("CONFIG SET notify-keyspace-events KEA", "+OK\r\n");
    reader.says("PSUBSCRIBE __key*", "*3\r\n$10\r\npsubscribe\r\n$6\r\n__key*\r\n:1\r\n");
    writer.says("SET a 1\r\nMULTI\r\nDEL a\r\nEXEC", "+OK\r\n+OK\r\n+QUEUED\r\n*1\r\n:1\r\n");
    for (event, other) in [("set", "a"), ("del", "a")] {
        reader.hears(&list(&["pmessage", "__key*", "__keyspace@0__:a", event]));
        reader.hears(&list(&["pmessage", "__key*", &format!("__keyevent@0__:{event}"), other]));
    }
}

#[test]
fn who_reads_more_slowly_than_it_is_spoken_to_is_cut_off() {
    let served = Served::new();
    let (mut slow, mut writer) = (served.client(), served.client());
    slow.says("SUBSCRIBE a", "*3\r\n$9\r\nsubscribe\r\n$1\r\na\r\n:1\r\n");
    writer.says("PING", "+PONG\r\n");
    let message = format!("*3\r\n$7\r\nPUBLISH\r\n$1\r\na\r\n${}\r\n{}", 1 << 20, "x".repeat(1 << 20));
    let mut sent = 0;
    while served.handle.clients() == 2 && sent < 200 {
        writer.send(&message);
        writer.until("\r\n");
        sent += 1;
    }
    testkit::until("it is gone", || served.handle.clients() == 1);
    assert!(sent >= 32, "{sent}");
    writer.says("PUBLISH a x", ":0\r\n");
}

#[test]
fn a_monitor_sees_a_script_before_what_it_does() {
    let served = Served::new();
    let (mut monitor, mut client) = (served.client(), served.client());
    monitor.says("MONITOR", "+OK\r\n");
    client.says("EVAL \"return redis.call('incr', 'a')\" 0", ":1\r\n");
    let seen = monitor.until("\"incr\" \"a\"\r\n");
    assert!(seen.lines().count() == 2 && seen.lines().next().is_some_and(|line| line.contains("] \"EVAL\" ")), "{seen}");
}
