use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use contract::{Endpoints, Load};
use process::Keeper;
use telemetry::{Log, Registry};
use tokio::task::JoinSet;

use crate::app::{App, Now};
use crate::command::Environment;
use crate::metrics;
use crate::plan::Plan;
use crate::ports::Ports;
use crate::roll::{self, Prepared};
use crate::status::{self, AppStatus};
use crate::usage::{self, Usages};
use crate::view::{Instance, Order};

/// What apps are run with, the same for all.
#[derive(Debug, Clone)]
pub struct Setup {
    /// Parent of what runs.
    pub keeper: Keeper,
    /// Loops that will count on the endpoints.
    pub loops: usize,
    /// Folder of what Plimsoll keeps: fingerprints of builds go to `builds/`.
    pub state: PathBuf,
    /// What an app inherits, minus what its plan withholds: Plimsoll's own environment and the doors' addresses.
    pub environment: Environment,
    /// Where lines go.
    pub log: Log,
}

/// The apps, running.
#[derive(Debug)]
pub struct Tier;

/// The way to the running apps. Clones are the same one; dropping them stops nothing.
#[derive(Debug, Clone)]
pub struct Handle(Arc<Shared>);

#[derive(Debug)]
pub(crate) struct Shared {
    pub(crate) setup: Setup,
    pub(crate) ports: Ports,
    apps: Mutex<BTreeMap<Arc<str>, Arc<App>>>,
    /// Every instance that is not gone, those of no app any more included.
    pool: Mutex<Vec<Instance>>,
    pub(crate) rolling: Arc<tokio::sync::Mutex<()>>,
    pub(crate) usages: Usages,
}

/// Why an app did not start.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failure {
    /// The app.
    pub app: Arc<str>,
    /// What happened, on one line.
    pub reason: String,
    /// The last lines it printed.
    pub lines: Vec<String>,
}

/// Why a reload changed nothing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Refused {
    /// Another one is under way.
    Busy,
    /// An app's new instances were not healthy in time.
    Failed(Failure),
}

impl Tier {
    /// Starts every app; returns at once. Call it inside the control runtime.
    pub fn start(plans: Vec<Plan>, setup: Setup, registry: &Registry) -> Handle {
        let shared = Arc::new(Shared {
            setup,
            ports: Ports::of_this_machine(std::process::id()),
            apps: Mutex::default(),
            pool: Mutex::default(),
            rolling: Arc::default(),
            usages: Usages::default(),
        });
        for plan in plans {
            shared.add(&Arc::new(plan));
        }
        registry.add(Arc::new(metrics::Metrics(shared.clone())));
        tokio::spawn(usage::sample(Arc::downgrade(&shared)));
        Handle(shared)
    }
}

impl Handle {
    /// The live list of every routed app, by name.
    pub fn endpoints(&self) -> BTreeMap<Arc<str>, Endpoints> {
        let apps = self.0.apps();
        apps.values().filter(|app| app.plan().routed).map(|app| (app.name.clone(), app.roster.endpoints())).collect()
    }

    /// Waits until every instance is healthy, or for the first failure. An instance that failed is tried again all the same.
    ///
    /// # Errors
    /// The first instance that failed, or a build.
    pub async fn ready(&self) -> Result<(), Failure> {
        let instances = self.0.apps().values().flat_map(|app| app.now().instances.clone()).collect();
        all_healthy(instances).await
    }

    /// Waits until every instance is healthy, however many tries that takes.
    ///
    /// # Errors
    /// A build that failed: no further try would mend it.
    pub async fn healthy(&self) -> Result<(), Failure> {
        let instances: Vec<_> = self.0.apps().values().flat_map(|app| app.now().instances.clone()).collect();
        all(instances.into_iter().map(|instance| async move { instance.healthy().await })).await
    }

    /// Compares `plans` with what runs and starts what is new or changed beside the old; returns when all of that is
    /// healthy.
    ///
    /// An app is changed when its plan is, or its code or program file is (`build` then runs first). Another number of `instances`
    /// starts or stops only those; `start`, `drain` and `health` are read as it goes.
    ///
    /// # Errors
    /// [`Refused`]; nothing has changed then.
    pub async fn plan_roll(&self, plans: Vec<Plan>) -> Result<Prepared, Refused> {
        roll::prepare(&self.0, plans).await
    }

    /// Drains and stops every instance; returns when all are gone.
    pub async fn stop(&self) {
        // Twice: a reload that was under way may have started more.
        for _ in 0..2 {
            let instances = self.0.pool().clone();
            instances.iter().for_each(|instance| instance.order(Order::Stop));
            for instance in instances {
                instance.gone().await;
            }
        }
    }

    /// Every app as it is now, by name.
    pub fn status(&self) -> Vec<AppStatus> {
        status::of(&self.0)
    }

    /// The load of every app that Plimsoll runs: tier `app.NAME`.
    pub fn load(&self) -> Vec<Load> {
        status::load(&self.0)
    }
}

impl Shared {
    pub(crate) fn apps(&self) -> MutexGuard<'_, BTreeMap<Arc<str>, Arc<App>>> {
        self.apps.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn pool(&self) -> MutexGuard<'_, Vec<Instance>> {
        let mut pool = self.pool.lock().unwrap_or_else(PoisonError::into_inner);
        pool.retain(|instance| !instance.is_gone());
        pool
    }

    /// Starts an app of its own name.
    fn add(&self, plan: &Arc<Plan>) {
        let app = Arc::new(App::new(plan));
        let started = app.start(&self.setup, &self.ports, plan);
        self.pool().extend(started.instances.iter().cloned());
        app.roster.admit(BTreeSet::from([started.batch]));
        *app.now() = Now { generation: started.generation, instances: started.instances };
        self.apps().insert(app.name.clone(), app);
    }
}

/// Waits until all are healthy, or for the first failure.
pub(crate) async fn all_healthy(instances: Vec<Instance>) -> Result<(), Failure> {
    all(instances.into_iter().map(|instance| async move { instance.first().await })).await
}

/// All at once, and no longer than until the first failure.
async fn all(waits: impl Iterator<Item = impl Future<Output = Result<(), Failure>> + Send + 'static>) -> Result<(), Failure> {
    let mut waits: JoinSet<_> = waits.collect();
    while let Some(done) = waits.join_next().await {
        done.unwrap_or(Ok(()))?;
    }
    Ok(())
}

impl fmt::Display for Failure {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "app.{}: {}", self.app, self.reason)?;
        self.lines.iter().try_for_each(|line| write!(out, "\n  | {line}"))
    }
}

impl std::error::Error for Failure {}

impl fmt::Display for Refused {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Refused::Busy => write!(out, "another reload is under way"),
            Refused::Failed(failure) => failure.fmt(out),
        }
    }
}

impl std::error::Error for Refused {}
