mod counts;
mod limits;
mod memcached;
mod memory;
mod scripts;
mod secured;
mod streams;
mod ttl;
mod users;

use std::io::{Read, Write};
use std::net::TcpStream;

use super::*;
use crate::plan::{Listen, Max};
use crate::store::Eviction;

/// A door and its loops.
struct Served {
    loops: Loops,
    handle: Handle,
}

/// A client of raw bytes.
struct Wire(TcpStream);

fn plan() -> Plan {
    let listen = Listen { address: ([127, 0, 0, 1], 0).into(), written: true };
    Plan {
        name: "main".into(),
        listen,
        memcached: None,
        ttl: Vec::new(),
        memory: 64 << 20,
        evict: Eviction::default(),
        max: Max::default(),
        users: Vec::new(),
        password: None,
        tls: None,
    }
}

fn start(loops: &Loops, plan: Plan) -> Handle {
    let listener = loops::listen(plan.listen.address, loops.len()).unwrap();
    Tier::start(plan, Some(listener), loops, Log::nowhere(), &Registry::default()).unwrap()
}

impl Served {
    fn new() -> Served {
        Served::of(plan())
    }

    fn of(plan: Plan) -> Served {
        let loops = Loops::start(2).unwrap();
        Served { handle: start(&loops, plan), loops }
    }

    fn client(&self) -> Wire {
        Wire::to(&self.handle)
    }

    /// Waits until so many clients wait for keys.
    #[track_caller]
    fn until_blocked(&self, count: usize) {
        let roster = &self.handle.0.common.roster;
        testkit::until("so many wait", || roster.all().iter().filter(|peer| peer.blocked().is_some()).count() == count);
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        self.loops.end();
    }
}

impl Wire {
    fn to(handle: &Handle) -> Wire {
        let stream = TcpStream::connect(handle.address().unwrap()).unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(10))).unwrap();
        Wire(stream)
    }

    fn send(&mut self, lines: &str) {
        self.0.write_all(format!("{lines}\r\n").as_bytes()).unwrap();
    }

    #[track_caller]
    fn hears(&mut self, answer: &str) {
        let mut heard = vec![0; answer.len()];
        if let Err(error) = self.0.read_exact(&mut heard) {
            panic!("{error}: heard {} instead of {answer:?}", heard.escape_ascii());
        }
        assert_eq!(String::from_utf8_lossy(&heard), answer);
    }

    #[track_caller]
    fn says(&mut self, lines: &str, answer: &str) {
        self.send(lines);
        self.hears(answer);
    }

    /// Up to this text.
    fn until(&mut self, end: &str) -> String {
        let mut heard = Vec::new();
        while !heard.ends_with(end.as_bytes()) {
            let mut more = [0; 4096];
            let count = self.0.read(&mut more).unwrap();
            assert!(count > 0, "it ended: {}", heard.escape_ascii());
            heard.extend_from_slice(&more[..count]);
        }
        String::from_utf8(heard).unwrap()
    }

    /// Up to a marker that is asked for behind it.
    fn all(&mut self, lines: &str) -> String {
        self.send(lines);
        self.send("ECHO it-ends-here");
        let end = "$12\r\nit-ends-here\r\n";
        self.until(end).trim_end_matches(end).to_string()
    }

    /// The elements that a `BLMPOP` was answered with.
    fn until_popped(&mut self) -> Vec<String> {
        let mut heard = String::new();
        loop {
            let mut more = [0; 4096];
            let count = self.0.read(&mut more).unwrap();
            assert!(count > 0, "it ended");
            heard += std::str::from_utf8(&more[..count]).unwrap();
            let lines: Vec<&str> = heard.split_terminator("\r\n").collect();
            let wanted = lines.get(3).and_then(|line| line.strip_prefix('*')).and_then(|count| count.parse::<usize>().ok());
            if heard.ends_with("\r\n") && wanted.is_some_and(|wanted| lines.len() == 4 + 2 * wanted) {
                return lines[4..].iter().skip(1).step_by(2).map(|text| (*text).to_string()).collect();
            }
        }
    }

    /// A number that `INFO` says.
    fn info(&mut self, name: &str) -> usize {
        let all = self.all("INFO everything");
        let line = all.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(':')).unwrap();
        line.trim().parse().unwrap()
    }

    fn id(&mut self) -> u64 {
        self.all("CLIENT ID")[1..].trim().parse().unwrap()
    }

    #[track_caller]
    fn is_closed(&mut self) {
        assert_eq!(self.0.read(&mut [0; 1]).unwrap_or(0), 0);
    }
}

fn bulk(text: &str) -> String {
    format!("${}\r\n{text}\r\n", text.len())
}

