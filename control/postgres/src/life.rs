//! The task that keeps the server alive, from the search for its programs until it is told to stop.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use contract::{DatabaseKeeper, ServerState};
use process::{Exit, KilledWhenDropped, Process, Signal, Tail};
use tokio::sync::watch;
use tokio::time::{Instant, sleep, timeout, timeout_at};

use crate::clear::clear;
use crate::ground::{Ground, Lack};
use crate::lock::Lock;
use crate::output::{self, Output};
use crate::plan::Plan;
use crate::tier::{Setup, Shared};
use crate::tries::Tries;
use crate::view::{Order, Phase, View};
use crate::{configure, death, events, fetch, make, place, postmaster, roles};

/// Between two looks whether it is ready.
const FIRST_PAUSE: Duration = Duration::from_millis(1);
const LONGEST_PAUSE: Duration = Duration::from_millis(20);
/// So often it is said that it is not ready yet.
const SLOW: Duration = Duration::from_secs(30);
/// A wish brings the next look that near, whether it can be started now.
const WANTED: Duration = Duration::from_secs(1);
/// And the next start, after one that failed: who waits finds it soon after the disk has room again.
const STARTED_WANTED: Duration = Duration::from_secs(5);
/// While programs are missing, a registry is not asked more often.
const FETCHING: Duration = Duration::from_secs(60);
const FETCHING_WANTED: Duration = Duration::from_secs(10);
/// Before a database that could not be made is tried again.
const NOT_MADE: Duration = Duration::from_secs(10);
/// How long the last lines of a process that died before it was ready may take to arrive.
const LAST_LINES: Duration = Duration::from_secs(2);
/// How to stop it: each signal with the time it has.
const STOPPING: [(Signal, &str, Duration); 3] = [
    // Ends every transaction, then writes everything down.
    (Signal::INT, "SIGINT", Duration::from_secs(30)),
    // Writes nothing down: the next start recovers.
    (Signal::QUIT, "SIGQUIT", Duration::from_secs(5)),
    (Signal::KILL, "SIGKILL", Duration::from_secs(5)),
];

pub(crate) struct Life {
    shared: Arc<Shared>,
    door: DatabaseKeeper,
    view: watch::Sender<View>,
    orders: watch::Receiver<Order>,
    tries: Tries,
    /// Of data outside of the state folder: another one that is a copy of it must not have them, too.
    elsewhere: Option<Lock>,
    /// It was not up since the last try failed: who waits is told why, and not that it starts.
    has_failed: bool,
}

/// Why a try ended that was not told to.
struct Death {
    reason: String,
    /// How long it took connections.
    ready: Option<Duration>,
    /// The next one will end the same until somebody has put right what the reason says.
    is_lasting: bool,
}

/// Why there is nothing to start.
struct Unprepared {
    reason: String,
    /// See [`Death`].
    is_lasting: bool,
}

impl From<String> for Unprepared {
    fn from(reason: String) -> Unprepared {
        Unprepared { reason, is_lasting: false }
    }
}

fn lasting(reason: impl ToString) -> Unprepared {
    Unprepared { reason: reason.to_string(), is_lasting: true }
}

impl Life {
    pub(crate) fn new(shared: Arc<Shared>, door: DatabaseKeeper, view: watch::Sender<View>, orders: watch::Receiver<Order>) -> Life {
        Life { shared, door, view, orders, tries: Tries::default(), elsewhere: None, has_failed: false }
    }

    pub(crate) async fn run(mut self) {
        while let Err(death) = self.one_life().await {
            if !self.wait_for_next(death).await {
                break;
            }
        }
        self.enter(Phase::Stopped, Some(ServerState::Down("the database is stopped".into())));
    }

