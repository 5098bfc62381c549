//! A new file while clients are there: what it changes holds at once, and the keys stay.

use std::io::{Read, Write};

use testkit::{Plimsoll, Redis, until};

use super::{BINARY, alone, asks, connect, file, metrics, said};

fn free() -> String {
    std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().to_string()
}

#[track_caller]
fn reload(plimsoll: &Plimsoll, file: &str) -> String {
    plimsoll.write("plimsoll.toml", file);
    let output = plimsoll.run("reload", &[]);
    assert!(output.status.success(), "{}\nthe log:\n{}", said(&output), plimsoll.log());
    said(&output)
}

#[track_caller]
fn refused(plimsoll: &Plimsoll, file: &str, reason: &str) {
    plimsoll.write("plimsoll.toml", file);
    let output = plimsoll.run("reload", &[]);
    assert!(!output.status.success() && said(&output).contains(reason), "{reason}: {}", said(&output));
}

fn fill(store: &mut Redis, count: usize) {
    let value = vec![b'x'; 10 << 10];
    for number in 0..count {
        assert_eq!(store.words(&[b"SET", format!("k{number}").as_bytes(), &value, b"EX", b"1000"]).unwrap(), "OK");
    }
}

fn keys(store: &mut Redis) -> usize {
    store.ask("DBSIZE").unwrap().parse().unwrap()
}

#[test]
fn memory_and_policy_change_under_a_client_and_its_keys_stay() {
    let at = |keys: &str| alone(&format!("[kv.main]\nlisten = \"127.0.0.1:0\"\n{keys}"));
    let plimsoll = Plimsoll::start(BINARY, &at("memory = \"16MB\"\n"));
    let mut store = connect(&plimsoll);
    asks(&mut store, "SET cart 1", "OK");
    fill(&mut store, 800);
    assert_eq!(keys(&mut store), 801);
    asks(&mut store, "CONFIG SET maxclients 5", "OK");

    let told = reload(&plimsoll, &at("memory = \"4MB\"\nevict = \"lru\"\n"));
    assert!(told.contains("kv.main.evict, kv.main.memory"), "{told}");
    asks(&mut store, "CONFIG GET maxmemory", "[maxmemory, 4194304]");
    asks(&mut store, "CONFIG GET maxmemory-policy", "[maxmemory-policy, volatile-lru]");
    asks(&mut store, "CONFIG GET maxclients", "[maxclients, 10000]");
    until("keys with an expiry go", || keys(&mut store) < 420);
    asks(&mut store, "GET cart", "1");

    reload(&plimsoll, &at("memory = \"16MB\"\nevict = \"none\"\n"));
    fill(&mut store, 800);
    assert_eq!(keys(&mut store), 801);
    reload(&plimsoll, &at("memory = \"4MB\"\nevict = \"none\"\n"));
    let answer = store.ask("SET more 1").unwrap();
    assert!(answer.starts_with("-OOM"), "{answer}");
    assert_eq!(keys(&mut store), 801, "nothing goes");
    let text = metrics(&plimsoll);
    let evicted = text.lines().find_map(|line| line.strip_prefix("kv_evictions_total{store=\"main\"} ")?.parse::<u64>().ok());
    assert!(evicted.is_some_and(|count| (381..800).contains(&count)), "{text}");
}

/// The app's instances are replaced, for their `REDIS_URL` is another; who has the old address may finish, and the keys stay.
#[test]
fn a_door_moves_with_its_keys() {
    let (one, two) = (free(), free());
    let at = |address: &str| file(&format!("kv = \"main\"\n[kv.main]\nlisten = \"{address}\"\n"));
    let plimsoll = Plimsoll::start(BINARY, &at(&one));
    let mut store = connect(&plimsoll);
    asks(&mut store, "SET a 1", "OK");
    let pid = plimsoll.status()["apps"][0]["instances"][0]["pid"].clone();
    reload(&plimsoll, &at(&two));
    asks(&mut Redis::connect(&two).unwrap(), "GET a", "1");
    asks(&mut store, "GET a", "1");
    until("the old address is closed", || Redis::connect(&one).is_err());
    until("the instance is another one", || plimsoll.status()["apps"][0]["instances"][0]["pid"] != pid);
    assert_eq!(testkit::get(plimsoll.http(), "/kept/a").unwrap().text(), "1");
    refused(&plimsoll, &at("0.0.0.0:6380"), "the door listens beyond this machine");
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    refused(&plimsoll, &at(&taken.local_addr().unwrap().to_string()), "kv.main: cannot listen on");
    asks(&mut store, "GET a", "1");
}

