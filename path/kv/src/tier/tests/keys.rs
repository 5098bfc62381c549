//! What is told of keys and their classes.

use super::*;
use crate::survey::{KeyClass, KeysAsked, KeysTold};

impl Served {
    fn keys(&self, hot: bool, big: bool) -> KeysTold {
        self.handle.keys(KeysAsked { hot, big, most: 5 })
    }

    fn class(&self, name: &str) -> KeyClass {
        self.keys(false, false).classes.into_iter().find(|class| class.name == name).unwrap_or_default()
    }
}

#[test]
fn classes_have_their_keys_and_more_than_can_be_told_are_others() {
    let served = Served::new();
    let mut client = served.client();
    for number in 0..300 {
        client.says(
            &format!("SET user:{number} x\r\nHSET {}:1 a b", "y".repeat(number % 100 + 1)),
            &format!("+OK\r\n:{}\r\n", u8::from(number < 100)),
        );
    }
    let told = served.keys(false, false);
    assert_eq!((told.classes.len(), told.classes[0].name.as_str(), told.classes[0].keys), (41, "user:*", 300));
    assert_eq!((told.classes[40].name.as_str(), told.classes.iter().map(|class| class.keys).sum::<u64>()), ("other", 400));
    assert!(told.counted.is_some_and(|counted| counted < Duration::from_secs(60)) && told.hot.is_empty() && told.big.is_empty());
    client.says("FLUSHALL", "+OK\r\n");
    assert_eq!(served.keys(false, true).classes.iter().map(|class| class.keys + class.memory).sum::<u64>(), 0);
}

#[test]
fn a_key_that_is_called_as_others_are_is_one_of_them() {
    let served = Served::new();
    served.client().says("SET other 1\r\nGET other", "+OK\r\n$1\r\n1\r\n");
    let classes = served.keys(false, false).classes;
    assert_eq!((classes.len(), &*classes[0].name, classes[0].keys, classes[0].hits), (1, "other", 1, 1));
}

#[test]
fn what_goes_by_itself_is_counted_of_its_class() {
    let served = Served::of(Plan { memory: 1 << 20, evict: Eviction { policy: crate::Policy::Lru, among: crate::Among::Ttl }, ..plan() });
    let mut client = served.client();
    client.says("SET keep:1 x\r\nSET short:1 x PX 1", "+OK\r\n+OK\r\n");
    testkit::until("it is overdue", || served.class("short:*").expired == 1);
    let value = "x".repeat(10_000);
    (0..200).for_each(|number| client.says(&format!("SET cache:{number} {value} EX 1000"), "+OK\r\n"));
    let (cache, keep, counts) = (served.class("cache:*"), served.class("keep:*"), served.handle.counts());
    assert!(counts.evicted > 50 && counts.evicted.abs_diff(cache.evicted) < counts.evicted / 2, "{cache:?} {counts:?}");
    assert_eq!((keep.evicted, keep.keys), (0, 1));
}

#[test]
fn the_busiest_and_the_biggest_keys_are_told() {
    let served = Served::new();
    let mut client = served.client();
    (0..50).for_each(|number| client.says(&format!("SET a:{number} x\r\nGET a:{number}"), "+OK\r\n$1\r\nx\r\n"));
    (0..20).for_each(|_| client.says("GET a:7\r\nGET gone", "$1\r\nx\r\n$-1\r\n"));
    client.all(&format!("RPUSH list {}", "x ".repeat(2000)));
    client.all(&format!("SET a:8 {} EX 100", "y".repeat(9000)));
    let told = served.keys(true, true);
    assert_eq!((told.hot.len(), told.big.len()), (5, 5));
    let (first, second) = (&told.hot[0], &told.hot[1]);
    assert_eq!((&*first.name, &*first.class, first.kind, first.ttl), ("a:7", "a:*", Some("string"), None), "{told:?}");
    assert_eq!((&*second.name, second.kind, second.memory), ("gone", None, None), "{told:?}");
    assert!(first.per_second >= second.per_second && second.per_second > 0.0, "{told:?}");
    let (first, second) = (&told.big[0], &told.big[1]);
    assert_eq!((&*first.name, first.kind, &*second.name, second.kind), ("a:8", Some("string"), "list", Some("list")), "{told:?}");
    assert!(first.memory >= Some(9000) && first.ttl.is_some_and(|ttl| (1..=100_000).contains(&ttl)), "{told:?}");
}

#[test]
fn a_long_name_is_cut_and_its_key_is_found() {
    let served = Served::new();
    let mut client = served.client();
    client.says(&format!("SET {} 1", "k".repeat(5000)), "+OK\r\n");
    let told = served.keys(true, true);
    for key in [&told.hot[0], &told.big[0]] {
        assert_eq!((key.name.clone(), key.kind), (format!("{}…", "k".repeat(256)), Some("string")));
        assert!(key.memory > Some(5000));
    }
}
