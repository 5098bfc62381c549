//! Traffic survives control: while no task of it runs (apps, checks, console, orders), requests and statements flow.
#![allow(clippy::unwrap_used)]

use std::fs;
use std::io::Read;
use std::net::TcpStream;
use std::path::Path;
use std::sync::{Arc, mpsc};
use std::time::Duration;

use plimsoll::assemble::Running;
use process::Keeper;
use telemetry::{FilesAndStderr, Log, Rotation};
use tempfile::TempDir;
use testkit::wire::Login;
use testkit::{Client, Postgres, WebSocket, Wire, app_command, get, request, serve_app};
use tokio::runtime::{Builder, Runtime};

#[test]
#[ignore = "the app of the other tests"]
fn app() {
    serve_app();
}

/// Every tier within this process, control on a runtime of its own as in the product.
struct Product {
    runtime: Runtime,
    running: Arc<Running>,
    ready: String,
    _folder: TempDir,
}

impl Product {
    fn start(file: &str) -> Product {
        let folder = tempfile::tempdir().unwrap();
        let (path, state) = (folder.path().join("plimsoll.toml"), folder.path().join("state"));
        fs::create_dir_all(folder.path().join("web")).unwrap();
        fs::create_dir(&state).unwrap();
        fs::write(folder.path().join("web/index.html"), "<h1>site</h1>").unwrap();
        fs::write(&path, file).unwrap();
        let plan = plimsoll::file::load(&path, Some(&state)).unwrap();
        let (sink, health) = FilesAndStderr::new(&state.join("logs"), Rotation::default());
        let (log, _writer) = Log::start(Box::new(sink));
        let runtime = Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
        let (running, ready) = runtime.block_on(async {
            let keeper = Keeper::beside(Path::new(env!("CARGO_BIN_EXE_plimsoll"))).unwrap();
            let running = Running::start(plan, keeper, &state, log, health).await.unwrap();
            let ready = running.ready().await.unwrap();
            (running, ready)
        });
        Product { runtime, running, ready, _folder: folder }
    }

    /// `http`, `sql` or `console` of the line that says ready.
    fn address(&self, door: &str) -> &str {
        let word = self.ready.split(' ').find_map(|word| word.strip_prefix(door)?.strip_prefix('=')).unwrap();
        word.trim_start_matches("http://")
    }

    /// Its only thread does nothing else meanwhile.
    fn while_control_stands_still(&self, act: impl FnOnce()) {
        let ((release, held), (told, stands)) = (mpsc::channel::<()>(), mpsc::channel());
        self.runtime.spawn(async move {
            told.send(()).unwrap();
            // Until the other end is gone.
            let _ = held.recv();
        });
        stands.recv().unwrap();
        self.console_is_silent();
        act();
        self.console_is_silent();
        drop(release);
        assert_eq!(get(self.address("console"), "/healthz").unwrap().status, 200, "it goes on");
    }

    fn console_is_silent(&self) {
        let mut console = TcpStream::connect(self.address("console")).unwrap();
        std::io::Write::write_all(&mut console, b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n").unwrap();
        console.set_read_timeout(Some(Duration::from_millis(100))).unwrap();
        assert!(console.read(&mut [0]).is_err(), "control answers");
    }
}

impl Drop for Product {
    fn drop(&mut self) {
        self.runtime.block_on(self.running.stop());
    }
}

#[test]
fn statements_flow_while_all_of_control_stands_still() {
    let server = Postgres::start();
    let (app, primary) = (app_command(), server.url("app", "app"));
    let product = Product::start(&format!(
        "name = \"halted\"\n[http]\nlisten = [\"127.0.0.1:0\"]\n[console]\nlisten = \"127.0.0.1:0\"\n[app.shop]\nrun = {app}\n\
         [sql.main]\nlisten = \"127.0.0.1:0\"\nprimary = \"{primary}\"\npool = {{ server = 2 }}\n"
    ));
    let (login, address) = (Login::new("app", "app"), product.address("sql"));
    product.while_control_stands_still(|| {
        let mut kept = Wire::connect(address, &login).unwrap();
        kept.query("CREATE TABLE t (n int)").unwrap();
        for number in 0..50 {
            assert_eq!(kept.ask("INSERT INTO t VALUES ($1) RETURNING n", &[&number.to_string()]).unwrap().value(), number.to_string());
            let mut new = Wire::connect(address, &login).unwrap();
            assert_eq!(new.query("SELECT max(n) FROM t").unwrap().value(), number.to_string());
        }
    });
}

#[test]
fn requests_flow_while_all_of_control_stands_still() {
    let product = Product::start(&format!(
        "name = \"halted\"\n[http]\nlisten = [\"127.0.0.1:0\"]\n[console]\nlisten = \"127.0.0.1:0\"\n[site]\ndir = \"web\"\n\
         [app.shop]\nrun = {}\nhealth = \"/healthz\"\ninstances = 2\nroutes = [\"/shop/\", \"/who\", \"/chat\"]\n",
        app_command()
    ));
    let address = product.address("http");
    product.while_control_stands_still(|| {
        let mut kept = Client::connect(address).unwrap();
        let mut socket = WebSocket::open(address, "/chat").unwrap();
        for number in 0..50 {
            assert_eq!(kept.get(&format!("/shop/{number}")).unwrap().text(), format!("GET /shop/{number} "));
            assert_eq!(get(address, "/who").unwrap().status, 200);
            assert_eq!(request(address, "POST", "/shop/post", &[], b"body").unwrap().text(), "POST /shop/post body");
            assert_eq!(get(address, "/").unwrap().text(), "<h1>site</h1>");
            socket.send("still here").unwrap();
            assert_eq!(socket.text().unwrap(), "still here");
        }
    });
}
