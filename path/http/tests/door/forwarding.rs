use plimsoll_http::{AccessLog, Network, Plan};
use testkit::{Origin, Reply, until};

use crate::setup::{Door, app, plan, shop};

#[test]
fn a_request_reaches_the_app_and_its_answer_the_client() {
    let origin = Origin::with(|_| Reply::text(201, "made"));
    let door = Door::before(&origin);
    let answer = door.client().request("POST", "/items?x=1", &[("X-Mine", "yes")], b"body").unwrap();
    assert_eq!((answer.status, answer.text().as_str()), (201, "made"));
    let received = &origin.received()[0];
    assert_eq!((received.method.as_str(), received.target.as_str(), received.body.as_slice()), ("POST", "/items?x=1", b"body".as_slice()));
    assert_eq!((received.header("x-mine"), received.header("host")), (Some("yes"), Some("localhost")));
}

#[test]
fn connections_are_kept_on_both_sides_and_requests_pipelined() {
    let origin = Origin::with(|request| Reply::text(200, &request.target));
    let door = Door::before(&origin);
    let mut client = door.client();
    assert_eq!(client.get("/1").unwrap().text(), "/1");
    let one = "GET /2 HTTP/1.1\r\nHost: a\r\n\r\n";
    let post = "POST /3 HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nabc";
    client.send(format!("{one}{post}GET /4 HTTP/1.1\r\nHost: a\r\n\r\n")).unwrap();
    for expected in ["/2", "/3", "/4"] {
        assert_eq!(client.answer().unwrap().text(), expected);
    }
    let received = origin.received();
    assert_eq!(received.len(), 4);
    assert!(received.iter().all(|request| request.connection == received[0].connection), "one connection served all");
}

#[test]
fn a_strangers_forwarding_fields_are_dropped_and_ours_are_set() {
    let origin = Origin::answering("ok");
    let door = Door::before(&origin);
    let lies = [
        ("X-Forwarded-For", "1.2.3.4"),
        ("Forwarded", "for=1.2.3.4"),
        ("X-Forwarded-Proto", "https"),
        ("X-Forwarded-Host", "evil"),
        ("X-Real-IP", "1.2.3.4"),
        ("X-Request-Id", "mine"),
        ("traceparent", "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"),
        ("X_Forwarded_For", "1.2.3.4"),
    ];
    let answer = door.client().request("GET", "/", &lies, b"").unwrap();
    let received = &origin.received()[0];
    assert_eq!(received.header("x-forwarded-for"), Some("127.0.0.1"));
    assert_eq!(received.header("forwarded"), Some("for=127.0.0.1;host=\"localhost\";proto=http"));
    assert_eq!((received.header("x-forwarded-proto"), received.header("x-forwarded-host")), (Some("http"), Some("localhost")));
    assert_eq!((received.header("x-real-ip"), received.header("x_forwarded_for")), (None, None));
    assert_eq!(received.header("via"), Some("1.1 plimsoll"));
    let id = received.header("x-request-id").unwrap();
    assert_eq!((id.len(), answer.header("x-request-id")), (32, Some(id)));
    let trace = received.header("traceparent").unwrap();
    assert!(trace.starts_with(&format!("00-{id}-")) && trace.len() == 55, "{trace}");
    assert_eq!(received.headers.iter().filter(|(name, _)| name == "x-forwarded-for").count(), 1);
}

#[test]
fn a_trusted_peer_is_believed_from_the_right() {
    let origin = Origin::answering("ok");
    let trust = ["127.0.0.0", "10.0.0.0"].map(|base| Network { base: base.parse().unwrap(), bits: 8 });
    let door = Door::start(Plan { trust: trust.to_vec(), log: AccessLog::Full, ..shop() }, &[("shop", &origin)]);
    let told = [
        ("X-Forwarded-For", "6.6.6.6, 9.9.9.9, 10.0.0.7"),
        ("X-Forwarded-Proto", "https"),
        ("X-Request-Id", "abc-1"),
        ("traceparent", "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"),
    ];
    let answer = door.client().request("GET", "/", &told, b"").unwrap();
    let received = &origin.received()[0];
    assert_eq!(received.header("x-forwarded-for"), Some("6.6.6.6, 9.9.9.9, 10.0.0.7, 127.0.0.1"));
    assert_eq!((received.header("x-forwarded-proto"), received.header("x-request-id")), (Some("https"), Some("abc-1")));
    assert_eq!(received.header("traceparent"), Some(told[3].1));
    assert_eq!(answer.header("x-request-id"), Some("abc-1"));
}

