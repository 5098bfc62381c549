//! The SQL doors, and the embedded server behind those that have no `primary`.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use contract::{Database, Load};
use loops::{Listener, Loops};
use telemetry::{Collect, Exposition, Log, Registry};

use super::{drain_all, give, listen_on, reachable};
use crate::database_url::database_url;
use crate::file::Plan;
use crate::orders::Entrance;

/// What doors and server are started with.
#[derive(Clone)]
pub(crate) struct Setup {
    pub(crate) postgres: postgres::Setup,
    pub(crate) loops: Loops,
    pub(crate) log: Log,
    pub(crate) registry: Registry,
}

/// All that runs for databases. Clones are the same.
#[derive(Clone)]
pub(crate) struct Databases {
    pub(super) setup: Arc<Setup>,
    now: Arc<Mutex<Joined>>,
}

/// The doors of one file, in its order, and the embedded server once one was asked for.
#[derive(Clone, Default)]
pub(crate) struct Joined {
    pub(crate) postgres: Option<postgres::Handle>,
    pub(crate) doors: Vec<Door>,
}

/// One door, open.
#[derive(Clone)]
pub(crate) struct Door {
    /// Complete: the user of the embedded server is in it.
    pub(crate) plan: sql::Plan,
    pub(crate) handle: sql::Handle,
    /// Where a client on this machine comes in.
    pub(crate) address: SocketAddr,
    pub(super) database: Database,
    /// Of its own: a door that leaves takes its metrics with it.
    pub(super) registry: Registry,
}

impl Databases {
    /// Opens every door of the file on its listener (of the same order); the server starts when it holds data.
    pub(crate) fn start(plan: &Plan, listeners: Vec<Listener>, setup: Setup) -> Result<Databases, String> {
        let mut joined = Joined::default();
        setup.embedded(plan, &mut joined)?;
        for (door, listener) in plan.sql.iter().zip(listeners) {
            let opened = setup.open(door, listener, &joined)?;
            joined.doors.push(opened);
        }
        let registry = setup.registry.clone();
        let databases = Databases { setup: Arc::new(setup), now: Arc::new(Mutex::new(joined)) };
        registry.add(Arc::new(databases.clone()));
        Ok(databases)
    }

    /// What runs now.
    pub(crate) fn now(&self) -> Joined {
        self.now.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    pub(super) fn set(&self, joined: Joined) {
        *self.now.lock().unwrap_or_else(PoisonError::into_inner) = joined;
    }

    /// The load lines: `sql`, or `sql.NAME` of each when they are more, and the server's.
    pub(crate) fn loads(&self) -> Vec<Load> {
        let Joined { postgres, doors } = self.now();
        let tier = |door: &Door| if doors.len() == 1 { "sql".into() } else { format!("sql.{}", door.plan.name) };
        let loads = doors.iter().map(|door| Load { tier: tier(door), ..door.handle.load() });
        loads.chain(postgres.iter().map(postgres::Handle::load)).collect()
    }

    /// Waits for a server that holds data. One that does not come up stops nothing: it is tried again, and statements wait.
    pub(crate) async fn ready(&self) {
        if let Some(postgres) = self.now().postgres
            && let Err(reason) = postgres.ready().await
        {
            self.setup.log.error("postgres", &format!("not ready: {reason}"));
        }
    }

    /// Whether the embedded server runs, or would when it is wanted.
    pub(crate) fn well(&self) -> Result<(), String> {
        match self.now().postgres.map(|postgres| postgres.status()) {
            Some(status) if status.state == "down" => Err(status.reason.unwrap_or_else(|| "it does not start".into())),
            _ => Ok(()),
        }
    }

    /// Drains every door, then stops the server.
    pub(crate) async fn stop(&self, deadline: Duration) {
        let Joined { postgres, doors } = self.now();
        drain(doors, deadline).await;
        if let Some(postgres) = postgres {
            postgres.stop().await;
        }
    }
}

impl Collect for Databases {
    fn collect(&self, out: &mut Exposition) {
        self.now().doors.iter().for_each(|door| door.registry.collect(out));
    }
}

/// All at once, each for at most `deadline`.
pub(super) async fn drain(doors: Vec<Door>, deadline: Duration) {
    drain_all(doors.into_iter().map(|door| async move { door.handle.drain(deadline).await })).await;
}

impl Setup {
    /// Starts the embedded server, or tells the one that runs of its new plan. One that runs stays: its data may be wanted again.
    pub(super) fn embedded(&self, plan: &Plan, joined: &mut Joined) -> Result<(), String> {
        match (&plan.postgres, &joined.postgres) {
            (None, _) => Ok(()),
            (Some(plan), Some(running)) => running.change(plan.clone()),
            (Some(plan), None) => {
                joined.postgres = Some(postgres::Tier::start(plan.clone(), self.postgres.clone(), &self.registry)?);
                Ok(())
            }
        }
    }

