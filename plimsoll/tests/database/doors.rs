//! Doors come, go, move and change while clients are connected.

use std::net::TcpListener;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Instant;

use serde_json::Value;
use testkit::wire::Login;
use testkit::{Plimsoll, Postgres, Up, Wire, app_command, until};

use super::{BINARY, connect, db, file, json, reload, rows, said, url, variable};

/// Two databases, one of them elsewhere; then changes of the file while a client is connected.
#[test]
fn doors_come_and_go_with_the_file() {
    let server = Postgres::start();
    let primary = server.url("app", "app");
    let outside = format!("[sql.main]\nlisten = \"127.0.0.1:0\"\nprimary = \"{primary}\"\n");
    let plimsoll = Plimsoll::start(BINARY, &file(&format!("{outside}pool = {{ server = 3 }}\n")));
    assert_eq!(json(&plimsoll, &["status", "--json"])["postgres"], Value::Null, "nothing is embedded");
    let mut wire = connect(&plimsoll, "main");
    let most = |plimsoll: &Plimsoll| json(plimsoll, &["status", "main", "--json"])["sql"][0]["most"].as_u64();
    assert_eq!(most(&plimsoll), Some(3));
    let shop = variable(&plimsoll, "shop", "DATABASE_URL");

    let more = "routes = [\"/\"]\nsql = \"main\"\n[app.orders]\nrun = RUN\nhealth = \"/healthz\"\nroutes = [\"/orders/\"]\nsql = \"orders\"\n[sql.orders]\n";
    let more = more.replace("RUN", &app_command());
    let both = file(&format!("{more}{outside}pool = {{ server = 4 }}\n"));
    let output = reload(&plimsoll, &both);
    assert!(output.status.success(), "{}\n{}", said(&output), plimsoll.log());
    assert_eq!(most(&plimsoll), Some(4));
    rows(&mut wire, "SELECT 1");
    assert_eq!(variable(&plimsoll, "shop", "DATABASE_URL"), shop, "it need not know");
    let orders = url(&plimsoll, &["orders"]);
    assert!(orders != shop && variable(&plimsoll, "orders", "DATABASE_URL") == orders, "{orders} and {shop}");
    let mut other = connect(&plimsoll, "orders");
    other.query("CREATE TABLE orders (n int)").unwrap();
    let (code, text) = (db(&plimsoll, &["url"]).output().unwrap(), "say which database; there are: orders, main");
    assert!(code.status.code() == Some(64) && said(&code).contains(text), "{}", said(&code));

    // the data would seem to be gone
    let moved = both.replace("[sql.orders]\n", &format!("[sql.orders]\nprimary = \"{primary}\"\n"));
    let output = reload(&plimsoll, &moved);
    assert!(
        output.status.code() == Some(1) && said(&output).contains("`sql.orders.primary`: its data are on the embedded server"),
        "{}",
        said(&output)
    );
    rows(&mut other, "SELECT * FROM orders");

    let output = reload(&plimsoll, &file(&outside));
    assert!(output.status.success(), "{}", said(&output));
    assert_eq!(most(&plimsoll), Some(20));
    rows(&mut wire, "SELECT 1");
    until("the door that left is closed", || other.query("SELECT 1").is_err());
}

/// Whoever has the old address is replaced before it closes; metrics of a door go with it and come again with it.
#[test]
fn a_door_moves_and_comes_again() {
    let (one, two) = (free(), free());
    let at = |address: &str| file(&format!("sql = \"main\"\n[sql.main]\nlisten = \"{address}\"\n"));
    let plimsoll = Plimsoll::start(BINARY, &at(&one));
    let (pid, first) = (plimsoll.status()["apps"][0]["instances"][0]["pid"].clone(), url(&plimsoll, &[]));
    assert!(first.contains(&one));
    assert!(reload(&plimsoll, &at(&two)).status.success(), "{}", plimsoll.log());
    assert_eq!(url(&plimsoll, &[]), first.replace(&one, &two));
    until("the instance is another one", || plimsoll.status()["apps"][0]["instances"][0]["pid"] != pid);
    assert_eq!(variable(&plimsoll, "shop", "DATABASE_URL"), first.replace(&one, &two));
    until("the old address is closed", || std::net::TcpStream::connect(&one).is_err());
    let metrics = |plimsoll: &Plimsoll| testkit::get(&plimsoll.doors().console, "/metrics").unwrap().text();
    let lines = |name: &str| metrics(&plimsoll).lines().filter(|line| line.starts_with(name)).count();
    let other = |address: &str| at(address).replace("sql = \"main\"", "sql = \"other\"").replace("[sql.main]", "[sql.other]");
    for text in [&other(&one), &at(&two)] {
        let output = reload(&plimsoll, text);
        assert!(output.status.success(), "{}", said(&output));
        assert_eq!(lines("sql_clients{"), 1, "{}", metrics(&plimsoll));
    }
}

