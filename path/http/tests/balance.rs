//! The door in front of several endpoints that die, hang, close, come and go.

#![allow(clippy::unwrap_used)] // a test's helpers are tests

use std::collections::HashMap;
use std::net::{SocketAddr, TcpStream};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Condvar, Mutex};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use contract::Endpoint;
use loops::{Loops, listen};
use plimsoll_http::balance::State;
use plimsoll_http::{AccessLog, AppRoute, Handle, Listen, Max, Plan, Tier, Timeout};
use telemetry::{Log, Registry};
use testkit::{Client, Origin, Received, Reply, until};
use tokio::sync::watch;

const LOOPS: usize = 2;

/// A running door over a list of endpoints that a test changes.
struct Door {
    handle: Handle,
    loops: Loops,
    list: watch::Sender<Arc<[Endpoint]>>,
    registry: Registry,
    address: String,
}

impl Door {
    fn over(origins: &[&Origin]) -> Door {
        Door::with(origins, Max::default(), Timeout::default())
    }

    fn with(origins: &[&Origin], max: Max, timeout: Timeout) -> Door {
        let address = ([127, 0, 0, 1], 0).into();
        let app: Arc<str> = Arc::from("shop");
        let route = AppRoute { app: app.clone(), routes: vec!["/".into()], health: None };
        let plan = Plan {
            listen: vec![Listen { address, written: true }],
            hosts: Vec::new(),
            trust: Vec::new(),
            log: AccessLog::Off,
            max,
            timeout,
            site: None,
            apps: vec![route],
        };
        let loops = Loops::start(LOOPS).unwrap();
        let registry = Registry::default();
        let (list, endpoints) = contract::endpoints(origins.iter().map(|origin| endpoint(origin)).collect());
        let sockets = vec![listen(address, LOOPS).unwrap()];
        let handle = Tier::start(plan, sockets, &loops, HashMap::from([(app, endpoints)]), Log::nowhere(), &registry);
        let address = handle.addresses()[0].to_string();
        let door = Door { handle, loops, list, registry, address };
        until("every endpoint is up", || door.states().len() == origins.len() && door.states().iter().all(|state| *state == State::Up));
        door
    }

    fn states(&self) -> Vec<State> {
        self.handle.endpoints()[0].1.iter().map(|endpoint| endpoint.state).collect()
    }

    fn set(&self, endpoints: Vec<Endpoint>) {
        self.list.send_replace(endpoints.into());
    }

    fn client(&self) -> Client {
        Client::connect(&self.address).unwrap()
    }

    /// One request on a thread of its own: its status, and its body as text.
    fn request(&self, method: &'static str, path: &str) -> JoinHandle<(u16, String)> {
        let (mut client, path) = (self.client(), path.to_string());
        std::thread::spawn(move || {
            let answer = client.request(method, &path, &[], b"").unwrap();
            (answer.status, answer.text())
        })
    }

    /// Waits until so many requests stand in the queue.
    fn until_waiting(&self, count: usize) {
        let line = format!("http_queue_waiting{{app=\"shop\"}} {count}\n");
        until("requests wait in the queue", || self.registry.render().contains(&line));
    }
}

impl Drop for Door {
    fn drop(&mut self) {
        self.loops.end();
    }
}

fn endpoint(origin: &Origin) -> Endpoint {
    let address: SocketAddr = origin.address().parse().unwrap();
    Endpoint::new(&origin.address(), address, LOOPS, Instant::now())
}

/// Stops an origin and waits until it refuses connections.
fn stop(origin: Origin) -> SocketAddr {
    let address = origin.address().parse().unwrap();
    drop(origin);
    until("a stopped origin refuses", || TcpStream::connect(address).is_err());
    address
}

/// Opens once; whoever passes before waits.
#[derive(Default)]
struct Gate(Mutex<bool>, Condvar);

