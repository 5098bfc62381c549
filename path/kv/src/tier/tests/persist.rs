mod kills;
mod memcached;
mod steps;

use std::fs;
use std::path::Path;

use super::*;
use crate::plan::{Fsync, When};
use crate::store::TtlClass;

const ALWAYS: When = When::Log(Fsync::Always);

fn open(folder: &Path, when: When, loops: &Loops) -> Result<Handle, String> {
    let plan = Plan { persist: when, memcached: Some(([127, 0, 0, 1], 0).into()), ..plan() };
    let listener = loops::listen(plan.listen.address, loops.len()).unwrap();
    Tier::start(plan, Some(listener), Some(folder), loops, Log::nowhere(), &Registry::default())
}

fn kept(folder: &Path, when: When) -> Served {
    let loops = Loops::start(2).unwrap();
    Served { handle: open(folder, when, &loops).unwrap(), loops }
}

/// One that is stopped as Plimsoll stops it.
fn stop(served: &Served) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        assert!(served.handle.drain(Duration::from_secs(10)).await);
        served.handle.keep().await.unwrap();
    });
}

/// All that a client sees of the keys.
fn contents(client: &mut Wire) -> Vec<String> {
    let names = client.all("KEYS *");
    let mut names: Vec<String> = names.split("\r\n").skip(2).step_by(2).map(String::from).collect();
    names.sort();
    names.into_iter().map(|key| client.all(&format!("ECHO {key}\r\nTYPE {key}\r\nPEXPIRETIME {key}\r\nDEBUG DIGEST-VALUE {key}"))).collect()
}

const SOME: &str = "SET text value PX 86400000\r\nSET number 12\r\nRPUSH list a b c\r\nSADD set a b\r\nSADD numbers 1 2\r\n\
                    ZADD sorted 1.5 a 2 b\r\nHSET hash f 1 g 2\r\nHPEXPIRE hash 86400000 FIELDS 1 f\r\nPFADD log a b\r\n\
                    XADD stream 1-1 f v\r\nXADD stream 2-1 f v\r\nXGROUP CREATE stream group 0\r\n\
                    XREADGROUP GROUP group me COUNT 1 STREAMS stream >\r\nSETBIT bits 100000 1";

#[test]
fn a_clean_stop_keeps_every_key_and_expiry() {
    let home = tempfile::tempdir().unwrap();
    for when in [When::Stop, When::Snapshot(Duration::from_secs(3600)), ALWAYS, When::Log(Fsync::EverySecond), When::Log(Fsync::No)] {
        let folder = home.path().join(format!("{when:?}"));
        let served = kept(&folder, when);
        let mut client = served.client();
        client.all(SOME);
        client.all("SETRANGE big 299999 x");
        client.all("SET gone 1 PX 1\r\nSET plain 1");
        testkit::until("it is overdue", || client.all("EXISTS gone") == ":0\r\n");
        let before = contents(&mut client);
        assert_eq!(before.len(), 12);
        drop(client);
        stop(&served);
        drop(served);
        for _ in 0..2 {
            let served = kept(&folder, when);
            assert_eq!(contents(&mut served.client()), before, "{when:?}");
            let pending = served.client().all("XPENDING stream group");
            assert!(pending.starts_with("*4\r\n:1\r\n$3\r\n1-1\r\n"), "{pending}");
            stop(&served);
        }
    }
}

