//! Plans become running tiers: the only place where tiers are joined.

mod change;
mod databases;
mod doors;
mod stores;

use std::collections::{BTreeMap, HashMap};
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use apps::Source;
use contract::Endpoints;
use loops::{Listener, Loops};
use process::Keeper;
use telemetry::{Log, LogHealth, Registry};
use watch::{Check, Loads, Sources};

use crate::file::Plan;
use crate::picture::Pace;
pub(crate) use databases::{Databases, Door, Joined};
pub(crate) use stores::{Store, Stores};

/// Every tier, running.
pub struct Running {
    pub(crate) loops: Loops,
    pub(crate) http: http_door::Handle,
    pub(crate) databases: Databases,
    pub(crate) stores: Stores,
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
        let bound = bind(&plan, loops.len(), &log)?;
        let (registry, loads) = (Registry::default(), Loads::default());
        let environment: BTreeMap<_, _> = std::env::vars_os().collect();
        let postgres =
            postgres::Setup { keeper: keeper.clone(), state: state.to_path_buf(), environment: environment.clone(), log: log.clone() };
        let setup = databases::Setup { postgres, loops: loops.clone(), log: log.clone(), registry: registry.clone() };
        let databases = Databases::start(&plan, bound.sql, setup)?;
        let setup = stores::Setup { state: state.to_path_buf(), loops: loops.clone(), log: log.clone(), registry: registry.clone() };
        let stores = Stores::start(&plan, bound.kv, setup)?;
        let sources = Arc::new(Sources { registry: registry.clone(), checks: checks(&loops, &databases, health.clone()) });
        let console = Mutex::new(watch::Tier::start(bound.console, sources.clone()).map_err(|error| error.to_string())?);
        let setup = apps::Setup { keeper, loops: loops.len(), state: state.to_path_buf(), environment, log: log.clone() };
        let all = stores::apps(&stores.now(), &plan, databases.now().apps(&plan));
        let apps = apps::Tier::start(all, setup, &registry);
        let http = http_door::Tier::start(plan.http.clone(), bound.http, &loops, of(&apps.endpoints()), log.clone(), &registry);
        add_loads(&loads, &http, &databases, &stores, &apps);
        registry.add(Arc::new(loads.clone()));
        watch::host(state, &registry, &loads);
        registry.add(Arc::new(log.clone()));
        registry.add(Arc::new(health));
        let (now, pace) = (Mutex::new(Now { plan: Arc::new(plan), refused: None }), Pace::start(look(&http, &databases, &stores)));
        Ok(Arc::new(Running { loops, http, databases, stores, apps, console, sources, loads, log, now, pace, started: Instant::now() }))
    }

    /// Waits until every app is healthy; the line to print then, or why that can never be.
    pub async fn ready(&self) -> Result<String, String> {
        self.apps.healthy().await.map_err(|failure| failure.to_string())?;
        self.databases.ready().await;
        let http = self.http.addresses().first().map(|address| format!("http=http://{}", reachable(*address)));
        let Joined { doors, .. } = self.databases.now();
        let name = |door: &Door| if doors.len() == 1 { "sql".into() } else { format!("sql.{}", door.plan.name) };
        let sql = doors.iter().map(|door| format!("{}={}", name(door), door.address));
        let stores = self.stores.now();
        let kv = stores.iter().map(|store| format!("{}={}", stores::name(store, &stores), store.address));
        let words: Vec<String> = http.into_iter().chain(sql).chain(kv).collect();
        Ok(format!("ready {} console=http://{}", words.join(" "), self.console().address()))
    }

    /// Drains: nothing new comes in, what has begun may finish within `drain`; then everything ends, what others need last.
    pub async fn stop(&self) {
        let drain = self.plan().http.timeout.drain;
        self.log.info("plimsoll", &format!("draining, at most {} s", drain.as_secs()));
        self.http.drain(drain).await;
        self.apps.stop().await;
        self.stores.stop(drain).await;
        self.databases.stop(drain).await;
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

/// The doors' sockets.
struct Bound {
    http: Vec<Listener>,
    /// In the order of the file.
    sql: Vec<Listener>,
    /// In the order of the file.
    kv: Vec<Listener>,
    console: TcpListener,
}

/// Takes every address, those written in the file first: a default one gives way.
fn bind(plan: &Plan, loops: usize, log: &Log) -> Result<Bound, String> {
    let (mut http, mut console) = (Vec::new(), None);
    let mut sql: Vec<Option<Listener>> = plan.sql.iter().map(|_| None).collect();
    let mut kv: Vec<Option<Listener>> = plan.kv.iter().map(|_| None).collect();
    for written in [true, false] {
        for one in plan.http.listen.iter().filter(|one| one.written == written) {
            http.push(listen_on(one.address, written, "http", loops, log)?);
        }
        for (place, door) in sql.iter_mut().zip(&plan.sql).filter(|(_, door)| door.listen.written == written) {
            *place = Some(listen_on(door.listen.address, written, &format!("sql.{}", door.name), loops, log)?);
        }
        for (place, door) in kv.iter_mut().zip(&plan.kv).filter(|(_, door)| door.listen.written == written) {
            *place = Some(listen_on(door.listen.address, written, &format!("kv.{}", door.name), loops, log)?);
        }
        if plan.console.written == written {
            console = Some(bind_console(&plan.console, log)?);
        }
    }
    let [sql, kv] = [sql, kv].map(|all| all.into_iter().flatten().collect());
    Ok(Bound { http, sql, kv, console: console.expect("it is written or not") })
}

pub(crate) fn bind_console(plan: &watch::Plan, log: &Log) -> Result<TcpListener, String> {
    let (listener, note) = watch::bind(plan.listen, plan.written).map_err(|error| format!("console: {error}"))?;
    note.iter().for_each(|note| log.warning("console", note));
    Ok(listener)
}

/// Sockets for an address; a default one that is taken gives way to a free port.
fn listen_on(address: SocketAddr, written: bool, tier: &str, loops: usize, log: &Log) -> Result<Listener, String> {
    let bound = match loops::listen(address, loops) {
        Err(error) if error.is_taken() && !written => loops::listen(SocketAddr::new(address.ip(), 0), loops).map(|mut listener| {
            log.warning(tier, &format!("{address} is taken; {} is used instead", listener.address));
            // A reload finds it again by what the file says.
            listener.asked = address;
            listener
        }),
        bound => bound,
    };
    bound.map_err(|error| format!("{tier}: {error}"))
}

/// What every door has answered so far.
fn look(http: &http_door::Handle, databases: &Databases, stores: &Stores) -> impl Fn() -> Vec<(String, u64)> + Send + 'static {
    let (http, databases, stores) = (http.clone(), databases.clone(), stores.clone());
    move || {
        let (doors, stores) = (databases.now().doors, stores.now());
        let sql = doors.iter().map(|door| (format!("sql.{}", door.plan.name), door.handle.counts().queries));
        let kv = stores.iter().map(|store| (format!("kv.{}", store.plan.name), store.handle.counts().commands));
        std::iter::once(("http".into(), http.counts().requests)).chain(sql).chain(kv).collect()
    }
}

