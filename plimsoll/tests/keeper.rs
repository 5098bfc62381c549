//! Nothing outlives Plimsoll, however it dies: signals, a terminal's Ctrl-C, `kill -9` of the server, the keeper, both.
#![allow(clippy::unwrap_used)]

use std::net::{TcpListener, TcpStream};

use testkit::{Client, Plimsoll, Up, app_command, descendants, exists, get, kill, serve_app, until};

const BINARY: &str = env!("CARGO_BIN_EXE_plimsoll");

#[test]
#[ignore = "the app of the other tests"]
fn app() {
    serve_app();
}

/// Two instances, of which a request may take ten minutes to drain.
fn file() -> String {
    format!(
        "name = \"keeper\"\n[http]\nlisten = [\"127.0.0.1:0\"]\n[http.timeout]\ndrain = \"10m\"\nfirst_byte = \"10m\"\n\
         [console]\nlisten = \"127.0.0.1:0\"\n[app.shop]\nrun = {}\nhealth = \"/healthz\"\ninstances = 2\n",
        app_command()
    )
}

/// The processes of the two instances, by what they say themselves.
fn instances(plimsoll: &Plimsoll) -> Vec<u32> {
    let mut found = Vec::new();
    until("both instances answer", || {
        found.extend(get(plimsoll.http(), "/who").ok().and_then(|answer| answer.text().split(' ').nth(1)?.parse::<u32>().ok()));
        found.sort_unstable();
        found.dedup();
        found.len() == 2
    });
    found
}

/// The server: the process that the ready line's port belongs to is a child of the keeper and no app.
fn server(plimsoll: &Plimsoll, apps: &[u32]) -> u32 {
    let port = plimsoll.http().rsplit_once(':').unwrap().1.parse::<u16>().unwrap();
    let inode = listening_inode(port).expect("somebody listens");
    let children = descendants(plimsoll.pid());
    let holds = |pid: &u32| !apps.contains(pid) && sockets(*pid).contains(&inode);
    children.into_iter().find(holds).expect("the keeper's child listens")
}

fn listening_inode(port: u16) -> Option<String> {
    let table = std::fs::read_to_string("/proc/net/tcp").unwrap();
    let fields = |line: &str| line.split_whitespace().map(str::to_owned).collect::<Vec<_>>();
    let mut lines = table.lines().skip(1).map(fields);
    lines.find(|line| line[1].ends_with(&format!(":{port:04X}")) && line[3] == "0A").map(|line| line[9].clone())
}

fn sockets(pid: u32) -> Vec<String> {
    let links = std::fs::read_dir(format!("/proc/{pid}/fd")).into_iter().flatten().flatten();
    let names = links.filter_map(|link| std::fs::read_link(link.path()).ok()?.to_str().map(str::to_owned));
    names.filter_map(|name| Some(name.strip_prefix("socket:[")?.trim_end_matches(']').to_owned())).collect()
}

/// Everything is gone and its ports can be taken.
fn nothing_left(plimsoll: &Plimsoll, apps: &[u32]) {
    until("every process is gone", || plimsoll.family().is_empty());
    assert!(!apps.iter().any(|&pid| exists(pid)));
    TcpListener::bind(plimsoll.http()).expect("the port is free at once");
}

#[test]
fn a_termination_drains_and_exits_0() {
    let mut plimsoll = Plimsoll::start(BINARY, &file());
    let apps = instances(&plimsoll);
    let ended = plimsoll.stop();
    assert_eq!(ended.status.code(), Some(0), "{}", ended.log);
    nothing_left(&plimsoll, &apps);
}

#[test]
fn the_server_killed_takes_the_apps_with_it() {
    let mut plimsoll = Plimsoll::start(BINARY, &file());
    let apps = instances(&plimsoll);
    kill(server(&plimsoll, &apps));
    let ended = plimsoll.wait();
    assert_ne!(ended.status.code(), Some(0), "a killed server is no success: {}", ended.log);
    nothing_left(&plimsoll, &apps);
}