/// A reload that fails leaves every door as it was.
#[test]
fn a_refused_reload_closes_what_it_opened() {
    let plimsoll = Plimsoll::start(BINARY, &file("[sql.main]\nlisten = \"127.0.0.1:0\"\n"));
    let before = url(&plimsoll, &["main"]);
    let bad = file(
        "sql = \"main\"\nstart = \"1s\"\nenv = { SICK = \"yes\" }\n[sql.main]\nlisten = \"127.0.0.1:0\"\npool = { server = 2 }\n[sql.other]\n",
    );
    let output = reload(&plimsoll, &bad);
    assert_eq!(output.status.code(), Some(1), "{}", said(&output));
    let status = json(&plimsoll, &["status", "--json"]);
    assert_eq!((status["sql"].as_array().unwrap().len(), &status["sql"][0]["most"]), (1, &20.into()), "{status}");
    assert_eq!(url(&plimsoll, &["main"]), before);
}

/// Who was there by the old name comes in until the reload is whole, who comes by the new one from its begin.
#[test]
fn a_renamed_door_keeps_its_port() {
    let address = free();
    let named = |name: &str, more: &str| file(&format!("sql = \"{name}\"\n{more}[sql.{name}]\nlisten = \"{address}\"\n"));
    let plimsoll = Plimsoll::start(BINARY, &named("main", ""));
    let mut wire = connect(&plimsoll, "main");
    rows(&mut wire, "SELECT 1");
    let output = reload(&plimsoll, &named("other", "start = \"1s\"\nenv = { SICK = \"yes\" }\n"));
    assert_eq!(output.status.code(), Some(1), "{}", said(&output));
    let mut again = connect(&plimsoll, "main");
    rows(&mut again, "SELECT 1");
    let output = reload(&plimsoll, &named("other", ""));
    assert!(output.status.success(), "{}\n{}", said(&output), plimsoll.log());
    assert!(said(&output).contains("`[sql.main]` is gone from the file; its data stay on the embedded server"), "{}", said(&output));
    let mut other = connect(&plimsoll, "other");
    assert_eq!(other.query("SELECT current_database()").unwrap().value(), "other");
    assert!(url(&plimsoll, &["other"]).ends_with(&format!("@{address}/other")));
    until("a client of the name before has left", || wire.query("SELECT 1").is_err());
    assert!(plimsoll.log().contains("`[sql.main]` is gone from the file; its data stay"), "{}", plimsoll.log());
}

/// What two doors cannot agree on is told as what it is.
#[test]
fn an_address_that_another_door_keeps_is_not_anothers_program() {
    let (one, two) = (free(), free());
    let both = |one: &str, two: &str| file(&format!("sql = \"main\"\n[sql.main]\nlisten = \"{one}\"\n[sql.orders]\nlisten = \"{two}\"\n"));
    let plimsoll = Plimsoll::start(BINARY, &both(&one, &two));
    let output = reload(&plimsoll, &both(&two, &one));
    assert!(output.status.code() == Some(1) && said(&output).contains("is still that of `[sql.orders]`"), "{}", said(&output));
    rows(&mut connect(&plimsoll, "main"), "SELECT 1");
}

#[test]
fn a_door_opens_to_all_addresses_and_closes_again() {
    let narrow = free();
    let wide = narrow.replace("127.0.0.1", "0.0.0.0");
    let at = |address: &str| file(&format!("[sql.main]\nlisten = \"{address}\"\n"));
    let plimsoll = Plimsoll::start(BINARY, &at(&narrow));
    let mut kept = connect(&plimsoll, "main");
    let elsewhere = narrow.replace("127.0.0.1", "127.0.0.2");
    let comes_in = |address: &str| std::net::TcpStream::connect(address).is_ok();
    assert!(!comes_in(&elsewhere));
    for (address, is_wide) in [(&wide, true), (&narrow, false), (&wide, true)] {
        let output = reload(&plimsoll, &at(address));
        assert!(output.status.success(), "{}", said(&output));
        until("the address is the new one", || comes_in(&elsewhere) == is_wide);
        rows(&mut connect(&plimsoll, "main"), "SELECT 1");
        rows(&mut kept, "SELECT 1");
    }
}

/// The server has room for a bound that is raised; beyond it a reload says what it takes.
#[test]
fn a_pool_grows_as_far_as_the_embedded_server_goes() {
    let with = |servers: usize| file(&format!("[sql.main]\nlisten = \"127.0.0.1:0\"\npool = {{ server = {servers} }}\n"));
    let plimsoll = Plimsoll::start(BINARY, &with(2));
    rows(&mut connect(&plimsoll, "main"), "SELECT 1");
    let output = reload(&plimsoll, &with(60));
    assert!(output.status.success(), "{}", said(&output));
    let mut clients: Vec<_> = (0..60).map(|_| connect(&plimsoll, "main")).collect();
    clients.iter_mut().for_each(|client| drop(client.query("BEGIN").unwrap().fine()));
    let output = reload(&plimsoll, &with(200));
    assert!(output.status.code() == Some(1) && said(&output).contains("was started for 90 connections"), "{}", said(&output));
}

