//! A Plimsoll as a user runs it: the real binary, a file in a scratch folder, the ready line, signals.

use std::ffi::{OsStr, OsString};
use std::fs;
use std::io::{BufRead, BufReader, Read};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Output, Stdio};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{self, Receiver};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

use rustix::process::Signal;
use tempfile::TempDir;

use crate::Terminal;
use crate::processes::{self, marked};
use crate::until::holds_within;

/// From `up` to ready, builds of examples included, on a machine that does other things too.
const READY: Duration = Duration::from_secs(600);
/// From SIGTERM to exit; drains take 30 s at most.
const END: Duration = Duration::from_secs(60);

/// A Plimsoll to be started. `binary` everywhere is `env!("CARGO_BIN_EXE_plimsoll")`.
pub struct Up {
    binary: PathBuf,
    scratch: TempDir,
    at: PathBuf,
    arguments: Vec<OsString>,
    environment: Vec<(String, String)>,
    before: Vec<OsString>,
    mark: String,
}

impl Up {
    /// Will run `file` as a `plimsoll.toml` in a scratch folder of its own, its state beside it.
    pub fn new(binary: &str, file: &str) -> Up {
        let mut up = Up::at(binary, "");
        up.at = up.scratch.path().join("plimsoll.toml");
        fs::write(&up.at, file).expect("a scratch folder can be written to");
        up
    }

    /// Will run the file or folder at `path`, its state in a scratch folder.
    pub fn at(binary: &str, path: impl AsRef<Path>) -> Up {
        static NUMBER: AtomicU64 = AtomicU64::new(0);
        let scratch = tempfile::tempdir().expect("a scratch folder can be made");
        let state = scratch.path().join("state").into_os_string();
        let mark = format!("PLIMSOLL_TEST={}-{}", std::process::id(), NUMBER.fetch_add(1, Ordering::Relaxed));
        Up {
            binary: binary.into(),
            at: path.as_ref().into(),
            scratch,
            arguments: vec!["--state".into(), state],
            environment: Vec::new(),
            before: Vec::new(),
            mark,
        }
    }

    /// The scratch folder, removed with the [`Plimsoll`].
    pub fn folder(&self) -> &Path {
        self.scratch.path()
    }

    /// Writes a file below the scratch folder, its folders too.
    pub fn file(self, name: &str, content: impl AsRef<[u8]>) -> Up {
        write(self.folder(), name, content.as_ref());
        self
    }

    /// Keeps its state in this folder instead of the scratch folder.
    pub fn state(mut self, folder: &Path) -> Up {
        self.arguments[1] = folder.into();
        self
    }

    /// Keeps its state where the file says.
    pub fn state_as_written(mut self) -> Up {
        self.arguments.clear();
        self
    }

    /// A variable of Plimsoll's environment.
    pub fn env(mut self, name: &str, value: &str) -> Up {
        self.environment.push((name.into(), value.into()));
        self
    }

    /// Words before the command, of a program that becomes it: `setpriv`, `env`, `unshare`.
    pub fn through(mut self, words: &[&str]) -> Up {
        self.before = words.iter().map(OsString::from).collect();
        self
    }

    /// A further argument after `up FILE --state DIR`.
    pub fn arg(mut self, argument: &str) -> Up {
        self.arguments.push(argument.into());
        self
    }

    /// The command `plimsoll VERB FILE --state DIR` with the mark in its environment, to run as the test likes.
    pub fn command(&self, verb: &str) -> Command {
        let (name, value) = self.mark.split_once('=').expect("a mark is NAME=value");
        let words: Vec<&OsStr> = self.before.iter().map(OsString::as_os_str).chain([self.binary.as_os_str()]).collect();
        let mut command = Command::new(words[0]);
        command.args(&words[1..]).arg(verb).arg(&self.at).args(&self.arguments).current_dir(self.folder());
        command.env(name, value).envs(self.environment.iter().cloned());
        command
    }

    /// Runs a verb that ends by itself and returns what it said.
    pub fn run(&self, verb: &str) -> Output {
        self.command(verb).stdin(Stdio::null()).output().expect("the binary runs")
    }