impl Gate {
    fn pass(&self) {
        drop(self.1.wait_while(self.0.lock().unwrap(), |open| !*open).unwrap());
    }

    fn open(&self) {
        *self.0.lock().unwrap() = true;
        self.1.notify_all();
    }
}

#[test]
fn a_dead_endpoint_costs_no_request() {
    let (alive, dies) = (Origin::answering("alive"), Origin::answering("dies"));
    let door = Door::over(&[&alive, &dies]);
    let mut client = door.client();
    for _ in 0..10 {
        assert_eq!(client.get("/").unwrap().status, 200);
    }
    assert!(!dies.received().is_empty());
    stop(dies);
    for _ in 0..20 {
        for method in ["POST", "GET"] {
            let answer = client.request(method, "/", &[], b"").unwrap();
            assert_eq!((answer.status, answer.text().as_str()), (200, "alive"));
        }
    }
}

#[test]
fn a_post_is_never_executed_twice_and_a_get_goes_elsewhere() {
    let (fine, cuts) = (Origin::answering("fine"), Origin::closing());
    let door = Door::over(&[&fine, &cuts]);
    let mut lost = 0;
    for number in 0..40 {
        match door.client().request("POST", &format!("/{number}"), &[], b"order").unwrap().status {
            200 => {}
            502 => lost += 1,
            other => panic!("status {other}"),
        }
        assert_eq!(door.client().get("/get").unwrap().status, 200);
    }
    assert!(lost > 0, "the cutting endpoint was never asked");
    let received = [fine.received(), cuts.received()].concat();
    for number in 0..40 {
        let times = received.iter().filter(|request| request.target == format!("/{number}")).count();
        assert_eq!(times, 1, "POST /{number}");
    }
    assert!(door.states().contains(&State::Ejected), "{:?}", door.states());
}

#[test]
fn a_failed_request_does_not_swallow_the_next_one() {
    let origin = Origin::with(|request| match request.target.as_str() {
        "/cut" => Reply::Close(Vec::new()),
        other => Reply::text(200, other),
    });
    let door = Door::over(&[&origin]);
    let mut client = door.client();
    client.send("GET /cut HTTP/1.1\r\nHost: x\r\n\r\nGET /next HTTP/1.1\r\nHost: x\r\n\r\nGET /last HTTP/1.1\r\nHost: x\r\n\r\n").unwrap();
    assert_eq!(client.answer().unwrap().status, 502);
    assert_eq!(client.answer().unwrap().text(), "/next");
    assert_eq!(client.answer().unwrap().text(), "/last");
    assert_eq!(client.get("/cut").unwrap().status, 502);
    assert_eq!(client.get("/after").unwrap().text(), "/after");
}

#[test]
fn connections_closed_by_the_origin_lose_nothing() {
    let origin = Origin::answering("again");
    let door = Door::over(&[&origin]);
    let mut client = door.client();
    for round in 0..20 {
        for method in ["POST", "GET", "DELETE"] {
            assert_eq!(client.request(method, "/", &[], b"").unwrap().status, 200, "{method} of round {round}");
            origin.cut();
        }
    }
    assert_eq!(origin.received().len(), 60);
}

#[test]
fn an_origin_that_closes_without_a_word_after_each_answer_is_served_by_fresh_connections() {
    let origin = Origin::with(|_| match Reply::text(200, "bye") {
        Reply::Bytes(bytes) => Reply::Close(bytes),
        other => other,
    });
    let door = Door::over(&[&origin]);
    let mut client = door.client();
    for _ in 0..50 {
        assert_eq!(client.get("/").unwrap().status, 200);
    }
}

