//! The running tier: its socket, its loops' doors, the plan they follow.

use std::net::SocketAddr;
use std::path::Path;
use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use contract::{Drain, DrainSwitch, Load};
use loops::{ListenError, Listener, Loops, Orders, Seats, listen, listen_beside, until_none};
use rustls::ServerConfig;
use telemetry::{Log, Registry};
use tokio::sync::oneshot;

use crate::config::Config;
use crate::door::Shared;
use crate::events::{Counts, Events};
use crate::orders;
use crate::orders::Order as LoopOrder;
use crate::persist::{Files, Order, Persist};
use crate::plan::Plan;
use crate::store::Store;
use crate::survey::{KeysAsked, KeysTold};
use crate::upkeep;

/// One KV door, to be started.
#[derive(Debug)]
pub struct Tier;

/// State out, orders in. Clones mean the same tier.
#[derive(Clone)]
pub struct Handle(Arc<Inner>);

struct Inner {
    loops: Loops,
    common: Arc<Shared>,
    orders: Orders<LoopOrder>,
    running: Mutex<Running>,
}

/// What a swap changes.
struct Running {
    /// `None`: nobody new is let in.
    listening: Option<Listening>,
    /// Where it will be, see [`Handle::listen_too`].
    beside: Option<Listening>,
    /// For clients of memcached.
    memcached: Option<Listening>,
}

/// One address; dropping it stops accepting there.
struct Listening {
    listener: Listener,
    _stop: DrainSwitch,
}

impl Tier {
    /// Loads what is kept of the keys, which may take seconds, and serves `plan` on `listener` (see [`loops::listen`]); without one nobody
    /// is let in before [`Handle::open_entrance`]. What is kept is in files of `folder` that begin with the name of the plan, which nobody
    /// else may use; nothing is without one.
    ///
    /// # Errors
    /// No thread could be started, the certificate cannot be used, the address for clients of memcached not be listened on, or what is
    /// kept of the keys not be loaded.
    pub fn start(
        plan: Plan,
        listener: Option<Listener>,
        folder: Option<&Path>,
        loops: &Loops,
        log: Log,
        registry: &Registry,
    ) -> Result<Handle, String> {
        let tls = plan.load_tls()?;
        let memcached = plan.memcached.map(|address| listen(address, loops.len())).transpose().map_err(|error| error.to_string())?;
        let store = Store::new(plan.memory, loops.len()).map_err(|error| format!("no thread can be started: {error}"))?;
        let store = Arc::new(store);
        let (seats, clients) = Seats::new(loops.len());
        let events = Arc::new(Events::new(log, plan.name.clone(), seats.clone(), store.clone(), loops.len()));
        registry.add(events.clone());
        let address = listener.as_ref().map_or(plan.listen.address, |listener| listener.address);
        let (persist, keeper) = Persist::new(&plan, folder);
        let common = Arc::new(Shared::new(seats, events, store, Config::new(&plan, address), persist));
        common.config.set_folder(folder);
        common.follow(&plan, tls);
        upkeep::follow(&common);
        keeper.start(&common)?;
        // What is loaded has its expiry, or none.
        common.store.set_classes(&plan.ttl);
        registry.add(Arc::new(Files(common.clone())));
        let (orders, received) = Orders::new(loops.len());
        for (index, (clients, orders)) in clients.into_iter().zip(received).enumerate() {
            let common = common.clone();
            loops.run(index, move |here| orders::follow(here, common, clients, orders));
        }
        let running = Mutex::new(Running { listening: None, beside: None, memcached: None });
        let handle = Handle(Arc::new(Inner { loops: loops.clone(), common, orders, running }));
        listener.into_iter().for_each(|listener| handle.open_entrance(listener));
        handle.0.open_memcached(&mut handle.0.running(), memcached);
        Ok(handle)
    }
}

impl Handle {
    /// Where it listens, with the real port; none once it drains, or before its entrance is open.
    pub fn address(&self) -> Option<SocketAddr> {
        self.0.running().listening.as_ref().map(|listening| listening.listener.address)
    }

