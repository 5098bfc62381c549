//! Clients that wait for keys.

use super::*;

#[test]
fn who_waits_for_keys_is_served_in_turn() {
    let served = Served::new();
    let (mut one, mut two, mut writer) = (served.client(), served.client(), served.client());
    one.says("PING\r\nBLPOP a b 0\r\nECHO x", "+PONG\r\n");
    served.until_blocked(1);
    two.send("BRPOP b 0");
    served.until_blocked(2);
    writer.says("RPUSH b 1 2 3\r\nLRANGE b 0 -1", &format!(":3\r\n{}", list(&["2"])));
    one.hears(&(list(&["b", "1"]) + &bulk("x")));
    two.hears(&list(&["b", "3"]));
    one.says("BLPOP a 0.01", "*-1\r\n");
    one.says("BLPOP a -1\r\nBLPOP a x", "-ERR timeout is negative\r\n-ERR timeout is not a float or out of range\r\n");
    one.says("SET s 1\r\nBLPOP a s 0", "+OK\r\n-WRONGTYPE Operation against a key holding the wrong kind of value\r\n");
    one.says("MULTI\r\nBLPOP a 0\r\nBLMOVE a b LEFT LEFT 0\r\nEXEC", "+OK\r\n+QUEUED\r\n+QUEUED\r\n*2\r\n*-1\r\n$-1\r\n");
}

#[test]
fn what_is_moved_for_one_who_waits_goes_to_the_next() {
    let served = Served::new();
    let mut chain: Vec<Wire> = (0..20).map(|_| served.client()).collect();
    for (number, client) in chain.iter_mut().enumerate() {
        client.send(&format!("BLMOVE key:{number} key:{} LEFT RIGHT 0", number + 1));
    }
    served.until_blocked(20);
    let mut writer = served.client();
    writer.says("RPUSH key:0 x\r\nLRANGE key:20 0 -1", &format!(":1\r\n{}", list(&["x"])));
    chain.iter_mut().for_each(|client| client.hears(&bulk("x")));
    chain[0].send("BLMOVE key:0 wrong LEFT RIGHT 0");
    served.until_blocked(1);
    chain[1].send("BLPOP key:0 0");
    served.until_blocked(2);
    writer.says("MULTI\r\nSET wrong 1\r\nRPUSH key:0 y\r\nEXEC", "+OK\r\n+QUEUED\r\n+QUEUED\r\n*2\r\n+OK\r\n:1\r\n");
    chain[0].hears("-WRONGTYPE Operation against a key holding the wrong kind of value\r\n");
    chain[1].hears(&list(&["key:0", "y"]));
}

#[test]
fn for_who_has_left_nothing_is_taken() {
    let served = Served::new();
    let (mut gone, mut timed, mut writer) = (served.client(), served.client(), served.client());
    gone.send("BLPOP a b 0");
    served.until_blocked(1);
    drop(gone);
    served.until_blocked(0);
    timed.says("BLPOP a 0.01", "*-1\r\n");
    let id = timed.id();
    timed.send("BLPOP a 0");
    served.until_blocked(1);
    writer.says(&format!("CLIENT UNBLOCK {id} ERROR\r\nCLIENT UNBLOCK {id}"), ":1\r\n");
    timed.hears("-UNBLOCKED client unblocked via CLIENT UNBLOCK\r\n");
    writer.hears(":0\r\n");
    timed.send("BLPOP a 0");
    served.until_blocked(1);
    writer.says(&format!("CLIENT KILL ID {id}"), ":1\r\n");
    timed.is_closed();
    served.until_blocked(0);
    writer.says("RPUSH a 1 2\r\nLLEN a", ":2\r\n:2\r\n");
}

#[test]
fn who_waits_for_members_is_served_the_lowest_or_the_highest() {
    let served = Served::new();
    let (mut one, mut two, mut writer) = (served.client(), served.client(), served.client());
    one.send("BZPOPMAX z 0");
    served.until_blocked(1);
    two.send("BZMPOP 0 2 y z MIN COUNT 5");
    served.until_blocked(2);
    writer.says("SADD z x\r\nDEL z\r\nZADD z 1 a 2 b 3 c", ":1\r\n:1\r\n:3\r\n");
    one.hears(&list(&["z", "c", "3"]));
    two.hears(&format!("*2\r\n$1\r\nz\r\n*2\r\n{}{}", list(&["a", "1"]), list(&["b", "2"])));
}

#[test]
fn nothing_is_lost_or_doubled_between_many_who_wait() {
    let served = Served::new();
    let mut readers: Vec<Wire> = (0..8).map(|_| served.client()).collect();
    let handles: Vec<_> = readers
        .drain(..)
        .map(|mut reader| {
            std::thread::spawn(move || {
                let mut sum = 0;
                loop {
                    reader.send("BLMPOP 0 3 q:1 q:2 q:3 LEFT COUNT 3");
                    let texts = reader.until_popped();
                    let stops = texts.iter().any(|text| text == "stop");
                    sum += texts.iter().filter_map(|text| text.parse::<u64>().ok()).sum::<u64>();
                    if stops {
                        return sum;
                    }
                }
            })
        })
        .collect();
    let mut writer = served.client();
    for number in 1..=2000 {
        writer.send(&format!("RPUSH q:{} {number}", number % 3 + 1));
    }
    writer.all("PING");
    let roster = &served.handle.0.common.roster;
    testkit::until("all wait again", || roster.all().iter().filter(|peer| peer.blocked().is_some()).count() == 8);
    (0..8).for_each(|_| drop(writer.all("RPUSH q:1 stop")));
    assert_eq!(handles.into_iter().map(|handle| handle.join().unwrap()).sum::<u64>(), 2000 * 2001 / 2);
}