    pub(super) fn open(&self, plan: &sql::Plan, listener: Listener, joined: &Joined) -> Result<Door, String> {
        let (plan, database) = joined.complete(plan, None)?;
        let (address, registry) = (reachable(listener.address), Registry::default());
        let handle = sql::Tier::start(plan.clone(), database.clone(), listener, &self.loops, self.log.clone(), &registry);
        let handle = handle.map_err(|error| format!("sql.{}: {error}", plan.name))?;
        Ok(Door { plan, handle, address, database, registry })
    }

    pub(super) fn listen(&self, plan: &sql::Plan) -> Result<Listener, String> {
        let tier = format!("sql.{}", plan.name);
        listen_on(plan.listen.address, plan.listen.written, &tier, self.loops.len(), &self.log)
    }
}

impl Joined {
    /// A plan with the server behind it: that of the file, as `before` when it is the same one, or the embedded one with its user.
    pub(super) fn complete(&self, plan: &sql::Plan, before: Option<&Door>) -> Result<(sql::Plan, Database), String> {
        if let Some(address) = &plan.primary {
            let same = before.filter(|door| door.plan.primary.as_ref() == Some(address));
            return Ok((plan.clone(), same.map_or_else(|| Database::outside(address.clone()), |door| door.database.clone())));
        }
        let server = self.postgres.as_ref().expect("a door without `primary` has the embedded server");
        let postgres::Credentials { user, password, database, .. } = server.credentials(&plan.name)?;
        let mut plan = sql::Plan { user: user.clone(), database, ..plan.clone() };
        plan.users.insert(user, sql::Password(password.into()));
        Ok((plan, server.database()))
    }

    /// How clients come in, at each door that is open.
    pub(crate) fn entrances(&self) -> Vec<Entrance> {
        self.doors.iter().filter_map(|door| door.entrance(self.postgres.as_ref())).collect()
    }

    /// The apps, each that is run with the address of its database; what its own `env` says wins.
    pub(crate) fn apps(&self, plan: &Plan) -> Vec<apps::Plan> {
        let urls: BTreeMap<&str, String> = self.doors.iter().filter_map(|door| Some((&*door.plan.name, door.url()?))).collect();
        let mut all = plan.apps.clone();
        for app in &mut all {
            let url = plan.databases.get(&app.name).and_then(|name| urls.get(&**name));
            url.into_iter().for_each(|url| give(app, &["DATABASE_URL", "DATABASE_READ_URL"], url));
        }
        all
    }
}

impl Door {
    /// What an app gets as `DATABASE_URL`.
    fn url(&self) -> Option<String> {
        Some(database_url(&self.entrance(None)?))
    }

    fn entrance(&self, postgres: Option<&postgres::Handle>) -> Option<Entrance> {
        let embedded = postgres.filter(|_| self.plan.primary.is_none()).map(postgres::Handle::status);
        let major = |version: &String| version.split('.').next()?.parse().ok();
        Some(Entrance {
            name: self.plan.name.to_string(),
            address: self.address,
            user: self.plan.user.clone(),
            password: self.plan.users.get(&self.plan.user)?.0.to_string(),
            database: self.plan.database.clone(),
            major: embedded.as_ref().and_then(|server| server.version.as_ref()).and_then(major),
            programs: embedded.and_then(|server| server.bin).map(Into::into),
        })
    }
}