/// Whoever comes to the address is let in all the while, and what the old store had is told.
#[test]
fn another_store_takes_the_place_of_one_that_leaves() {
    let address = free();
    let at = |name: &str| alone(&format!("[kv.{name}]\nlisten = \"{address}\"\n"));
    let plimsoll = Plimsoll::start(BINARY, &at("main"));
    let mut store = connect(&plimsoll);
    asks(&mut store, "SET a 1", "OK");
    let told = reload(&plimsoll, &at("other"));
    assert!(told.contains("`[kv.main]` is gone from the file; its key is saved under `state`, and there again with it"), "{told}");
    asks(&mut connect(&plimsoll), "DBSIZE", "0");
    until("who was there is closed", || store.ask("PING").is_err());
    let lines = metrics(&plimsoll).lines().filter(|line| line.starts_with("kv_clients{")).map(String::from).collect::<Vec<_>>();
    assert!(lines.len() == 1 && lines[0].contains("store=\"other\""), "{lines:?}");

    let both = |other: &str, main: &str| alone(&format!("[kv.other]\nlisten = \"{other}\"\n[kv.main]\nlisten = \"{main}\"\n"));
    let any = "127.0.0.1:0";
    reload(&plimsoll, &both(&address, any));
    refused(&plimsoll, &both(any, &address), "is still that of `[kv.other]`");
    asks(&mut connect(&plimsoll), "DBSIZE", "0");
}

/// Its clients are let in all the while, and find the keys of the store that has it now.
#[test]
fn an_address_of_memcached_goes_from_store_to_store() {
    let address = free();
    let with = format!("memcached = \"{address}\"\n");
    let at = |[(one, of_one), (two, of_two)]: [(&str, &str); 2]| {
        let section = |name: &str, keys: &str| format!("[kv.{name}]\nlisten = \"127.0.0.1:0\"\n{keys}");
        alone(&format!("{}{}", section(one, of_one), section(two, of_two)))
    };
    let said = |line: &str| {
        let mut cache = std::net::TcpStream::connect(&address).unwrap();
        let mut said = String::new();
        // Who comes while a loop still accepts for the old store may be closed without an answer.
        let _ = cache.write_all(format!("{line}\r\nquit\r\n").as_bytes()).and_then(|()| cache.read_to_string(&mut said));
        said
    };
    let says = |line: &str, answer: &str| until(&format!("{line} is answered {answer}"), || said(line) == answer);
    let plimsoll = Plimsoll::start(BINARY, &at([("main", &with), ("more", "")]));
    says("set a 0 0 1\r\n1", "STORED\r\n");
    // The section has another name.
    reload(&plimsoll, &at([("other", &with), ("more", "")]));
    says("get a", "END\r\n");
    says("set b 0 0 1\r\n1", "STORED\r\n");
    // It is a section that was there before.
    reload(&plimsoll, &at([("more", &with), ("other", "")]));
    says("get b", "END\r\n");
    reload(&plimsoll, &at([("more", ""), ("other", &with)]));
    says("get b", "VALUE b 0 1\r\n1\r\nEND\r\n");
    reload(&plimsoll, &at([("more", ""), ("other", "")]));
    until("nobody is let in there any more", || std::net::TcpStream::connect(&address).is_err());
}

#[test]
fn users_and_passwords_change_under_their_clients() {
    let at = |keys: &str| alone(&format!("[kv.main]\nlisten = \"127.0.0.1:0\"\n{keys}"));
    let user = |allow: &str| format!("[kv.main.users.bob]\npassword = \"b\"\nallow = \"{allow}\"\n");
    let plimsoll = Plimsoll::start(BINARY, &at(&user("+@read ~*")));
    let (mut store, mut bob) = (connect(&plimsoll), connect(&plimsoll));
    asks(&mut store, "SET a 1", "OK");
    asks(&mut bob, "AUTH bob b", "OK");
    asks(&mut bob, "GET a", "1");
    assert!(bob.ask("SET a 2").unwrap().contains("NOPERM this user has no permissions to run the 'set' command"));

    reload(&plimsoll, &at(&format!("password = \"s\"\n{}", user("+@all ~a"))));
    asks(&mut bob, "SET a 2", "OK");
    assert!(bob.ask("SET b 2").unwrap().contains("NOPERM"));
    // Who is there stays; who comes must say the password.
    asks(&mut store, "GET a", "2");
    let mut other = connect(&plimsoll);
    assert!(other.ask("GET a").unwrap().contains("NOAUTH"));
    asks(&mut other, "AUTH s", "OK");
    let metrics = metrics(&plimsoll);
    assert!(metrics.contains("kv_denied_total{store=\"main\",reason=\"command\"} 1"), "{metrics}");

    reload(&plimsoll, &at("password = \"s\"\n"));
    assert!(bob.ask("GET a").is_err(), "its user is gone");
    refused(&plimsoll, &at(&user("+@raed")), "Unknown command or category name in ACL");
}

#[test]
fn an_app_is_given_the_password_of_its_store() {
    let plimsoll = Plimsoll::start(BINARY, &file("[kv.main]\nlisten = \"127.0.0.1:0\"\npassword = \"secret\"\n"));
    assert_eq!(testkit::request(plimsoll.http(), "POST", "/kept/a", &[], b"x").unwrap().text(), "OK");
}
