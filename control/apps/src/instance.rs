//! One instance of an app: a task that keeps a process alive until it is told to leave.

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use contract::Endpoint;
use process::{Process, Signal, Tail};
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio::time::{Instant, sleep, sleep_until, timeout};

use crate::build::Built;
use crate::command::{command, environment};
use crate::decide::{Leaving, Tries, leaving};
use crate::events;
use crate::names::Name;
use crate::output::{self, Output};
use crate::plan::{Plan, Run, Source};
use crate::ports::{Ports, Reserved};
use crate::roster::{Batch, Roster};
use crate::tier::{Failure, Setup};
use crate::view::{Instance, Order, State, View};

/// Between two looks at whether it is healthy.
const PROBE_PAUSE: Duration = Duration::from_millis(50);
/// The longest that one of them may take.
const LONGEST_PROBE: Duration = Duration::from_secs(5);
/// Between two looks at what it still holds.
const LEAVE_PAUSE: Duration = Duration::from_millis(20);
/// A worker that lives that long is taken for healthy.
const WORKER_LIFE: Duration = Duration::from_secs(1);
/// How long the last lines of a process that died before it was healthy may take to arrive.
const LAST_LINES: Duration = Duration::from_secs(2);
/// After SIGKILL even a process that cannot die (stuck in the kernel) is left.
const AFTER_KILL: Duration = Duration::from_secs(10);

/// What an instance needs to live.
pub(crate) struct Life {
    pub(crate) setup: Setup,
    pub(crate) ports: Ports,
    pub(crate) plan: watch::Receiver<Arc<Plan>>,
    pub(crate) roster: Arc<Roster>,
    pub(crate) restarts: Arc<AtomicU64>,
    pub(crate) batch: Batch,
    pub(crate) built: Built,
    pub(crate) name: Name,
}

impl Life {
    /// Begins it, on the runtime that calls.
    pub(crate) fn begin(self) -> Instance {
        let (order, orders) = watch::channel(Order::Run);
        let view = View { state: State::Building, pid: None, port: None, healthy_since: None, restarts: 0, first: None, in_flight: None };
        let (sender, view) = watch::channel(view);
        let (app, name) = (self.plan.borrow().name.clone(), self.name.text.clone());
        tokio::spawn(Task { life: self, orders, view: sender, tries: Tries::default() }.run());
        Instance { app, name, view, orders: order }
    }
}

struct Task {
    life: Life,
    orders: watch::Receiver<Order>,
    view: watch::Sender<View>,
    tries: Tries,
}

/// A process that was started.
struct Running {
    process: Process,
    address: Option<SocketAddr>,
    port: Option<Reserved>,
    tail: Tail,
    copying: [JoinHandle<()>; 2],
    since: Instant,
}

/// Why a try ended that was not told to.
struct Death {
    reason: String,
    lines: Vec<String>,
    healthy: Option<Duration>,
}

impl Task {
    async fn run(mut self) {
        if self.wait_for_build().await {
            self.keep_alive().await;
        }
        self.view.send_modify(|view| {
            view.state = State::Gone;
            (view.pid, view.port, view.healthy_since, view.in_flight) = (None, None, None, None);
        });
    }

    /// Whether to go on.
    async fn wait_for_build(&mut self) -> bool {
        let built = tokio::select! {
            built = self.life.built.wait_for(Option::is_some) => built.ok().and_then(|built| built.clone()),
            () = told_to_leave(&mut self.orders) => return false,
        };
        let Some(Err(failure)) = built else { return true };
        self.view.send_modify(|view| {
            view.state = State::Failed;
            view.first = Some(Err(failure));
        });
        told_to_leave(&mut self.orders).await;
        false
    }