    /// Whether there is a next try.
    async fn wait_for_next(&mut self, death: Death) -> bool {
        let missing = self.view.borrow().phase == Phase::Fetching;
        let wait = self.tries.ended(death.ready).max(if missing { FETCHING } else { Duration::ZERO });
        let is_known = death.is_lasting && self.view.borrow().reason.as_deref() == Some(&*death.reason);
        if !is_known {
            events::died(&self.setup().log, &death.reason, wait);
        }
        self.has_failed = death.ready.is_none();
        let reason: Arc<str> = death.reason.into();
        self.view.send_modify(|view| view.reason = Some(reason.clone()));
        match death.ready {
            Some(_) => {
                self.view.send_modify(|view| view.restarts += 1);
                self.enter(Phase::Starting, Some(ServerState::Starting));
            }
            None => self.enter(Phase::Down, Some(if death.is_lasting { ServerState::Unable(reason) } else { ServerState::Down(reason) })),
        }
        let wanted = match death.is_lasting {
            _ if missing => FETCHING_WANTED,
            true => WANTED,
            false => STARTED_WANTED,
        };
        let mut orders = self.orders.clone();
        tokio::select! {
            () = self.until_next(wait, wait.min(wanted)) => true,
            () = told_to_stop(&mut orders) => false,
        }
    }

    /// After `wait`, or when somebody wants it, but not before `soon`.
    async fn until_next(&mut self, wait: Duration, soon: Duration) {
        sleep(soon).await;
        tokio::select! {
            () = sleep(wait - soon) => {}
            Some(()) = self.door.wanted.recv() => {}
        }
    }

    /// From the search for the programs to the end; `Ok` is an end that was ordered.
    async fn one_life(&mut self) -> Result<(), Death> {
        let mut orders = self.orders.clone();
        let prepared = tokio::select! {
            prepared = self.prepare() => prepared,
            () = told_to_stop(&mut orders) => return Ok(()),
        };
        let ground = prepared.map_err(|Unprepared { reason, is_lasting }| Death { reason, ready: None, is_lasting })?;
        self.serve(&ground).await
    }

    /// Everything up to a data directory that can be started.
    async fn prepare(&mut self) -> Result<Arc<Ground>, Unprepared> {
        let ground = Arc::new(self.ground().await?);
        self.view.send_modify(|view| view.ground = Some(ground.clone()));
        if let Some(because) = &ground.home.because {
            events::elsewhere(&self.setup().log, &ground.data(), because);
        }
        if !ground.holds_data() {
            self.enter(Phase::Asleep, Some(ServerState::Asleep));
            // Nobody can want it any more: it sleeps until it is stopped.
            if self.door.wanted.recv().await.is_none() {
                std::future::pending::<()>().await;
            }
            self.enter(Phase::Making, Some(ServerState::Starting));
            let begun = Instant::now();
            make::make(&ground, &self.setup().keeper).await?;
            events::made(&self.setup().log, &ground, begun.elapsed());
        }
        self.enter(Phase::Starting, Some(ServerState::Starting));
        self.hold(&ground)?;
        clear(&ground.data(), &ground.run, &self.setup().log).await?;
        let (stand, connections) = (ground.clone(), self.shared.plan.borrow().connections);
        let configured = make::blocking(move || make::configure(&stand, connections)).await;
        self.view.send_modify(|view| view.connections = Some(configure::room(connections)));
        configured.map_err(|error| death::reason(&format!("writing its settings: {error}:"), Exit::Status(1), &[], &ground.data()))?;
        Ok(ground)
    }

    /// Takes data outside of the state folder for ourselves, and notes where they are.
    fn hold(&mut self, ground: &Ground) -> Result<(), String> {
        if ground.home.because.is_none() {
            return Ok(());
        }
        if self.elsewhere.is_none() {
            self.elsewhere = Some(Lock::take(&ground.home.folder)?);
        }
        let noted = place::remember(&self.setup().state, &ground.home);
        noted.map_err(|error| format!("cannot note where the data are, in {}: {error}", self.setup().state.display()))
    }

