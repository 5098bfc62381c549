//! Clients of memcached, from outside.

mod differ;

use super::*;

impl Served {
    /// A client of memcached.
    pub(super) fn memcached(&self) -> Wire {
        if self.handle.memcached_address().is_none() {
            self.handle.swap(Plan { memcached: Some(([127, 0, 0, 1], 0).into()), ..plan() }).unwrap();
        }
        let stream = TcpStream::connect(self.handle.memcached_address().unwrap()).unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(10))).unwrap();
        Wire(stream)
    }
}

#[test]
fn both_protocols_see_the_same_keys() {
    let served = Served::new();
    let (mut redis, mut cache) = (served.client(), served.memcached());
    cache.says("set a 7 0 3\r\nabc\r\nget a none", "STORED\r\nVALUE a 7 3\r\nabc\r\nEND\r\n");
    redis.says("GET a\r\nTTL a\r\nAPPEND a d", "$3\r\nabc\r\n:-1\r\n:4\r\n");
    // A part was changed: it is the client's value still.
    cache.says("get a", "VALUE a 7 4\r\nabcd\r\nEND\r\n");
    redis.says("SET a xy EX 100", "+OK\r\n");
    cache.says("get a\r\nmg a t f", "VALUE a 0 2\r\nxy\r\nEND\r\nHD t100 f0\r\n");
    redis.says("RPUSH list 1\r\nSET n 5", ":1\r\n+OK\r\n");
    cache.says("incr n 10\r\ndecr n 20", "15\r\n0\r\n");
    redis.says("INCR n", ":1\r\n");
    cache.says("get list\r\nmg list v\r\ntouch list 5", "END\r\nEN\r\nNOT_FOUND\r\n");
    let refused = "SERVER_ERROR the key holds a value of another type\r\n";
    cache.says(
        "set list 0 0 1\r\n1\r\nincr list 1\r\ndelete list\r\nms list 1\r\n1\r\nmd list\r\nma list\r\nmg list N5",
        &refused.repeat(7),
    );
    redis.says("LLEN list\r\nRENAME a b", ":1\r\n+OK\r\n");
    cache.says("set b 9 0 1\r\nx\r\nflush_all", "STORED\r\nOK\r\n");
    redis.says("DBSIZE", ":0\r\n");
}

#[test]
fn what_redis_changes_is_not_the_same_any_more() {
    let served = Served::new();
    let (mut redis, mut cache) = (served.client(), served.memcached());
    let cas = |wire: &mut Wire| {
        wire.send("mg a c");
        wire.until("\r\n").trim().trim_start_matches("HD c").to_string()
    };
    redis.says("SET a 1", "+OK\r\n");
    let changes = [
        "INCR a",
        "APPEND a 0",
        "SETRANGE a 0 5",
        "SET a 20",
        "DEL a\r\nSET a 20",
        "EXPIRE a 100",
        "GETSET a 1",
        "RENAME a b\r\nRENAME b a\r\nINCR a",
    ];
    for change in changes {
        let before = cas(&mut cache);
        assert_eq!(cas(&mut cache), before, "asking does not change it");
        redis.all(change);
        cache.says(&format!("ms a 1 C{before}\r\n1"), "EX\r\n");
        assert!(cas(&mut cache).parse::<u64>().unwrap() > before.parse().unwrap(), "{change}");
    }
    let last = cas(&mut cache);
    cache.says(&format!("cas a 3 0 1 {last}\r\n7\r\nget a"), "STORED\r\nVALUE a 3 1\r\n7\r\nEND\r\n");
}

#[test]
fn flags_go_with_their_value_and_take_nothing_from_others() {
    let served = Served::new();
    let (mut redis, mut cache) = (served.client(), served.memcached());
    redis.says("SET plain 12345", "+OK\r\n");
    cache.says("set short 0 0 5\r\n12345\r\nset longs 1 0 5\r\n12345", "STORED\r\nSTORED\r\n");
    let usage = |wire: &mut Wire, key: &str| wire.all(&format!("MEMORY USAGE {key}"))[1..].trim().parse::<usize>().unwrap();
    let plain = usage(&mut redis, "plain");
    assert_eq!((usage(&mut redis, "short"), usage(&mut redis, "longs")), (plain + 9, plain + 13));
    redis.says("COPY longs copied\r\nRENAME longs other", ":1\r\n+OK\r\n");
    cache.says("get copied other", "VALUE copied 1 5\r\n12345\r\nVALUE other 1 5\r\n12345\r\nEND\r\n");
    // Asking for what tells it from what it will be is not free.
    cache.send("gets plain");
    cache.until("END\r\n");
    assert_eq!(usage(&mut redis, "plain"), plain + 9);
}

