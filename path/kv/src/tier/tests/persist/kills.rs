//! What is there after a door was killed, or its log torn.

use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::{env, fs};

use super::*;
use crate::store::Random;

/// A door in a process of its own, which may be killed, and its ports: of clients of Redis and of memcached.
pub(super) struct Killed(Child, [u16; 2]);

impl Killed {
    pub(super) fn start(folder: &Path, when: &str) -> Killed {
        let port = folder.with_extension("port");
        let _ = fs::remove_file(&port);
        let child = Command::new(env::current_exe().unwrap())
            .args(["--exact", "--ignored", "tier::tests::persist::kills::serves_until_it_is_killed"])
            .env("KV_FOLDER", folder)
            .env("KV_WHEN", when)
            .stdout(Stdio::null())
            .stdin(Stdio::piped())
            .spawn()
            .unwrap();
        let read = || fs::read_to_string(&port).unwrap_or_default();
        testkit::until("it serves", || read().ends_with('\n'));
        let ports: Vec<u16> = read().split_whitespace().map(|port| port.parse().unwrap()).collect();
        Killed(child, ports.try_into().unwrap())
    }

    pub(super) fn client(&self) -> Wire {
        self.at(self.1[0])
    }

    pub(super) fn memcached(&self) -> Wire {
        self.at(self.1[1])
    }

    fn at(&self, port: u16) -> Wire {
        let stream = TcpStream::connect(("127.0.0.1", port)).unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(10))).unwrap();
        Wire(stream)
    }

    pub(super) fn kill(mut self) {
        self.0.kill().unwrap();
        self.0.wait().unwrap();
    }
}

#[test]
#[ignore = "it is for the tests here, which kill it"]
fn serves_until_it_is_killed() {
    let folder = std::path::PathBuf::from(env::var("KV_FOLDER").unwrap());
    let when = match &*env::var("KV_WHEN").unwrap() {
        "always" => ALWAYS,
        "everysec" => When::Log(Fsync::EverySecond),
        "no" => When::Log(Fsync::No),
        "snapshot" => When::Snapshot(Duration::from_secs(1)),
        _ => When::Stop,
    };
    let served = kept(&folder, when);
    let [port, memcached] = [served.handle.address(), served.handle.memcached_address()].map(|address| address.unwrap().port());
    fs::write(folder.with_extension("port"), format!("{port} {memcached}\n")).unwrap();
    std::io::stdin().read_to_end(&mut Vec::new()).unwrap();
}

/// Sends so many transactions that count in two keys, and reads answers until the end; gives the last count that was answered.
fn count(wire: &mut Wire, most: usize) -> i64 {
    let mut answered = 0;
    for _ in 0..most {
        if wire.0.write_all(b"MULTI\r\nINCR a\r\nINCR b\r\nEXEC\r\n").is_err() {
            break;
        }
        let mut heard = Vec::new();
        while !heard.ends_with(b"\r\n") || heard.iter().filter(|byte| **byte == b'\n').count() < 6 {
            let mut more = [0; 256];
            match wire.0.read(&mut more) {
                Ok(count) if count > 0 => heard.extend_from_slice(&more[..count]),
                _ => return answered,
            }
        }
        let text = String::from_utf8(heard).unwrap();
        answered = text.trim_end().rsplit(':').next().unwrap().parse().unwrap();
    }
    answered
}

/// What both keys count, which is the same.
fn counted(wire: &mut Wire) -> i64 {
    let said = wire.all("MGET a b");
    let numbers: Vec<i64> = said.split("\r\n").filter_map(|line| line.parse().ok()).collect();
    let (a, b) = (numbers.first().copied().unwrap_or(0), numbers.last().copied().unwrap_or(0));
    assert_eq!(a, b, "a transaction is whole or not there");
    a
}