#[test]
fn a_save_goes_on_beside_the_traffic_and_a_log_begins_anew_with_it() {
    let home = tempfile::tempdir().unwrap();
    let served = kept(home.path(), ALWAYS);
    let mut client = served.client();
    client.all(SOME);
    client.says("BGREWRITEAOF", "+Background append only file rewriting started\r\n");
    testkit::until("it is done", || client.all("INFO persistence").contains("rdb_saves:1\r\n"));
    client.says("INCR number\r\nSAVE", ":13\r\n+OK\r\n");
    client.says("INCR number\r\nBLPOP list 0", &format!(":14\r\n{}", list(&["list", "a"])));
    client.says("MULTI\r\nINCR number\r\nRPUSH list x\r\nEXEC", "+OK\r\n+QUEUED\r\n+QUEUED\r\n*2\r\n:15\r\n:3\r\n");
    let before = contents(&mut client);
    let mut names: Vec<_> = fs::read_dir(home.path()).unwrap().map(|file| file.unwrap().file_name()).collect();
    names.sort();
    assert_eq!(names, ["main.kv", "main.lock", "main.log.3"]);
    drop(client);
    stop(&served);
    let served = kept(home.path(), When::Stop);
    assert_eq!(contents(&mut served.client()), before);
    served.client().says("INCR number\r\nBGSAVE\r\nBGSAVE SCHEDULE x", ":16\r\n+Background saving started\r\n-ERR syntax error\r\n");
    stop(&served);
    let mut names: Vec<_> = fs::read_dir(home.path()).unwrap().map(|file| file.unwrap().file_name()).collect();
    names.sort();
    assert_eq!(names, ["main.kv", "main.lock"]);
}

#[test]
fn who_waits_is_served_and_that_is_kept_too() {
    let home = tempfile::tempdir().unwrap();
    let served = kept(home.path(), ALWAYS);
    let (mut waiter, mut client) = (served.client(), served.client());
    waiter.send("BLMOVE from to LEFT RIGHT 0");
    served.until_blocked(1);
    client.says("RPUSH from a b", ":2\r\n");
    waiter.hears("$1\r\na\r\n");
    drop((waiter, client));
    stop(&served);
    let served = kept(home.path(), ALWAYS);
    served.client().says("LRANGE from 0 -1\r\nLRANGE to 0 -1", &format!("{}{}", list(&["b"]), list(&["a"])));
}

#[test]
fn what_a_script_does_is_kept_as_a_whole() {
    let home = tempfile::tempdir().unwrap();
    let served = kept(home.path(), ALWAYS);
    let mut client = served.client();
    client.says("EVAL \"redis.call('incr', KEYS[1]) redis.call('spop', KEYS[2]) return redis.call('incr', KEYS[1])\" 2 a b", ":2\r\n");
    let before = contents(&mut client);
    drop(client);
    stop(&served);
    drop(served);
    let served = kept(home.path(), ALWAYS);
    served.client().says("GET a", "$1\r\n2\r\n");
    assert_eq!(contents(&mut served.client()), before);
}

#[test]
fn a_log_is_begun_and_ended_by_a_client() {
    let home = tempfile::tempdir().unwrap();
    let served = kept(home.path(), When::Stop);
    let mut client = served.client();
    client.says("CONFIG GET appendonly\r\nSET a 1", &format!("{}+OK\r\n", list(&["appendonly", "no"])));
    client.says("CONFIG SET appendonly yes appendfsync always", "+OK\r\n");
    testkit::until("it is begun", || home.path().join("main.kv").exists());
    client.says("SET b 1", "+OK\r\n");
    let log = home.path().join("main.log.1");
    testkit::until("it is written", || fs::metadata(&log).is_ok_and(|file| file.len() > 36));
    client.says("CONFIG SET appendonly no\r\nSET c 1", "+OK\r\n+OK\r\n");
    testkit::until("it is ended", || !log.exists());
    drop(client);
    stop(&served);
    let served = kept(home.path(), When::Stop);
    served.client().says("EXISTS a b c", ":3\r\n");
}

#[test]
fn two_stores_never_share_files() {
    let home = tempfile::tempdir().unwrap();
    let served = kept(home.path(), When::Stop);
    assert!(refused(home.path(), When::Stop).contains("another store has these files"));
    let off = kept(home.path(), When::Off);
    off.client().says("SET a 1\r\nSAVE", "+OK\r\n-ERR nothing is kept here: `persist` in plimsoll.toml is \"off\"\r\n");
    stop(&served);
    drop(served);
    assert!(!home.path().join("main.kv").exists());
    drop(kept(home.path(), When::Stop));
}