    /// Looks everything up; programs that are not there are fetched if they can be.
    async fn ground(&self) -> Result<Ground, Unprepared> {
        match self.look().await? {
            Ok(ground) => return Ok(ground),
            Err(Lack::Other(reason)) => return Err(lasting(reason)),
            Err(Lack::Programs(missing)) if !missing.can_be_fetched(fetch::major()) => return Err(lasting(missing)),
            Err(Lack::Programs(_)) => {}
        }
        self.enter(Phase::Fetching, None);
        let setup = self.setup().clone();
        let tell = move |text: &str| setup.log.info(events::TIER, text);
        let environment = self.setup().environment.clone();
        let fetched = tokio::task::spawn_blocking(move || crate::setup::get(&environment, &tell)).await;
        let fetched = fetched.map_err(|error| error.to_string())?;
        // A registry may answer the next time; a build that does not exist is not there then either.
        fetched.map_err(|reason| Unprepared { reason, is_lasting: fetch::major().is_none() })?;
        self.look().await?.map_err(|lack| match lack {
            Lack::Other(reason) => lasting(reason),
            Lack::Programs(missing) => lasting(missing),
        })
    }

    async fn look(&self) -> Result<Result<Ground, Lack>, String> {
        let (plan, setup) = (self.shared.plan.borrow().clone(), self.setup().clone());
        tokio::task::spawn_blocking(move || Ground::prepare(&plan, &setup)).await.map_err(|error| error.to_string())
    }

    /// Runs the server until it ends; `Ok` is an end that was ordered.
    async fn serve(&mut self, ground: &Arc<Ground>) -> Result<(), Death> {
        let (mut orders, begun) = (self.orders.clone(), Instant::now());
        // From before its databases are looked at: none that comes meanwhile is missed.
        let plans = self.shared.plan.subscribe();
        let mut running = self.start(ground).await.map_err(|reason| Death { reason, ready: None, is_lasting: false })?;
        let ready = tokio::select! {
            ready = self.until_ready(&mut running, ground) => ready,
            () = told_to_stop(&mut orders) => return self.stop(&running.process, ground).await,
        };
        if let Err(reason) = ready {
            running.process.kill().await;
            self.view.send_modify(|view| view.pid = None);
            return Err(Death { reason, ready: None, is_lasting: false });
        }
        self.has_failed = false;
        let since = self.is_up(ground, begun);
        let exit = tokio::select! {
            exit = running.process.exited() => exit,
            never = self.follow_plan(ground, plans) => match never {},
            () = told_to_stop(&mut orders) => return self.stop(&running.process, ground).await,
        };
        self.door.state.send_replace(ServerState::Starting);
        self.view.send_modify(|view| (view.pid, view.up_since) = (None, None));
        let reason = death::reason("postgres", exit, &running.tail.lines(), &ground.data());
        Err(Death { reason, ready: Some(since.elapsed()), is_lasting: false })
    }

    async fn start(&self, ground: &Ground) -> Result<Running, String> {
        let command = ground.command("postgres", configure::arguments(ground));
        let started = self.setup().keeper.spawn_awaited(command).await;
        let (child, killed) = started.map_err(|error| format!("cannot start postgres in {}: {error}", ground.programs.bin.display()))?;
        let tail = output::tail();
        let output = Output::told(&self.setup().log, tail.clone());
        // They go on to the end of the pipes, whoever holds those.
        let copying = [tokio::spawn(output.clone().copy(child.stdout)), tokio::spawn(output.copy(child.stderr))];
        self.view.send_modify(|view| view.pid = Some(child.pid).filter(|pid| *pid > 0));
        Ok(Running { process: child.process, tail, copying, _killed: killed })
    }

    /// Waits until it takes connections and has every role and database.
    async fn until_ready(&self, running: &mut Running, ground: &Ground) -> Result<(), String> {
        let looking = takes_connections(running.process.pid(), ground.data(), self.setup());
        tokio::select! {
            biased;
            exit = running.process.exited() => {
                let end = Instant::now() + LAST_LINES;
                for copying in &mut running.copying {
                    // A process that holds the pipes is not waited for.
                    let _ = timeout_at(end, copying).await;
                }
                return Err(death::reason("postgres", exit, &running.tail.lines(), &ground.data()));
            }
            () = looking => {}
        }
        let wanted = self.shared.all_credentials()?;
        let made = roles::ensure(&ground.socket(), &wanted, true, &self.setup().log).await;
        made.map_err(|error| format!("cannot make the databases: {error}"))
    }

