//! The running tier: its socket, its loops' doors, the plan they follow.

use std::net::SocketAddr;
use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use contract::{Drain, DrainSwitch};
use loops::{Listener, Loops, Orders, Seats, until_none};
use telemetry::{Log, Registry};

use crate::door::{Shared, now};
use crate::events::Events;
use crate::orders::{self, Order};
use crate::plan::Plan;
use crate::store::Store;

/// One KV door, to be started.
#[derive(Debug)]
pub struct Tier;

/// State out, orders in. Clones mean the same tier.
#[derive(Clone)]
pub struct Handle(Arc<Inner>);

struct Inner {
    loops: Loops,
    common: Arc<Shared>,
    orders: Orders<Order>,
    /// `None`: it drains, and nothing is listened on any more.
    listening: Mutex<Option<Listening>>,
}

/// One address; dropping it stops accepting there.
struct Listening {
    listener: Listener,
    _stop: DrainSwitch,
}

impl Tier {
    /// Serves `plan` on `listener` (see [`loops::listen`]).
    ///
    /// # Errors
    /// No thread could be started.
    pub fn start(plan: Plan, listener: Listener, loops: &Loops, log: Log, registry: &Registry) -> Result<Handle, String> {
        let plan = Arc::new(plan);
        let store = Store::new(plan.memory, loops.len()).map_err(|error| format!("no thread can be started: {error}"))?;
        let (seats, clients) = Seats::new(loops.len());
        let events = Arc::new(Events::new(log, plan.name.clone(), seats.clone(), loops.len()));
        registry.add(events.clone());
        let common = Arc::new(Shared::new(seats, events, Arc::new(store), &plan));
        common.store.set_eviction(plan.evict, now());
        let (orders, received) = Orders::new(loops.len());
        for (index, (clients, orders)) in clients.into_iter().zip(received).enumerate() {
            let (common, plan) = (common.clone(), plan.clone());
            loops.run(index, move |here| orders::follow(here, common, plan, clients, orders));
        }
        let inner = Inner { loops: loops.clone(), common, orders, listening: Mutex::new(None) };
        let listening = inner.listen_on(listener);
        *inner.listening() = Some(listening);
        Ok(Handle(Arc::new(inner)))
    }
}

impl Handle {
    /// Where it listens, with the real port; none once it drains.
    pub fn address(&self) -> Option<SocketAddr> {
        self.0.listening().as_ref().map(|listening| listening.listener.address)
    }

    /// Stops accepting and closes clients between two commands; waits for at most `deadline`; `true` when none is left.
    pub async fn drain(&self, deadline: Duration) -> bool {
        *self.0.listening() = None;
        self.0.orders.ask(Order::Drain);
        until_none(|| self.clients(), deadline).await
    }

    /// Client connections open now.
    pub fn clients(&self) -> u64 {
        self.0.common.open.load(Ordering::Acquire)
    }
}

impl Inner {
    fn listening(&self) -> MutexGuard<'_, Option<Listening>> {
        self.listening.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn listen_on(&self, listener: Listener) -> Listening {
        let (stop, drain) = DrainSwitch::new();
        for trouble in self.orders.listen(&listener, |socket| Order::Listen(socket, Drain::clone(&drain))) {
            self.common.events.cannot_listen(&trouble);
        }
        Listening { listener, _stop: stop }
    }
}

#[cfg(test)]
mod tests;
