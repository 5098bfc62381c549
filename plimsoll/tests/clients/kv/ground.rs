//! Where a script runs: an empty Redis, directly and as `[kv.main]`.

use std::net::TcpStream;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Child, Command, Stdio};

use tempfile::TempDir;
use testkit::{Redis, Up, postgres, until};

use crate::scripts;

const BINARY: &str = env!("CARGO_BIN_EXE_plimsoll");
const FILE: &str =
    "name = \"clients\"\n[http]\nlisten = [\"127.0.0.1:0\"]\n[console]\nlisten = \"127.0.0.1:0\"\n[kv.main]\nlisten = \"127.0.0.1:0\"\n";

/// Where one run of a script happens.
pub struct Place {
    address: String,
    /// A folder of its own.
    pub folder: TempDir,
}

impl Place {
    fn new(address: &str) -> Place {
        Place { address: address.into(), folder: tempfile::tempdir().unwrap() }
    }

    /// `redis://HOST:PORT`.
    pub fn url(&self) -> String {
        format!("redis://{}", self.address)
    }

    /// A program that finds the store where apps look for it.
    pub fn command(&self, program: impl AsRef<Path>) -> Command {
        let mut command = Command::new(program.as_ref());
        command.current_dir(self.folder.path()).env("REDIS_URL", self.url()).stdin(Stdio::null());
        command.env("LC_ALL", "C.UTF-8").env("TZ", "UTC").env("PYTHONDONTWRITEBYTECODE", "1");
        command
    }

    /// Runs a program to its end, see [`scripts::run`].
    pub fn run(&self, command: &mut Command) -> String {
        scripts::run(command).replace(&self.address, "ADDRESS")
    }
}

/// A redis-server of the machine; it ends with the test.
struct Server {
    process: Child,
    address: String,
    _folder: TempDir,
}

impl Server {
    /// Debian's redis-tools has the server's program under this name and starts no service.
    fn start() -> Server {
        let (port, folder) = (postgres::free_port(), tempfile::tempdir().unwrap());
        let mut command = Command::new("redis-check-rdb");
        command.arg0("redis-server").args(["--port", &port.to_string(), "--bind", "127.0.0.1", "--save", "", "--dir"]).arg(folder.path());
        let process = command.stdin(Stdio::null()).stdout(Stdio::null()).spawn().expect("redis-tools is installed");
        let server = Server { process, address: format!("127.0.0.1:{port}"), _folder: folder };
        until("redis-server listens", || TcpStream::connect(&server.address).is_ok());
        server
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// Runs `script` on a redis-server and through the door; what it tells must be the same.
#[track_caller]
pub fn same(name: &str, script: impl Fn(&Place) -> String) -> String {
    let server = Server::start();
    let expected = script(&Place::new(&server.address));
    let plimsoll = Up::new(BINARY, FILE).ready();
    let told = script(&Place::new(plimsoll.kv()));
    scripts::same(name, &expected, &told);
    let mut store = Redis::connect(plimsoll.kv()).unwrap();
    until("nobody else is connected", || store.ask("CLIENT LIST").unwrap().lines().count() == 1);
    told
}
