use std::collections::BTreeMap;
use std::ffi::OsString;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::SystemTime;

use contract::{Database, DatabaseKeeper, Load, PostgresState, ServerState};
use process::Keeper;
use telemetry::{Log, Registry};
use tokio::sync::watch;

use crate::credentials::Credentials;
use crate::dump::{self, Nightly};
use crate::life::Life;
use crate::lock::Lock;
use crate::metrics::Metrics;
use crate::place;
use crate::plan::Plan;
use crate::status;
use crate::usage::{self, Usage};
use crate::view::{Order, Phase, View};

/// Variables, sorted by name.
pub type Environment = BTreeMap<OsString, OsString>;

/// What the server is run with.
#[derive(Debug, Clone)]
pub struct Setup {
    /// Parent of what runs.
    pub keeper: Keeper,
    /// Folder of what Plimsoll keeps; data and passwords go to `postgres/`.
    pub state: PathBuf,
    /// Plimsoll's own environment: `PATH`, `HOME`, `PLIMSOLL_PG_BIN`.
    pub environment: Environment,
    /// Where lines go.
    pub log: Log,
}

/// The embedded server, running or ready to.
#[derive(Debug)]
pub struct Tier;

/// The way to the embedded server. Clones are the same one; dropping them stops nothing.
#[derive(Debug, Clone)]
pub struct Handle(Arc<Shared>);

#[derive(Debug)]
pub(crate) struct Shared {
    pub(crate) setup: Setup,
    pub(crate) plan: watch::Sender<Plan>,
    pub(crate) view: watch::Receiver<View>,
    orders: watch::Sender<Order>,
    pub(crate) usage: Usage,
    pub(crate) nightly: Nightly,
    database: Database,
    _lock: Lock,
}

impl Tier {
    /// Looks for the programs, and starts the server when it holds data; returns at once. Call it inside the control runtime.
    ///
    /// # Errors
    /// The state folder is another Plimsoll's, or cannot be written to.
    pub fn start(plan: Plan, setup: Setup, registry: &Registry) -> Result<Handle, String> {
        let lock = Lock::take(&place::own_home(&setup.state))?;
        for name in &plan.databases {
            Credentials::of(&setup.state, name)?;
        }
        let holds_data = place::existing(&setup.state, &place::system(&setup.environment)).is_some();
        let (keeper, database) = DatabaseKeeper::new(if holds_data { ServerState::Starting } else { ServerState::Asleep });
        let (orders, ordered) = watch::channel(Order::Run);
        let (sender, view) = watch::channel(View::new());
        let shared = Arc::new(Shared {
            setup,
            plan: watch::Sender::new(plan),
            view,
            orders,
            usage: Usage::default(),
            nightly: Nightly::default(),
            database,
            _lock: lock,
        });
        tokio::spawn(Life::new(shared.clone(), keeper, sender, ordered).run());
        tokio::spawn(usage::sample(Arc::downgrade(&shared)));
        tokio::spawn(dump::keep(Arc::downgrade(&shared)));
        registry.add(Arc::new(Metrics(shared.clone())));
        Ok(Handle(shared))
    }
}

impl Handle {
    /// The server as the doors see it, the same for every `[sql.NAME]`.
    pub fn database(&self) -> Database {
        self.0.database.clone()
    }

    /// Who `[sql.NAME]` is there; known before the server was ever made.
    ///
    /// # Errors
    /// Why they can be neither read nor written, for a person.
    pub fn credentials(&self, name: &str) -> Result<Credentials, String> {
        Credentials::of(&self.0.setup.state, name)
    }

    /// Whether a data directory was made.
    pub fn holds_data(&self) -> bool {
        place::existing(&self.0.setup.state, &place::system(&self.0.setup.environment)).is_some()
    }

    /// Waits until the server takes connections or, when it holds no data, until it could be made; the error says what
    /// to do, and the server is tried again all the same.
    pub async fn ready(&self) -> Result<(), String> {
        let mut view = self.0.view.clone();
        let told = view.wait_for(|view| matches!(view.phase, Phase::Asleep | Phase::Up | Phase::Down | Phase::Stopped)).await;
        match told.map(|view| (view.phase, view.reason.clone())) {
            Ok((Phase::Down, reason)) => Err(reason.as_deref().unwrap_or("the database does not start").to_string()),
            _ => Ok(()),
        }
    }

    /// Takes another plan: its databases are made at once when the server is up, the rest counts at its next start.
    ///
    /// # Errors
    /// A password cannot be made, or the server that runs was not started for so many connections; nothing has changed then.
    pub fn change(&self, plan: Plan) -> Result<(), String> {
        let room = self.0.view.borrow().connections;
        if let Some(room) = room.filter(|room| *room < plan.connections) {
            let wanted = plan.connections;
            return Err(format!(
                "`pool.server`: the embedded server was started for {room} connections of all doors together, and the file asks for \
                 {wanted}; stop Plimsoll and start it again"
            ));
        }
        for name in &plan.databases {
            Credentials::of(&self.0.setup.state, name)?;
        }
        self.0.plan.send_replace(plan);
        Ok(())
    }

    /// Stops the server in order, once the doors have let go of it; returns when nothing of it is left.
    pub async fn stop(&self) {
        self.0.orders.send_replace(Order::Stop);
        // An error says that its task is gone.
        let _ = self.0.view.clone().wait_for(|view| view.phase == Phase::Stopped).await;
    }

    /// Dumps every database now, as is done each night; returns the size of the dumps in bytes.
    ///
    /// # Errors
    /// The server is not up, or a dump failed; why, for a person.
    pub async fn dump(&self) -> Result<u64, String> {
        let view = self.0.view.borrow().clone();
        let (Phase::Up, Some(ground)) = (view.phase, view.ground) else { return Err("the database is not up".into()) };
        let dumped = dump::dump_all(&self.0, &ground, SystemTime::now()).await;
        self.0.nightly.note(&dumped);
        dumped.map(|dumped| dumped.bytes)
    }

    /// The server as it is now.
    pub fn status(&self) -> PostgresState {
        status::of(&self.0)
    }

    /// The server's load, tier `postgres`: the processor time it takes of the machine's.
    pub fn load(&self) -> Load {
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        let used = self.0.usage.last().map_or(0.0, |look| look.cpu);
        Load::of("postgres", "cores", used, cores as f64, format!("{used:.2} of {cores} cores"))
    }
}

impl Shared {
    /// Who every `[sql.NAME]` of the plan is.
    pub(crate) fn all_credentials(&self) -> Result<Vec<Credentials>, String> {
        self.plan.borrow().databases.iter().map(|name| Credentials::of(&self.setup.state, name)).collect()
    }
}
