use super::*;

/// A client that reads nothing: 150 KB of what it was sent wait at the door, or it is gone.
fn deaf(served: &Served, admin: &mut Wire, channel: &str) -> Wire {
    let mut client = served.client();
    client.says(
        &format!("CLIENT SETNAME deaf\r\nSUBSCRIBE {channel}"),
        &format!("+OK\r\n*3\r\n{}{}:1\r\n", bulk("subscribe"), bulk(channel)),
    );
    let line = |admin: &mut Wire| admin.all("CLIENT LIST").lines().find(|line| line.contains("name=deaf")).map(String::from);
    // The system takes some megabytes for it.
    while line(admin).is_some_and(|line| number(&line, "omem") < 150_000) {
        admin.all(&format!("PUBLISH {channel} {}", "x".repeat(50_000)));
    }
    client
}

fn number(text: &str, field: &str) -> usize {
    let value = text.split([' ', '\r', '\n']).find_map(|word| word.strip_prefix(field)?.strip_prefix(['=', ':']));
    value.unwrap_or_else(|| panic!("no {field} in {text}")).parse().unwrap()
}

impl Wire {
    fn is_there(&mut self, name: &str) -> bool {
        self.all("CLIENT LIST").contains(&format!("name={name} "))
    }
}

#[test]
fn a_subscriber_with_too_much_waiting_is_cut_off_at_once_or_after_a_while() {
    let served = Served::new();
    let mut admin = served.client();
    let before = admin.info("used_memory");
    admin.says("CONFIG SET client-output-buffer-limit 'pubsub 10mb 100k 1'", "+OK\r\n");
    let client = deaf(&served, &mut admin, "soft");
    // Nothing more is said to it.
    testkit::until("it is cut off", || !admin.is_there("deaf"));
    drop(client);
    admin.says("CONFIG SET client-output-buffer-limit 'pubsub 100k 0 0'", "+OK\r\n");
    let client = deaf(&served, &mut admin, "hard");
    testkit::until("it is cut off", || !admin.is_there("deaf"));
    testkit::until("both are counted", || admin.info("client_output_buffer_limit_disconnections") == 2);
    drop(client);
    testkit::until("nothing is held", || admin.info("mem_clients_normal") < 100_000 && admin.info("used_memory") < before + 100_000);
}

#[test]
fn a_monitor_that_does_not_read_is_cut_off() {
    let served = Served::new();
    let (mut admin, mut monitor) = (served.client(), served.client());
    admin.says("CONFIG SET client-output-buffer-limit 'pubsub 100k 0 0'", "+OK\r\n");
    monitor.says("CLIENT SETNAME deaf\r\nMONITOR", "+OK\r\n+OK\r\n");
    while admin.is_there("deaf") {
        admin.all(&format!("ECHO {}", "x".repeat(50_000)));
    }
    testkit::until("it is counted", || admin.info("client_output_buffer_limit_disconnections") == 1);
}

#[test]
fn an_answer_that_is_too_long_is_not_given() {
    let served = Served::new();
    let (mut admin, mut client) = (served.client(), served.client());
    admin.says("CONFIG SET client-output-buffer-limit 'normal 100000 0 0'", "+OK\r\n");
    admin.says(
        "CONFIG GET client-output-buffer-limit",
        &list(&["client-output-buffer-limit", "normal 100000 0 0 slave 268435456 67108864 60 pubsub 33554432 8388608 60"]),
    );
    client.says(&format!("SET a {}", "x".repeat(60_000)), "+OK\r\n");
    client.says("MULTI\r\nGET a\r\nGET a\r\nSET b 1", "+OK\r\n+QUEUED\r\n+QUEUED\r\n+QUEUED\r\n");
    client.send("EXEC");
    client.is_closed();
    // All of it was done.
    admin.says("GET b", "$1\r\n1\r\n");
}

#[test]
fn who_says_nothing_for_long_is_closed_unless_it_waits() {
    let served = Served::new();
    let (mut idle, mut hears, mut blocked) = (served.client(), served.client(), served.client());
    idle.says("CONFIG SET timeout 1", "+OK\r\n");
    hears.says("SUBSCRIBE a", &format!("*3\r\n{}{}:1\r\n", bulk("subscribe"), bulk("a")));
    blocked.send("BLPOP a 0");
    idle.is_closed();
    let mut other = served.client();
    other.says("PUBLISH a x\r\nRPUSH a y", ":1\r\n:1\r\n");
    hears.hears(&list(&["message", "a", "x"]));
    blocked.hears(&list(&["a", "y"]));
}

