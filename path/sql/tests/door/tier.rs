//! The tier's face: what it shows, and plans that change while it runs.

use contract::ServerState;
use plimsoll_sql::{Open, OpenTransaction, Password, SslMode, SwapError};
use testkit::until;
use testkit::wire::frames::query;

use super::setup::*;

fn code_of(refused: std::io::Result<testkit::Wire>) -> String {
    refused.err().expect("it was not let in").to_string().split(':').next().unwrap().into()
}

#[test]
fn the_status_shows_who_has_what() {
    let door = Door::new(2);
    let (mut one, mut two, mut three) = (door.client(), door.client(), door.client());
    one.query("BEGIN").unwrap();
    two.query("BEGIN; SELECT pg_advisory_lock(1); COMMIT").unwrap();
    until("the lock pins its client", || door.handle.status().pinned.len() == 1);
    three.send(&query("SELECT 1")).unwrap();
    until("the third waits", || door.handle.counts().waiting == 1);
    let status = door.handle.status();
    assert!(matches!(status.server, ServerState::Up(_)) && status.trouble.is_none() && status.most == 2);
    let [key] = &status.keys[..] else { panic!("{:?}", status.keys) };
    assert_eq!((&*key.user, &*key.database), ("app", "app"));
    assert_eq!((key.busy, key.idle, key.clients, key.active, key.waiting), (2, 0, 3, 2, 1));
    assert_eq!(status.pinned[0].reasons, ["advisory_lock"]);
    let load = door.handle.load();
    assert!(load.load > 1.0 && load.tier == "sql.main" && load.reason.contains("2 of 2"), "{load:?}");
    one.query("COMMIT").unwrap();
    assert_eq!(three.answer().unwrap().value(), "1");
    two.query("SELECT pg_advisory_unlock(1)").unwrap();
    until("the lock is gone", || door.handle.status().pinned.is_empty());
    door.rests();
    let counts = door.handle.counts();
    assert_eq!((counts.clients, counts.waiting, counts.idle), (3, 0, 2));
}

#[test]
fn the_status_shows_whose_transaction_is_open() {
    let door = Door::new(4);
    let [mut idle, mut failed, mut running, mut alone, mut silent] = std::array::from_fn(|_| door.client());
    let open = || door.handle.status().open;
    assert_eq!(open(), Open::default());
    idle.query("SET application_name = 'sits'").unwrap();
    silent.query("SELECT 1").unwrap();
    idle.query("SELECT pg_advisory_lock(2)").unwrap();
    until("the lock pins its client", || door.handle.status().pinned.len() == 1);
    assert_eq!(open().total, 0, "who keeps a connection between two transactions has none open");
    idle.query("BEGIN").unwrap();
    let server: u32 = idle.query("SELECT pg_backend_pid()").unwrap().value().parse().unwrap();
    failed.query("BEGIN; SELECT 1 / 0").unwrap();
    running.query("BEGIN").unwrap();
    running.send(&query("SELECT pg_sleep(600)")).unwrap();
    until("three are open", || open().longest.iter().map(|one| one.doing).eq(["idle", "failed", "running"]));
    alone.send(&query("SELECT pg_sleep(600)")).unwrap();
    until("four are open", || open().total == 4);
    let OpenTransaction { user, database, application, address, server: known, pins, age, .. } = &open().longest[0];
    assert_eq!((&**user, &**database, &**application, *known, &pins[..]), ("app", "app", "sits", server, &["advisory_lock"][..]));
    assert!(address.is_some_and(|address| address.ip().is_loopback()) && *age > open().longest[1].age);
    assert_eq!(open().longest[3].doing, "statement");
    idle.query("COMMIT").unwrap();
    failed.query("ROLLBACK").unwrap();
    until("two are over", || open().longest.iter().map(|one| one.doing).eq(["running", "statement"]));
}

#[test]
fn a_wait_that_is_too_long_is_an_error_and_the_client_stays() {
    let mut plan = plan(1);
    plan.pool.wait = std::time::Duration::from_secs(1);
    let door = Door::start(plan);
    let (mut one, mut two) = (door.client(), door.client());
    one.query("BEGIN").unwrap();
    let refused = two.query("SELECT 1").unwrap();
    assert_eq!(refused.code(), Some("53300"));
    one.query("COMMIT").unwrap();
    assert_eq!(two.query("SELECT 1").unwrap().value(), "1");
}

#[test]
fn one_client_too_many_is_told() {
    let mut plan = plan(2);
    plan.pool.client = 2;
    let door = Door::start(plan);
    let (one, _two) = (door.client(), door.client());
    assert_eq!(code_of(testkit::Wire::connect(&door.address, &login())), "53300 FATAL");
    one.terminate();
    until("a place is free", || door.handle.clients() == 1);
    door.client();
}