#[test]
fn what_is_watched_or_waited_for_hears_of_it() {
    let served = Served::new();
    let (mut redis, mut reader, mut cache) = (served.client(), served.client(), served.memcached());
    redis.says("CONFIG SET notify-keyspace-events KEA\r\nWATCH a\r\nMULTI", "+OK\r\n+OK\r\n+OK\r\n");
    reader.says("PSUBSCRIBE __keyevent*", "*3\r\n$10\r\npsubscribe\r\n$11\r\n__keyevent*\r\n:1\r\n");
    cache.says("set a 0 100 1\r\n1\r\ntouch a 0\r\ndelete a", "STORED\r\nTOUCHED\r\nDELETED\r\n");
    redis.says("EXEC", "*-1\r\n");
    for event in ["set", "expire", "persist", "del"] {
        reader.hears(&list(&["pmessage", "__keyevent*", &format!("__keyevent@0__:{event}"), "a"]));
    }
}

#[test]
fn leases_are_won_once() {
    let served = Served::new();
    let mut cache = served.memcached();
    cache.says("mg a v N30 t", "VA 0 t30 W\r\n\r\n");
    cache.says("mg a v N30 t", "VA 0 t30 Z\r\n\r\n");
    cache
        .says("ms a 2 T100 F5\r\nhi\r\nmg a v f t h R30\r\nmg a h R200\r\nmg a R200", "HD\r\nVA 2 f5 t100 h0\r\nhi\r\nHD h1 W\r\nHD Z\r\n");
    cache.says("md a I T10\r\nmg a t v\r\nmg a v", "HD\r\nVA 2 t10 X W\r\nhi\r\nVA 2 Z X\r\nhi\r\n");
    cache.says(
        "md a x\r\nmg a v s f\r\nmg a E5\r\nms b 1 E77 c\r\n1\r\nmg b c",
        "HD\r\nVA 0 s0 f0 Z X\r\n\r\nHD Z X\r\nHD c77\r\nHD c77\r\n",
    );
    cache.says("ms none 3 MA N60 s Oid k\r\nabc\r\nms none 1 MP s q\r\n_\r\nmg none v t", "HD s3 Oid knone\r\nVA 4 t60\r\n_abc\r\n");
}

#[test]
fn who_must_log_in_sends_a_set() {
    let served = Served::new();
    let (mut redis, mut cache) = (served.client(), served.memcached());
    cache.says("mn", "MN\r\n");
    redis.says("CONFIG SET requirepass secret", "+OK\r\n");
    let mut cache_2 = served.memcached();
    cache_2.says(
        "get a\r\nset x 0 0 12\r\ndefault what\r\nset x 0 0 3\r\nabc",
        "CLIENT_ERROR unauthenticated\r\nCLIENT_ERROR authentication failure\r\nCLIENT_ERROR bad authentication token format\r\n",
    );
    cache_2.says("set x 0 0 14\r\ndefault secret\r\nget x", "STORED\r\nEND\r\n");
    cache.says("mn", "MN\r\n");
}

#[test]
fn what_is_too_large_is_thrown_away_and_what_it_replaces_goes() {
    let served = Served::new();
    let mut cache = served.memcached();
    let largest = (1 << 20) - 57 - 1 - 2;
    cache.says(&format!("set a 0 0 {largest}\r\n{}", "x".repeat(largest)), "STORED\r\n");
    cache.says(
        &format!("set a 0 0 {}\r\n{}\r\nget a", largest + 1, "x".repeat(largest + 1)),
        "SERVER_ERROR object too large for cache\r\nEND\r\n",
    );
    cache.says(&format!("ms a {0} q\r\n{1}\r\nappend a 0 0 1\r\nx", largest, "x".repeat(largest)), "NOT_STORED\r\n");
    // Many large answers are written in pieces.
    cache.send(&format!("get{}", " a".repeat(40)));
    assert_eq!(cache.until("END\r\n").len(), 40 * (format!("VALUE a 0 {largest}\r\n").len() + largest + 2) + 5);
}