#[test]
fn requests_and_words_have_bounds_that_can_be_set() {
    let served = Served::new();
    let (mut admin, mut long) = (served.client(), served.client());
    admin.says("CONFIG SET proto-max-bulk-len 1000", "-ERR CONFIG SET failed (possibly related to argument 'proto-max-bulk-len') - argument must be between 1048576 and 9223372036854775807 inclusive\r\n");
    admin.says("CONFIG SET proto-max-bulk-len 2mb client-query-buffer-limit 4mb", "+OK\r\n");
    long.says("*2\r\n$4\r\nECHO\r\n$2097153", "-ERR Protocol error: invalid bulk length\r\n");
    long.is_closed();
    let mut long = served.client();
    long.send(&format!("*4\r\n$4\r\nMSET\r\n$2097152\r\n{}", "x".repeat(2 << 20)));
    long.send("$2097152");
    long.is_closed();
    assert_eq!(admin.info("client_query_buffer_limit_disconnections"), 1);
}

#[test]
fn there_are_as_many_clients_as_there_may_be() {
    let served = Served::new();
    let mut admin = served.client();
    admin.says("CONFIG SET maxclients 2", "+OK\r\n");
    let mut second = served.client();
    second.says("PING", "+PONG\r\n");
    served.client().hears("-ERR max number of clients reached\r\n");
    drop(second);
    testkit::until("it is gone", || admin.info("connected_clients") == 1);
    served.client().says("PING", "+PONG\r\n");
}

#[test]
fn the_largest_clients_go_when_all_hold_too_much() {
    let served = Served::new();
    let (mut admin, mut small, mut large, mut kept) = (served.client(), served.client(), served.client(), served.client());
    for (client, name, bytes) in [(&mut small, "small", 400_000), (&mut large, "large", 900_000), (&mut kept, "kept", 2_000_000)] {
        client.says(&format!("CLIENT SETNAME {name}\r\nCLIENT NO-EVICT {}", if name == "kept" { "ON" } else { "OFF" }), "+OK\r\n+OK\r\n");
        client.says(&format!("MULTI\r\n*2\r\n$4\r\nECHO\r\n${bytes}\r\n{}", "x".repeat(bytes)), "+OK\r\n+QUEUED\r\n");
    }
    testkit::until("all is held", || admin.info("mem_clients_normal") > 3_300_000);
    admin.says("CONFIG SET maxmemory-clients 2500kb", "+OK\r\n");
    testkit::until("one is gone", || !admin.is_there("large"));
    large.is_closed();
    assert!(admin.is_there("small") && admin.is_there("kept"));
    assert_eq!(admin.info("evicted_clients"), 1);
    // A percentage of 64 MB.
    admin
        .says("CONFIG SET maxmemory-clients 1%\r\nCONFIG GET maxmemory-clients", &format!("+OK\r\n{}", list(&["maxmemory-clients", "1%"])));
    testkit::until("one is gone", || !admin.is_there("small"));
    assert!(admin.is_there("kept"));
    kept.says("DISCARD", "+OK\r\n");
}

#[test]
fn who_alone_holds_more_than_all_may_goes_before_its_command_is_done() {
    let served = Served::new();
    let mut admin = served.client();
    admin.says(
        "CONFIG SET maxmemory-clients 101%",
        "-ERR CONFIG SET failed (possibly related to argument 'maxmemory-clients') - percentage argument must be less or equal to 100\r\n",
    );
    admin.says("CONFIG SET maxmemory-clients 3000000", "+OK\r\n");
    for (is_whole, bytes) in [(true, 2_999_000), (true, 3_000_000), (false, 3_000_000)] {
        let mut client = served.client();
        let sent = format!("*3\r\n$3\r\nSET\r\n$1\r\na\r\n${bytes}\r\n{}{}", "x".repeat(bytes), if is_whole { "\r\n" } else { "" });
        // It may be closed before it has sent all.
        let _ = client.0.write_all(sent.as_bytes());
        match bytes {
            ..3_000_000 => client.hears("+OK\r\n"),
            _ => assert_eq!(client.until_closed(), ""),
        }
    }
    assert_eq!(admin.info("evicted_clients"), 2);
    admin.says("STRLEN a", ":2999000\r\n");
}

#[test]
fn buffers_of_clients_are_part_of_the_memory() {
    let served = Served::new();
    let (mut admin, mut client) = (served.client(), served.client());
    let before = admin.info("used_memory");
    client.send(&format!("*2\r\n$4\r\nECHO\r\n$5000000\r\n{}", "x".repeat(4_000_000)));
    testkit::until("it is seen", || admin.info("used_memory") > before + 3_900_000);
    testkit::until("and shown", || {
        admin.all("CLIENT LIST").lines().any(|line| number(&(line.to_string() + " qbuf=0"), "qbuf") > 3_900_000)
    });
    drop(client);
    testkit::until("it is given back", || admin.info("used_memory") < before + 100_000);
}

