//! What a user's users see while instances are killed, apps are rolled, routes change and files are broken: nothing
//! that could have been saved. `PLIMSOLL_CHAOS_SECONDS` (12 unless set) says how long the load lasts; when it is set,
//! a fault comes every three seconds by the clock, else after so many answered requests.
#![allow(clippy::unwrap_used)]

use std::collections::{HashMap, HashSet};
use std::path::Path;
use std::time::{Duration, Instant};

use testkit::{Ask, Failure, Load, Origin, Plimsoll, Reply, Up, WebSocket, app_command, get, holds_within, kill, serve_app, until};

const BINARY: &str = env!("CARGO_BIN_EXE_plimsoll");
const CLIENTS: usize = 50;
const SOCKETS: usize = 200;

#[test]
#[ignore = "the app of the other tests"]
fn app() {
    serve_app();
}

fn file(version: &str, routes: &str, count: &str) -> String {
    let run = app_command();
    format!(
        "name = \"chaos\"\n[http]\nlisten = [\"127.0.0.1:0\"]\n[http.timeout]\ndrain = \"20s\"\n[app.shop]\ndir = \"app\"\nrun = {run}\n\
         health = \"/healthz\"\nstart = \"60s\"\ninstances = 3\nroutes = {routes}\nenv = {{ VERSION = \"{version}\", COUNT = {count:?} }}\n"
    )
}

/// Every third request is a POST with an id of its own.
fn ask(number: u64) -> Ask {
    match number % 3 {
        0 => ("POST", "/count".into(), format!("id-{number}")),
        _ => ("GET", "/who".into(), String::new()),
    }
}

/// The faults of a run: one step each time it is asked, kills between the reloads.
struct Faults {
    plimsoll: Plimsoll,
    count: String,
    killed: Vec<Killed>,
}

/// An instance that was killed; until `gone` it may have taken what it then did not answer.
struct Killed {
    pid: u32,
    at: Instant,
    gone: Instant,
}

impl Faults {
    fn kill_one(&mut self) {
        let answer = get(self.plimsoll.http(), "/who").unwrap();
        let pid = answer.text().split(' ').nth(1).unwrap().parse().unwrap();
        let at = Instant::now();
        kill(pid);
        until("the killed instance is gone", || !Path::new(&format!("/proc/{pid}")).exists());
        self.killed.push(Killed { pid, at, gone: Instant::now() });
        until("three instances are healthy again, without the killed one", || self.three_without(pid));
    }

    fn three_without(&self, pid: u32) -> bool {
        let status = self.plimsoll.status();
        let app = &status["apps"][0];
        let gone = app["instances"].as_array().is_some_and(|all| all.iter().all(|instance| instance["pid"] != pid));
        gone && app["endpoints"].as_array().is_some_and(|endpoints| endpoints.len() == 3)
    }

    fn reload(&self, file: &str, code: &[i32]) {
        self.plimsoll.write("plimsoll.toml", file);
        let output = self.plimsoll.run("reload", &[]);
        assert!(output.status.code().is_some_and(|got| code.contains(&got)), "{output:?}");
    }

    fn step(&mut self, number: usize) {
        let all = "[\"/\"]";
        match number {
            1 => self.reload(&file("2", all, &self.count), &[0]),
            3 => self.reload(&file("2", "[\"/who\", \"/count\", \"/chat\", \"/new/\"]", &self.count), &[0]),
            5 => self.reload("name = [", &[1, 64]),
            _ => self.kill_one(),
        }
    }
}

