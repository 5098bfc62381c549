//! The KV doors, each with its store.

mod change;

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use contract::Load;
use loops::{Listener, Loops};
use telemetry::{Collect, Exposition, Log, Registry};

use super::{drain_all, give, listen_on, reachable};
use crate::database_url::encoded;
use crate::file::Plan;
pub(crate) use change::Prepared;

/// The folder of `state` for the files of all stores.
const FOLDER: &str = "kv";

/// What doors are started with.
#[derive(Clone)]
pub(crate) struct Setup {
    pub(crate) state: PathBuf,
    pub(crate) loops: Loops,
    pub(crate) log: Log,
    pub(crate) registry: Registry,
}

/// All that runs of them. Clones are the same.
#[derive(Clone)]
pub(crate) struct Stores {
    setup: Arc<Setup>,
    now: Arc<Mutex<Vec<Store>>>,
}

/// One door, open, with its store.
#[derive(Clone)]
pub(crate) struct Store {
    pub(crate) plan: kv::Plan,
    pub(crate) handle: kv::Handle,
    /// Where a client on this machine comes in.
    pub(crate) address: SocketAddr,
    /// Of its own: a door that leaves takes its metrics with it.
    registry: Registry,
}

impl Stores {
    /// Opens every door of the file on its listener (of the same order).
    pub(crate) fn start(plan: &Plan, listeners: Vec<Listener>, setup: Setup) -> Result<Stores, String> {
        let opened = plan.kv.iter().zip(listeners).map(|(plan, listener)| setup.open(plan, Some(listener)));
        let opened = opened.collect::<Result<Vec<_>, _>>()?;
        let registry = setup.registry.clone();
        let stores = Stores { setup: Arc::new(setup), now: Arc::new(Mutex::new(opened)) };
        registry.add(Arc::new(stores.clone()));
        Ok(stores)
    }

    /// What runs now, in the order of the file.
    pub(crate) fn now(&self) -> Vec<Store> {
        self.now.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn set(&self, stores: Vec<Store>) {
        *self.now.lock().unwrap_or_else(PoisonError::into_inner) = stores;
    }

    /// The load lines: `kv`, or `kv.NAME` of each when they are more.
    pub(crate) fn loads(&self) -> Vec<Load> {
        let stores = self.now();
        let load = |store: &Store| Load { tier: name(store, &stores), ..store.handle.load() };
        stores.iter().map(load).collect()
    }

    /// Drains every door.
    pub(crate) async fn stop(&self, deadline: Duration) {
        drain(self.now(), deadline).await;
    }
}

impl Collect for Stores {
    fn collect(&self, out: &mut Exposition) {
        self.now().iter().for_each(|store| store.registry.collect(out));
    }
}

impl Setup {
    fn open(&self, plan: &kv::Plan, listener: Option<Listener>) -> Result<Store, String> {
        let (address, registry) = (listener.as_ref().map_or(plan.listen.address, |listener| listener.address), Registry::default());
        let handle = kv::Tier::start(plan.clone(), listener, Some(&self.state.join(FOLDER)), &self.loops, self.log.clone(), &registry);
        let handle = handle.map_err(|error| format!("kv.{}: {error}", plan.name))?;
        Ok(Store { plan: plan.clone(), handle, address: reachable(address), registry })
    }

    fn listen(&self, plan: &kv::Plan) -> Result<Listener, String> {
        listen_on(plan.listen.address, plan.listen.written, &format!("kv.{}", plan.name), self.loops.len(), &self.log)
    }
}

impl Store {
    /// What an app gets as `REDIS_URL`.
    fn url(&self) -> String {
        let scheme = if self.plan.tls.is_some() { "rediss" } else { "redis" };
        let login = self.plan.password.as_ref().map_or_else(String::new, |password| format!(":{}@", encoded(&password.0)));
        format!("{scheme}://{login}{}", self.address)
    }
}

/// The apps, each that is run with the address of its store; what its own `env` says wins.
pub(crate) fn apps(stores: &[Store], plan: &Plan, mut all: Vec<apps::Plan>) -> Vec<apps::Plan> {
    let urls: BTreeMap<&str, String> = stores.iter().map(|store| (&*store.plan.name, store.url())).collect();
    for app in &mut all {
        let url = plan.stores.get(&app.name).and_then(|name| urls.get(&**name));
        url.into_iter().for_each(|url| give(app, &["REDIS_URL"], url));
    }
    all
}

/// What a store is called in the ready line and among the load lines.
pub(crate) fn name(store: &Store, all: &[Store]) -> String {
    if all.len() == 1 { "kv".into() } else { format!("kv.{}", store.plan.name) }
}

/// Closes doors, and keeps what their files are to keep; what cannot be kept is said in the log.
async fn drain(stores: Vec<Store>, deadline: Duration) {
    drain_all(stores.into_iter().map(|store| async move {
        let is_drained = store.handle.drain(deadline).await;
        let _ = store.handle.keep().await;
        is_drained
    }))
    .await;
}