    /// Starts it and returns at once.
    pub fn spawn(self) -> Plimsoll {
        let mut command = self.command("up");
        command.stdin(Stdio::null());
        self.started(command)
    }

    /// Starts it as a shell in a terminal of its own would: what is typed there reaches it as signals.
    pub fn spawn_in_terminal(self) -> (Plimsoll, Terminal) {
        let terminal = Terminal::open().expect("the machine has pseudo-terminals");
        let command = terminal.command(&self.command("up")).expect("its other side opens");
        (self.started(command), terminal)
    }

    fn started(self, mut command: Command) -> Plimsoll {
        let child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn();
        let mut keeper = child.expect("the binary runs");
        let log = Arc::new(Mutex::new(String::new()));
        let err = keeper.stderr.take().expect("stderr is piped");
        let sink = log.clone();
        thread::spawn(move || collect(err, &sink));
        let out = keeper.stdout.take().expect("stdout is piped");
        let (send, lines) = mpsc::channel();
        thread::spawn(move || BufReader::new(out).lines().map_while(Result::ok).all(|line| send.send(line).is_ok()));
        Plimsoll { up: self, keeper, lines, log, ready: Ready::default(), ended: None }
    }

    /// Starts it and waits for the ready line; panics with its log when that does not come.
    pub fn ready(self) -> Plimsoll {
        let mut plimsoll = self.spawn();
        plimsoll.wait_ready();
        plimsoll
    }
}

/// Where the doors are, as the ready line says; a door that is off is empty. HTTP without its scheme.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Ready {
    /// `127.0.0.1:8080`
    pub http: String,
    /// `127.0.0.1:9000`
    pub console: String,
    /// `127.0.0.1:6432`, when there is one `[sql.*]`
    pub sql: String,
    /// `127.0.0.1:6380`, when there is one `[kv.*]`
    pub kv: String,
    /// The whole line.
    pub line: String,
}

impl Ready {
    fn parse(line: &str) -> Option<Ready> {
        let words = line.strip_prefix("ready ")?;
        let door = |name: &str| {
            let word = words.split(' ').find_map(|word| word.strip_prefix(name)?.strip_prefix('='));
            word.unwrap_or_default().trim_start_matches("http://").to_owned()
        };
        Some(Ready { http: door("http"), console: door("console"), sql: door("sql"), kv: door("kv"), line: line.to_owned() })
    }
}

/// How a Plimsoll ended.
#[derive(Debug)]
pub struct Ended {
    /// The keeper's exit status.
    pub status: ExitStatus,
    /// Everything on stderr.
    pub log: String,
}

/// A running Plimsoll. Dropped: SIGTERM, then SIGKILL for all that carries its mark.
pub struct Plimsoll {
    up: Up,
    keeper: Child,
    lines: Receiver<String>,
    log: Arc<Mutex<String>>,
    ready: Ready,
    ended: Option<ExitStatus>,
}

impl Plimsoll {
    /// Starts `file` in a scratch folder and waits until it is ready.
    pub fn start(binary: &str, file: &str) -> Plimsoll {
        Up::new(binary, file).ready()
    }

    /// Waits for the ready line.
    pub fn wait_ready(&mut self) {
        let ready = self.lines.recv_timeout(READY).ok().and_then(|line| Ready::parse(&line));
        self.ready = ready.unwrap_or_else(|| panic!("no ready line; the log:\n{}", self.log()));
    }

    /// The address of the HTTP door.
    pub fn http(&self) -> &str {
        &self.ready.http
    }

    /// The address of the SQL door.
    pub fn sql(&self) -> &str {
        &self.ready.sql
    }

    /// The address of the KV door.
    pub fn kv(&self) -> &str {
        &self.ready.kv
    }

    /// What the ready line said.
    pub fn doors(&self) -> &Ready {
        &self.ready
    }

    /// The keeper's process.
    pub fn pid(&self) -> u32 {
        self.keeper.id()
    }

    /// Everything on stderr so far.
    pub fn log(&self) -> String {
        self.log.lock().unwrap_or_else(|poisoned| poisoned.into_inner()).clone()
    }

    /// The file it runs.
    pub fn path(&self) -> &Path {
        &self.up.at
    }

    /// The scratch folder.
    pub fn folder(&self) -> &Path {
        self.up.folder()
    }

