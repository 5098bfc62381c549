//! Apps have a store: `REDIS_URL`, several stores, reloads under which the keys stay, bounds, a drain.
#![allow(clippy::unwrap_used)]

mod kept;
mod keys;
mod reloads;

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::process::{Command, Output};

use rustix::process::Signal;
use testkit::{Plimsoll, Redis, Up, app_command, get, request, serve_app, until};

const BINARY: &str = env!("CARGO_BIN_EXE_plimsoll");

#[test]
#[ignore = "the app of the other tests"]
fn app() {
    serve_app();
}

fn file(more: &str) -> String {
    format!(
        "name = \"s\"\n[http]\nlisten = [\"127.0.0.1:0\"]\n[console]\nlisten = \"127.0.0.1:0\"\n[sql.main]\nlisten = \"127.0.0.1:0\"\n\
         [app.shop]\nrun = {}\nhealth = \"/healthz\"\n{more}",
        app_command()
    )
}

/// A file without apps: nothing but the door is wanted.
fn alone(more: &str) -> String {
    format!("name = \"s\"\n[http]\nlisten = [\"127.0.0.1:0\"]\n[console]\nlisten = \"127.0.0.1:0\"\n{more}")
}

fn said(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr)
}

fn connect(plimsoll: &Plimsoll) -> Redis {
    Redis::connect(plimsoll.kv()).unwrap()
}

#[track_caller]
fn asks(store: &mut Redis, line: &str, answer: &str) {
    assert_eq!(store.ask(line).unwrap(), answer, "{line}");
}

fn metrics(plimsoll: &Plimsoll) -> String {
    get(&plimsoll.doors().console, "/metrics").unwrap().text()
}

#[test]
fn an_app_has_a_store_without_a_word_in_the_file() {
    let plimsoll = Plimsoll::start(BINARY, &file(""));
    assert_eq!(request(plimsoll.http(), "POST", "/kept/a", &[], b"cart of 3").unwrap().text(), "OK");
    assert_eq!(get(plimsoll.http(), "/kept/a").unwrap().text(), "cart of 3");
    let mut store = connect(&plimsoll);
    asks(&mut store, "GET a", "cart of 3");
    asks(&mut store, "INFO cluster", "# Cluster\r\ncluster_enabled:0\r\n");
    let tier = |plimsoll: &Plimsoll| {
        let status = plimsoll.status();
        let tiers = status["tiers"].as_array().unwrap().iter().map(|tier| tier["tier"].as_str().unwrap().to_string());
        (tiers.collect::<Vec<_>>(), status["kv"][0].clone())
    };
    let (tiers, door) = tier(&plimsoll);
    assert_eq!(tiers, ["http", "sql", "postgres", "kv", "app.shop", "machine"]);
    assert_eq!((&door["name"], &door["keys"], &door["memory_max"]), (&"main".into(), &1.into(), &(64 << 20).into()), "{door}");
    assert!(door["hits"].as_u64() >= Some(2) && door["listen"] == plimsoll.kv(), "{door}");
    let picture = String::from_utf8(plimsoll.run("status", &[]).stdout).unwrap();
    assert!(picture.contains("\nkv         [") && picture.contains("1 key "), "{picture}");
    let text = metrics(&plimsoll);
    assert!(text.contains("kv_keys{store=\"main\"} 1\n") && text.contains("load{tier=\"kv\"} "), "{text}");
}

#[test]
fn clients_from_a_package_find_a_redis() {
    if std::env::var("PLIMSOLL_TEST_WITHOUT").unwrap_or_default().contains("redis") {
        return;
    }
    let plimsoll = Plimsoll::start(BINARY, &alone("[kv.main]\nlisten = \"127.0.0.1:0\"\n"));
    let (host, port) = plimsoll.kv().rsplit_once(':').unwrap();
    let cli = |words: &[&str]| {
        let output = Command::new("redis-cli").args(["-h", host, "-p", port]).args(words).output().unwrap();
        said(&output).trim_end().to_string()
    };
    assert_eq!(cli(&["SET", "a", "1"]), "OK");
    assert_eq!(cli(&["-3", "HELLO", "3"]).lines().next(), Some("server redis"));
    assert!(cli(&["INFO", "server"]).contains(&format!("tcp_port:{port}")));
    let mut benchmark = Command::new("redis-benchmark");
    benchmark.args(["-h", host, "-p", port, "-n", "2000", "-P", "16", "-t", "set,lpush", "-q"]);
    let told = said(&benchmark.output().unwrap());
    assert!(told.contains("SET: ") && told.contains("LPUSH: "), "{told}");
}

