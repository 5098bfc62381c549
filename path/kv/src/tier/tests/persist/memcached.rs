//! What clients of memcached put, over a stop.

use super::kills::Killed;
use super::*;

/// Does something of each kind.
fn fill(served: &Served) {
    let (mut redis, mut cache) = (served.client(), served.memcached());
    redis.says("SET plain 1\r\nSET left 1\r\nSET number 5", &"+OK\r\n".repeat(3));
    cache.says("set flags 7 0 3\r\nabc\r\nincr number 10\r\ndecr number 1", "STORED\r\n15\r\n14\r\n");
    cache.says("add joined 9 0 1\r\nb\r\nappend joined 0 0 1\r\nc\r\nprepend joined 0 0 1\r\na", &"STORED\r\n".repeat(3));
    cache.says("set until 3 5000 1\r\nx\r\ntouch until 9000\r\ngat 8000 until", "STORED\r\nTOUCHED\r\nVALUE until 3 1\r\nx\r\nEND\r\n");
    cache.says("ms stale 1 F4 E77\r\ns\r\nmd stale I T600\r\nms empty 1 F4\r\ns\r\nmd empty x", &"HD\r\n".repeat(4));
    cache.says("mg made v N7000 E5\r\nma counts N0 J3 E6", "VA 0 W\r\n\r\nHD\r\n");
    cache.says("set from 8 0 1\r\nx\r\nset part 6 0 1\r\nx\r\nset over 5 0 1\r\nx", &"STORED\r\n".repeat(3));
    redis.says("RENAME from to\r\nAPPEND part y\r\nSET over y", "+OK\r\n:2\r\n+OK\r\n");
    cache.says("set gone 1 0 1\r\nx\r\ndelete gone\r\nset gone 1 -1 1\r\nx\r\ndelete left", "STORED\r\nDELETED\r\nSTORED\r\nDELETED\r\n");
}

/// What a client of memcached sees of what has flags or a number of its own.
fn seen(served: &Served) -> String {
    let mut cache = served.memcached();
    for key in ["flags", "joined", "until", "empty", "made", "counts"] {
        cache.send(&format!("mg {key} v f c k"));
    }
    cache.send("mg to v f k\r\nmg part v f k\r\nmg over v f k\r\nmn");
    cache.until("MN\r\n")
}

#[test]
fn items_are_kept_with_their_flags_and_numbers() {
    let home = tempfile::tempdir().unwrap();
    for when in [When::Stop, ALWAYS] {
        let folder = home.path().join(format!("{when:?}"));
        let served = kept(&folder, when);
        fill(&served);
        let before = (contents(&mut served.client()), seen(&served));
        assert!(before.0.len() == 12 && before.1.contains("VA 3 f7 c") && before.1.contains("c5 kmade") && before.1.contains("c6 kcounts"));
        served.client().says("DEBUG RELOAD", "+OK\r\n");
        assert_eq!((contents(&mut served.client()), seen(&served)), before, "{when:?}, in memory");
        stop(&served);
        drop(served);
        let served = kept(&folder, when);
        assert_eq!((contents(&mut served.client()), seen(&served)), before, "{when:?}");
        let mut cache = served.memcached();
        cache.says("mg stale v f", "VA 1 f4 X W\r\ns\r\n");
        cache.send("mg flags c");
        let number = cache.until("\r\n").trim().trim_start_matches("HD c").to_string();
        cache.says(&format!("cas flags 1 0 1 {number}\r\nz\r\ncas flags 1 0 1 {number}\r\nz"), "STORED\r\nEXISTS\r\n");
        cache.says("flush_all\r\nset after 2 0 1\r\nx", "OK\r\nSTORED\r\n");
        drop(cache);
        stop(&served);
        drop(served);
        let served = kept(&folder, when);
        served.client().says("DBSIZE", ":1\r\n");
        served.memcached().says("get after", "VALUE after 2 1\r\nx\r\nEND\r\n");
        stop(&served);
    }
}

/// Counts until the end; gives the last count that was answered.
fn count(cache: &mut Wire) -> u64 {
    let mut answered = 0;
    loop {
        let (mut line, mut byte) = (String::new(), [0]);
        if cache.0.write_all(b"incr n 1\r\n").is_err() {
            return answered;
        }
        while !line.ends_with("\r\n") {
            match cache.0.read(&mut byte) {
                Ok(1) => line.push(char::from(byte[0])),
                _ => return answered,
            }
        }
        answered = line.trim().parse().unwrap();
    }
}

#[test]
fn no_answered_item_is_lost_under_always_when_it_is_killed() {
    let home = tempfile::tempdir().unwrap();
    let folder = home.path().join("kv");
    let mut before = 0;
    for round in 1..=3 {
        let killed = Killed::start(&folder, "always");
        let (mut cache, mut other) = (killed.memcached(), killed.client());
        let there = |wire: &mut Wire| wire.all("GET n").split("\r\n").nth(1).and_then(|text| text.parse::<u64>().ok()).unwrap_or(0);
        assert!(there(&mut other) >= before, "{round}: {} of {before}", there(&mut other));
        other.all("SETNX n 0");
        let least = there(&mut other) + 50;
        let counting = std::thread::spawn(move || count(&mut cache));
        testkit::until("it has counted", || there(&mut other) >= least);
        killed.kill();
        before = counting.join().unwrap();
    }
    let killed = Killed::start(&folder, "always");
    killed.memcached().says("flush_all", "OK\r\n");
    killed.kill();
    let killed = Killed::start(&folder, "always");
    killed.client().says("DBSIZE", ":0\r\n");
    killed.kill();
}

#[test]
fn a_save_has_what_is_large_before_it_is_changed() {
    let served = Served::new();
    let mut cache = served.memcached();
    cache.says(&format!("set large 1 0 100000\r\n{}", "x".repeat(100_000)), "STORED\r\n");
    let store = &served.handle.0.common.store;
    let number = store.number_of(b"large");
    store.with(number, |keys| keys.begin_save(1_790_000_000_000));
    cache.says("append large 0 0 1\r\ny\r\nappend large 0 0 1\r\ny", "STORED\r\nSTORED\r\n");
    let mut kept = store.with(number, |keys| keys.take_kept()).unwrap();
    let old = kept.pop().unwrap();
    assert!(kept.is_empty() && old.record().value.text().len() == 100_000 && old.record().tag.is_some_and(|tag| tag.flags == 1));
}