#[test]
fn a_hanging_endpoint_is_left_and_its_gets_are_answered_elsewhere() {
    let (hangs, one, other) = (Origin::hanging(), Origin::answering("one"), Origin::answering("other"));
    let timeout = Timeout { first_byte: Duration::from_secs(2), ..Timeout::default() };
    let door = Door::with(&[&hangs, &one, &other], Max::default(), timeout);
    let clients: Vec<_> = (0..8)
        .map(|_| {
            let mut client = door.client();
            std::thread::spawn(move || (0..100).map(|_| client.get("/").unwrap().status).collect::<Vec<_>>())
        })
        .collect();
    for client in clients {
        assert_eq!(client.join().unwrap(), [200; 100]);
    }
    // By turns it would have been 266.
    assert!(hangs.received().len() < 40, "{} requests were given to it", hangs.received().len());
}

#[test]
fn requests_wait_for_the_first_endpoint() {
    let door = Door::over(&[]);
    let waiting = [door.request("GET", "/"), door.request("POST", "/")];
    door.until_waiting(2);
    let origin = Origin::answering("started");
    door.set(vec![endpoint(&origin)]);
    for request in waiting {
        assert_eq!(request.join().unwrap(), (200, "started".into()));
    }
}

#[test]
fn a_full_queue_refuses_and_a_long_wait_ends() {
    let timeout = Timeout { queue: Duration::from_millis(500), ..Timeout::default() };
    let door = Door::with(&[], Max { queue: 1, ..Max::default() }, timeout);
    let mut statuses = Vec::new();
    for request in [door.request("GET", "/"), door.request("GET", "/")] {
        statuses.push(request.join().unwrap().0);
    }
    assert_eq!(statuses, [503, 503]);
}

#[test]
fn the_only_endpoint_may_restart() {
    let first = Origin::answering("first");
    let door = Door::over(&[&first]);
    assert_eq!(door.client().get("/").unwrap().status, 200);
    let address = stop(first);
    let waiting = [door.request("POST", "/"), door.request("GET", "/")];
    door.until_waiting(2);
    let _second = Origin::on(&address.to_string(), true, |_: &Received| Reply::text(200, "second"));
    for request in waiting {
        assert_eq!(request.join().unwrap(), (200, "second".into()));
    }
}

#[test]
fn no_endpoint_holds_more_than_its_bound() {
    let gate = Arc::new(Gate::default());
    let held = gate.clone();
    let origin = Origin::with(move |_| {
        held.pass();
        Reply::text(200, "done")
    });
    let door = Door::with(&[&origin], Max { in_flight: 1, ..Max::default() }, Timeout::default());
    let first = door.request("GET", "/first");
    until("the first is there", || origin.received().len() == 1);
    let second = door.request("GET", "/second");
    door.until_waiting(1);
    assert_eq!(origin.received().len(), 1);
    gate.open();
    assert_eq!((first.join().unwrap().0, second.join().unwrap().0), (200, 200));
}

#[test]
fn an_endpoint_that_leaves_finishes_what_it_has_and_gets_nothing_new() {
    let gate = Arc::new(Gate::default());
    let held = gate.clone();
    let old = Origin::with(move |_| {
        held.pass();
        Reply::text(200, "old")
    });
    let door = Door::over(&[&old]);
    let open = door.request("POST", "/");
    until("the old one has it", || old.received().len() == 1);
    let new = Origin::answering("new");
    door.set(vec![endpoint(&new)]);
    until("only the new one is left", || door.states() == [State::Up] && door.handle.endpoints()[0].1[0].name.as_ref() == new.address());
    for _ in 0..10 {
        assert_eq!(door.client().get("/").unwrap().text(), "new");
    }
    gate.open();
    assert_eq!(open.join().unwrap(), (200, "old".into()));
    assert_eq!(old.received().len(), 1);
}