#[test]
fn a_swap_begins_and_ends_what_is_kept() {
    let home = tempfile::tempdir().unwrap();
    let served = kept(home.path(), When::Off);
    let mut client = served.client();
    client.says("SET a 1", "+OK\r\n");
    let follows = |when| served.handle.swap(Plan { persist: when, ..plan() }).unwrap();
    follows(ALWAYS);
    let log = home.path().join("main.log.1");
    testkit::until("a log is begun", || client.all("INFO persistence").contains("aof_enabled:1") && home.path().join("main.kv").exists());
    client.says("SET b 1", "+OK\r\n");
    follows(When::Stop);
    testkit::until("it is ended", || !log.exists());
    client.says("SET c 1", "+OK\r\n");
    drop(client);
    stop(&served);
    drop(served);
    let served = kept(home.path(), When::Stop);
    served.client().says("EXISTS a b c", ":3\r\n");
}

#[test]
fn without_a_folder_nothing_is_kept_and_that_is_said() {
    let served = Served::new();
    let mut client = served.client();
    for command in ["SAVE", "BGSAVE", "BGREWRITEAOF"] {
        client.says(command, "-ERR nothing is kept here: `persist` in plimsoll.toml is \"off\"\r\n");
    }
    client.all(SOME);
    let before = contents(&mut client);
    client.says("DEBUG RELOAD", "+OK\r\n");
    assert_eq!(contents(&mut client), before);
    assert!(client.all("SHUTDOWN").starts_with("-ERR Plimsoll is not stopped by a client"));
}

/// Why a door does not open.
fn refused(folder: &Path, when: When) -> String {
    let loops = Loops::start(1).unwrap();
    let why = open(folder, when, &loops).err();
    loops.end();
    why.expect("it does not open")
}

#[test]
fn what_is_no_whole_file_of_ours_is_refused_by_name() {
    let home = tempfile::tempdir().unwrap();
    let base = home.path().join("main.kv");
    let served = kept(home.path(), When::Stop);
    served.client().all(SOME);
    stop(&served);
    let whole = fs::read(&base).unwrap();
    let mut newer = whole.clone();
    newer[8] = 9;
    let mut garbled = whole.clone();
    garbled[whole.len() / 2] ^= 1;
    for (bytes, why) in [
        (b"something else, but as long as the head of a file".to_vec(), "is no file of Plimsoll's keys"),
        (newer, "was written by a newer Plimsoll: its form is version 9, the newest known here is 1"),
        (garbled, "is damaged at byte 36: its checksum is wrong"),
        (whole[..whole.len() - 1].to_vec(), "was cut off"),
        (Vec::new(), "was cut off: it has only 0 bytes"),
    ] {
        fs::write(&base, &bytes).unwrap();
        let said = refused(home.path(), When::Stop);
        assert!(said.contains(&base.display().to_string()) && said.contains(why) && said.contains("move it away"), "{said}");
        assert_eq!(fs::read(&base).unwrap(), bytes, "it stays as it was");
    }
    fs::write(&base, &whole).unwrap();
    let served = kept(home.path(), When::Stop);
    served.client().says("DBSIZE", ":10\r\n");
}

#[test]
fn a_log_that_is_missing_or_torn_before_another_is_refused() {
    let home = tempfile::tempdir().unwrap();
    for _ in 0..3 {
        let served = kept(home.path(), ALWAYS);
        served.client().all("RPUSH list x");
        stop(&served);
    }
    let second = home.path().join("main.log.2");
    let whole = fs::read(&second).unwrap();
    fs::write(&second, &whole[..whole.len() - 1]).unwrap();
    let said = refused(home.path(), ALWAYS);
    assert!(said.contains("main.log.2 was cut off at byte 36, but there is another after it"), "{said}");
    fs::remove_file(&second).unwrap();
    let said = refused(home.path(), ALWAYS);
    assert!(said.contains("main.log.2 is missing, but ") && said.contains("main.log.3 is there"), "{said}");
    fs::write(&second, &whole).unwrap();
    let served = kept(home.path(), ALWAYS);
    served.client().says("LLEN list", ":3\r\n");
}

