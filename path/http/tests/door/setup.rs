//! A running door for one test.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Instant;

use contract::{Endpoint, Endpoints, endpoints};
use loops::{Loops, listen};
use plimsoll_http::{AccessLog, AppRoute, Handle, Listen, Max, Plan, Tier, Timeout};
use telemetry::{Log, Registry};
use testkit::{Client, Origin, until};
use tokio::sync::watch;

pub const LOOPS: usize = 2;

pub struct Door {
    pub handle: Handle,
    pub registry: Registry,
    pub loops: Loops,
    pub plan: Plan,
    pub lists: HashMap<Arc<str>, watch::Sender<Arc<[Endpoint]>>>,
}

/// A plan without apps on a free port.
pub fn plan() -> Plan {
    let listen = Listen { address: "127.0.0.1:0".parse().unwrap(), written: true };
    Plan {
        listen: vec![listen],
        hosts: Vec::new(),
        trust: Vec::new(),
        log: AccessLog::Off,
        max: Max::default(),
        timeout: Timeout::default(),
        site: None,
        apps: Vec::new(),
    }
}

/// A plan with one app at `/`.
pub fn shop() -> Plan {
    Plan { apps: vec![app("shop", &["/"])], ..plan() }
}

pub fn app(name: &str, routes: &[&str]) -> AppRoute {
    AppRoute { app: name.into(), routes: routes.iter().map(|route| route.to_string()).collect(), health: None }
}

pub fn endpoint(name: &str, address: &str) -> Endpoint {
    Endpoint::new(name, address.parse().unwrap(), LOOPS, Instant::now())
}

impl Door {
    /// Starts `plan`; every origin belongs to the app of that name.
    pub fn start(plan: Plan, origins: &[(&str, &Origin)]) -> Door {
        Door::start_at(plan, &origins.iter().map(|(app, origin)| (*app, origin.address())).collect::<Vec<_>>())
    }

    pub fn start_at(plan: Plan, origins: &[(&str, String)]) -> Door {
        let loops = Loops::start(LOOPS).unwrap();
        let (mut lists, mut readers) = (HashMap::new(), HashMap::new());
        for app in &plan.apps {
            let of_app = origins.iter().filter(|(name, _)| **name == *app.app);
            let (list, reader) = endpoints(of_app.map(|(name, address)| endpoint(&format!("{name} {address}"), address)).collect());
            lists.insert(app.app.clone(), list);
            readers.insert(app.app.clone(), reader);
        }
        let sockets = plan.listen.iter().map(|wanted| listen(wanted.address, LOOPS).unwrap()).collect();
        let registry = Registry::default();
        let handle = Tier::start(plan.clone(), sockets, &loops, readers, Log::nowhere(), &registry);
        Door { handle, registry, loops, plan, lists }
    }

    /// The one of a shop with one origin.
    pub fn before(origin: &Origin) -> Door {
        let door = Door::start(shop(), &[("shop", origin)]);
        until("the origin is up", || door.handle.is_ready());
        door
    }

    pub fn address(&self) -> String {
        let address: SocketAddr = self.handle.addresses()[0];
        address.to_string()
    }

    pub fn client(&self) -> Client {
        Client::connect(&self.address()).unwrap()
    }

    pub fn readers(&self) -> HashMap<Arc<str>, Endpoints> {
        self.lists.iter().map(|(app, list)| (app.clone(), list.subscribe())).collect()
    }

    pub fn metric(&self, line: &str) -> bool {
        self.registry.render().lines().any(|found| found == line)
    }
}

impl Drop for Door {
    fn drop(&mut self) {
        self.loops.end();
    }
}