#[test]
fn a_page_of_a_browser_is_cut_off() {
    let served = Served::new();
    for request in ["POST / HTTP/1.1", "GET / HTTP/1.1\r\nHost: a"] {
        let mut client = served.client();
        client.send(request);
        client.send("SET a 1");
        client.until_closed();
    }
    served.client().says("GET a", "$-1\r\n");
}

impl Wire {
    /// What it hears until the end.
    fn until_closed(&mut self) -> String {
        let mut heard = Vec::new();
        // It may be reset: not all that it sent was read.
        let _ = self.0.read_to_end(&mut heard);
        String::from_utf8(heard).unwrap()
    }
}

#[test]
fn what_is_no_request_is_named_and_ends_the_connection() {
    let served = Served::new();
    let nested = "*1\r\n".repeat(10_000);
    for (sent, answer) in [
        ("*-1\r\nPING\r\n*x", "+PONG\r\n-ERR Protocol error: invalid multibulk length\r\n"),
        ("*2147483648", "-ERR Protocol error: invalid multibulk length\r\n"),
        ("*1\r\n$-1", "-ERR Protocol error: invalid bulk length\r\n"),
        ("*1\r\n$536870913", "-ERR Protocol error: invalid bulk length\r\n"),
        ("*1\r\n$99999999999999999999", "-ERR Protocol error: invalid bulk length\r\n"),
        (&nested, "-ERR Protocol error: expected '$', got '*'\r\n"),
        ("set \"a", "-ERR Protocol error: unbalanced quotes in request\r\n"),
        (&"a".repeat(70_000), "-ERR Protocol error: too big inline request\r\n"),
    ] {
        let mut client = served.client();
        client.send(sent);
        let start: String = sent.chars().take(20).collect();
        assert_eq!(client.until_closed(), answer, "{start}");
    }
    // Nothing is taken for what is only announced.
    let (before, mapped) = (of_process("VmRSS:"), of_process("VmSize:"));
    let mut clients: Vec<Wire> = (0..50).map(|_| served.client()).collect();
    clients.iter_mut().for_each(|client| client.send("*1000000\r\n$536870912"));
    clients.iter_mut().for_each(|client| client.send("x"));
    let mut admin = served.client();
    testkit::until("all are read", || {
        admin.all("CLIENT LIST").lines().filter(|line| number(&(line.to_string() + " qbuf=0"), "qbuf") > 20).count() == 50
    });
    assert!(of_process("VmRSS:") < before + (64 << 20));
    // An allocator may clear what it gives.
    assert!(of_process("VmSize:") < mapped + (10 << 30));
}

/// Bytes of this process, as its status says.
fn of_process(name: &str) -> usize {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix(name)).unwrap();
    line.trim().trim_end_matches(" kB").parse::<usize>().unwrap() << 10
}

#[test]
fn many_subscribers_are_all_told_in_order_before_it_is_answered() {
    const MANY: usize = 700;
    let served = Served::of(plan());
    let mut clients: Vec<Wire> = (0..MANY).map(|_| served.client()).collect();
    for (at, client) in clients.iter_mut().enumerate() {
        client.send(if at % 2 == 0 { "SUBSCRIBE a b" } else { "PSUBSCRIBE a*\r\nSUBSCRIBE b" });
    }
    let mut admin = served.client();
    testkit::until("all have subscribed", || admin.all("PUBSUB NUMSUB b").contains(&format!(":{MANY}\r\n")));
    clients.iter_mut().for_each(|client| _ = client.until("b\r\n:2\r\n"));
    admin.says("SUBSCRIBE c", &format!("*3\r\n{}{}:1\r\n", bulk("subscribe"), bulk("c")));
    let mut other = served.client();
    // One that hears few comes after one that hears many.
    other.says(
        "PUBLISH a 1\r\nPUBLISH c 2\r\nMULTI\r\nPUBLISH b 3\r\nPUBLISH c 4\r\nEXEC",
        &format!(":{MANY}\r\n:1\r\n+OK\r\n+QUEUED\r\n+QUEUED\r\n*2\r\n:{MANY}\r\n:1\r\n"),
    );
    admin.hears(&(list(&["message", "c", "2"]) + &list(&["message", "c", "4"])));
    for (at, client) in clients.iter_mut().enumerate() {
        let first = if at % 2 == 0 { list(&["message", "a", "1"]) } else { list(&["pmessage", "a*", "a", "1"]) };
        client.hears(&(first + &list(&["message", "b", "3"])));
    }
}