/// Clients that send GET and POST, each POST with a number of its own, until they are told to stop.
struct Traffic {
    stop: Arc<AtomicBool>,
    answered: Arc<AtomicUsize>,
    clients: Vec<JoinHandle<Vec<(&'static str, u16)>>>,
}

impl Traffic {
    fn start(door: &Door) -> Traffic {
        let (stop, answered) = (Arc::<AtomicBool>::default(), Arc::<AtomicUsize>::default());
        let client = |index: usize| {
            let (stop, answered, address) = (stop.clone(), answered.clone(), door.address.clone());
            std::thread::spawn(move || send_until(&stop, &answered, &address, index))
        };
        Traffic { clients: (0..6).map(client).collect(), stop, answered }
    }

    /// Waits until the clients have had a few more answers.
    fn go_on(&self) {
        let seen = self.answered.load(Ordering::Relaxed);
        until("the traffic goes on", || self.answered.load(Ordering::Relaxed) > seen + 100);
    }

    fn end(self) -> Vec<(&'static str, u16)> {
        self.stop.store(true, Ordering::Relaxed);
        self.clients.into_iter().flat_map(|client| client.join().unwrap()).collect()
    }
}

fn send_until(stop: &AtomicBool, answered: &AtomicUsize, address: &str, index: usize) -> Vec<(&'static str, u16)> {
    let mut client = Client::connect(address).unwrap();
    let mut statuses = Vec::new();
    for number in 0.. {
        if stop.load(Ordering::Relaxed) {
            break;
        }
        let method = if number % 2 == 0 { "GET" } else { "POST" };
        let answer = client.request(method, &format!("/{index}-{number}"), &[], b"").unwrap();
        answered.fetch_add(1, Ordering::Relaxed);
        statuses.push((method, answer.status));
        if answer.header("connection") == Some("close") {
            client = Client::connect(address).unwrap();
        }
    }
    statuses
}

/// How often each POST was received, over all origins.
fn posts(origins: &[Vec<Received>]) -> HashMap<String, usize> {
    let mut times = HashMap::new();
    for post in origins.iter().flatten().filter(|request| request.method == "POST") {
        *times.entry(post.target.clone()).or_default() += 1;
    }
    times
}

#[test]
fn endpoints_that_come_and_go_in_order_lose_nothing() {
    let mut old = Origin::answering("it");
    let door = Door::over(&[&old]);
    let traffic = Traffic::start(&door);
    let mut received = Vec::new();
    for _ in 0..8 {
        traffic.go_on();
        let new = Origin::answering("it");
        let leaving = door.list.borrow()[0].clone();
        door.set(vec![endpoint(&new)]);
        until("the door has taken the list over", || *door.handle.endpoints()[0].1[0].name == *new.address());
        until("the old one is done", || leaving.in_flight.requests() == 0);
        received.push(old.received());
        stop(old);
        old = new;
    }
    traffic.go_on();
    let statuses = traffic.end();
    received.push(old.received());
    assert!(statuses.iter().all(|(_, status)| *status == 200), "{:?}", statuses.iter().find(|(_, status)| *status != 200));
    let sent = statuses.iter().filter(|(method, _)| *method == "POST").count();
    let posts = posts(&received);
    assert_eq!((posts.len(), posts.values().sum::<usize>()), (sent, sent), "each POST once");
}

#[test]
fn endpoints_that_die_under_load_lose_no_get_and_repeat_no_post() {
    let stays = Origin::answering("it");
    let mut dies = Origin::answering("it");
    let door = Door::over(&[&stays, &dies]);
    let traffic = Traffic::start(&door);
    let mut received = Vec::new();
    for _ in 0..5 {
        traffic.go_on();
        dies.cut();
        received.push(dies.received());
        stop(dies);
        traffic.go_on();
        dies = Origin::answering("it");
        let staying = door.list.borrow()[0].clone();
        door.set(vec![staying, endpoint(&dies)]);
    }
    let statuses = traffic.end();
    received.extend([stays.received(), dies.received()]);
    for (method, status) in statuses {
        assert!(status == 200 || (method == "POST" && status == 502), "{method} {status}");
    }
    assert!(posts(&received).values().all(|times| *times == 1), "a POST was executed twice");
}