    /// Lets in those who come to `listener`, and nobody who comes elsewhere.
    pub fn open_entrance(&self, listener: Listener) {
        self.0.running().listening = Some(self.0.listen_on(listener));
    }

    /// Lets in nobody new, as in a drain; those inside stay. Gives the sockets, on which another door may go on: whoever waits there is
    /// not reset.
    pub fn close_entrance(&self) -> Option<Listener> {
        self.0.running().listening.take().map(|listening| listening.listener)
    }

    /// As [`Handle::open_entrance`], for clients of memcached.
    pub fn open_memcached(&self, listener: Listener) {
        self.0.open_memcached(&mut self.0.running(), Some(listener));
    }

    /// As [`Handle::close_entrance`], for clients of memcached.
    pub fn close_memcached(&self) -> Option<Listener> {
        let mut running = self.0.running();
        let listening = running.memcached.take();
        self.0.open_memcached(&mut running, None);
        listening.map(|listening| listening.listener)
    }

    /// Listens on `address`, too, so that clients may come in there before those at the old one have gone: until the next swap, which
    /// stays there when its plan says so. Returns where, with the real port.
    ///
    /// # Errors
    /// As [`loops::listen`].
    pub fn listen_too(&self, address: SocketAddr) -> Result<SocketAddr, ListenError> {
        let mut running = self.0.running();
        let listener = running.listen(address, self.0.loops.len())?;
        let real = listener.address;
        running.beside = Some(self.0.listen_on(listener));
        Ok(real)
    }

    /// Listens where it did before [`Handle::listen_too`], and nowhere else.
    pub fn stay(&self) {
        self.0.running().beside = None;
    }

    /// Follows `plan` from now on, and what clients have changed by `CONFIG SET` of what it says is as it says again. Clients keep their
    /// connections and the keys stay; those that are too many now go as the policy says. Clients whose user is no more are closed. While
    /// draining, every plan is ignored. It reads a certificate, if there is one: do not call it on a loop.
    ///
    /// # Errors
    /// Its address cannot be listened on, or its certificate not be used; nothing has changed then.
    pub fn swap(&self, plan: Plan) -> Result<(), String> {
        let tls = plan.load_tls()?;
        let mut running = self.0.running();
        let Some(listening) = &running.listening else { return Ok(()) };
        let is_there = |Listening { listener, .. }: &Listening| plan.is_at(listener);
        let is_new = !is_there(listening) && !running.beside.as_ref().is_some_and(is_there);
        let new = is_new.then(|| running.listen(plan.listen.address, self.0.loops.len())).transpose().map_err(|error| error.to_string())?;
        let is_same = running.memcached.as_ref().map(|there| there.listener.asked) == plan.memcached;
        let memcached = plan.memcached.filter(|_| !is_same).map(|address| listen(address, self.0.loops.len())).transpose();
        let memcached = memcached.map_err(|error| error.to_string())?;
        if !is_same {
            self.0.open_memcached(&mut running, memcached);
        }
        let new = new.map(|listener| self.0.listen_on(listener)).or(running.beside.take().filter(is_there));
        running.listening = new.or(running.listening.take());
        let address = running.listening.as_ref().map_or(plan.listen.address, |listening| listening.listener.address);
        self.0.common.config.adopt(&plan, address);
        self.0.common.follow(&plan, tls);
        self.0.common.persist.follow(&plan);
        upkeep::follow(&self.0.common);
        self.0.common.store.set_classes(&plan.ttl);
        Ok(())
    }

    /// Where it listens for clients of memcached, with the real port.
    pub fn memcached_address(&self) -> Option<SocketAddr> {
        self.0.running().memcached.as_ref().map(|listening| listening.listener.address)
    }

    /// Stops accepting and closes clients between two commands; waits for at most `deadline`; `true` when none is left.
    pub async fn drain(&self, deadline: Duration) -> bool {
        {
            let mut running = self.0.running();
            (running.listening, running.beside, running.memcached) = (None, None, None);
        }
        self.0.orders.ask(LoopOrder::Drain);
        until_none(|| self.clients(), deadline).await
    }