/// Data of an outside server would seem to be gone, too.
#[test]
fn a_primary_does_not_leave_a_door_that_runs() {
    let server = Postgres::start();
    let outside = format!("[sql.main]\nlisten = \"127.0.0.1:0\"\nprimary = \"{}\"\n", server.url("app", "app"));
    let plimsoll = Plimsoll::start(BINARY, &file(&outside));
    let output = reload(&plimsoll, &file("[sql.main]\nlisten = \"127.0.0.1:0\"\n"));
    assert!(output.status.code() == Some(1) && said(&output).contains("`sql.main.primary` is gone"), "{}", said(&output));
    rows(&mut connect(&plimsoll, "main"), "SELECT 1");
    assert!(reload(&plimsoll, &file(&outside)).status.success());
}

fn free() -> String {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().to_string()
}

/// Clients that never stop see nothing of a reload, whatever it changes.
#[test]
fn reloads_fail_no_statement() {
    let server = Postgres::start();
    let door = format!("[sql.main]\nlisten = \"127.0.0.1:0\"\nprimary = \"{}\"\n", server.url("app", "app"));
    let plimsoll = Plimsoll::start(BINARY, &file(&door));
    let (stop, asked, address) = (AtomicBool::new(false), AtomicU64::new(0), plimsoll.sql().to_string());
    std::thread::scope(|scope| {
        let clients: Vec<_> = (0..4)
            .map(|_| {
                scope.spawn(|| {
                    let mut wire = Wire::connect(&address, &Login::new("app", "app")).unwrap();
                    while !stop.load(Ordering::Relaxed) {
                        assert_eq!(wire.ask("SELECT $1::int + 1", &["41"]).unwrap().value(), "42");
                        assert_eq!(wire.query("BEGIN; SELECT 1; COMMIT").unwrap().value(), "1");
                        asked.fetch_add(1, Ordering::Relaxed);
                    }
                })
            })
            .collect();
        let flows = || {
            let before = asked.load(Ordering::Relaxed);
            until("statements flow", || asked.load(Ordering::Relaxed) > before + 50);
        };
        for change in
            ["pool = { server = 1 }\n", "pool = { server = 9 }\nslow = \"off\"\nreuse = false\n", "limits = { statement = \"30s\" }\n", ""]
        {
            flows();
            let output = reload(&plimsoll, &file(&format!("{door}{change}")));
            assert!(output.status.success(), "{}", said(&output));
        }
        flows();
        stop.store(true, Ordering::Relaxed);
        clients.into_iter().for_each(|client| client.join().unwrap());
    });
}

/// Nobody waits for a server that cannot run before a person has changed something.
#[test]
fn who_comes_to_a_server_that_cannot_run_is_told_why_at_once() {
    let up = Up::new(BINARY, &file("[sql.main]\nlisten = \"127.0.0.1:0\"\nbin = \"programs\"\n"));
    let bin = up.folder().join("programs");
    std::fs::create_dir(&bin).unwrap();
    for name in ["postgres", "initdb"] {
        std::fs::write(bin.join(name), "#!/bin/sh\necho 'postgres (PostgreSQL) 9.6.24'\n").unwrap();
        std::fs::set_permissions(bin.join(name), std::os::unix::fs::PermissionsExt::from_mode(0o755)).unwrap();
    }
    let plimsoll = up.ready();
    let told = json(&plimsoll, &["url", "--json"]);
    let login = Login { password: told["password"].as_str().unwrap().into(), ..Login::new("main", "main") };
    let begun = Instant::now();
    let refused = Wire::connect(plimsoll.sql(), &login).err().unwrap().to_string();
    assert!(begun.elapsed().as_secs() < 15, "{:?}", begun.elapsed());
    let words = format!("`bin`: {}: 9.6.24 is older than", bin.display());
    assert!(refused.starts_with("57P03 FATAL") && refused.contains(&words), "{refused}");
    let door = &json(&plimsoll, &["status", "--json"])["sql"][0];
    assert!(door["state"] == "down" && door["reason"].as_str().unwrap().contains(&words), "{door}");
}

/// A door that a reload takes away does not wait for ever.
#[test]
fn a_transaction_does_not_keep_a_door_that_left() {
    let server = Postgres::start();
    let door = |name: &str| format!("[sql.{name}]\nlisten = \"127.0.0.1:0\"\nprimary = \"{}\"\n", server.url("app", "app"));
    let text = |doors: &str| format!("{}[http.timeout]\ndrain = \"1s\"\n{doors}", file("sql = \"main\"\n"));
    let plimsoll = Plimsoll::start(BINARY, &text(&(door("main") + &door("other"))));
    let mut wire = connect(&plimsoll, "other");
    wire.query("BEGIN").unwrap();
    let output = reload(&plimsoll, &text(&door("main")));
    assert!(output.status.success(), "{}", said(&output));
    assert!(wire.answer().unwrap_err().to_string().starts_with("57P01 FATAL"));
    rows(&mut connect(&plimsoll, "main"), "SELECT 1");
}
