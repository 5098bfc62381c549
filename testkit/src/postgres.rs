//! A scratch Postgres server: made by `initdb` in a folder of its own, ended and removed with the test, however
//! the test ends. TCP on 127.0.0.1 asks for a password (SCRAM), the Unix socket trusts everybody.
//!
//! Superuser `postgres`, ordinary user `app` with its database `app`; every password is [`PASSWORD`].

mod place;

use std::fs::{self, File};
use std::io::Write;
use std::os::unix::fs::chown;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Mutex;

use rustix::process::Signal;

use crate::processes::{self, inside};
use crate::until;
pub use place::{free_port, owner, programs};

/// Of every user.
pub const PASSWORD: &str = "secret";

/// A running server. Dropped, or its test killed: it ends at once and its folder goes.
pub struct Postgres {
    folder: PathBuf,
    port: u16,
    postmaster: Mutex<Child>,
    guard: Child,
}

/// Ends the server and removes its folder when its standard input ends, which a killed test cannot prevent.
const GUARD: &str = r#"
trap '' INT TERM HUP
cat >/dev/null
pid=$(head -n 1 "$1/data/postmaster.pid" 2>/dev/null)
runs() { [ -n "$pid" ] && [ "/proc/$pid/cwd" -ef "$1/data" ]; }
runs "$1" && kill -QUIT "$pid"
while runs "$1"; do sleep 0.05; done
rm -rf "$1"
"#;

impl Postgres {
    /// Starts a server; panics with its log when it does not come up.
    pub fn start() -> Postgres {
        Postgres::with("")
    }

    /// Starts a server with further lines of `postgresql.conf`.
    pub fn with(settings: &str) -> Postgres {
        let folder = tempfile::Builder::new().prefix("plimsoll-pg-").tempdir().expect("a scratch folder can be made").keep();
        let folder = folder.canonicalize().expect("it was just made");
        let mut guard = Command::new("sh");
        guard.args(["-c", GUARD, "guard"]).arg(&folder).stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::null());
        let guard = guard.spawn().expect("there is a shell");
        initialise(&folder);
        let port = place::free_port();
        configure(&folder, port, settings);
        let postmaster = Mutex::new(launch(&folder));
        let server = Postgres { folder, port, postmaster, guard };
        server.psql_in("postgres", &format!("CREATE ROLE app LOGIN CREATEDB PASSWORD '{PASSWORD}'"));
        server.psql_in("postgres", "CREATE DATABASE app OWNER app");
        server
    }

    /// `postgres://USER:secret@127.0.0.1:PORT/DATABASE`.
    pub fn url(&self, user: &str, database: &str) -> String {
        format!("postgres://{user}:{PASSWORD}@{}/{database}", self.address())
    }

    /// `127.0.0.1:PORT`.
    pub fn address(&self) -> String {
        format!("127.0.0.1:{}", self.port)
    }

    /// The port, of TCP and in the socket's name.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// The folder of the Unix socket.
    pub fn socket(&self) -> PathBuf {
        self.folder.join("socket")
    }

    /// The data directory.
    pub fn data(&self) -> PathBuf {
        self.folder.join("data")
    }

    /// What `psql` prints for `sql` as superuser in the database `app`: rows as lines, columns between `|`.
    #[track_caller]
    pub fn psql(&self, sql: &str) -> String {
        self.psql_in("app", sql)
    }

    /// The same in another database; panics when a statement fails.
    #[track_caller]
    pub fn psql_in(&self, database: &str, sql: &str) -> String {
        let mut psql = Command::new(programs().join("psql"));
        psql.args(["-XAtq", "-v", "ON_ERROR_STOP=1", "-U", "postgres", "-d", database, "-p", &self.port.to_string(), "-h"]);
        psql.arg(self.socket()).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = psql.spawn().expect("psql runs");
        let sent = child.stdin.take().expect("stdin is piped").write_all(sql.as_bytes());
        let output = child.wait_with_output().expect("psql ends");
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(sent.is_ok() && output.status.success(), "psql: {said}\nof: {sql}\nthe log:\n{}", self.log());
        String::from_utf8_lossy(&output.stdout).trim_end().to_owned()
    }

    /// What the server wrote to its log so far.
    pub fn log(&self) -> String {
        fs::read_to_string(self.folder.join("log")).unwrap_or_default()
    }

    /// The postmaster's process.
    pub fn pid(&self) -> u32 {
        self.postmaster().id()
    }

    /// A clean stop that does not wait for clients; returns when it has ended.
    pub fn stop(&self) {
        processes::signal(self.pid(), Signal::INT);
        self.ended();
    }

    /// SIGKILL for the postmaster; returns when its other processes are gone too.
    pub fn kill(&self) {
        processes::kill(self.pid());
        self.ended();
    }

    /// Starts it again on the same port, after a clean stop if it still runs.
    pub fn restart(&self) {
        if self.postmaster().try_wait().is_ok_and(|status| status.is_none()) {
            self.stop();
        }
        *self.postmaster() = launch(&self.folder);
    }

    fn ended(&self) {
        let _ = self.postmaster().wait();
        let data = self.data();
        until("every process of the server is gone", || inside(&data).is_empty());
    }

    fn postmaster(&self) -> std::sync::MutexGuard<'_, Child> {
        self.postmaster.lock().unwrap_or_else(|poisoned| poisoned.into_inner())
    }
}

