use super::*;

const VALUE: usize = 10_000;

impl Wire {
    /// Sets `count` keys and says how many were not set as memory was full.
    fn fill(&mut self, count: usize) -> usize {
        let value = "x".repeat(VALUE);
        let refused = |number| match &*self.all(&format!("SET key:{number} {value}")) {
            "+OK\r\n" => false,
            "-OOM command not allowed when used memory > 'maxmemory'.\r\n" => true,
            other => panic!("{other}"),
        };
        (0..count).map(refused).filter(|refused| *refused).count()
    }
}

#[test]
fn when_memory_is_full_reads_and_deletes_go_on() {
    let served = Served::new();
    let mut client = served.client();
    client.says("CONFIG SET maxmemory 4mb", "+OK\r\n");
    let refused = client.fill(600);
    assert!((150..400).contains(&refused), "{refused}");
    client.says("STRLEN key:0", &format!(":{VALUE}\r\n"));
    client.says("MULTI", "+OK\r\n");
    client.says("SET a 1", "-OOM command not allowed when used memory > 'maxmemory'.\r\n");
    client.says("EXEC", "-EXECABORT Transaction discarded because of previous errors.\r\n");
    (0..100).for_each(|number| client.says(&format!("DEL key:{number}"), ":1\r\n"));
    client.says("SET a 1", "+OK\r\n");
}

#[test]
fn a_transaction_that_was_queued_before_memory_was_full_is_not_done() {
    let served = Served::new();
    let (mut client, mut other) = (served.client(), served.client());
    client.says("MULTI\r\nSET a 1", "+OK\r\n+QUEUED\r\n");
    other.says("CONFIG SET maxmemory 1", "+OK\r\n");
    let text = "-EXECABORT Transaction discarded because of: OOM command not allowed when used memory > 'maxmemory'.\r\n";
    client.says("EXEC", text);
    other.says("EXISTS a", ":0\r\n");
}

#[test]
fn keys_go_when_memory_is_full_and_that_is_published() {
    let served = Served::new();
    let (mut client, mut hears) = (served.client(), served.client());
    client.says("CONFIG SET maxmemory 4mb maxmemory-policy allkeys-s3fifo notify-keyspace-events Ee", "+OK\r\n");
    hears.send("SUBSCRIBE __keyevent@0__:evicted");
    hears.until(":1\r\n");
    assert_eq!(client.fill(1000), 0);
    let (gone, used) = (client.info("evicted_keys"), client.info("used_memory"));
    assert!(gone > 500 && used < (4 << 20) * 21 / 20, "{gone} {used}");
    let heard = hears.until("\r\n");
    assert!(heard.contains("__keyevent@0__:evicted\r\n$5\r\nkey:") || heard.contains("evicted\r\n$6\r\nkey:"), "{heard}");
}

#[test]
fn what_is_overdue_goes_although_nobody_asks_for_it() {
    let served = Served::new();
    let mut client = served.client();
    (0..1000).for_each(|number| client.says(&format!("SET key:{number} 1 PX 20"), "+OK\r\n"));
    client.says("SET a 1", "+OK\r\n");
    testkit::until("what is overdue is gone", || client.all("DBSIZE") == ":1\r\n");
    assert_eq!(client.info("expired_keys"), 1000);
}

#[test]
fn where_not_even_a_page_fits_nothing_is_written() {
    let served = Served::new();
    let mut client = served.client();
    let full = "-OOM command not allowed when used memory > 'maxmemory'.\r\n";
    client.says("CONFIG SET maxmemory 1\r\nSET a 1\r\nGET a", &format!("+OK\r\n{full}$-1\r\n"));
    client.says("FUNCTION LOAD '#!lua name=a'", full);
    client.says("CONFIG SET maxmemory 0\r\nSET a 1", "+OK\r\n+OK\r\n");
}
