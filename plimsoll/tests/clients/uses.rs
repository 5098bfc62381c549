//! What web apps usually do with a Redis, with the frameworks that they do it with, as apps of a `plimsoll up`: two instances behind
//! its HTTP door, or workers beside it.

mod limits;
mod queues;
mod rooms;
mod sessions;

use std::path::Path;
use std::process::Command;

use testkit::{Answer, Plimsoll, Redis, Up, request, until};

use crate::installed::{NODE_MODULES, PYTHON_WITH_CLIENTS};
use crate::scripts;

const BINARY: &str = env!("CARGO_BIN_EXE_plimsoll");

fn apps() -> String {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/clients/apps").display().to_string()
}

/// `run` of a program with these words; variables in them are put in.
fn words(program: &Path, words: &[&str]) -> String {
    let quoted: Vec<String> = words.iter().map(|word| if word.contains(' ') { format!("'{word}'") } else { (*word).to_string() }).collect();
    format!("{:?}", format!("{} {}", program.display(), quoted.join(" ")))
}

/// A web app of the folder `apps/` by gunicorn.
fn gunicorn(module: &str) -> String {
    words(&PYTHON_WITH_CLIENTS, &["-m", "gunicorn", "--threads", "4", "--worker-tmp-dir", "/dev/shm", "--bind", "$HOST:$PORT", module])
}

/// A script of the folder `apps/`.
fn node(arguments: &[&str]) -> String {
    words(Path::new("node"), arguments)
}

/// Two instances of an app that answers requests, or with `routes = []` among `more` two workers.
fn up(run: &str, more: &str) -> Plimsoll {
    let file = format!(
        "name = \"uses\"\n[http]\nlisten = [\"127.0.0.1:0\"]\n[console]\nlisten = \"127.0.0.1:0\"\n[kv.main]\nlisten = \"127.0.0.1:0\"\n\
         [app.shop]\ndir = {:?}\nrun = {run}\nstart = \"60s\"\ninstances = 2\n{more}",
        apps()
    );
    Up::new(BINARY, &file).env("PYTHONDONTWRITEBYTECODE", "1").env("NODE_PATH", &NODE_MODULES.display().to_string()).ready()
}

fn store(plimsoll: &Plimsoll) -> Redis {
    Redis::connect(plimsoll.kv()).unwrap()
}

/// Runs a program beside the apps, with their store.
fn beside(plimsoll: &Plimsoll, program: &Path, arguments: &[&str]) -> String {
    let mut command = Command::new(program);
    command.args(arguments).current_dir(apps()).env("REDIS_URL", format!("redis://{}", plimsoll.kv()));
    command.env("PYTHONDONTWRITEBYTECODE", "1").env("NODE_PATH", &*NODE_MODULES);
    let told = scripts::run(&mut command);
    assert!(told.ends_with("--- exit status: 0\n"), "{told}");
    told
}

/// A client of the HTTP door that keeps its cookie and notes which instances answered.
struct Visitor<'p> {
    plimsoll: &'p Plimsoll,
    name: &'p str,
    cookie: String,
    instances: Vec<u64>,
}

impl<'p> Visitor<'p> {
    fn new(plimsoll: &'p Plimsoll, name: &'p str) -> Visitor<'p> {
        Visitor { plimsoll, name, cookie: String::new(), instances: Vec::new() }
    }

    /// The answer to a GET, whatever its status.
    fn get(&mut self, path: &str) -> Answer {
        let headers = [("Cookie", self.cookie.as_str()), ("X-User", self.name)];
        let answer = request(self.plimsoll.http(), "GET", path, &headers[usize::from(self.cookie.is_empty())..], b"").unwrap();
        if let Some(cookie) = answer.header("set-cookie") {
            self.cookie = cookie.split(';').next().unwrap().to_owned();
        }
        if answer.status == 200 {
            let instance = answer.json()["instance"].as_u64().unwrap();
            self.instances.push(instance);
        }
        answer
    }

    /// The JSON of an answer that must be 200.
    fn json(&mut self, path: &str) -> serde_json::Value {
        let answer = self.get(path);
        assert_eq!(answer.status, 200, "{path}: {}; the log:\n{}", answer.text(), self.plimsoll.log());
        answer.json()
    }

    /// Asks until both instances have answered, and passes every answer on.
    fn at_both(&mut self, path: &str, mut check: impl FnMut(serde_json::Value)) {
        self.instances.clear();
        until("both instances have answered", || {
            check(self.json(path));
            self.instances.sort_unstable();
            self.instances.dedup();
            self.instances.len() == 2
        });
    }
}