    /// Starts it again and again, until it is told to leave.
    async fn keep_alive(&mut self) {
        while let Err(death) = self.one_life().await {
            let wait = self.tries.ended(death.healthy);
            let failure = Failure { app: self.plan().name.clone(), reason: death.reason, lines: death.lines };
            match death.healthy {
                Some(_) => events::died(&self.life.setup.log, &failure, self.name(), wait),
                None => events::failed(&self.life.setup.log, &failure, self.name(), self.tries.failed, wait),
            }
            self.view.send_modify(|view| {
                let reason = format!("{} {}", self.life.name.text, failure.reason);
                view.first.get_or_insert(Err(Failure { reason, ..failure }));
                view.state = State::Waiting;
                (view.pid, view.port, view.healthy_since, view.in_flight) = (None, None, None, None);
            });
            tokio::select! {
                () = sleep(wait) => {}
                () = told_to_leave(&mut self.orders) => return,
            }
            self.life.restarts.fetch_add(1, Ordering::Relaxed);
            self.view.send_modify(|view| view.restarts += 1);
        }
    }

    /// From start to end; `Ok` is an end that was ordered.
    async fn one_life(&mut self) -> Result<(), Death> {
        self.view.send_modify(|view| view.state = State::Starting);
        let plan = self.plan();
        let mut running = self.start(&plan).await.map_err(|reason| Death { reason, lines: Vec::new(), healthy: None })?;
        let healthy = tokio::select! {
            healthy = until_healthy(&running, &plan) => healthy,
            () = told_to_leave(&mut self.orders) => {
                self.terminate(&running).await;
                return Ok(());
            }
        };
        if let Err(reason) = healthy {
            running.process.kill().await;
            return Err(running.death(reason, None).await);
        }
        let endpoint = self.join(&running);
        let since = Instant::now();
        let exit = tokio::select! {
            exit = running.process.exited() => Some(exit),
            () = told_to_leave(&mut self.orders) => None,
        };
        if let Some(endpoint) = &endpoint {
            self.life.roster.leave(endpoint);
        }
        match exit {
            Some(exit) => {
                Err(running.death(format!("ended with {exit} after {} s", since.elapsed().as_secs()), Some(since.elapsed())).await)
            }
            None => {
                self.leave(&running, endpoint).await;
                Ok(())
            }
        }
    }

    async fn start(&self, plan: &Plan) -> Result<Running, String> {
        let Source::Run(run) = &plan.source else { return Err("is not run by Plimsoll".into()) };
        let port = match plan.routed {
            true => Some(self.life.ports.reserve().map_err(|error| error.to_string())?),
            false => None,
        };
        let command = self.command(plan, run, port.as_ref())?;
        let program = command.program.clone();
        let started = self.life.setup.keeper.spawn(command).await;
        let child = started.map_err(|error| format!("cannot start {} in {}: {error}", program.display(), run.dir.display()))?;
        let tail = output::tail();
        let output =
            Output { stream: plan.name.clone(), name: self.life.name.text.clone(), log: self.life.setup.log.clone(), tail: tail.clone() };
        // They go on to the end of the pipes, whoever holds those.
        let copying = [tokio::spawn(output.clone().copy(child.stdout)), tokio::spawn(output.copy(child.stderr))];
        self.view.send_modify(|view| {
            view.pid = Some(child.pid).filter(|pid| *pid > 0);
            view.port = port.as_ref().map(|port| port.port);
        });
        let address = port.as_ref().map(|port| SocketAddr::from((Ipv4Addr::LOCALHOST, port.port)));
        Ok(Running { process: child.process, address, port, tail, copying, since: Instant::now() })
    }

    fn command(&self, plan: &Plan, run: &Run, port: Option<&Reserved>) -> Result<process::Command, String> {
        let mut ours = vec![("PLIMSOLL_APP", plan.name.to_string()), ("PLIMSOLL_INSTANCE", self.life.name.text.to_string())];
        if let Some(port) = port {
            ours.extend([("HOST", "127.0.0.1".to_string()), ("PORT", port.port.to_string())]);
        }
        command(&run.run, run, environment(&self.life.setup.environment, run, &ours))
    }

