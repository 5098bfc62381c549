use std::collections::BTreeMap;
use std::ffi::OsString;
use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;

use contract::{Endpoints, Load};
use process::Keeper;
use telemetry::{Log, Registry};

use crate::plan::Plan;
use crate::status::AppStatus;

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
    pub environment: BTreeMap<OsString, OsString>,
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
struct Shared {
    endpoints: BTreeMap<Arc<str>, Endpoints>,
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

/// New instances that are healthy beside the old. Dropped without [`Prepared::commit`], they are stopped.
#[derive(Debug)]
pub struct Prepared {
    endpoints: BTreeMap<Arc<str>, Endpoints>,
}

impl Tier {
    /// Starts every app; returns at once. Call it inside the control runtime.
    pub fn start(_plans: Vec<Plan>, _setup: Setup, _registry: &Registry) -> Handle {
        Handle(Arc::new(Shared { endpoints: BTreeMap::new() }))
    }
}

impl Handle {
    /// The live list of every routed app, by name.
    pub fn endpoints(&self) -> BTreeMap<Arc<str>, Endpoints> {
        self.0.endpoints.clone()
    }

    /// Waits until every instance is healthy, or for the first failure.
    pub async fn ready(&self) -> Result<(), Failure> {
        Ok(())
    }

    /// Compares `plans` with what runs and starts what is new or changed beside the old; returns when all of that is
    /// healthy. After a refusal nothing has changed.
    pub async fn plan_roll(&self, _plans: Vec<Plan>) -> Result<Prepared, Refused> {
        Ok(Prepared { endpoints: self.endpoints() })
    }

    /// Drains and stops every instance; returns when all are gone.
    pub async fn stop(&self) {}

    /// Every app as it is now, by name.
    pub fn status(&self) -> Vec<AppStatus> {
        Vec::new()
    }

    /// The load of every app that Plimsoll runs: tier `app.NAME`.
    pub fn load(&self) -> Vec<Load> {
        Vec::new()
    }
}

impl Prepared {
    /// The live lists as they will be after the commit: a kept or changed app has the list it had.
    pub fn endpoints(&self) -> BTreeMap<Arc<str>, Endpoints> {
        self.endpoints.clone()
    }

    /// Puts the new instances into the lists in place of the old, which keep running.
    pub fn publish(&mut self) {}

    /// Publishes, if that is still to be done, and drains what is replaced or removed, in the background. Call it after
    /// the doors have taken the new routes.
    pub fn commit(self) {}

    /// Puts the old instances back into the lists and stops the new.
    pub async fn abandon(self) {}
}

impl fmt::Display for Failure {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "app.{}: {}", self.app, self.reason)?;
        self.lines.iter().try_for_each(|line| write!(out, "\n  | {line}"))
    }
}

impl fmt::Display for Refused {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Refused::Busy => write!(out, "another reload is under way"),
            Refused::Failed(failure) => failure.fmt(out),
        }
    }
}