    /// Keeps what `persist` says at a clean stop or a hand-over; nothing is kept of what is done after it. To be called once, when
    /// no client is left ([`Handle::drain`]).
    ///
    /// # Errors
    /// Why it could not; what was kept before is as it was.
    pub async fn keep(&self) -> Result<(), String> {
        let (answer, done) = oneshot::channel();
        if self.0.common.persist.order(Order::Stop(answer)).is_err() {
            return Ok(());
        }
        done.await.unwrap_or_else(|_| Err("the keys could not be saved by a fault of ours; please report the lines above".into()))
    }

    /// Client connections open now.
    pub fn clients(&self) -> u64 {
        self.0.common.open.load(Ordering::Acquire)
    }

    /// The tier's load line: the share of its memory that is used, or the busy share of the busiest loop over the last second.
    pub fn load(&self) -> Load {
        let (store, busy) = (&self.0.common.store, self.0.loops.busy_share());
        let tier = format!("kv.{}", self.0.common.events.name);
        let reason = format!("the busiest of {} loops works {:.0} % of the time", self.0.loops.len(), busy * 100.0);
        let loops = Load::of(tier.clone(), "busiest loop", busy, 1.0, reason);
        let (used, most) = (store.used(), store.limit());
        let megabytes = |bytes: usize| bytes as f64 / f64::from(1 << 20);
        let reason = format!("{:.1} of {:.0} MB are used", megabytes(used), megabytes(most));
        Load::of(tier, "memory", used as f64, most as f64, reason).max(loops)
    }

    /// What is known of the keys, which are counted anew for it: waits for up to some seconds. Blocks: do not call it on a loop.
    ///
    /// Names are told as they are, whatever users may see of them: it is for the operator.
    pub fn keys(&self, asked: KeysAsked) -> KeysTold {
        KeysTold::of(&self.0.common.store, self.0.orders.ask(|answer| LoopOrder::Keys(asked, answer)), asked)
    }

    /// Counts since the start, and what is there now.
    pub fn counts(&self) -> Counts {
        self.0.common.events.counts()
    }
}

impl Plan {
    /// What clients speak TLS with, if they are to.
    fn load_tls(&self) -> Result<Option<Arc<ServerConfig>>, String> {
        Ok(self.tls.as_ref().map(|certificate| certificate.load(&[])).transpose()?.map(|(config, _)| config))
    }

    /// Whether a listener is where it says; a default that had to give way is, until it is written.
    fn is_at(&self, listener: &Listener) -> bool {
        let may_give_way = !self.listen.written || self.listen.address.port() == 0;
        listener.asked == self.listen.address && (may_give_way || listener.address == self.listen.address)
    }
}

impl Running {
    /// Also where it listens itself: as for `0.0.0.0:6380` in the place of `127.0.0.1:6380`.
    fn listen(&self, address: SocketAddr, loops: usize) -> Result<Listener, ListenError> {
        let ours: Vec<SocketAddr> = [&self.listening, &self.beside].into_iter().flatten().map(|one| one.listener.address).collect();
        listen_beside(address, loops, &ours)
    }
}

impl Inner {
    fn running(&self) -> MutexGuard<'_, Running> {
        self.running.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Clients of memcached come in there from now on, or nowhere; those who are connected stay.
    fn open_memcached(&self, running: &mut Running, listener: Option<Listener>) {
        let port = listener.as_ref().map_or(0, |listener| listener.address.port());
        self.common.memcached_port.store(port, Ordering::Release);
        running.memcached = listener.map(|listener| self.listen_on(listener));
    }

    fn listen_on(&self, listener: Listener) -> Listening {
        let (stop, drain) = DrainSwitch::new();
        for trouble in self.orders.listen(&listener, |socket| LoopOrder::Listen(socket, Drain::clone(&drain))) {
            self.common.events.cannot_listen(&trouble);
        }
        Listening { listener, _stop: stop }
    }
}

#[cfg(test)]
mod tests;
