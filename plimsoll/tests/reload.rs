//! Reload is all or nothing: the new file under traffic without a lost request, or the old one and the reason.
#![allow(clippy::unwrap_used)]

use std::process::{Command, Output};
use std::time::Duration;

use rustix::process::Signal;
use testkit::{Client, Load, Origin, Plimsoll, Up, WebSocket, app_command, get, serve_app, until};

const BINARY: &str = env!("CARGO_BIN_EXE_plimsoll");

#[test]
#[ignore = "the app of the other tests"]
fn app() {
    serve_app();
}

fn origins_file(app: &str, route: &str, origin: &Origin) -> String {
    let origin = origin.address();
    format!("name = \"r\"\n[http]\nlisten = [\"127.0.0.1:0\"]\n[app.{app}]\nexternal = [\"{origin}\"]\nroutes = [\"{route}\"]\n")
}

fn app_file(version: &str, more: &str) -> String {
    let run = app_command();
    format!(
        "name = \"r\"\n[http]\nlisten = [\"127.0.0.1:0\"]\n[http.timeout]\ndrain = \"20s\"\n\
         [app.shop]\nrun = {run}\nhealth = \"/healthz\"\ninstances = 2\nenv = {{ VERSION = \"{version}\" }}\n{more}"
    )
}

fn reload(plimsoll: &Plimsoll, file: &str) -> Output {
    plimsoll.write("plimsoll.toml", file);
    plimsoll.run("reload", &[])
}

fn said(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr)
}

#[track_caller]
fn done(plimsoll: &Plimsoll, output: &Output) {
    assert_eq!(output.status.code(), Some(0), "{}\nthe log:\n{}", said(output), plimsoll.log());
    assert!(plimsoll.status()["differs"].is_null(), "the file is what runs");
}

/// Refused, with `reason` in what was said, and shown by `status` afterwards.
#[track_caller]
fn refused(plimsoll: &Plimsoll, output: &Output, reason: &str) {
    let code = output.status.code();
    assert!(matches!(code, Some(1 | 64)), "exit {code:?}: {}", said(output));
    assert!(said(output).contains(reason), "{reason:?} is not in: {}", said(output));
    assert!(!plimsoll.status()["differs"].is_null(), "status says that the file differs from what runs");
}

fn traffic(plimsoll: &Plimsoll) -> Load {
    let load = Load::start(plimsoll.http(), 4, Duration::from_millis(1), |_| ("GET", "/who".into(), String::new()));
    load.flows();
    load
}

/// The traffic goes on, and no request of it ever failed.
fn unharmed(traffic: Load) {
    traffic.flows();
    let failures = traffic.end();
    assert!(failures.is_empty(), "{failures:?}");
}

#[test]
fn a_changed_route_takes_effect_on_open_connections() {
    let (one, two) = (Origin::answering("one"), Origin::answering("two"));
    let plimsoll = Plimsoll::start(BINARY, &origins_file("one", "/one/", &one));
    let mut client = Client::connect(plimsoll.http()).unwrap();
    assert_eq!(client.get("/one/").unwrap().text(), "one");
    done(&plimsoll, &reload(&plimsoll, &origins_file("two", "/two/", &two)));
    assert_eq!(client.get("/two/").unwrap().text(), "two");
    assert_eq!(client.get("/one/").unwrap().status, 404);
}

#[test]
fn an_open_websocket_outlives_a_changed_route() {
    let plimsoll = Plimsoll::start(BINARY, &app_file("1", "routes = [\"/\"]\n"));
    let mut socket = WebSocket::open(plimsoll.http(), "/chat").unwrap();
    done(&plimsoll, &reload(&plimsoll, &app_file("1", "routes = [\"/who\", \"/else\"]\n")));
    socket.send("still here").unwrap();
    assert_eq!(socket.text().unwrap(), "still here");
    assert_eq!(get(plimsoll.http(), "/chat").unwrap().status, 404);
}

#[test]
fn a_changed_app_is_rolled_without_a_lost_request() {
    let plimsoll = Plimsoll::start(BINARY, &app_file("1", ""));
    let mut socket = WebSocket::open(plimsoll.http(), "/chat").unwrap();
    let traffic = traffic(&plimsoll);
    done(&plimsoll, &reload(&plimsoll, &app_file("2", "")));
    traffic.flows();
    for _ in 0..10 {
        let text = get(plimsoll.http(), "/who").unwrap().text();
        assert!(text.starts_with("v2 "), "{text}");
    }
    socket.send("still here").unwrap();
    assert_eq!(socket.text().unwrap(), "still here");
    unharmed(traffic);
}