    async fn ensure_roles(&self, ground: &Ground) -> Result<(), String> {
        let wanted = self.shared.all_credentials()?;
        roles::ensure(&ground.socket(), &wanted, false, &self.setup().log).await
    }

    /// Makes what a changed plan adds, for ever.
    async fn follow_plan(&self, ground: &Ground, mut plans: watch::Receiver<Plan>) -> std::convert::Infallible {
        while plans.changed().await.is_ok() {
            while let Err(error) = self.ensure_roles(ground).await {
                events::not_made(&self.setup().log, &error);
                sleep(NOT_MADE).await;
            }
        }
        std::future::pending().await
    }

    fn is_up(&self, ground: &Ground, begun: Instant) -> Instant {
        let now = Instant::now();
        self.view.send_modify(|view| {
            (view.reason, view.up_since, view.start) = (None, Some(now), Some(begun.elapsed()));
        });
        let pid = self.view.borrow().pid.unwrap_or_default();
        events::ready(&self.setup().log, ground, pid, begun.elapsed());
        self.enter(Phase::Up, Some(ServerState::Up(ground.address())));
        now
    }

    /// Ends it in order.
    async fn stop(&self, process: &Process, ground: &Ground) -> Result<(), Death> {
        self.enter(Phase::Stopping, Some(ServerState::Down("the database is being stopped".into())));
        for (signal, name, patience) in STOPPING {
            process.signal(signal).await;
            if timeout(patience, process.gone()).await.is_ok() {
                break;
            }
            events::impatient(&self.setup().log, name, patience);
        }
        // A postmaster that had to be killed leaves its children, whom the keeper does not know.
        if let Err(left) = clear(&ground.data(), &ground.run, &self.setup().log).await {
            events::not_ended(&self.setup().log, &left);
        }
        if !ground.run.starts_with(&ground.home.folder) {
            // It is made again with the next start; one that is not empty stays.
            let _ = std::fs::remove_dir(&ground.run);
        }
        self.view.send_modify(|view| (view.pid, view.up_since) = (None, None));
        Ok(())
    }

    fn enter(&self, phase: Phase, state: Option<ServerState>) {
        self.view.send_modify(|view| view.phase = phase);
        if let Some(state) = state.filter(|state| !(self.has_failed && *state == ServerState::Starting)) {
            self.door.state.send_replace(state);
        }
    }

    fn setup(&self) -> &Setup {
        &self.shared.setup
    }
}

/// A server that was started.
struct Running {
    process: Process,
    tail: Tail,
    copying: [tokio::task::JoinHandle<()>; 2],
    _killed: KilledWhenDropped,
}

/// Waits until the server says that it is ready: in a file, at which one can only look. Its lines say it, too, but a person's settings
/// may silence those.
async fn takes_connections(pid: u32, data: PathBuf, setup: &Setup) {
    let (begun, mut pause, mut told) = (Instant::now(), FIRST_PAUSE, SLOW);
    while !postmaster::pid_file(&data).is_some_and(|file| file.ready && file.pid == pid) {
        sleep(pause).await;
        pause = (pause + FIRST_PAUSE).min(LONGEST_PAUSE);
        if begun.elapsed() >= told {
            events::still_starting(&setup.log, begun.elapsed());
            told += SLOW;
        }
    }
}

/// Returns when the order is to stop; never, when nobody can order any more.
async fn told_to_stop(orders: &mut watch::Receiver<Order>) {
    if orders.wait_for(|order| *order == Order::Stop).await.is_err() {
        std::future::pending().await
    }
}