fn list(texts: &[&str]) -> String {
    texts.iter().fold(format!("*{}\r\n", texts.len()), |list, text| list + &bulk(text))
}

#[test]
fn pipelines_are_answered_in_order_and_what_is_broken_ends_the_connection() {
    let served = Served::new();
    let mut client = served.client();
    client.says("PING\r\n*3\r\n$3\r\nSET\r\n$1\r\na\r\n$1\r\n1", "+PONG\r\n+OK\r\n");
    client.says("GET a\r\nNONE x", "$1\r\n1\r\n-ERR unknown command 'NONE', with args beginning with: 'x' \r\n");
    client.says("get a\r\n*-x", "$1\r\n1\r\n-ERR Protocol error: invalid multibulk length\r\n");
    client.is_closed();
}

#[tokio::test]
async fn a_door_that_is_gone_leaves_nothing_on_its_loops() {
    let loops = Loops::start(2).unwrap();
    let handle = start(&loops, plan());
    let (mut client, mut waiting, mut blocked) = (Wire::to(&handle), Wire::to(&handle), Wire::to(&handle));
    client.says("PING\r\nWATCH a", "+PONG\r\n+OK\r\n");
    waiting.says("SUBSCRIBE a", "*3\r\n$9\r\nsubscribe\r\n$1\r\na\r\n:1\r\n");
    blocked.says("PING\r\nBLPOP a b 0", "+PONG\r\n");
    let shared = Arc::downgrade(&handle.0.common);
    assert!(handle.drain(Duration::from_secs(10)).await);
    drop(handle);
    testkit::until("nothing of it is left", || shared.strong_count() == 0);
    loops.end();
}

#[test]
fn a_transaction_is_done_as_a_whole_or_not_at_all() {
    let served = Served::new();
    let mut client = served.client();
    client.says("MULTI\r\nSET a 1\r\nGET a\r\nHGET a f\r\nEXISTS b c d e f", &format!("+OK\r\n{}", "+QUEUED\r\n".repeat(4)));
    client.says("EXEC", "*4\r\n+OK\r\n$1\r\n1\r\n-WRONGTYPE Operation against a key holding the wrong kind of value\r\n:0\r\n");
    client.says("EXEC\r\nDISCARD", "-ERR EXEC without MULTI\r\n-ERR DISCARD without MULTI\r\n");
    client.says("MULTI\r\nMULTI\r\nWATCH a", "+OK\r\n-ERR MULTI calls can not be nested\r\n-ERR WATCH inside MULTI is not allowed\r\n");
    client.says("SET a 2\r\nEXEC", "+QUEUED\r\n*1\r\n+OK\r\n");
    client.says("MULTI\r\nSET a 3\r\nDISCARD\r\nGET a", "+OK\r\n+QUEUED\r\n+OK\r\n$1\r\n2\r\n");
    client.says("MULTI\r\nSET a 3\r\nGET", "+OK\r\n+QUEUED\r\n-ERR wrong number of arguments for 'get' command\r\n");
    client.says("EXEC\r\nGET a", "-EXECABORT Transaction discarded because of previous errors.\r\n$1\r\n2\r\n");
    client.says("MULTI\r\nEXEC x", "+OK\r\n-EXECABORT Transaction discarded because of: wrong number of arguments for 'exec' command\r\n");
    client.says("MULTI\r\nEXEC", "+OK\r\n*0\r\n");
}

