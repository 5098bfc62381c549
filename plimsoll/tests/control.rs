//! Traffic survives control: with every task of it stopped (apps, checks, console, orders), requests still flow.
#![allow(clippy::unwrap_used)]

use testkit::wire::Login;
use testkit::{Client, Postgres, Up, WebSocket, Wire, app_command, get, kill, request, serve_app, until};

#[test]
#[ignore = "the app of the other tests"]
fn app() {
    serve_app();
}

#[test]
fn statements_flow_while_all_of_control_stands_still() {
    let server = Postgres::start();
    let (app, primary) = (app_command(), server.url("app", "app"));
    let file = format!(
        "name = \"halted\"\n[http]\nlisten = [\"127.0.0.1:0\"]\n[console]\nlisten = \"127.0.0.1:0\"\n[app.shop]\nrun = {app}\n\
         [sql.main]\nlisten = \"127.0.0.1:0\"\nprimary = \"{primary}\"\npool = {{ server = 2 }}\n"
    );
    let plimsoll = Up::new(env!("CARGO_BIN_EXE_plimsoll"), &file).env("PLIMSOLL_TEST_HALT_CONTROL", "yes").ready();
    until("both threads of control stand still", || plimsoll.log().matches("control halted").count() == 2);
    let login = Login::new("app", "app");
    let mut kept = Wire::connect(plimsoll.sql(), &login).unwrap();
    kept.query("CREATE TABLE t (n int)").unwrap();
    for number in 0..50 {
        assert_eq!(kept.ask("INSERT INTO t VALUES ($1) RETURNING n", &[&number.to_string()]).unwrap().value(), number.to_string());
        let mut new = Wire::connect(plimsoll.sql(), &login).unwrap();
        assert_eq!(new.query("SELECT max(n) FROM t").unwrap().value(), number.to_string());
    }
    kill(plimsoll.pid());
    until("every process is gone", || plimsoll.family().is_empty());
}

#[test]
fn requests_flow_while_all_of_control_stands_still() {
    let file = format!(
        "name = \"halted\"\n[http]\nlisten = [\"127.0.0.1:0\"]\n[console]\nlisten = \"127.0.0.1:0\"\n[site]\ndir = \"web\"\n\
         [app.shop]\nrun = {}\nhealth = \"/healthz\"\ninstances = 2\nroutes = [\"/shop/\", \"/who\", \"/chat\"]\n",
        app_command()
    );
    let up = Up::new(env!("CARGO_BIN_EXE_plimsoll"), &file).file("web/index.html", "<h1>site</h1>");
    let plimsoll = up.env("PLIMSOLL_TEST_HALT_CONTROL", "yes").ready();
    until("both threads of control stand still", || plimsoll.log().matches("control halted").count() == 2);
    let mut kept = Client::connect(plimsoll.http()).unwrap();
    let mut socket = WebSocket::open(plimsoll.http(), "/chat").unwrap();
    for number in 0..50 {
        assert_eq!(kept.get(&format!("/shop/{number}")).unwrap().text(), format!("GET /shop/{number} "));
        assert_eq!(get(plimsoll.http(), "/who").unwrap().status, 200);
        assert_eq!(request(plimsoll.http(), "POST", "/shop/post", &[], b"body").unwrap().text(), "POST /shop/post body");
        assert_eq!(get(plimsoll.http(), "/").unwrap().text(), "<h1>site</h1>");
        socket.send("still here").unwrap();
        assert_eq!(socket.text().unwrap(), "still here");
    }
    // control would have to drain: it cannot
    kill(plimsoll.pid());
    until("every process is gone", || plimsoll.family().is_empty());
}