#[test]
fn more_stores_have_names_and_bounds_of_their_own() {
    let more = "routes = [\"/\"]\nkv = \"main\"\n[app.jobs]\nrun = RUN\nhealth = \"/healthz\"\nroutes = [\"/jobs/\"]\nkv = \"queue\"\n\
                [kv.main]\nlisten = \"127.0.0.1:0\"\n[kv.queue]\nevict = \"none\"\nmemory = \"1MB\"\nmax = { clients = 2, value = \"1MB\" }\n";
    let plimsoll = Plimsoll::start(BINARY, &file(&more.replace("RUN", &app_command())));
    let line = plimsoll.doors().line.clone();
    let door = |name: &str| {
        let word = line.split(' ').find_map(|word| word.strip_prefix(name)?.strip_prefix('=')).unwrap_or_else(|| panic!("{line}"));
        Redis::connect(word).unwrap()
    };
    let (mut main, mut queue) = (door("kv.main"), door("kv.queue"));
    assert_eq!(request(plimsoll.http(), "POST", "/kept/a", &[], b"1").unwrap().text(), "OK");
    asks(&mut main, "GET a", "1");
    asks(&mut queue, "EXISTS a", "0");
    asks(&mut queue, "CONFIG GET maxmemory-policy", "[maxmemory-policy, noeviction]");

    let value = vec![b'x'; 100 << 10];
    let refused = (0..30).find_map(|number| {
        let answer = queue.words(&[b"SET", format!("k{number}").as_bytes(), &value]).unwrap();
        (answer != "OK").then_some(answer)
    });
    assert_eq!(refused.as_deref(), Some("-OOM command not allowed when used memory > 'maxmemory'."));
    asks(&mut queue, "DEL k0 k1 k2 k3 k4", "5");
    until("there is room again", || queue.words(&[b"SET", b"again", b"1"]).unwrap() == "OK");
    // One loop may accept the third while another has not seen the second yet.
    let mut second = door("kv.queue");
    asks(&mut second, "PING", "PONG");
    assert_eq!(door("kv.queue").answer().unwrap(), "-ERR max number of clients reached");
    let answer = queue.words(&[b"SET", b"long", &vec![b'x'; (1 << 20) + 1]]);
    assert!(answer.as_ref().map_or(true, |answer| answer == "-ERR Protocol error: invalid bulk length"), "{answer:?}");
    let text = metrics(&plimsoll);
    for wanted in ["kv_clients_refused_total{store=\"queue\"} 1\n", "kv_keys{store=\"main\"} 1\n", "load{tier=\"kv.queue\"} "] {
        assert!(text.contains(wanted), "{wanted}: {text}");
    }
}

#[test]
fn a_taken_default_gives_way_and_a_written_one_does_not() {
    // Another test may have it for a while.
    let mut taken = None;
    until("the port is ours", || {
        taken = TcpListener::bind("127.0.0.1:6380").ok();
        taken.is_some()
    });
    let plimsoll = Plimsoll::start(BINARY, &alone("[kv.main]\n"));
    assert_ne!(plimsoll.kv(), "127.0.0.1:6380");
    assert!(plimsoll.log().contains("127.0.0.1:6380 is taken"), "{}", plimsoll.log());
    let mut refused = Up::new(BINARY, &alone(&format!("[kv.main]\nlisten = \"{}\"\n", plimsoll.kv()))).spawn();
    let ended = refused.wait();
    assert_eq!(ended.status.code(), Some(1));
    assert!(ended.log.contains(&format!("kv.main: cannot listen on {}", plimsoll.kv())), "{}", ended.log);
}

#[test]
fn a_file_with_only_outside_apps_opens_no_door() {
    let plimsoll = Plimsoll::start(BINARY, &alone("[app.a]\nexternal = \"127.0.0.1:1\"\n"));
    assert_eq!((plimsoll.kv(), plimsoll.sql()), ("", ""));
    assert_eq!(plimsoll.status()["kv"], serde_json::json!([]));
}

#[test]
fn clients_are_closed_between_two_commands_when_it_ends() {
    let mut plimsoll = Plimsoll::start(BINARY, &alone("[kv.main]\nlisten = \"127.0.0.1:0\"\n"));
    let (mut idle, mut waits) = (connect(&plimsoll), connect(&plimsoll));
    asks(&mut idle, "PING", "PONG");
    waits.send(&[b"BLPOP", b"list", b"0"]).unwrap();
    until("one waits", || idle.ask("CLIENT LIST").unwrap().contains("flags=b"));
    plimsoll.signal(Signal::TERM);
    assert_eq!(plimsoll.wait().status.code(), Some(0));
    assert!(idle.answer().is_err() && waits.answer().is_err(), "both were closed");
}

#[test]
fn clients_of_memcached_find_the_same_keys() {
    let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let plimsoll = Plimsoll::start(BINARY, &alone(&format!("[kv.main]\nlisten = \"127.0.0.1:0\"\nmemcached = \"{port}\"\n")));
    let mut cache = TcpStream::connect(port).unwrap();
    cache.write_all(b"set a 5 0 3\r\nabc\r\nquit\r\n").unwrap();
    let mut said = String::new();
    cache.read_to_string(&mut said).unwrap();
    assert_eq!(said, "STORED\r\n");
    asks(&mut connect(&plimsoll), "GET a", "abc");
}
