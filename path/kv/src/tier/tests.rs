mod asked;
mod counts;
mod hearing;
mod keys;
mod limits;
mod memcached;
mod memory;
mod persist;
mod scripts;
mod secured;
mod streams;
mod ttl;
mod users;
mod waiting;

use std::io::{Read, Write};
use std::net::TcpStream;

use super::*;
use crate::plan::{Listen, Max, When};
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
        persist: When::Off,
    }
}

fn start(loops: &Loops, plan: Plan) -> Handle {
    let listener = loops::listen(plan.listen.address, loops.len()).unwrap();
    Tier::start(plan, Some(listener), None, loops, Log::nowhere(), &Registry::default()).unwrap()
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
