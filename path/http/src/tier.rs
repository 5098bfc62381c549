//! The running tier: its sockets, its loops' doors, the plan they follow.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use contract::{Drain, DrainSwitch, Endpoints, Load};
use loops::{ListenError, Listener, Loops, Orders, Seats, listen_beside, until_none};
use telemetry::{Log, Registry};

use crate::accept::HeadBounds;
use crate::admit::per_address::Addresses;
use crate::balance::{Bounds, Check, Group, PeerState, keep};
use crate::door::Shared;
use crate::events::{Counts, Events};
use crate::orders::{self, Order};
use crate::plan::Plan;
use crate::view::{Route, Shape};

/// The HTTP door, to be started.
#[derive(Debug)]
pub struct Tier;

/// State out, orders in. Clones mean the same tier.
#[derive(Clone)]
pub struct Handle(Arc<Inner>);

struct Inner {
    loops: Loops,
    common: Arc<Shared>,
    orders: Orders<Order>,
    running: Mutex<Running>,
}

/// What a swap changes.
struct Running {
    listening: Vec<Listening>,
    groups: HashMap<Arc<str>, Arc<Group>>,
    /// Ends the health checks of the plan before.
    checks: Option<DrainSwitch>,
    /// Nothing is listened on any more, whatever a plan says.
    draining: bool,
}

/// One address; dropping it stops accepting there.
struct Listening {
    listener: Listener,
    _stop: DrainSwitch,
}

impl Tier {
    /// Serves `plan` on `sockets` (see [`loops::listen`], one for each `plan.listen`), with an endpoint list for every app of the plan.
    pub fn start(
        plan: Plan,
        sockets: Vec<Listener>,
        loops: &Loops,
        endpoints: HashMap<Arc<str>, Endpoints>,
        log: Log,
        registry: &Registry,
    ) -> Handle {
        let (seats, arrivals) = Seats::new(loops.len());
        let events = Arc::new(Events::new(log, loops.len(), seats.clone()));
        registry.add(events.clone());
        let common = Arc::new(Shared { seats, addresses: Arc::new(Addresses::default()), events, open: AtomicU64::new(0) });
        let mut running = Running { listening: Vec::new(), groups: HashMap::new(), checks: None, draining: false };
        let shape = running.shape(plan, endpoints, &common.events, loops);
        let (orders, received) = Orders::new(loops.len());
        for (index, (newcomers, received)) in arrivals.into_iter().zip(received).enumerate() {
            let (common, shape, count) = (common.clone(), shape.clone(), loops.len());
            loops.run(index, move |here| orders::follow(here, count, common, shape, newcomers, received));
        }
        let handle = Handle(Arc::new(Inner { loops: loops.clone(), common, orders, running: Mutex::new(running) }));
        handle.0.listen_on(&mut handle.0.running(), sockets);
        handle
    }
}

impl Handle {
    /// Where it listens, with real ports, in the order of the plan.
    pub fn addresses(&self) -> Vec<SocketAddr> {
        self.0.running().listening.iter().map(|listening| listening.listener.address).collect()
    }

    /// Follows `plan` from now on: sockets of addresses that stay are kept, connections too; requests under way end as they began.
    ///
    /// # Errors
    /// When a new address cannot be listened on; nothing has changed then. While draining, every plan is ignored.
    pub fn swap(&self, plan: Plan, endpoints: HashMap<Arc<str>, Endpoints>) -> Result<(), ListenError> {
        let mut running = self.0.running();
        let wanted: Vec<SocketAddr> = plan.listen.iter().map(|listen| listen.address).collect();
        let is_new = |asked: &SocketAddr| !running.listening.iter().any(|listening| listening.listener.asked == *asked);
        let new: Vec<SocketAddr> = wanted.iter().copied().filter(is_new).collect();
        let ours: Vec<SocketAddr> = running.listening.iter().map(|listening| listening.listener.address).collect();
        let open = |address| listen_beside(address, self.0.loops.len(), &ours);
        let sockets = new.into_iter().map(open).collect::<Result<Vec<_>, _>>()?;
        running.listening.retain(|listening| wanted.contains(&listening.listener.asked));
        let shape = running.shape(plan, endpoints, &self.0.common.events, &self.0.loops);
        self.0.orders.ask(|done| Order::View(shape.clone(), done));
        self.0.listen_on(&mut running, sockets);
        running.listening.sort_by_key(|listening| wanted.iter().position(|address| *address == listening.listener.asked));
        Ok(())
    }

