//! Keys that are made without an expiry, by their classes.

use super::*;
use crate::store::TtlClass;

impl Wire {
    /// The seconds that a key has.
    #[track_caller]
    fn ttl(&mut self, key: &str) -> i64 {
        self.all(&format!("TTL {key}"))[1..].trim().parse().unwrap()
    }
}

fn served() -> Served {
    let served = Served::new();
    let class = |pattern: &str, seconds: Option<u64>| TtlClass { pattern: pattern.into(), ttl: seconds.map(|seconds| seconds * 1000) };
    let ttl = vec![class("s:keep:*", None), class("s:*", Some(1800))];
    served.handle.swap(Plan { ttl, ..plan() }).unwrap();
    served
}

#[test]
fn whatever_makes_a_key_gives_it_the_time_of_its_class() {
    let served = served();
    let mut client = served.client();
    for (number, making) in [
        "SET s:0 1",
        "SETNX s:1 1",
        "MSET s:2 1",
        "INCR s:3",
        "APPEND s:4 x",
        "HSET s:5 f v",
        "RPUSH s:6 a",
        "SADD s:7 a b",
        "SADD s:8 1 2",
        "ZADD s:9 1 a",
        "XADD s:10 * f v",
        "SETBIT s:11 100 1",
        "PFADD s:12 a",
        "SUNIONSTORE s:13 s:7 s:8",
        "COPY s:0 s:14",
        "GETSET s:15 1",
        "SETRANGE s:16 5 x",
        "SET s:17 1 KEEPTTL",
        "BITOP NOT s:18 s:0",
        "ZUNIONSTORE s:19 1 s:9",
        "SORT s:6 ALPHA STORE s:20",
        "GEOADD s:21 1 1 a",
        "LMOVE s:6 s:22 LEFT LEFT",
    ]
    .into_iter()
    .enumerate()
    {
        client.all(making);
        assert_eq!(client.ttl(&format!("s:{number}")), 1800, "{making}");
    }
    client.says("SET other 1\r\nSET s:keep:a 1\r\nSET s:a 1 EX 5", "+OK\r\n+OK\r\n+OK\r\n");
    assert_eq!((client.ttl("other"), client.ttl("s:keep:a"), client.ttl("s:a")), (-1, -1, 5));
    client.says("RENAME other s:b", "+OK\r\n");
    assert_eq!(client.ttl("s:b"), 1800);
}

#[test]
fn what_is_changed_keeps_its_time_and_what_is_put_anew_begins_again() {
    let served = served();
    let mut client = served.client();
    client.says("SET s:a 1\r\nEXPIRE s:a 100\r\nINCR s:a\r\nAPPEND s:a 0", "+OK\r\n:1\r\n:2\r\n:2\r\n");
    assert_eq!(client.ttl("s:a"), 100);
    client.says("SET s:a 1 KEEPTTL", "+OK\r\n");
    assert_eq!(client.ttl("s:a"), 100);
    client.says("SET s:a 1", "+OK\r\n");
    assert_eq!(client.ttl("s:a"), 1800);
    client.says("PERSIST s:a\r\nINCR s:a\r\nSETRANGE s:a 0 x\r\nSET s:a 2 KEEPTTL", ":1\r\n:2\r\n:1\r\n+OK\r\n");
    assert_eq!(client.ttl("s:a"), -1);
    client.says(
        "RPUSH s:l a\r\nPERSIST s:l\r\nRPUSH s:l b\r\nLPOP s:l 2\r\nRPUSH s:l c",
        ":1\r\n:1\r\n:2\r\n*2\r\n$1\r\na\r\n$1\r\nb\r\n:1\r\n",
    );
    assert_eq!(client.ttl("s:l"), 1800);
}

#[test]
fn a_plan_without_classes_gives_no_time() {
    let served = served();
    let mut client = served.client();
    client.says("SET s:a 1", "+OK\r\n");
    served.handle.swap(plan()).unwrap();
    client.says("SET s:b 1", "+OK\r\n");
    assert_eq!((client.ttl("s:a"), client.ttl("s:b")), (1800, -1));
    let mut cache = TcpStream::connect({
        let ttl = vec![TtlClass { pattern: "*".into(), ttl: Some(60_000) }];
        served.handle.swap(Plan { memcached: Some(([127, 0, 0, 1], 0).into()), ttl, ..plan() }).unwrap();
        served.handle.memcached_address().unwrap()
    })
    .map(Wire)
    .unwrap();
    cache.says(
        "set c 0 0 1\r\n1\r\nmg c t\r\nset c 0 5 1\r\n1\r\nmg c t\r\nmg d N0 t",
        "STORED\r\nHD t60\r\nSTORED\r\nHD t5\r\nHD t60 W\r\n",
    );
}
