//! A reload: what is new or changed starts beside the old, and takes over when all of it is healthy.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use contract::Endpoints;
use tokio::sync::OwnedMutexGuard;

use crate::app::{App, Started};
use crate::decide::{self, Change};
use crate::plan::{Plan, Source};
use crate::roster::Batch;
use crate::tier::{Refused, Shared, all_healthy};
use crate::view::{Instance, Order};
use crate::{build, events};

/// Old instances of one app that may stay for their WebSockets, over all reloads.
const MOST_LINGERING: usize = 16;

/// New instances that are healthy beside the old. Dropped without [`Prepared::commit`], they are stopped.
#[derive(Debug)]
pub struct Prepared {
    shared: Arc<Shared>,
    steps: Vec<Step>,
    removed: Vec<Arc<App>>,
    published: bool,
    committed: bool,
    _only_one: OwnedMutexGuard<()>,
}

/// What happens to one app that stays or is new.
#[derive(Debug)]
struct Step {
    app: Arc<App>,
    plan: Arc<Plan>,
    change: Change,
    started: Option<Started>,
    before: BTreeSet<Batch>,
}

pub(crate) async fn prepare(shared: &Arc<Shared>, plans: Vec<Plan>) -> Result<Prepared, Refused> {
    let only_one = shared.rolling.clone().try_lock_owned().map_err(|_| Refused::Busy)?;
    let apps = shared.apps().clone();
    let removed = apps.values().filter(|app| !plans.iter().any(|plan| plan.name == app.name)).cloned().collect();
    let mut prepared =
        Prepared { shared: shared.clone(), steps: Vec::new(), removed, published: false, committed: false, _only_one: only_one };
    for plan in plans {
        prepared.steps.push(step(shared, apps.get(&plan.name).cloned(), Arc::new(plan)).await);
    }
    match all_healthy(prepared.started().cloned().collect()).await {
        Ok(()) => Ok(prepared),
        Err(failure) => {
            prepared.abandon().await;
            Err(Refused::Failed(failure))
        }
    }
}

async fn step(shared: &Arc<Shared>, known: Option<Arc<App>>, plan: Arc<Plan>) -> Step {
    let change = match &known {
        None => Change::Roll,
        Some(app) => decide::change(&app.plan(), &plan, dir_changed(shared, app, &plan).await),
    };
    let app = known.unwrap_or_else(|| Arc::new(App::new(&plan)));
    let started = match change {
        Change::Keep | Change::Live => None,
        Change::Roll => Some(app.start(&shared.setup, &shared.ports, &plan)),
        Change::Scale => {
            let more = instances_of(&plan).saturating_sub(app.now().instances.len());
            (more > 0).then(|| app.start_more(&shared.setup, &shared.ports, more))
        }
    };
    shared.pool().extend(started.iter().flat_map(|started| started.instances.iter().cloned()));
    let before = app.roster.admitted();
    Step { app, plan, change, started, before }
}

/// Whether the app's files are others than those its instances were started with; no, when nobody knows.
async fn dir_changed(shared: &Shared, app: &App, plan: &Plan) -> bool {
    let Source::Run(run) = &plan.source else { return false };
    let started_with = app.now().generation.print.get().copied();
    match (started_with, build::print_of(&shared.setup, run).await) {
        (Some(then), Some(now)) => then != now,
        _ => false,
    }
}

fn instances_of(plan: &Plan) -> usize {
    match &plan.source {
        Source::Run(run) => run.instances,
        Source::External(_) => 0,
    }
}

impl Prepared {
    /// The live lists as they will be after the commit: a kept or changed app has the list it had.
    pub fn endpoints(&self) -> BTreeMap<Arc<str>, Endpoints> {
        let routed = self.steps.iter().filter(|step| step.plan.routed);
        routed.map(|step| (step.app.name.clone(), step.app.roster.endpoints())).collect()
    }

    /// The apps, known before, whose instances are replaced.
    pub fn rolled(&self) -> Vec<Arc<str>> {
        let rolled = self.steps.iter().filter(|step| step.change == Change::Roll && !step.before.is_empty());
        rolled.map(|step| step.app.name.clone()).collect()
    }

    /// Puts the new instances into the lists in place of the old, which keep running.
    pub fn publish(&mut self) {
        self.published = true;
        for step in &self.steps {
            let Some(started) = &step.started else { continue };
            let mut batches = BTreeSet::from([started.batch]);
            if step.change == Change::Scale {
                batches.extend(&step.before);
            }
            step.app.roster.admit(batches);
        }
    }

    /// Publishes, if that is still to be done, and drains what is replaced or removed, in the background. Call it after
    /// the doors have taken the new routes.
    pub fn commit(mut self) {
        if !self.published {
            self.publish();
        }
        self.committed = true;
        for step in std::mem::take(&mut self.steps) {
            self.finish(step);
        }
        for app in &self.removed {
            self.shared.apps().remove(&app.name);
            self.retire(std::mem::take(&mut app.now().instances));
            app.roster.forget(&app.roster.admit(BTreeSet::new()));
        }
    }

    /// Puts the old instances back into the lists and stops the new; returns when those are gone.
    pub async fn abandon(self) {
        let started: Vec<Instance> = self.started().cloned().collect();
        drop(self);
        for instance in started {
            instance.gone().await;
        }
    }

    fn started(&self) -> impl Iterator<Item = &Instance> {
        self.steps.iter().filter_map(|step| step.started.as_ref()).flat_map(|started| &started.instances)
    }

    fn finish(&self, step: Step) {
        let Step { app, plan, change, started, before } = step;
        let leaving = {
            let mut now = app.now();
            match (change, started) {
                (Change::Roll, Some(started)) => {
                    now.generation = started.generation;
                    std::mem::replace(&mut now.instances, started.instances)
                }
                (_, started) => {
                    now.generation.plan.send_replace(plan.clone());
                    now.instances.extend(started.into_iter().flat_map(|started| started.instances));
                    let stay = instances_of(&plan).min(now.instances.len());
                    now.instances.split_off(stay)
                }
            }
        };
        if change == Change::Roll {
            app.roster.forget(&before);
            if !leaving.is_empty() {
                events::rolled(&self.shared.setup.log, &app.name);
            }
        }
        self.retire(leaving);
        self.shared.apps().insert(app.name.clone(), app);
    }

    /// They leave when their requests and WebSockets are done; beyond [`MOST_LINGERING`] the oldest no longer wait for WebSockets.
    fn retire(&self, leaving: Vec<Instance>) {
        if let Some(first) = leaving.first() {
            let pool = self.shared.pool();
            let earlier: Vec<_> = pool.iter().filter(|instance| instance.app == first.app && instance.is_lingering()).collect();
            let too_many = (earlier.len() + leaving.len()).saturating_sub(MOST_LINGERING);
            earlier.iter().take(too_many).for_each(|instance| instance.order(Order::Stop));
        }
        leaving.iter().for_each(|instance| instance.order(Order::Linger));
    }
}

impl Drop for Prepared {
    fn drop(&mut self) {
        if self.committed {
            return;
        }
        for step in &self.steps {
            let Some(started) = &step.started else { continue };
            step.app.roster.admit(step.before.clone());
            step.app.roster.forget(&BTreeSet::from([started.batch]));
            started.instances.iter().for_each(|instance| instance.order(Order::Stop));
        }
    }
}