#[test]
fn the_keeper_killed_takes_everything_with_it() {
    let mut plimsoll = Plimsoll::start(BINARY, &file());
    let apps = instances(&plimsoll);
    kill(plimsoll.pid());
    plimsoll.wait();
    nothing_left(&plimsoll, &apps);
}

#[test]
fn keeper_and_server_killed_at_once_leave_nothing() {
    let mut plimsoll = Plimsoll::start(BINARY, &file());
    let apps = instances(&plimsoll);
    let server = server(&plimsoll, &apps);
    kill(plimsoll.pid());
    kill(server);
    plimsoll.wait();
    nothing_left(&plimsoll, &apps);
}

#[test]
fn a_successor_starts_on_the_state_and_port_of_a_killed_one() {
    let mut plimsoll = Plimsoll::start(BINARY, &file());
    let port = plimsoll.http().to_owned();
    kill(plimsoll.pid());
    // at once, while the others may still be dying
    let file = file().replacen("127.0.0.1:0", &port, 1);
    let mut successor = Up::new(BINARY, &file).state(&plimsoll.folder().join("state")).ready();
    plimsoll.wait();
    assert_eq!(successor.http(), port);
    assert_eq!(get(&port, "/healthz").unwrap().text(), "ok");
    successor.stop();
}

#[test]
fn one_ctrl_c_drains_and_exits_0() {
    let (mut plimsoll, mut terminal) = Up::new(BINARY, &file()).spawn_in_terminal();
    plimsoll.wait_ready();
    let apps = instances(&plimsoll);
    terminal.interrupt();
    let ended = plimsoll.wait();
    assert_eq!(ended.status.code(), Some(0), "{}", ended.log);
    nothing_left(&plimsoll, &apps);
}

#[test]
fn a_second_ctrl_c_does_not_wait_for_what_drains() {
    let (mut plimsoll, mut terminal) = Up::new(BINARY, &file()).spawn_in_terminal();
    plimsoll.wait_ready();
    let apps = instances(&plimsoll);
    let mut waiting = Client::connect(plimsoll.http()).unwrap();
    waiting.send("GET /wait/600000 HTTP/1.1\r\nHost: localhost\r\n\r\n").unwrap();
    until("the request is with an app", || plimsoll.status()["apps"].to_string().contains("\"in_flight\":1"));
    terminal.interrupt();
    until("the door is closed", || TcpStream::connect(plimsoll.http()).is_err());
    assert!(exists(plimsoll.pid()), "one Ctrl-C waits for the request");
    terminal.interrupt();
    plimsoll.wait();
    nothing_left(&plimsoll, &apps);
}

/// npm starts a shell that starts node that starts another one, which ignores SIGTERM.
const PACKAGE: &str = r#"{ "name": "deep", "private": true, "scripts": { "start": "node server.cjs; true" } }"#;
const SERVER: &str = r#"
require("child_process").spawn(process.execPath, ["-e", "process.on('SIGTERM', () => {}); setInterval(() => {}, 1000)"]);
require("http").createServer((request, response) => response.end("deep")).listen(process.env.PORT, process.env.HOST);
"#;

fn npm() -> Plimsoll {
    let file = "name = \"deep\"\n[http]\nlisten = [\"127.0.0.1:0\"]\n[http.timeout]\ndrain = \"2s\"\n[app.deep]\nrun = \"npm start\"\nstart = \"5m\"\n";
    let up = Up::new(BINARY, file).file("package.json", PACKAGE).file("server.cjs", SERVER);
    let plimsoll = up.ready();
    assert_eq!(get(plimsoll.http(), "/").unwrap().text(), "deep");
    until("the grandchild runs", || plimsoll.family().iter().any(|(_, line)| line.contains("SIGTERM")));
    plimsoll
}

#[test]
fn grandchildren_of_npm_start_go_with_it() {
    if std::env::var("PLIMSOLL_TEST_WITHOUT").unwrap_or_default().contains("node") {
        return;
    }
    let mut stopped = npm();
    assert_eq!(stopped.stop().status.code(), Some(0));
    nothing_left(&stopped, &[]);
    let mut killed = npm();
    kill(killed.pid());
    killed.wait();
    nothing_left(&killed, &[]);
}