#[test]
fn kills_and_reloads_under_load_lose_nothing_that_could_be_saved() {
    let up = Up::new(BINARY, "");
    let count = up.folder().join("count").display().to_string();
    // the app's own folder stays as it is: what it writes there would count as a change
    let plimsoll = up.file("app/app", "").file("plimsoll.toml", file("1", "[\"/\"]", &count)).ready();
    let mut sockets: Vec<WebSocket> = (0..SOCKETS).map(|_| WebSocket::open(plimsoll.http(), "/chat").unwrap()).collect();
    let load = Load::start(plimsoll.http(), CLIENTS, Duration::from_millis(20), ask);
    let mut faults = Faults { plimsoll, count, killed: Vec::new() };
    let end = Instant::now() + Duration::from_secs(seconds());
    let mut step = 0;
    // every kind of fault at least once, then kills to the end
    while step < 8 || Instant::now() < end {
        // time between two faults in which nothing is excused
        let next = Instant::now() + pace();
        (0..4).for_each(|_| load.flows());
        holds_within(next.saturating_duration_since(Instant::now()), || false);
        faults.step(step);
        step += 1;
    }
    load.flows();
    let failures = load.end();
    let counted = std::fs::read_to_string(&faults.count).unwrap();
    no_request_lost(&failures, &faults.killed);
    no_post_twice(&counted, &failures);
    let killed: HashSet<String> = faults.killed.iter().map(|killed| killed.pid.to_string()).collect();
    no_socket_cut(&mut sockets, &killed);
    assert!(get(faults.plimsoll.http(), "/who").unwrap().text().starts_with("v2 "));
}

fn seconds() -> u64 {
    std::env::var("PLIMSOLL_CHAOS_SECONDS").map_or(12, |text| text.parse().unwrap())
}

/// The least time from the end of one fault to the next.
fn pace() -> Duration {
    Duration::from_secs(if std::env::var_os("PLIMSOLL_CHAOS_SECONDS").is_some() { 3 } else { 0 })
}

/// A GET is always saved. A POST may be lost only when an instance was killed while it was under way.
fn no_request_lost(failures: &[Failure], killed: &[Killed]) {
    let excused =
        |failure: &Failure| failure.ask.0 == "POST" && killed.iter().any(|killed| failure.sent < killed.gone && killed.at < failure.failed);
    let lost: Vec<&Failure> = failures.iter().filter(|failure| !excused(failure)).collect();
    assert!(lost.is_empty(), "{} of {} failures could have been saved: {:?}", lost.len(), failures.len(), lost.first());
}

fn no_post_twice(counted: &str, failures: &[Failure]) {
    let mut times: HashMap<&str, usize> = HashMap::new();
    counted.lines().for_each(|id| *times.entry(id).or_default() += 1);
    let twice: Vec<_> = times.iter().filter(|(_, times)| **times > 1).collect();
    assert!(twice.is_empty(), "executed twice: {twice:?}");
    let posts = failures.iter().filter(|failure| failure.ask.0 == "POST").count();
    assert!(times.len() > posts, "most POSTs were executed");
}

fn no_socket_cut(sockets: &mut [WebSocket], killed: &HashSet<String>) {
    let mut kept = 0;
    for socket in sockets {
        if killed.contains(socket.answer().header("x-process").unwrap()) {
            continue;
        }
        socket.send("still here").unwrap();
        assert_eq!(socket.text().unwrap(), "still here");
        kept += 1;
    }
    // the first kill takes one of three; the roll then leaves the others in peace
    assert!(kept > 0, "no socket's instance was left alive");
}

/// One of three endpoints answers 20 times slower, one never. All requests are answered; the good one gets most.
#[test]
fn a_slow_endpoint_gets_less_and_a_hanging_one_is_left() {
    let fast = Origin::slow(Duration::from_millis(5), "fast");
    let slow = Origin::slow(Duration::from_millis(100), "slow");
    let hanging = Origin::with(|_| Reply::Hang(Vec::new()));
    let list = [&fast, &slow, &hanging].map(|origin| format!("{:?}", origin.address())).join(", ");
    let file = format!(
        "name = \"slow\"\n[http]\nlisten = [\"127.0.0.1:0\"]\n[http.timeout]\nfirst_byte = \"1s\"\n[app.shop]\nexternal = [{list}]\n"
    );
    let plimsoll = Plimsoll::start(BINARY, &file);
    let load = Load::start(plimsoll.http(), 16, Duration::from_millis(1), |_| ("GET", "/".into(), String::new()));
    let mut before = (0, 0);
    until("the hanging endpoint gets nothing while 200 requests are answered", || {
        let now = (load.answered(), hanging.received().len());
        if now.1 != before.1 {
            before = now;
        }
        now.0 > before.0 + 200
    });
    let failures = load.end();
    assert!(failures.is_empty(), "{failures:?}");
    assert!(fast.received().len() > slow.received().len(), "{} and {}", fast.received().len(), slow.received().len());
}