    /// Stops accepting, closes idle connections, lets requests finish for at most `deadline`; `true` when all have.
    pub async fn drain(&self, deadline: Duration) -> bool {
        {
            let mut running = self.0.running();
            running.draining = true;
            running.listening.clear();
        }
        self.0.orders.ask(Order::Drain);
        until_none(|| self.connections(), deadline).await
    }

    /// Client connections open now, upgraded ones included.
    pub fn connections(&self) -> u64 {
        self.0.common.open.load(Ordering::Acquire)
    }

    /// The tier's load line: the busy share of its busiest loop over the last second.
    pub fn load(&self) -> Load {
        let busy = self.0.loops.busy_share();
        Load::of(
            "http",
            "busiest loop",
            busy,
            1.0,
            format!("the busiest of {} loops works {:.0} % of the time", self.0.loops.len(), busy * 100.0),
        )
    }

    /// Every app's endpoints as the balance sees them, apps in the order of their names.
    pub fn endpoints(&self) -> Vec<(Arc<str>, Vec<PeerState>)> {
        let now = Instant::now();
        let mut all: Vec<_> = self.0.running().groups.iter().map(|(app, group)| (app.clone(), group.states(now))).collect();
        all.sort_by(|one, other| one.0.cmp(&other.0));
        all
    }

    /// Whether every app of the plan has an endpoint that takes requests.
    pub fn is_ready(&self) -> bool {
        let now = Instant::now();
        self.0.running().groups.values().all(|group| group.has_usable(now))
    }

    /// Counts since the start.
    pub fn counts(&self) -> Counts {
        self.0.common.events.counts()
    }
}

impl Inner {
    fn running(&self) -> MutexGuard<'_, Running> {
        self.running.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn listen_on(&self, running: &mut Running, sockets: Vec<Listener>) {
        for listener in sockets {
            let (stop, drain) = DrainSwitch::new();
            for failed in self.orders.listen(&listener, |socket| Order::Listen(socket, Drain::clone(&drain))) {
                self.common.events.cannot_listen(&failed);
            }
            running.listening.push(Listening { listener, _stop: stop });
        }
    }
}

impl Running {
    /// Makes `plan` ready, keeping the groups of apps that stay.
    fn shape(&mut self, plan: Plan, endpoints: HashMap<Arc<str>, Endpoints>, events: &Arc<Events>, loops: &Loops) -> Arc<Shape> {
        let bounds = Bounds { in_flight: plan.max.in_flight, queue: plan.max.queue };
        let (switch, stop) = DrainSwitch::new();
        let before = std::mem::take(&mut self.groups);
        let mut routes = Vec::new();
        for app in &plan.apps {
            let new = || Group::new(app.app.clone(), loops.len(), bounds, false, events.log.clone(), seed(&app.app), Instant::now());
            let group = before.get(&app.app).cloned().unwrap_or_else(new);
            group.set_bounds(bounds);
            if let Some(endpoints) = endpoints.get(&app.app) {
                group.update(&endpoints.borrow().clone(), Instant::now());
                check(loops, group.clone(), endpoints.clone(), Check::new(app.health.clone()), stop.clone());
            }
            for route in &app.routes {
                let prefix = route.trim_end_matches('/').as_bytes().into();
                routes.push(Route { prefix, group: group.clone(), counts: events.route(&app.app, route) });
            }
            self.groups.insert(app.app.clone(), group);
        }
        self.checks = Some(switch);
        routes.sort_by_key(|route| std::cmp::Reverse(route.prefix.len()));
        events.set_groups(self.groups.values().cloned().collect());
        let site = events.route(&Arc::from("site"), "/");
        let nowhere = events.route(&Arc::from(""), "");
        Arc::new(Shape { bounds: HeadBounds::new(plan.max.head, plan.max.headers), plan, routes, site, nowhere })
    }
}

/// Checks a group's endpoints on the first loop until `stop`.
fn check(loops: &Loops, group: Arc<Group>, endpoints: Endpoints, check: Check, mut stop: Drain) {
    loops.run(0, move |_| async move {
        tokio::select! {
            () = keep(group, endpoints, check) => {}
            () = stop.begun() => {}
        }
    });
}

fn seed(app: &str) -> u64 {
    use std::hash::{BuildHasher, RandomState};
    RandomState::new().hash_one(app)
}
