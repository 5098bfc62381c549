//! The server's life: take the state, start every tier, say `ready`, answer orders, drain.

use std::collections::VecDeque;
use std::io::Write;
use std::path::Path;
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use process::{Asked, Keeper, Orders};
use telemetry::{FilesAndStderr, Log, LogHealth, Rotation};
use tokio::runtime::Builder;
use tokio::sync::{mpsc, oneshot};
use tokio::task::JoinHandle;

use crate::assemble::Running;
use crate::cli::exit;
use crate::descriptors;
use crate::file::{self, Plan};
use crate::orders::{self, Answer, Asked as Received, Order};
use crate::state::State;

/// Reads the file and runs what it asks for until told to stop; the exit code is the process's.
pub fn run(path: &Path, state: Option<&Path>) -> u8 {
    let plan = match file::load(path, state) {
        Ok(plan) => plan,
        Err(problems) => {
            eprint!("{problems}");
            return exit::USAGE;
        }
    };
    let state = match State::take(&plan.state, is_ending) {
        Ok(state) => state,
        Err(reason) => {
            eprintln!("{reason}");
            return exit::FAILED;
        }
    };
    let (sink, health) = FilesAndStderr::new(&state.dir().join("logs"), Rotation::default());
    let (log, writer) = Log::start(Box::new(sink));
    // Control's own threads: traffic does not wait for them, nor they for traffic.
    let runtime = match Builder::new_multi_thread().worker_threads(1).thread_name("control").enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => {
            eprintln!("cannot start the control runtime: {error}");
            return exit::FAILED;
        }
    };
    let code = runtime.block_on(live(plan, state, log.clone(), health)).unwrap_or_else(|reason| {
        reason.lines().for_each(|line| log.error("plimsoll", line));
        exit::FAILED
    });
    runtime.shutdown_timeout(Duration::from_secs(1));
    writer.finish();
    code
}

/// Whether the Plimsoll that holds a state folder's lock is on its way out: it answers no orders any more, for a while.
fn is_ending(dir: &Path) -> bool {
    let begun = Instant::now();
    while begun.elapsed() < Duration::from_millis(500) {
        match orders::ask(dir, Order::Status, Duration::from_secs(2)) {
            Ok(Some(Answer::Status(_))) => thread::sleep(Duration::from_millis(50)),
            _ => return true,
        }
    }
    false
}

async fn live(plan: Plan, state: State, log: Log, health: LogHealth) -> Result<u8, String> {
    let (keeper, signals) = Keeper::attach().map_err(|error| format!("cannot reach the keeper: {error}"))?;
    for warning in plan.warnings.iter() {
        log.warning("file", &warning.to_string());
    }
    descriptors::raise(&plan, &log);
    let listener = state.listen().map_err(|error| format!("cannot open the control socket in {}: {error}", state.dir().display()))?;
    let running = Running::start(plan, keeper, state.dir(), log.clone(), health).await?;
    let socket = socket(listener).map_err(|error| format!("cannot serve the control socket: {error}"))?;
    let ready = Some(wait_for_ready(&running));
    let mut life = Life { running: running.clone(), signals, socket, ready, reloading: None, waiting: VecDeque::new() };
    let verdict = life.run().await;
    life.end().await;
    running.stop().await;
    drop(state);
    match verdict {
        Ok(()) => Ok(exit::DONE),
        Err(reason) => Err(reason),
    }
}

fn socket(listener: std::os::unix::net::UnixListener) -> std::io::Result<mpsc::Receiver<Received>> {
    listener.set_nonblocking(true)?;
    let (sender, receiver) = mpsc::channel(16);
    tokio::spawn(orders::serve(tokio::net::UnixListener::from_std(listener)?, sender));
    Ok(receiver)
}

/// What reload orders wait for; a signal waits for nothing.
type Waiting = Option<oneshot::Sender<Answer>>;