#[test]
fn a_key_that_was_changed_since_it_was_watched_stops_a_transaction() {
    let served = Served::new();
    let (mut one, mut other) = (served.client(), served.client());
    one.says("WATCH a b\r\nMULTI\r\nSET a 1", "+OK\r\n+OK\r\n+QUEUED\r\n");
    other.says("SET b 1", "+OK\r\n");
    one.says("EXEC\r\nGET a", "*-1\r\n$-1\r\n");
    one.says("WATCH b\r\nGET b\r\nMULTI\r\nSET b 2\r\nEXEC", "+OK\r\n$1\r\n1\r\n+OK\r\n+QUEUED\r\n*1\r\n+OK\r\n");
    one.says("WATCH b\r\nSET b 3\r\nUNWATCH\r\nMULTI\r\nEXEC", "+OK\r\n+OK\r\n+OK\r\n+OK\r\n*0\r\n");
    one.says("WATCH b\r\nSET b 3\r\nMULTI\r\nDISCARD\r\nMULTI\r\nEXEC", "+OK\r\n+OK\r\n+OK\r\n+OK\r\n+OK\r\n*0\r\n");
    one.says("WATCH none\r\nDEL none\r\nMULTI\r\nEXEC", "+OK\r\n:0\r\n+OK\r\n*0\r\n");
    one.says("SET a 1 PX 1\r\nWATCH a", "+OK\r\n+OK\r\n");
    testkit::until("it is overdue", || other.all("EXISTS a") == ":0\r\n");
    one.says("MULTI\r\nEXEC", "+OK\r\n*-1\r\n");
}

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
fn clients_are_listed_named_and_killed() {
    let served = Served::new();
    let (mut one, mut other) = (served.client(), served.client());
    one.says("CLIENT SETNAME me\r\nCLIENT GETNAME", "+OK\r\n$2\r\nme\r\n");
    one.says("CLIENT SETNAME m\u{e9}", "-ERR Client names cannot contain spaces, newlines or special characters.\r\n");
    let id = other.id();
    let listed = one.all("CLIENT LIST");
    assert!(listed.contains(" name=me ") && listed.contains(" cmd=client|list ") && listed.contains(&format!("id={id} ")), "{listed}");
    assert!(one.all(&format!("CLIENT LIST ID {id}")).matches("addr=").count() == 2);
    one.says(&format!("CLIENT KILL ID {id}\r\nCLIENT KILL ID 9999"), ":1\r\n:0\r\n");
    other.is_closed();
    one.says("CLIENT KILL 1.1.1.1:1\r\nCLIENT NONE", "-ERR No such client\r\n-ERR unknown subcommand 'NONE'. Try CLIENT HELP.\r\n");
    one.says(
        "CLIENT\r\nCLIENT ID x",
        "-ERR wrong number of arguments for 'client' command\r\n-ERR wrong number of arguments for 'client|id' command\r\n",
    );
    one.says("CLIENT KILL TYPE normal SKIPME no", ":1\r\n");
    one.is_closed();
}

#[test]
fn answers_may_be_unwanted() {
    let served = Served::new();
    let mut client = served.client();
    client.says("CLIENT REPLY OFF\r\nSET a 1\r\nNONE\r\nCLIENT REPLY ON\r\nGET a", "+OK\r\n$1\r\n1\r\n");
    client.says("CLIENT REPLY SKIP\r\nSET a 2\r\nGET a", "$1\r\n2\r\n");
    assert!(client.all("HELLO 3").starts_with('%'));
    client.says("CLIENT REPLY OFF\r\nSUBSCRIBE a\r\nPUBLISH a x", ">3\r\n$9\r\nsubscribe\r\n$1\r\na\r\n:1\r\n");
    client.hears(">3\r\n$7\r\nmessage\r\n$1\r\na\r\n$1\r\nx\r\n");
}

#[test]
fn a_password_is_asked_for() {
    let served = Served::new();
    let (mut one, mut other) = (served.client(), served.client());
    one.says(
        "AUTH x",
        "-ERR AUTH <password> called without any password configured for the default user. Are you sure your configuration is correct?\r\n",
    );
    one.says("CONFIG SET requirepass secret", "+OK\r\n");
    other.says("PING", "+PONG\r\n");
    let mut third = served.client();
    third.says("GET a\r\nHELLO 3", "-NOAUTH Authentication required.\r\n-NOAUTH HELLO must be");
    let mut fourth = served.client();
    fourth.says("AUTH wrong", "-WRONGPASS invalid username-password pair or user is disabled.\r\n");
    fourth.says("AUTH default secret\r\nPING", "+OK\r\n+PONG\r\n");
    let mut fifth = served.client();
    assert!(fifth.all("HELLO 2 AUTH default secret SETNAME me").starts_with("*14\r\n"));
    fifth.says("CLIENT GETNAME\r\nRESET\r\nPING", "$2\r\nme\r\n+RESET\r\n-NOAUTH Authentication required.\r\n");
}

#[test]
fn clients_wait_while_they_are_paused() {
    let served = Served::new();
    let (mut one, mut other) = (served.client(), served.client());
    one.says("CLIENT PAUSE 60000 WRITE\r\nGET a", "+OK\r\n$-1\r\n");
    other.send("GET a\r\nSET a 1\r\nGET a");
    other.hears("$-1\r\n");
    one.says("GET a\r\nCLIENT UNPAUSE", "$-1\r\n+OK\r\n");
    other.hears("+OK\r\n$1\r\n1\r\n");
}

#[test]
fn a_monitor_sees_what_is_asked() {
    let served = Served::new();
    let (mut one, mut other) = (served.client(), served.client());
    one.says("MONITOR", "+OK\r\n");
    other.says("SET \"a b\" \"\\x01\\n\"\r\nAUTH default y", "+OK\r\n+OK\r\n");
    other.says("GET x", "$-1\r\n");
    let seen = one.until("\"GET\" \"x\"\r\n");
    assert!(seen.contains("] \"SET\" \"a b\" \"\\x01\\n\"\r\n") && !seen.contains("AUTH"), "{seen}");
}

