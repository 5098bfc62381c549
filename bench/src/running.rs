//! A server under test as a process: started fresh on chosen CPUs, ended with its folder when dropped.

use std::fs::File;
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};
use tempfile::TempDir;

use crate::machine::{self, Tree};

/// A server that runs; ended and its folder removed when dropped.
#[derive(Debug)]
pub struct Running {
    pub address: SocketAddr,
    /// When its process was started.
    pub began: Instant,
    /// From the start of its process until it was ready.
    pub ready_after: Duration,
    child: Child,
    scratch: TempDir,
}

/// How long a server may take to be ready.
const READY: Duration = Duration::from_secs(20);
/// How long a server may take to end before it is killed.
const END: Duration = Duration::from_secs(5);
const LOOK_AGAIN: Duration = Duration::from_micros(500);

impl Running {
    /// Starts `command`, which was told to listen on `address`, on `cpus` and waits until `ready` says so.
    pub fn start(
        mut command: Command,
        address: SocketAddr,
        scratch: TempDir,
        cpus: &[usize],
        ready: impl Fn(&Running) -> bool,
    ) -> Result<Running, String> {
        let name = command.get_program().display().to_string();
        let fault = |error: std::io::Error| format!("{name} could not be started: {error}");
        let log = File::create(scratch.path().join("log")).map_err(fault)?;
        command.stdin(Stdio::null()).stdout(log.try_clone().map_err(fault)?).stderr(log);
        let began = Instant::now();
        let child = machine::pinned(cpus, || command.spawn()).map_err(fault)?;
        let mut running = Running { address, began, ready_after: Duration::ZERO, child, scratch };
        running.wait_until(&name, ready)?;
        Ok(running)
    }

    /// Its processes, as they are now.
    pub fn tree(&self) -> Tree {
        Tree::of(self.child.id())
    }

    /// What it wrote to its output so far.
    pub fn log(&self) -> String {
        std::fs::read_to_string(self.scratch.path().join("log")).unwrap_or_default()
    }

    /// Whether it takes connections.
    pub fn takes_connections(&self) -> bool {
        TcpStream::connect(self.address).is_ok()
    }

    /// Whether Plimsoll's ready line is there.
    pub fn says_ready(&self) -> bool {
        self.log().lines().any(|line| line.starts_with("ready "))
    }

    fn wait_until(&mut self, name: &str, ready: impl Fn(&Running) -> bool) -> Result<(), String> {
        while !ready(self) {
            let ended = self.child.try_wait().ok().flatten();
            if ended.is_some() || self.began.elapsed() > READY {
                return Err(format!("{name} is not ready after {:?} ({ended:?}):\n{}", self.began.elapsed(), self.log()));
            }
            std::thread::sleep(LOOK_AGAIN);
        }
        self.ready_after = self.began.elapsed();
        Ok(())
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

/// Plimsoll's own program where a release build puts it.
pub fn built() -> PathBuf {
    repository().join("target/release/plimsoll")
}

/// A program: what `variable` names, else the first of `places` that is there; the error says how to get it.
pub fn program(name: &str, variable: &str, places: &[PathBuf], hint: &str) -> Result<PathBuf, String> {
    let written = std::env::var_os(variable).map(PathBuf::from);
    let mut all = written.into_iter().chain(places.iter().cloned());
    all.find(|place| place.is_file()).ok_or_else(|| format!("{name} is missing ({hint}, or set {variable})"))
}

/// What `program` says of its version, in one line.
pub fn version(program: Result<PathBuf, String>, flag: &str) -> String {
    let Ok(program) = program else { return "missing".into() };
    let said = Command::new(program).arg(flag).output();
    let said = said.map(|output| [output.stdout, output.stderr].concat()).unwrap_or_default();
    String::from_utf8_lossy(&said).lines().next().unwrap_or_default().to_string()
}

/// Where nobody listens yet.
pub fn free_address() -> std::io::Result<SocketAddr> {
    let probe = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
    probe.local_addr()
}