struct Life {
    running: Arc<Running>,
    signals: Orders,
    socket: mpsc::Receiver<Received>,
    ready: Option<JoinHandle<Result<String, String>>>,
    reloading: Option<(JoinHandle<Answer>, Waiting)>,
    waiting: VecDeque<Waiting>,
}

impl Life {
    /// Until a stop was asked for, or an app could not start.
    async fn run(&mut self) -> Result<(), String> {
        loop {
            tokio::select! {
                asked = self.signals.next() => match asked {
                    Asked::Stop => return Ok(()),
                    Asked::Reload => self.waiting.push_back(None),
                },
                Some((order, reply)) = self.socket.recv() => self.order(order, reply),
                verdict = finished(&mut self.ready) => {
                    self.ready = None;
                    say(&verdict?);
                }
                answer = finished_reload(&mut self.reloading) => self.reloaded(answer),
            }
            self.next_reload();
        }
    }

    fn order(&mut self, order: Order, reply: oneshot::Sender<Answer>) {
        match order {
            Order::Status => {
                let running = self.running.clone();
                tokio::task::spawn_blocking(move || reply.send(Answer::Status(running.status())));
            }
            // A verb that went away needs no answer.
            Order::Databases => drop(reply.send(Answer::Databases(self.running.databases.now().entrances()))),
            Order::Keys(order) => {
                let running = self.running.clone();
                tokio::task::spawn_blocking(move || {
                    let told = running.keys(&order);
                    reply.send(told.map_or_else(|reason| Answer::Refused(vec![reason]), Answer::Keys))
                });
            }
            Order::Reload(file) => match self.running.runs(&file) {
                Ok(()) => self.waiting.push_back(Some(reply)),
                // A verb that went away needs no answer.
                Err(reason) => drop(reply.send(Answer::Refused(vec![reason]))),
            },
        }
    }

    fn reloaded(&mut self, answer: Answer) {
        if let (Some(ready), Answer::Reloaded(_)) = (&mut self.ready, &answer) {
            // What `ready` waits for has changed.
            ready.abort();
            *ready = wait_for_ready(&self.running);
        }
        if let Some((_, Some(reply))) = self.reloading.take() {
            // A verb that went away needs no answer.
            let _ = reply.send(answer);
        }
    }

    /// Whoever asked, or asks from now on, is told that it ends. What a reload has begun beside the old is stopped with the rest.
    async fn end(self) {
        drop((self.socket, self.waiting));
        if let Some((task, _)) = self.reloading {
            task.abort();
            // Cancelled, as asked.
            let _ = task.await;
        }
    }

    /// One at a time. It need not wait for `ready`: a file that mends an app which never starts must be taken.
    fn next_reload(&mut self) {
        if self.reloading.is_some() {
            return;
        }
        if let Some(reply) = self.waiting.pop_front() {
            let running = self.running.clone();
            self.reloading = Some((tokio::spawn(async move { running.reload().await }), reply));
        }
    }
}

fn wait_for_ready(running: &Arc<Running>) -> JoinHandle<Result<String, String>> {
    let running = running.clone();
    tokio::spawn(async move { running.ready().await })
}

async fn finished(ready: &mut Option<JoinHandle<Result<String, String>>>) -> Result<String, String> {
    match ready {
        Some(task) => task.await.unwrap_or_else(|error| Err(format!("starting the apps failed: {error}"))),
        None => std::future::pending().await,
    }
}

async fn finished_reload(reloading: &mut Option<(JoinHandle<Answer>, Waiting)>) -> Answer {
    match reloading {
        Some((task, _)) => task.await.unwrap_or_else(|error| Answer::Refused(vec![format!("the reload failed: {error}")])),
        None => std::future::pending().await,
    }
}

/// The one line on stdout.
fn say(ready: &str) {
    let mut out = std::io::stdout().lock();
    // Whoever started us may have closed stdout: that stops nothing.
    let _ = writeln!(out, "{ready}").and_then(|()| out.flush());
}
