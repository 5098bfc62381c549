//! Plans become running tiers: the only place where tiers are joined.

use std::collections::{BTreeMap, HashMap};
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use contract::Endpoints;
use loops::{ListenError, Listener, Loops};
use process::Keeper;
use telemetry::{Log, LogHealth, Registry};
use watch::{Check, Loads, Sources};

use crate::file::Plan;
use crate::picture::Pace;

/// Every tier, running.
pub struct Running {
    pub(crate) loops: Loops,
    pub(crate) http: http_door::Handle,
    pub(crate) apps: apps::Handle,
    pub(crate) console: Mutex<watch::Handle>,
    pub(crate) sources: Arc<Sources>,
    pub(crate) loads: Loads,
    pub(crate) log: Log,
    pub(crate) now: Mutex<Now>,
    pub(crate) pace: Pace,
    pub(crate) started: Instant,
}

/// What a reload replaces.
pub(crate) struct Now {
    pub(crate) plan: Arc<Plan>,
    /// Why the last reload was refused.
    pub(crate) refused: Option<String>,
}

impl Running {
    /// Takes the doors' addresses and starts every tier; apps become healthy later, see [`Running::ready`].
    ///
    /// Call it inside the control runtime. An error says what to do; nothing runs then.
    pub async fn start(plan: Plan, keeper: Keeper, state: &Path, log: Log, health: LogHealth) -> Result<Arc<Running>, String> {
        let loops = Loops::start(loops::allowed()).map_err(|error| format!("cannot start the loops: {error}"))?;
        let (listeners, console) = bind(&plan, loops.len(), &log)?;
        let (registry, loads) = (Registry::default(), Loads::default());
        let sources = Arc::new(Sources { registry: registry.clone(), checks: checks(&loops, health.clone()) });
        let console = Mutex::new(watch::Tier::start(console, sources.clone()).map_err(|error| error.to_string())?);
        let environment = std::env::vars_os().collect();
        let setup = apps::Setup { keeper, loops: loops.len(), state: state.to_path_buf(), environment, log: log.clone() };
        let apps = apps::Tier::start(plan.apps.clone(), setup, &registry);
        let http = http_door::Tier::start(plan.http.clone(), listeners, &loops, of(&apps.endpoints()), log.clone(), &registry);
        let (door, supervisor) = (http.clone(), apps.clone());
        loads.add(move || vec![door.load()]);
        loads.add(move || supervisor.load());
        registry.add(Arc::new(loads.clone()));
        watch::host(state, &registry, &loads);
        registry.add(Arc::new(log.clone()));
        registry.add(Arc::new(health));
        let (now, pace) = (Mutex::new(Now { plan: Arc::new(plan), refused: None }), Pace::start(http.clone()));
        Ok(Arc::new(Running { loops, http, apps, console, sources, loads, log, now, pace, started: Instant::now() }))
    }

    /// Waits until every app is healthy; the line to print then, or why that can never be.
    pub async fn ready(&self) -> Result<String, String> {
        self.apps.healthy().await.map_err(|failure| failure.to_string())?;
        let doors: Vec<_> = self.http.addresses().iter().map(|address| format!("http=http://{}", reachable(*address))).collect();
        Ok(format!("ready {} console=http://{}", doors.first().map_or("", String::as_str), self.console().address()))
    }

    /// Drains: nothing new comes in, what has begun may finish within `drain`; then everything ends.
    pub async fn stop(&self) {
        let drain = self.plan().http.timeout.drain;
        self.log.info("plimsoll", &format!("draining, at most {} s", drain.as_secs()));
        self.http.drain(drain).await;
        self.apps.stop().await;
        let loops = self.loops.clone();
        // A loop that does not end is ended by the end of the process.
        let _ = tokio::time::timeout(Duration::from_secs(2), tokio::task::spawn_blocking(move || loops.end())).await;
    }

    pub(crate) fn console(&self) -> MutexGuard<'_, watch::Handle> {
        self.console.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The file that runs.
    pub fn plan(&self) -> Arc<Plan> {
        self.now.lock().unwrap_or_else(PoisonError::into_inner).plan.clone()
    }
}

/// Takes every address, those written in the file first: a default one gives way.
fn bind(plan: &Plan, loops: usize, log: &Log) -> Result<(Vec<Listener>, TcpListener), String> {
    if plan.console.written {
        let console = bind_console(&plan.console, log)?;
        return Ok((listen(&plan.http.listen, loops, log)?, console));
    }
    let listeners = listen(&plan.http.listen, loops, log)?;
    Ok((listeners, bind_console(&plan.console, log)?))
}

pub(crate) fn bind_console(plan: &watch::Plan, log: &Log) -> Result<TcpListener, String> {
    let (listener, note) = watch::bind(plan.listen, plan.written).map_err(|error| format!("console: {error}"))?;
    note.iter().for_each(|note| log.warning("console", note));
    Ok(listener)
}

/// Sockets for every address; a default one that is taken gives way to a free port.
fn listen(wanted: &[http_door::Listen], loops: usize, log: &Log) -> Result<Vec<Listener>, String> {
    wanted.iter().map(|one| listen_on(one, loops, log).map_err(|error| format!("http: {error}"))).collect()
}

fn listen_on(wanted: &http_door::Listen, loops: usize, log: &Log) -> Result<Listener, ListenError> {
    match loops::listen(wanted.address, loops) {
        Err(error) if error.is_taken() && !wanted.written => {
            let mut listener = loops::listen(SocketAddr::new(wanted.address.ip(), 0), loops)?;
            log.warning("http", &format!("{} is taken; {} is used instead", wanted.address, listener.address));
            // A reload finds it again by what the file says.
            listener.asked = wanted.address;
            Ok(listener)
        }
        bound => bound,
    }
}

/// An address that a client on this machine can use: all addresses are no address.
pub(crate) fn reachable(address: SocketAddr) -> SocketAddr {
    if address.ip().is_unspecified() { SocketAddr::new(Ipv4Addr::LOCALHOST.into(), address.port()) } else { address }
}

/// The lists as the door takes them.
pub(crate) fn of(lists: &BTreeMap<Arc<str>, Endpoints>) -> HashMap<Arc<str>, Endpoints> {
    lists.iter().map(|(app, list)| (app.clone(), list.clone())).collect()
}

/// What `/healthz` asks: every loop, and the log.
fn checks(loops: &Loops, health: LogHealth) -> Vec<Check> {
    let mut checks: Vec<_> = (0..loops.len())
        .map(|index| {
            let loops = loops.clone();
            Check::new(format!("loop {index}"), move || {
                let (sender, answer) = tokio::sync::oneshot::channel();
                // The asker may have given up.
                loops.run(index, move |_| async move {
                    let _ = sender.send(());
                });
                async move { answer.await.map_err(|_| "the loop has ended".to_string()) }
            })
        })
        .collect();
    checks.push(Check::new("log", move || std::future::ready(health.problem().map_or(Ok(()), Err))));
    checks
}