fn add_loads(loads: &Loads, http: &http_door::Handle, databases: &Databases, stores: &Stores, apps: &apps::Handle) {
    let (door, databases, stores, supervisor) = (http.clone(), databases.clone(), stores.clone(), apps.clone());
    loads.add(move || vec![door.load()]);
    loads.add(move || databases.loads());
    loads.add(move || stores.loads());
    loads.add(move || supervisor.load());
}

/// An address that a client on this machine can use: all addresses are no address.
pub(crate) fn reachable(address: SocketAddr) -> SocketAddr {
    if address.ip().is_unspecified() { SocketAddr::new(Ipv4Addr::LOCALHOST.into(), address.port()) } else { address }
}

/// Variables that an app which is run has beside its own.
fn give(app: &mut apps::Plan, names: &[&str], value: &str) {
    let Source::Run(run) = &mut app.source else { return };
    for name in names {
        if !run.env.iter().any(|(own, _)| own == name) {
            run.env.push(((*name).into(), value.into()));
        }
    }
}

/// Waits for all that are drained at once.
async fn drain_all(draining: impl Iterator<Item = impl Future<Output = bool> + Send + 'static>) {
    let draining: Vec<_> = draining.map(tokio::spawn).collect();
    for one in draining {
        // A panic was printed by the panic hook.
        let _ = one.await;
    }
}

/// The lists as the door takes them.
pub(crate) fn of(lists: &BTreeMap<Arc<str>, Endpoints>) -> HashMap<Arc<str>, Endpoints> {
    lists.iter().map(|(app, list)| (app.clone(), list.clone())).collect()
}

/// What `/healthz` asks: every loop, the embedded server, and the log.
fn checks(loops: &Loops, databases: &Databases, health: LogHealth) -> Vec<Check> {
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
    let databases = databases.clone();
    checks.push(Check::new("postgres", move || std::future::ready(databases.well())));
    checks.push(Check::new("log", move || std::future::ready(health.problem().map_or(Ok(()), Err))));
    checks
}