#[test]
fn a_trusted_peers_broken_trace_is_replaced_not_doubled() {
    let origin = Origin::answering("ok");
    let trust = vec![Network { base: "127.0.0.0".parse().unwrap(), bits: 8 }];
    let door = Door::start(Plan { trust, ..shop() }, &[("shop", &origin)]);
    let good = ("traceparent", "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01");
    for told in [&[("traceparent", "00-xyz-1-01"), ("tracestate", "a=1")][..], &[good, ("traceparent", "00-xyz-1-01")], &[good, good]] {
        door.client().request("GET", "/", told, b"").unwrap();
        let received = origin.received().pop().unwrap();
        let traces: Vec<_> = received.headers.iter().filter(|(name, _)| name == "traceparent").map(|(_, value)| value).collect();
        assert_eq!((traces.len(), received.header("tracestate")), (1, None), "{told:?}");
        assert!(traces[0].len() == 55 && traces[0] != good.1, "{told:?} became {traces:?}");
    }
}

#[test]
fn a_refused_head_is_of_no_method() {
    let origin = Origin::answering("ok");
    let door = Door::before(&origin);
    let mut client = door.client();
    client.get("/").unwrap();
    client.send("BAD\r\n\r\n").unwrap();
    assert_eq!(client.answer().unwrap().status, 400);
    let line = "http_requests_total{app=\"\",route=\"\",method=\"OTHER\",status=\"400\"} 1";
    until("it is counted", || door.metric(line));
}

#[test]
fn hop_by_hop_fields_stay_on_their_hop_both_ways() {
    let origin = Origin::with(|_| {
        Reply::Bytes(
            b"HTTP/1.1 200 OK\r\nConnection: X-Secret, keep-alive\r\nX-Secret: 1\r\nKeep-Alive: timeout=5\r\nX-Kept: 2\r\nX-Frame-Options: DENY\r\nContent-Length: 2\r\n\r\nok"
                .to_vec(),
        )
    });
    let door = Door::before(&origin);
    let fields = [("Connection", "X-Drop, close"), ("X-Drop", "1"), ("Upgrade", "h2c"), ("TE", "gzip"), ("Proxy-Authorization", "x")];
    let answer = door.client().request("GET", "/", &fields, b"").unwrap();
    let received = &origin.received()[0];
    for name in ["connection", "x-drop", "upgrade", "te", "proxy-authorization"] {
        assert_eq!(received.header(name), None, "{name}");
    }
    assert_eq!((answer.header("x-secret"), answer.header("keep-alive"), answer.header("x-kept")), (None, None, Some("2")));
    assert_eq!(answer.header("connection"), Some("close"), "the client asked for it");
    assert_eq!(answer.headers.iter().filter(|(name, _)| name == "x-frame-options").count(), 1, "the app's own wins");
    assert_eq!(answer.header("x-content-type-options"), Some("nosniff"));
    assert!(answer.header("date").is_some() && answer.header("via") == Some("1.1 plimsoll"));
}

#[test]
fn the_longest_prefix_wins_at_slashes_only() {
    let (shop, api) = (Origin::answering("shop"), Origin::answering("api"));
    let routed = Plan { apps: vec![app("shop", &["/"]), app("api", &["/api/", "/v1"])], ..plan() };
    let door = Door::start(routed, &[("shop", &shop), ("api", &api)]);
    let mut client = door.client();
    for (path, expected) in
        [("/api/x", "api"), ("/api", "api"), ("/apis", "shop"), ("/v1", "api"), ("/v12", "shop"), ("/%61pi/x", "api"), ("/", "shop")]
    {
        assert_eq!(client.get(path).unwrap().text(), expected, "{path}");
    }
}

#[test]
fn an_unknown_host_is_misdirected_and_nobodys_path_not_found() {
    let origin = Origin::answering("ok");
    let door =
        Door::start(Plan { hosts: vec!["shop.example.com".into()], apps: vec![app("shop", &["/shop"])], ..plan() }, &[("shop", &origin)]);
    let mut client = door.client();
    assert_eq!(client.request("GET", "/shop", &[("Host", "SHOP.example.com:8080")], b"").unwrap().status, 200);
    assert_eq!(client.request("GET", "/shop", &[("Host", "evil.example.com")], b"").unwrap().status, 421);
    let answer = client.request("GET", "/x", &[("Host", "shop.example.com"), ("Accept", "application/json")], b"").unwrap();
    assert_eq!(answer.status, 404);
    assert_eq!(answer.json()["request_id"].as_str(), answer.header("x-request-id"));
}

#[test]
fn requests_are_counted_by_app_route_method_and_status() {
    let origin = Origin::with(|_| Reply::text(204, ""));
    let door = Door::before(&origin);
    door.client().request("DELETE", "/a", &[], b"").unwrap();
    let line = "http_requests_total{app=\"shop\",route=\"/\",method=\"DELETE\",status=\"204\"} 1";
    until("the request is counted", || door.metric(line));
    assert!(door.metric("http_request_duration_seconds_count{app=\"shop\",route=\"/\"} 1"));
    assert_eq!((door.handle.counts().requests, door.handle.counts().errors), (1, 0));
}
