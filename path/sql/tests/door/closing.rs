//! Clients that wait when their door closes, and those that are not in yet.

use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use contract::{DatabaseKeeper, ServerAddress, ServerState};
use telemetry::Log;
use testkit::postgres::{PASSWORD, programs};
use testkit::wire::frames::query;
use testkit::{Wire, until};

use crate::setup::{Door, login, plan, server};

/// What a door's clients may have left when it closes, and how long it may take then.
const DEADLINE: Duration = Duration::from_secs(20);
const SOON: Duration = Duration::from_secs(8);

fn down() -> ServerState {
    ServerState::Down("it does not start".into())
}

/// A client that waits for its welcome, as a process of its own.
fn psql(door: &Door) -> Child {
    let mut command = Command::new(programs().join("psql"));
    let port = door.address.rsplit(':').next().unwrap();
    command.args(["-X", "-c", "SELECT 1", &format!("host=127.0.0.1 port={port} user=app dbname=app")]);
    command.env("PGPASSWORD", PASSWORD).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap()
}

/// Closes it in much less than what clients may take.
fn closes_soon(door: &Door) {
    let (began, runtime) = (Instant::now(), tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap());
    assert!(runtime.block_on(door.handle.drain(DEADLINE)), "it was cut");
    assert!(began.elapsed() < SOON, "{:?}", began.elapsed());
}

#[test]
fn a_client_that_goes_while_it_waits_for_its_welcome_is_noticed() {
    let (_keeper, database) = DatabaseKeeper::new(down());
    let door = Door::before(plan(1), database, Log::nowhere());
    let mut waits = psql(&door);
    until("it waits", || door.handle.counts().waiting == 1);
    let began = Instant::now();
    waits.kill().unwrap();
    waits.wait().unwrap();
    until("it is gone", || door.handle.clients() == 0 && door.handle.counts().waiting == 0);
    assert!(began.elapsed() < SOON, "{:?}", began.elapsed());
}

#[test]
fn a_client_that_waits_for_its_welcome_is_told_that_the_door_closes() {
    let (_keeper, database) = DatabaseKeeper::new(ServerState::Starting);
    let door = Door::before(plan(1), database, Log::nowhere());
    std::thread::scope(|scope| {
        let waits = scope.spawn(|| Wire::connect(&door.address, &login()).err().unwrap().to_string());
        until("it waits", || door.handle.counts().waiting == 1);
        closes_soon(&door);
        assert_eq!(waits.join().unwrap(), "57P03 FATAL: the database system is shutting down");
    });
}

#[test]
fn a_statement_that_waits_for_a_server_that_is_down_keeps_no_door_open() {
    let up = ServerState::Up(ServerAddress::Tcp("127.0.0.1".into(), server().port()));
    let (keeper, database) = DatabaseKeeper::new(up);
    let door = Door::before(plan(1), database, Log::nowhere());
    let (mut busy, mut waits) = (door.client(), door.client());
    busy.query("BEGIN").unwrap().fine();
    waits.send(&query("SELECT 1")).unwrap();
    until("it waits", || door.handle.counts().waiting == 1);
    keeper.state.send_replace(down());
    std::thread::scope(|scope| {
        scope.spawn(|| closes_soon(&door));
        let told = waits.answer().unwrap();
        assert_eq!(told.code(), Some("57P03"));
        busy.query("COMMIT").unwrap().fine();
    });
}

#[test]
fn a_statement_that_waits_for_its_turn_is_served_by_a_door_that_closes() {
    let door = Door::new(1);
    let (mut busy, mut waits) = (door.client(), door.client());
    busy.query("BEGIN").unwrap().fine();
    waits.send(&query("SELECT 1")).unwrap();
    until("it waits", || door.handle.counts().waiting == 1);
    std::thread::scope(|scope| {
        scope.spawn(|| closes_soon(&door));
        until("it closes", || door.handle.addresses().is_empty());
        busy.query("COMMIT").unwrap().fine();
        assert_eq!(waits.answer().unwrap().value(), "1");
    });
}

#[test]
fn who_says_nothing_keeps_no_door_open() {
    let door = Door::new(1);
    let _silent = std::net::TcpStream::connect(&door.address).unwrap();
    until("it is there", || door.handle.clients() == 1);
    closes_soon(&door);
}
