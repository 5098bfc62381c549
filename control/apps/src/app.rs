//! One app by its name: its plan, its instances, and the list of its endpoints.

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use contract::Endpoint;
use tokio::sync::watch;

use crate::build::{self, Built, Print};
use crate::instance::Life;
use crate::names::Names;
use crate::plan::{Plan, Source};
use crate::ports::Ports;
use crate::roster::{Batch, Roster};
use crate::tier::Setup;
use crate::view::Instance;

#[derive(Debug)]
pub(crate) struct App {
    pub(crate) name: Arc<str>,
    pub(crate) roster: Arc<Roster>,
    pub(crate) restarts: Arc<AtomicU64>,
    names: Names,
    next_batch: AtomicU64,
    now: Mutex<Now>,
}

/// What is in force.
#[derive(Debug)]
pub(crate) struct Now {
    pub(crate) generation: Generation,
    pub(crate) instances: Vec<Instance>,
}

/// Instances of one plan and one build share this; a changed plan that needs no restart is sent to them.
#[derive(Debug, Clone)]
pub(crate) struct Generation {
    pub(crate) plan: watch::Sender<Arc<Plan>>,
    pub(crate) print: Print,
    built: Built,
}

/// Instances that were started together.
#[derive(Debug)]
pub(crate) struct Started {
    pub(crate) batch: Batch,
    pub(crate) generation: Generation,
    pub(crate) instances: Vec<Instance>,
}

impl App {
    /// An app with nothing running.
    pub(crate) fn new(plan: &Arc<Plan>) -> App {
        let (sender, _) = watch::channel(plan.clone());
        let generation = Generation { plan: sender, print: Print::default(), built: build::done() };
        App {
            name: plan.name.clone(),
            roster: Arc::new(Roster::new(BTreeSet::new())),
            restarts: Arc::default(),
            names: Names::default(),
            next_batch: AtomicU64::new(1),
            now: Mutex::new(Now { generation, instances: Vec::new() }),
        }
    }

    pub(crate) fn now(&self) -> MutexGuard<'_, Now> {
        self.now.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn plan(&self) -> Arc<Plan> {
        self.now().generation.plan.borrow().clone()
    }

    /// Builds, then starts all that `plan` wants beside what runs; nothing shows in the list yet.
    pub(crate) fn start(&self, setup: &Setup, ports: &Ports, plan: &Arc<Plan>) -> Started {
        let batch = self.next_batch.fetch_add(1, Ordering::Relaxed);
        let (sender, _) = watch::channel(plan.clone());
        let (built, print) = match &plan.source {
            Source::Run(_) => build::start(setup, plan),
            Source::External(_) => (build::done(), Print::default()),
        };
        let generation = Generation { plan: sender, print, built };
        let instances = match &plan.source {
            Source::Run(run) => self.start_instances(setup, ports, &generation, batch, run.instances),
            Source::External(addresses) => {
                self.join_outside(setup, batch, addresses);
                Vec::new()
            }
        };
        Started { batch, generation, instances }
    }

    /// Starts `count` more of what runs; nothing shows in the list yet.
    pub(crate) fn start_more(&self, setup: &Setup, ports: &Ports, count: usize) -> Started {
        let batch = self.next_batch.fetch_add(1, Ordering::Relaxed);
        let generation = self.now().generation.clone();
        let instances = self.start_instances(setup, ports, &generation, batch, count);
        Started { batch, generation, instances }
    }

    fn start_instances(&self, setup: &Setup, ports: &Ports, generation: &Generation, batch: Batch, count: usize) -> Vec<Instance> {
        let life = || Life {
            setup: setup.clone(),
            ports: ports.clone(),
            plan: generation.plan.subscribe(),
            roster: self.roster.clone(),
            restarts: self.restarts.clone(),
            batch,
            built: generation.built.clone(),
            name: self.names.take(&self.name),
        };
        (0..count).map(|_| life().begin()).collect()
    }

    /// An address that stays keeps its counts.
    fn join_outside(&self, setup: &Setup, batch: Batch, addresses: &[std::net::SocketAddr]) {
        let known = self.roster.of(&self.roster.admitted());
        for address in addresses {
            let before = known.iter().find(|endpoint| endpoint.address == *address && *endpoint.name == *address.to_string());
            let endpoint = before.cloned().unwrap_or_else(|| Endpoint::new(&address.to_string(), *address, setup.loops, Instant::now()));
            self.roster.join(batch, endpoint);
        }
    }
}
