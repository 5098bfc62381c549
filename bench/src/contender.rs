//! The servers under test: how each is configured fairly, started fresh and ended.

mod haproxy;
mod nginx;
mod plimsoll;

use std::fs::File;
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};
use tempfile::TempDir;

use crate::machine::{self, Tree};

/// A server that can be measured.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Contender {
    Plimsoll,
    Nginx,
    Haproxy,
}

/// How endpoints are chosen; Plimsoll always does as it does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Policy {
    RoundRobin,
    LeastConnections,
}

/// What a server does in a row.
#[derive(Debug, Clone)]
pub struct Work {
    /// Apps behind it; none: the folder is served.
    pub endpoints: Vec<SocketAddr>,
    pub policy: Policy,
    /// Whether endpoints are asked for /healthz each second, and given up after 1 s without an answer.
    pub health: bool,
    /// The folder to serve.
    pub folder: Option<PathBuf>,
    pub threads: usize,
}

impl Work {
    /// A proxy in front of `endpoints`, one thread.
    pub fn proxy(endpoints: Vec<SocketAddr>) -> Work {
        Work { endpoints, policy: Policy::RoundRobin, health: false, folder: None, threads: 1 }
    }

    /// The files of `folder`, one thread.
    pub fn files(folder: &Path) -> Work {
        Work { folder: Some(folder.into()), ..Work::proxy(Vec::new()) }
    }
}

/// A server that runs; ended and its folder removed when dropped.
#[derive(Debug)]
pub struct Running {
    pub address: SocketAddr,
    /// From the start of its process until it was ready.
    pub ready_after: Duration,
    child: Child,
    scratch: TempDir,
}

impl Contender {
    pub const ALL: [Contender; 3] = [Contender::Plimsoll, Contender::Nginx, Contender::Haproxy];

    /// Its name in tables.
    pub fn name(self) -> &'static str {
        match self {
            Contender::Plimsoll => "plimsoll",
            Contender::Nginx => "nginx",
            Contender::Haproxy => "haproxy",
        }
    }

    /// Its program, if there is one; the error says how to get it.
    pub fn program(self) -> Result<PathBuf, String> {
        let (variable, places, hint): (_, &[&str], _) = match self {
            Contender::Plimsoll => ("PLIMSOLL_BENCH_BIN", &[], "cargo build --release -p plimsoll"),
            Contender::Nginx => ("PLIMSOLL_BENCH_NGINX", &["/usr/sbin/nginx", "/usr/local/sbin/nginx"], "apt-get install nginx-core"),
            Contender::Haproxy => ("PLIMSOLL_BENCH_HAPROXY", &["/usr/sbin/haproxy", "/usr/local/sbin/haproxy"], "apt-get install haproxy"),
        };
        let written = std::env::var_os(variable).map(PathBuf::from);
        let built = (self == Contender::Plimsoll).then(|| repository().join("target/release/plimsoll"));
        let known = places.iter().map(PathBuf::from);
        let found = written.into_iter().chain(built).chain(known).find(|place| place.is_file());
        found.ok_or_else(|| format!("{} is missing ({hint}, or set {variable})", self.name()))
    }

    /// What the program says of its version, in one line.
    pub fn version(self) -> String {
        let Ok(program) = self.program() else { return "missing".into() };
        let flag = if self == Contender::Plimsoll { "--version" } else { "-v" };
        let said = Command::new(program).arg(flag).output();
        let said = said.map(|output| [output.stdout, output.stderr].concat()).unwrap_or_default();
        String::from_utf8_lossy(&said).lines().next().unwrap_or_default().to_string()
    }

    /// Starts it fresh on `cpus` and waits until it answers.
    pub fn start(self, work: &Work, cpus: &[usize]) -> Result<Running, String> {
        let fault = |error: std::io::Error| format!("{} could not be started: {error}", self.name());
        let program = self.program()?;
        let scratch = tempfile::tempdir().map_err(fault)?;
        let address = free_address().map_err(fault)?;
        let mut command = match self {
            Contender::Plimsoll => plimsoll::command(&program, work, address, scratch.path()),
            Contender::Nginx => nginx::command(&program, work, address, scratch.path()),
            Contender::Haproxy => haproxy::command(&program, work, address, scratch.path()),
        }
        .map_err(fault)?;
        let log = File::create(scratch.path().join("log")).map_err(fault)?;
        command.stdin(Stdio::null()).stdout(log.try_clone().map_err(fault)?).stderr(log);
        let began = Instant::now();
        // Children take the pins of the thread that starts them.
        let child = std::thread::scope(|scope| {
            let starter = scope.spawn(|| {
                machine::pin(cpus);
                command.spawn()
            });
            starter.join().expect("starting a process does not panic")
        });
        let mut running = Running { address, ready_after: Duration::ZERO, child: child.map_err(fault)?, scratch };
        running.wait_until_ready(self, work.threads, began)?;
        Ok(running)
    }
}

/// How long a server may take to be ready.
const READY: Duration = Duration::from_secs(20);
/// How long a server may take to end before it is killed.
const END: Duration = Duration::from_secs(5);
const LOOK_AGAIN: Duration = Duration::from_micros(500);

impl Running {
    /// Its processes, as they are now.
    pub fn tree(&self) -> Tree {
        Tree::of(self.child.id())
    }

    fn wait_until_ready(&mut self, who: Contender, threads: usize, began: Instant) -> Result<(), String> {
        loop {
            let ready = match who {
                Contender::Plimsoll => self.log().lines().any(|line| line.starts_with("ready ")),
                // Its master takes connections before the workers are there.
                Contender::Nginx => testkit::descendants(self.child.id()).len() >= threads && TcpStream::connect(self.address).is_ok(),
                Contender::Haproxy => TcpStream::connect(self.address).is_ok(),
            };
            if ready {
                self.ready_after = began.elapsed();
                return Ok(());
            }
            let ended = self.child.try_wait().ok().flatten();
            if ended.is_some() || began.elapsed() > READY {
                return Err(format!("{} is not ready after {:?} ({ended:?}):\n{}", who.name(), began.elapsed(), self.log()));
            }
            std::thread::sleep(LOOK_AGAIN);
        }
    }

    fn log(&self) -> String {
        std::fs::read_to_string(self.scratch.path().join("log")).unwrap_or_default()
    }

    fn signal(&self, signal: Signal) {
        if let Some(pid) = Pid::from_raw(self.child.id() as i32) {
            // Gone already is what is wanted.
            let _ = kill_process(pid, signal);
        }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let tree = self.tree();
        // The second one means "at once" to Plimsoll, and nothing more to the others.
        self.signal(Signal::TERM);
        let began = Instant::now();
        while began.elapsed() < END && matches!(self.child.try_wait(), Ok(None)) {
            std::thread::sleep(Duration::from_millis(20));
            self.signal(Signal::TERM);
        }
        tree.0.iter().filter(|pid| testkit::exists(**pid)).for_each(|pid| testkit::kill(*pid));
        let _ = self.child.wait();
    }
}

/// The repository's root, where `target` and `bench` are.
pub fn repository() -> PathBuf {
    let manifest = Path::new(env!("CARGO_MANIFEST_DIR"));
    manifest.parent().unwrap_or(manifest).into()
}

fn free_address() -> std::io::Result<SocketAddr> {
    let probe = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
    probe.local_addr()
}