impl Drop for Postgres {
    fn drop(&mut self) {
        drop(self.guard.stdin.take());
        let _ = self.guard.wait();
        let _ = self.postmaster().wait();
    }
}

fn initialise(folder: &Path) {
    let password = folder.join("password");
    fs::write(&password, PASSWORD).expect("a scratch folder can be written to");
    for name in ["data", "socket"] {
        fs::create_dir(folder.join(name)).expect("a scratch folder can be written to");
    }
    if let Some((user, group)) = place::owner() {
        for path in [folder.to_owned(), password.clone(), folder.join("data"), folder.join("socket")] {
            chown(path, Some(user), Some(group)).expect("root may give a folder away");
        }
    }
    let mut initdb = place::program("initdb");
    initdb.args(["--no-sync", "--encoding=UTF8", "--locale=C.UTF-8", "--username=postgres"]);
    initdb.args(["--auth-local=trust", "--auth-host=scram-sha-256", "--pwfile"]).arg(&password).arg("-D").arg(folder.join("data"));
    let output = initdb.output().expect("initdb runs");
    assert!(output.status.success(), "{output:?}");
}

fn configure(folder: &Path, port: u16, settings: &str) {
    let path = folder.join("data/postgresql.conf");
    let mut file = File::options().append(true).open(path).expect("initdb wrote it");
    let socket = folder.join("socket").display().to_string();
    write!(
        file,
        "\nlisten_addresses = '127.0.0.1'\nport = {port}\nunix_socket_directories = '{socket}'\nmax_connections = 100\n\
         fsync = off\nfull_page_writes = off\nlog_min_messages = log\n{settings}\n"
    )
    .expect("a scratch folder can be written to");
}

/// Starts the postmaster and returns when it takes connections.
fn launch(folder: &Path) -> Child {
    let log = File::options().create(true).append(true).open(folder.join("log")).expect("a scratch folder can be written to");
    let mut postgres = place::program("postgres");
    postgres.arg("-D").arg(folder.join("data")).stdout(log.try_clone().expect("a file can be shared")).stderr(log);
    let mut child = postgres.spawn().expect("postgres runs");
    until("the server takes connections", || {
        let ended = child.try_wait().expect("it is our child");
        let log = || fs::read_to_string(folder.join("log")).unwrap_or_default();
        assert!(ended.is_none(), "postgres ended: {ended:?}; its log:\n{}", log());
        takes_connections(folder, child.id())
    });
    child
}

/// The first line of `postmaster.pid` is the process, the eighth its state.
fn takes_connections(folder: &Path, pid: u32) -> bool {
    let text = fs::read_to_string(folder.join("data/postmaster.pid")).unwrap_or_default();
    let lines: Vec<&str> = text.lines().map(str::trim).collect();
    lines.first() == Some(&pid.to_string().as_str()) && lines.get(7) == Some(&"ready")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::exists;

    #[test]
    fn a_server_starts_answers_comes_back_and_goes() {
        let server = Postgres::with("max_connections = 37");
        let (first, folder) = (server.pid(), server.folder.clone());
        assert_eq!(server.psql("SHOW max_connections"), "37");
        server.psql("CREATE TABLE kept (a int); INSERT INTO kept VALUES (1), (2)");
        server.restart();
        assert_eq!(server.psql("SELECT sum(a), count(*) FROM kept"), "3|2");
        server.kill();
        assert!(!exists(first));
        server.restart();
        assert_eq!(server.psql("SELECT sum(a) FROM kept"), "3");
        let last = server.pid();
        drop(server);
        assert!(!exists(last) && !folder.exists());
    }
}