#[test]
fn a_new_plan_is_followed_live() {
    let door = Door::new(4);
    let mut clients: Vec<_> = (0..4).map(|_| door.client()).collect();
    clients.iter_mut().for_each(|client| drop(client.query("BEGIN").unwrap()));
    assert_eq!(door.handle.counts().busy, 4);
    let mut smaller = plan(2);
    smaller.users.remove("postgres");
    door.handle.swap(smaller, door.database()).unwrap();
    clients.iter_mut().for_each(|client| drop(client.query("COMMIT").unwrap()));
    until("two are closed", || door.handle.counts().idle == 2);
    assert_eq!(code_of(testkit::Wire::connect(&door.address, &testkit::wire::Login::new("postgres", "app"))), "28P01 FATAL");
    assert_eq!(clients[0].query("SELECT 1").unwrap().value(), "1");
    door.handle.swap(plan(4), door.database()).unwrap();
    clients.iter_mut().for_each(|client| drop(client.query("BEGIN").unwrap()));
    assert_eq!(door.handle.counts().busy, 4);
}

#[test]
fn a_server_elsewhere_is_followed_between_transactions() {
    let other = testkit::Postgres::start();
    let door = Door::new(2);
    let (mut idle, mut busy) = (door.client(), door.client());
    busy.query("BEGIN").unwrap();
    let port = |client: &mut testkit::Wire| client.query("SHOW port").unwrap().value().to_string();
    assert_eq!(port(&mut idle), server().port().to_string());
    door.handle.swap(plan(2), database(&other)).unwrap();
    until("an idle client is at the other", || port(&mut idle) == other.port().to_string());
    assert_eq!(port(&mut busy), server().port().to_string());
    busy.query("COMMIT").unwrap();
    assert_eq!(port(&mut busy), other.port().to_string());
}

#[test]
fn an_address_that_is_taken_changes_nothing() {
    let door = Door::new(1);
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let mut moved = plan(1);
    moved.listen.address = taken.local_addr().unwrap();
    assert!(matches!(door.handle.swap(moved.clone(), door.database()), Err(SwapError::Listen(error)) if error.is_taken()));
    assert_eq!(door.client().query("SELECT 1").unwrap().value(), "1");
    drop(taken);
    // Somebody's outgoing connection may have it for a moment.
    until("it can be had", || door.handle.swap(moved.clone(), door.database()).is_ok());
    assert_eq!(door.handle.addresses(), [moved.listen.address]);
    testkit::Wire::connect(&moved.listen.address.to_string(), &login()).unwrap();
    until("the old address is closed", || std::net::TcpStream::connect(&door.address).is_err());
}

#[test]
fn an_address_to_come_is_open_beside_the_old_one() {
    let door = Door::new(1);
    let free = || std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let comes_in = |address: &str| testkit::Wire::connect(address, &login()).is_ok();
    let dropped = free();
    door.handle.listen_too(dropped).unwrap();
    assert!(comes_in(&dropped.to_string()) && comes_in(&door.address));
    door.handle.swap(plan(1), door.database()).unwrap();
    until("the plan does not name it", || std::net::TcpStream::connect(dropped).is_err());
    let mut moved = plan(1);
    moved.listen.address = free();
    let there = door.handle.listen_too(moved.listen.address).unwrap();
    assert_eq!((there, door.handle.addresses().len()), (moved.listen.address, 1));
    door.handle.swap(moved, door.database()).unwrap();
    assert_eq!(door.handle.addresses(), [there]);
    until("the old address is closed", || std::net::TcpStream::connect(&door.address).is_err());
    assert!(comes_in(&there.to_string()));
}

#[test]
fn a_lost_server_is_waited_for() {
    let own = testkit::Postgres::start();
    let door = Door::over(plan(2), &own);
    let mut client = door.client();
    client.query("SELECT 1").unwrap();
    own.kill();
    std::thread::scope(|scope| {
        let waiting = scope.spawn(|| client.query("SELECT 2"));
        until("it was tried in vain", || !door.handle.is_ready());
        own.restart();
        assert_eq!(waiting.join().unwrap().unwrap().value(), "2");
    });
    until("all is well", || door.handle.is_ready());
}

#[test]
fn another_password_or_trust_replaces_the_connections() {
    let door = Door::new(2);
    let mut client = door.client();
    let process = "SELECT pg_backend_pid()";
    let first = client.query(process).unwrap().value().to_owned();
    door.handle.swap(plan(2), door.database()).unwrap();
    assert_eq!(client.query(process).unwrap().value(), first);
    let mut wrong = plan(2);
    wrong.users.insert("app".into(), Password("wrong".into()));
    door.handle.swap(wrong, door.database()).unwrap();
    assert_eq!(client.query(process).unwrap().code(), Some("28P01"));
    door.handle.swap(plan(2), door.database()).unwrap();
    let second = client.query(process).unwrap().value().to_owned();
    assert_ne!(second, first);
    let mut trusting = plan(2);
    trusting.server.mode = SslMode::Prefer;
    door.handle.swap(trusting, door.database()).unwrap();
    assert_ne!(client.query(process).unwrap().value(), second);
}