    /// Writes a file below the scratch folder.
    pub fn write(&self, name: &str, content: impl AsRef<[u8]>) {
        write(self.folder(), name, content.as_ref());
    }

    /// Runs another verb against it.
    pub fn run(&self, verb: &str, arguments: &[&str]) -> Output {
        self.up.command(verb).args(arguments).stdin(Stdio::null()).output().expect("the binary runs")
    }

    /// `status --json` of it.
    pub fn status(&self) -> serde_json::Value {
        let output = self.run("status", &["--json"]);
        let text = String::from_utf8_lossy(&output.stdout);
        serde_json::from_str(&text).unwrap_or_else(|error| panic!("{error} in {output:?}; the log:\n{}", self.log()))
    }

    /// Living processes of it (keeper, server, guard, apps and theirs) with their command lines.
    pub fn family(&self) -> Vec<(u32, String)> {
        marked(&self.up.mark)
    }

    /// Sends the keeper a signal.
    pub fn signal(&self, signal: Signal) {
        processes::signal(self.pid(), signal);
    }

    /// Waits for the keeper's end, which must come within a minute.
    pub fn wait(&mut self) -> Ended {
        assert!(self.ends_within(END), "did not end; the log:\n{}", self.log());
        Ended { status: self.ended.expect("it has ended"), log: self.log() }
    }

    /// SIGTERM and wait.
    pub fn stop(&mut self) -> Ended {
        self.signal(Signal::TERM);
        self.wait()
    }

    fn ends_within(&mut self, deadline: Duration) -> bool {
        holds_within(deadline, || {
            self.ended = self.ended.or_else(|| self.keeper.try_wait().ok().flatten());
            self.ended.is_some()
        })
    }
}

impl Drop for Plimsoll {
    fn drop(&mut self) {
        if self.ended.is_none() {
            self.signal(Signal::TERM);
            self.ends_within(Duration::from_secs(20));
        }
        for (pid, _) in self.family() {
            processes::kill(pid);
        }
        let _ = self.keeper.kill();
        let _ = self.keeper.wait();
        if thread::panicking() {
            eprintln!("--- log of {} ---\n{}---", self.up.at.display(), self.log());
        }
    }
}

fn write(folder: &Path, name: &str, content: &[u8]) {
    let path = folder.join(name);
    fs::create_dir_all(path.parent().expect("a file has a folder")).expect("a scratch folder can be written to");
    fs::write(path, content).expect("a scratch folder can be written to");
}

/// Appends a stream to a log as it comes.
fn collect(mut stream: impl Read, log: &Mutex<String>) {
    let mut bytes = [0; 8192];
    while let Ok(count @ 1..) = stream.read(&mut bytes) {
        let mut log = log.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
        log.push_str(&String::from_utf8_lossy(&bytes[..count]));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SCRIPT: &str = "trap 'echo bye >&2; exit 0' TERM\necho 'ready http=http://127.0.0.1:1 console=http://127.0.0.1:2'\n\
                          while :; do sleep 0.05; done\n";

    #[test]
    fn the_ready_line_is_read_and_the_end_is_seen() {
        // `sh up FILE --state DIR` runs the script of that name
        let mut plimsoll = Up::new("/bin/sh", "name = \"x\"").file("up", SCRIPT).ready();
        assert_eq!((plimsoll.http(), plimsoll.doors().console.as_str()), ("127.0.0.1:1", "127.0.0.1:2"));
        assert!(plimsoll.family().iter().any(|(pid, _)| *pid == plimsoll.pid()));
        let ended = plimsoll.stop();
        assert!(ended.status.success());
        crate::until("the log is complete", || plimsoll.log() == "bye\n");
        crate::until("nothing is left", || plimsoll.family().is_empty());
    }

    #[test]
    fn a_key_typed_in_a_terminal_is_a_signal() {
        let script = SCRIPT.replace("TERM", "INT");
        let (mut plimsoll, mut terminal) = Up::new("/bin/sh", "name = \"x\"").file("up", script).spawn_in_terminal();
        plimsoll.wait_ready();
        terminal.interrupt();
        assert!(plimsoll.wait().status.success());
    }
}