#[test]
fn instances_that_never_get_healthy_are_refused_and_the_old_ones_serve() {
    let plimsoll = Plimsoll::start(BINARY, &app_file("1", ""));
    let traffic = traffic(&plimsoll);
    let sick = app_file("2", "start = \"2s\"\n").replace("VERSION =", "SICK = \"yes\", VERSION =");
    refused(&plimsoll, &reload(&plimsoll, &sick), "shop");
    assert!(get(plimsoll.http(), "/who").unwrap().text().starts_with("v1 "));
    until("the sick instances are gone", || {
        let sick = |pid: u32| std::fs::read(format!("/proc/{pid}/environ")).unwrap_or_default().windows(5).any(|word| word == b"SICK=");
        !plimsoll.family().iter().any(|&(pid, _)| sick(pid))
    });
    done(&plimsoll, &reload(&plimsoll, &app_file("1", "")));
    unharmed(traffic);
}

#[test]
fn a_broken_file_changes_nothing_and_says_where() {
    let origin = Origin::answering("one");
    let good = origins_file("one", "/", &origin);
    let plimsoll = Plimsoll::start(BINARY, &good);
    refused(&plimsoll, &reload(&plimsoll, &good.replace("routes", "rutes")), "plimsoll.toml:6:1");
    assert_eq!(get(plimsoll.http(), "/").unwrap().text(), "one");
    refused(&plimsoll, &reload(&plimsoll, "name = \"r"), "plimsoll.toml:1:");
    assert_eq!(get(plimsoll.http(), "/").unwrap().text(), "one");
    done(&plimsoll, &reload(&plimsoll, &good));
}

#[test]
fn a_key_that_needs_a_restart_is_refused_by_name() {
    let origin = Origin::answering("one");
    let plimsoll = Up::new(BINARY, &origins_file("one", "/", &origin)).state_as_written().ready();
    let moved = format!("state = \"elsewhere\"\n{}", origins_file("one", "/new/", &origin));
    // nobody runs where the file says now; the process with the default folder is asked, and refuses
    refused(&plimsoll, &reload(&plimsoll, &moved), "`state` cannot change");
    plimsoll.signal(Signal::HUP);
    until("the refusal is told", || plimsoll.log().lines().any(|line| line.contains("reload") && line.contains("state")));
    assert_eq!(get(plimsoll.http(), "/").unwrap().text(), "one", "nothing of a refused file is used");
}

#[test]
fn a_hangup_is_a_reload() {
    let (one, two) = (Origin::answering("one"), Origin::answering("two"));
    let plimsoll = Plimsoll::start(BINARY, &origins_file("one", "/", &one));
    plimsoll.write("plimsoll.toml", origins_file("two", "/", &two));
    plimsoll.signal(Signal::HUP);
    until("the new file is in force", || get(plimsoll.http(), "/").unwrap().text() == "two");
}

#[test]
fn a_file_that_mends_an_app_which_never_starts_is_taken() {
    let broken = "name = \"r\"\n[http]\nlisten = [\"127.0.0.1:0\"]\n[console]\nlisten = \"127.0.0.1:0\"\n[app.shop]\nrun = \"false\"\n";
    let mut plimsoll = Up::new(BINARY, broken).spawn();
    until("a first try has failed", || plimsoll.log().contains("shop.1") && plimsoll.run("status", &[]).status.success());
    let mended = broken.replace("run = \"false\"", &format!("run = {}\nhealth = \"/healthz\"", app_command()));
    let output = reload(&plimsoll, &mended);
    assert_eq!(output.status.code(), Some(0), "{}", said(&output));
    plimsoll.wait_ready();
    assert_eq!(get(plimsoll.http(), "/healthz").unwrap().status, 200);
}

#[test]
fn websockets_outlive_several_rolls_of_their_app() {
    let plimsoll = Plimsoll::start(BINARY, &app_file("1", ""));
    let mut socket = WebSocket::open(plimsoll.http(), "/chat").unwrap();
    for version in ["2", "3"] {
        done(&plimsoll, &reload(&plimsoll, &app_file(version, "")));
    }
    socket.send("still here").unwrap();
    assert_eq!(socket.text().unwrap(), "still here");
}

#[test]
fn another_file_is_not_what_runs() {
    let origin = Origin::answering("one");
    let plimsoll = Plimsoll::start(BINARY, &origins_file("one", "/", &origin));
    plimsoll.write("other.toml", origins_file("two", "/", &origin));
    let (other, state) = (plimsoll.folder().join("other.toml"), plimsoll.folder().join("state"));
    let output = Command::new(BINARY).arg("reload").arg("--file").arg(other).arg("--state").arg(state).output().unwrap();
    assert_eq!(output.status.code(), Some(1));
    assert!(said(&output).contains("other.toml"), "{}", said(&output));
}