    /// It is healthy: into the list.
    fn join(&self, running: &Running) -> Option<Endpoint> {
        let life = &self.life;
        let endpoint = running.address.map(|address| Endpoint::new(self.name(), address, life.setup.loops, std::time::Instant::now()));
        self.view.send_modify(|view| {
            view.state = State::Healthy;
            view.healthy_since = Some(Instant::now());
            view.in_flight = endpoint.as_ref().map(|endpoint| endpoint.in_flight.clone());
            view.first.get_or_insert(Ok(()));
        });
        events::healthy(&life.setup.log, self.name(), running.process.pid(), running.since.elapsed());
        if let Some(endpoint) = &endpoint {
            life.roster.join(life.batch, endpoint.clone());
        }
        endpoint
    }

    /// Out of the list already: what it holds may finish, then it is asked to end.
    async fn leave(&mut self, running: &Running, endpoint: Option<Endpoint>) {
        let since = Instant::now();
        self.view.send_modify(|view| view.state = State::Draining);
        while let Some(endpoint) = &endpoint {
            let (requests, upgraded) = (endpoint.in_flight.requests(), endpoint.in_flight.upgraded());
            let linger = *self.orders.borrow() == Order::Linger;
            if leaving(requests, upgraded, since.elapsed(), self.drain(), linger) == Leaving::Terminate {
                if requests > 0 {
                    events::cut(&self.life.setup.log, self.name(), requests);
                }
                break;
            }
            tokio::select! {
                () = sleep(LEAVE_PAUSE) => {}
                _ = running.process.exited() => break,
            }
        }
        self.terminate(running).await;
    }

    async fn terminate(&self, running: &Running) {
        self.view.send_modify(|view| view.state = State::Stopping);
        running.process.signal(Signal::TERM).await;
        let drain = self.drain();
        if timeout(drain, running.process.gone()).await.is_err() {
            events::killed(&self.life.setup.log, self.name(), drain);
            running.process.kill().await;
            let _ = timeout(AFTER_KILL, running.process.gone()).await;
        }
    }

    fn plan(&self) -> Arc<Plan> {
        self.life.plan.borrow().clone()
    }

    fn name(&self) -> &str {
        &self.life.name.text
    }

    fn drain(&self) -> Duration {
        match &self.plan().source {
            Source::Run(run) => run.drain,
            Source::External(_) => Duration::ZERO,
        }
    }
}

impl Running {
    /// Its last words; its port stays reserved until its descendants are gone.
    async fn death(&mut self, reason: String, healthy: Option<Duration>) -> Death {
        let [stdout, stderr] = &mut self.copying;
        if healthy.is_none() {
            // Descendants that hold the pipes are not waited for.
            let _ = timeout(LAST_LINES, async { tokio::join!(stdout, stderr) }).await;
        }
        let (process, port) = (self.process.clone(), self.port.take());
        tokio::spawn(async move {
            process.gone().await;
            drop(port);
        });
        Death { reason, lines: self.tail.lines(), healthy }
    }
}

/// Waits until it answers; the error says why it will not.
async fn until_healthy(running: &Running, plan: &Plan) -> Result<(), String> {
    let Source::Run(run) = &plan.source else { return Ok(()) };
    let (deadline, mut last) = (Instant::now() + run.start, String::from("it was not asked yet"));
    let look = async {
        let Some(address) = running.address else { return sleep(WORKER_LIFE.min(run.start / 2)).await };
        loop {
            match loops::probe(address, plan.health.as_deref(), LONGEST_PROBE).await {
                Ok(_) => return,
                Err(why) => last = why.to_string(),
            }
            sleep(PROBE_PAUSE).await;
        }
    };
    let answered = tokio::select! {
        biased;
        exit = running.process.exited() => return Err(format!("ended with {exit} before it was healthy")),
        () = look => true,
        () = sleep_until(deadline) => false,
    };
    match (answered, running.process.exit()) {
        // Whoever answered, it was not ours.
        (_, Some(exit)) => Err(format!("ended with {exit} before it was healthy")),
        (true, None) => Ok(()),
        (false, None) => Err(format!("was not healthy within {} s: {last}", run.start.as_secs_f64())),
    }
}

/// Returns when the order is to leave; never, when nobody can order any more.
async fn told_to_leave(orders: &mut watch::Receiver<Order>) {
    if orders.wait_for(|order| *order != Order::Run).await.is_err() {
        std::future::pending().await
    }
}