#[test]
fn writes_are_refused_while_nothing_can_be_saved() {
    let home = tempfile::tempdir().unwrap();
    let served = kept(home.path(), When::Snapshot(Duration::from_secs(3600)));
    let mut client = served.client();
    client.says("SET a 1\r\nSAVE", "+OK\r\n+OK\r\n");
    let (older, next) = (fs::read(home.path().join("main.kv")).unwrap(), home.path().join("main.kv.new"));
    fs::create_dir(&next).unwrap();
    client.says("SET a 2", "+OK\r\n");
    assert!(client.all("SAVE").starts_with("-ERR Is a directory"));
    assert_eq!(fs::read(home.path().join("main.kv")).unwrap(), older);
    assert!(client.all("SET a 3").starts_with("-MISCONF Redis is configured to save RDB snapshots"));
    client.says("GET a\r\nMULTI\r\nPING", "$1\r\n2\r\n+OK\r\n+QUEUED\r\n");
    assert!(client.all("SET a 3\r\nEXEC").contains("-EXECABORT"));
    let mut cache = served.memcached();
    cache.send("set a 0 0 1\r\n3\r\nget a\r\nquit");
    let said = cache.until("END\r\n");
    assert!(said.starts_with("SERVER_ERROR MISCONF Redis is conf") && said.ends_with("\r\nVALUE a 0 1\r\n2\r\nEND\r\n"), "{said}");
    client.says("CONFIG SET stop-writes-on-bgsave-error no\r\nSET a 3", "+OK\r\n+OK\r\n");
    client.says("CONFIG SET stop-writes-on-bgsave-error yes", "+OK\r\n");
    fs::remove_dir(&next).unwrap();
    client.says("SAVE\r\nSET a 4", "+OK\r\n+OK\r\n");
    assert!(client.all("INFO persistence").contains("rdb_last_bgsave_status:ok"));
}

#[test]
fn the_time_that_a_class_gave_is_kept_whatever_the_file_says_later() {
    let home = tempfile::tempdir().unwrap();
    let served = kept(home.path(), ALWAYS);
    let mut client = served.client();
    client.all("SET before 1\r\nSET stays 1");
    let ttl = vec![TtlClass { pattern: "*".into(), ttl: Some(1_800_000) }];
    served.handle.swap(Plan { persist: ALWAYS, ttl: ttl.clone(), ..plan() }).unwrap();
    client.all(SOME);
    client.all(
        "MSET a 1 b 2\r\nINCRBYFLOAT c 1.5\r\nSETRANGE big 299999 x\r\nSUNIONSTORE both set numbers\r\nRPUSH s b a\r\nSORT s ALPHA STORE sorted2\r\n\
         LMOVE s moved LEFT LEFT\r\nRENAME before after\r\nCOPY a copied\r\nSET kept 1 KEEPTTL\r\nSET k 1 PX 5000000\r\nPERSIST b\r\nSPOP set",
    );
    client.all("EVAL \"redis.call('incr', KEYS[1]) redis.call('persist', KEYS[2]) return 1\" 2 x a\r\nMULTI\r\nINCR y\r\nEXEC");
    let before = contents(&mut client);
    assert!(before.len() == 25 && before.iter().filter(|key| key.contains("\r\n:-1\r\n")).count() == 3, "{before:?}");
    client.says("DEBUG RELOAD", "+OK\r\n");
    assert_eq!(contents(&mut client), before);
    drop(client);
    stop(&served);
    drop(served);
    let served = kept(home.path(), ALWAYS);
    assert_eq!(contents(&mut served.client()), before);
}