#[test]
fn keys_go_when_they_are_told_to() {
    let served = Served::new();
    let (mut cache, mut other) = (served.memcached(), served.memcached());
    cache.says("set a 0 0 1\r\n1\r\nflush_all 100\r\nget a", "STORED\r\nOK\r\nVALUE a 0 1\r\n1\r\nEND\r\n");
    cache.says("flush_all 1", "OK\r\n");
    testkit::until("they are gone", || {
        other.send("get a");
        other.until("END\r\n") == "END\r\n"
    });
    cache.says("set a 0 -1 1\r\n1\r\nget a\r\nset b 0 1 1\r\n1", "STORED\r\nEND\r\nSTORED\r\n");
    testkit::until("it is overdue", || {
        other.send("get b");
        other.until("END\r\n") == "END\r\n"
    });
}

#[test]
fn a_stranger_is_cut_off_and_a_full_store_says_so() {
    let served = Served::new();
    let (mut redis, mut cache) = (served.client(), served.memcached());
    cache.says("GET / HTTP/1.1", "");
    cache.is_closed();
    let mut cache = served.memcached();
    cache.send(&"x".repeat(3000));
    cache.is_closed();
    let mut cache = served.memcached();
    redis.says("CONFIG SET maxmemory 1kb", "+OK\r\n");
    redis.until_full();
    cache.says(
        "set a 0 0 1\r\n1\r\nget a\r\nms a 1 q\r\n1\r\ndelete a",
        &format!("{0}END\r\n{0}NOT_FOUND\r\n", "SERVER_ERROR out of memory storing object\r\n"),
    );
    let id = redis.all("CLIENT LIST").lines().filter(|line| line.contains("cmd=NULL")).count();
    assert_eq!(id, 1, "it is listed");
}

impl Wire {
    /// Sets keys until memory is full.
    fn until_full(&mut self) {
        for number in 0.. {
            if self.all(&format!("SET full:{number} 1")).starts_with("-OOM") {
                return;
            }
        }
    }
}

#[test]
fn a_plan_says_where_they_come_in() {
    let served = Served::new();
    let mut cache = served.memcached();
    cache.says("mn", "MN\r\n");
    let first = served.handle.memcached_address().unwrap();
    served.handle.swap(Plan { memcached: Some(([127, 0, 0, 1], 0).into()), memory: 32 << 20, ..plan() }).unwrap();
    assert_eq!(served.handle.memcached_address(), Some(first));
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    assert!(served.handle.swap(Plan { memcached: Some(taken.local_addr().unwrap()), ..plan() }).is_err());
    assert_eq!(served.handle.memcached_address(), Some(first));
    served.handle.swap(plan()).unwrap();
    assert_eq!(served.handle.memcached_address(), None);
    testkit::until("nobody is let in there", || TcpStream::connect(first).is_err());
    cache.says("mn", "MN\r\n");
}

#[test]
fn users_may_do_what_redis_lets_them() {
    let served = Served::new();
    let (mut redis, mut cache) = (served.client(), served.memcached());
    cache.says("set other 0 0 1\r\n1", "STORED\r\n");
    redis.says("ACL SETUSER me on >pass ~cache:* +@read +set\r\nCONFIG SET requirepass secret", "+OK\r\n+OK\r\n");
    let mut mine = served.memcached();
    mine.says("set x 0 0 7\r\nme pass", "STORED\r\n");
    mine.says("set cache:a 0 0 1\r\n1\r\nget cache:a", "STORED\r\nVALUE cache:a 0 1\r\n1\r\nEND\r\n");
    let denied = "CLIENT_ERROR access denied\r\n";
    mine.says("set other 0 0 1\r\n1\r\nget cache:a other\r\ndelete cache:a\r\nflush_all\r\nmg other v\r\nmg cache:a T5", &denied.repeat(6));
    mine.says("mg cache:a v", "VA 1\r\n1\r\n");
}
