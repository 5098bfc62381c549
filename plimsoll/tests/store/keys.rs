//! `plimsoll cache keys`: the classes of a store's keys, the busiest keys, the biggest ones.

use serde_json::Value;

use super::*;

fn run(plimsoll: &Plimsoll, arguments: &[&str]) -> Output {
    let state = plimsoll.folder().join("state");
    let mut command = Command::new(BINARY);
    command.args(["cache", "keys", "--file"]).arg(plimsoll.path()).arg("--state").arg(state).args(arguments).output().unwrap()
}

/// What it prints, as lines whose blanks are one.
#[track_caller]
fn keys(plimsoll: &Plimsoll, arguments: &[&str]) -> String {
    let output = run(plimsoll, arguments);
    assert_eq!(output.status.code(), Some(0), "{}", said(&output));
    let text = String::from_utf8(output.stdout).unwrap();
    text.lines().map(|line| line.split_whitespace().collect::<Vec<_>>().join(" ") + "\n").collect()
}

#[track_caller]
fn json(plimsoll: &Plimsoll, arguments: &[&str]) -> Value {
    let text = keys(plimsoll, &[&["--json"], arguments].concat());
    serde_json::from_str::<Value>(&text).unwrap_or_else(|error| panic!("{error}: {text}"))["kv"].clone()
}

#[test]
fn classes_and_single_keys_are_told() {
    let more = "[kv.main]\nlisten = \"127.0.0.1:0\"\n[[kv.main.ttl]]\nmatch = \"shop:cart:*\"\nttl = \"30m\"\n";
    let plimsoll = Plimsoll::start(BINARY, &alone(more));
    assert!(keys(&plimsoll, &["main", "--hot", "--big"]).ends_with("minutes: none\nbiggest: none\n"));
    let mut store = connect(&plimsoll);
    for number in 0..20 {
        asks(&mut store, &format!("SET user:{number} {number}"), "OK");
    }
    for number in 0..25 {
        store.ask(&format!("GET user:{number}")).unwrap();
    }
    (0..50).for_each(|_| asks(&mut store, "GET user:3", "3"));
    assert_eq!(store.words(&[b"SET", b"page:/", &vec![b'x'; 200 << 10]]).unwrap(), "OK");
    assert_eq!(store.words(&[b"RPUSH", b"\x1b[31mlist\xff", b"x"]).unwrap(), "1");
    asks(&mut store, "SET shop:cart:1 {}", "OK");
    asks(&mut store, "SET user:gone 1 PX 1", "OK");
    until("it has gone", || metrics(&plimsoll).contains("kv_class_expirations_total{store=\"main\",class=\"user:*\"} 1\n"));

    let text = keys(&plimsoll, &[]);
    assert!(text.starts_with("kv.main 23 keys, ") && text.contains(" of 64.0 MB, counted now\n"), "{text}");
    assert!(text.contains("\nclass keys memory hits misses hit ratio writes evicted expired\n"), "{text}");
    for class in ["page:* 1 200.0 KB 0 0 - 1 0 0\n", "\\u{1b}[#mlist\\xff 1 ", "shop:cart:* 1 "] {
        assert!(text.contains(&format!("\n{class}")), "{class}: {text}");
    }
    let told = json(&plimsoll, &["main", "--hot", "--big", "-n", "3"])[0].clone();
    let user = told["classes"].as_array().unwrap().iter().find(|class| class["class"] == "user:*").unwrap();
    let counts = ["keys", "hits", "misses", "writes", "evicted", "expired"].map(|count| user[count].as_u64().unwrap());
    assert_eq!(counts, [20, 70, 5, 21, 0, 1], "{user}");
    assert!((user["hit_ratio"].as_f64().unwrap() - 70.0 / 75.0).abs() < 1e-9, "{user}");
    let (hot, big) = (&told["hot"], &told["big"]);
    assert_eq!((hot.as_array().unwrap().len(), big.as_array().unwrap().len()), (3, 3), "{told}");
    assert_eq!((&hot[0]["key"], &hot[0]["class"], &hot[0]["kind"]), (&"user:3".into(), &"user:*".into(), &"string".into()), "{told}");
    assert!(hot[0]["per_second"].as_f64() > Some(0.0) && hot[0]["ttl_seconds"].is_null(), "{told}");
    assert!(big[0]["key"] == "page:/" && big[0]["memory"].as_u64() > Some(200 << 10), "{told}");

    let text = keys(&plimsoll, &["--big"]);
    assert!(
        text.contains("\nmemory ttl type class key\n") && text.contains(" - list \\u{1b}[#mlist\\xff \\u{1b}[31mlist\\xff\n"),
        "{text}"
    );
    assert!(text.contains(" 30 min 0 s string shop:cart:* shop:cart:1\n") || text.contains(" 29 min "), "{text}");
    let missed = run(&plimsoll, &["mian"]);
    assert_eq!((missed.status.code(), said(&missed).as_str()), (Some(64), "there is no store mian; there are: main\n"));
    let text = metrics(&plimsoll);
    for wanted in ["hits_total{store=\"main\",class=\"user:*\"} 70\n", "keys{store=\"main\",class=\"shop:cart:*\"} 1\n"] {
        assert!(text.contains(&format!("kv_class_{wanted}")), "{wanted}: {text}");
    }
}