#[test]
fn nothing_that_was_answered_is_lost_under_always_when_it_is_killed() {
    let home = tempfile::tempdir().unwrap();
    let folder = home.path().join("kv");
    let (mut random, mut before) = (Random::seeded(5), 0);
    for round in 0..8 {
        let killed = Killed::start(&folder, "always");
        let mut wire = killed.client();
        let there = counted(&mut wire);
        assert!(there >= before, "{round}: {there} of {before}");
        let rewrites = round % 2 == 1;
        let counting = std::thread::spawn(move || count(&mut wire, 100_000));
        let mut other = killed.client();
        let least = there + 1 + random.below(150) as i64;
        testkit::until("it has counted", || {
            if rewrites {
                other.all("BGREWRITEAOF");
            }
            counted(&mut other) >= least
        });
        killed.kill();
        before = counting.join().unwrap();
    }
    assert!(before > 8);
}

#[test]
fn what_was_written_before_it_is_killed_is_there_under_each_policy() {
    let home = tempfile::tempdir().unwrap();
    for (when, is_safe) in
        [("everysec", "aof_buffer_length:0\r\n"), ("no", "aof_buffer_length:0\r\n"), ("snapshot", "rdb_changes_since_last_save:0\r\n")]
    {
        let folder = home.path().join(when);
        let killed = Killed::start(&folder, when);
        let mut wire = killed.client();
        let counted_then = count(&mut wire, 200);
        testkit::until("it is safe", || wire.all("INFO persistence").contains(is_safe));
        count(&mut wire, 20);
        killed.kill();
        let served = Killed::start(&folder, when);
        let there = counted(&mut served.client());
        assert!((counted_then..=counted_then + 20).contains(&there), "{when}: {there}");
        served.kill();
    }
}

#[test]
fn under_stop_what_the_last_clean_stop_kept_is_there_after_a_kill() {
    let home = tempfile::tempdir().unwrap();
    let folder = home.path().join("kv");
    let served = kept(&folder, When::Stop);
    served.client().all("SET a 1");
    stop(&served);
    let killed = Killed::start(&folder, "stop");
    killed.client().says("INCR a", ":2\r\n");
    killed.kill();
    let served = kept(&folder, When::Stop);
    served.client().says("GET a", "$1\r\n1\r\n");
}

#[test]
fn a_torn_end_of_the_log_is_cut_wherever_it_is() {
    let home = tempfile::tempdir().unwrap();
    let served = kept(home.path(), ALWAYS);
    let mut wire = served.client();
    assert_eq!(count(&mut wire, 100), 100);
    drop(wire);
    stop(&served);
    let log = home.path().join("main.log.1");
    let whole = fs::read(&log).unwrap();
    let mut random = Random::seeded(9);
    for _ in 0..25 {
        fs::read_dir(home.path()).unwrap().for_each(|file| fs::remove_file(file.unwrap().path()).unwrap());
        let length = 37 + random.below(whole.len() - 37);
        fs::write(&log, &whole[..length]).unwrap();
        let served = kept(home.path(), ALWAYS);
        let there = counted(&mut served.client());
        // Each transaction is one block here, and all of them are about as long.
        let expected = (length - 36) as i64 * 100 / (whole.len() - 36) as i64;
        assert!((expected - 2..=expected + 2).contains(&there), "{length}: {there}");
        assert!(fs::metadata(&log).map_or(0, |file| file.len()) <= length as u64);
        count(&mut served.client(), 3);
        stop(&served);
        drop(served);
        let served = kept(home.path(), ALWAYS);
        assert_eq!(counted(&mut served.client()), there + 3);
        stop(&served);
    }
}

/// What was there when a door did not open again: an older log that a kill had left, and one of the base that said nothing.
#[test]
fn logs_that_a_kill_left_do_not_change_where_the_next_one_begins() {
    let home = tempfile::tempdir().unwrap();
    let served = kept(home.path(), ALWAYS);
    served.client().says("RPUSH list a\r\nSAVE", ":1\r\n+OK\r\n");
    stop(&served);
    drop(served);
    assert!(home.path().join("main.log.2").exists());
    for there in 1..4 {
        fs::write(home.path().join("main.log.1"), "needless").unwrap();
        let served = kept(home.path(), ALWAYS);
        served.client().says("LLEN list\r\nRPUSH list b", &format!(":{there}\r\n:{}\r\n", there + 1));
        stop(&served);
        assert!(home.path().join(format!("main.log.{}", there + 1)).exists());
    }
    assert!(!home.path().join("main.log.1").exists());
}