#[test]
fn what_is_slow_is_kept() {
    let served = Served::new();
    let mut client = served.client();
    client.says("CONFIG SET slowlog-log-slower-than 0\r\nGET slow\r\nCONFIG SET slowlog-log-slower-than 10000", "+OK\r\n$-1\r\n+OK\r\n");
    let slow = client.all("SLOWLOG GET");
    assert!(slow.contains("*2\r\n$3\r\nGET\r\n$4\r\nslow\r\n"), "{slow}");
    client.says("SLOWLOG RESET\r\nDEBUG SLEEP 0.02\r\nSLOWLOG LEN", "+OK\r\n+OK\r\n:1\r\n");
}

#[test]
fn the_server_says_what_it_is() {
    let served = Served::new();
    let mut client = served.client();
    client.says("SET a 1\r\nGET a\r\nGET b", "+OK\r\n$1\r\n1\r\n$-1\r\n");
    let info = client.all("INFO");
    for line in ["redis_version:7.0.15", "keyspace_hits:1", "keyspace_misses:1", "db0:keys=1,expires=0,avg_ttl=0", "role:master"] {
        assert!(info.contains(&format!("{line}\r\n")), "{line} in {info}");
    }
    assert!(!client.all("INFO clients").contains("redis_version"));
    client.says("COMMAND GETKEYS SET k v\r\nCOMMAND GETKEYS ECHO x", "*1\r\n$1\r\nk\r\n-ERR The command has no key arguments\r\n");
    assert!(client.all("COMMAND INFO get").starts_with("*1\r\n*10\r\n$3\r\nget\r\n:2\r\n*2\r\n+readonly\r\n+fast\r\n:1\r\n:1\r\n:1\r\n"));
    client.says("CONFIG GET slowlog-max-l*", &list(&["slowlog-max-len", "128"]));
    client.says(
        "SELECT 0\r\nSELECT 1\r\nSWAPDB 0 0\r\nMOVE a 1",
        "+OK\r\n-ERR DB index is out of range\r\n+OK\r\n-ERR DB index is out of range\r\n",
    );
    assert!(client.all("MEMORY USAGE a").starts_with(':') && client.all("MEMORY USAGE none") == "$-1\r\n");
}

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

#[test]
fn a_long_transaction_is_done_elsewhere_with_its_client() {
    let served = Served::new();
    let (mut one, mut other) = (served.client(), served.client());
    one.send("WATCH b\r\nMULTI\r\nDEBUG SLEEP 0.02\r\nSET a 1\r\nCLIENT SETNAME me\r\nINFO cluster\r\nGET");
    one.hears("+OK\r\n+OK\r\n+QUEUED\r\n+QUEUED\r\n+QUEUED\r\n+QUEUED\r\n-ERR wrong number of arguments for 'get' command\r\n");
    one.says("EXEC", "-EXECABORT Transaction discarded because of previous errors.\r\n");
    one.send("MULTI\r\nDEBUG SLEEP 0.02\r\nSET a 1\r\nCLIENT SETNAME me\r\nINFO cluster\r\nEXEC");
    one.hears(&format!("+OK\r\n{}*4\r\n+OK\r\n+OK\r\n+OK\r\n", "+QUEUED\r\n".repeat(4)));
    one.hears(&bulk("# Cluster\r\ncluster_enabled:0\r\n"));
    one.says("CLIENT GETNAME\r\nPING", "$2\r\nme\r\n+PONG\r\n");
    other.says("GET a", "$1\r\n1\r\n");
    one.says("WATCH a\r\nMULTI\r\nDEBUG SLEEP 0.02", "+OK\r\n+OK\r\n+QUEUED\r\n");
    other.says("SET a 2", "+OK\r\n");
    one.says("EXEC\r\nMULTI\r\nEXEC", "*-1\r\n+OK\r\n*0\r\n");
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

/// `KV_PORT=… cargo test -p plimsoll-kv serves_on_a_port -- --ignored`, for tests by other programs.
#[test]
#[ignore = "it serves until its input ends"]
fn serves_on_a_port() {
    let port: u16 = std::env::var("KV_PORT").expect("KV_PORT is a port").parse().expect("it is a number");
    let loops = Loops::start(2).unwrap();
    let listen = Listen { address: ([127, 0, 0, 1], port).into(), written: true };
    let _handle = start(&loops, Plan { listen, max: Max { clients: 20_000, ..Max::default() }, ..plan() });
    std::io::stdin().read_to_end(&mut Vec::new()).unwrap();
    loops.end();
}
