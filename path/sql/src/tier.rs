//! The running tier: its socket, its loops' doors, the plan they follow.

use std::fmt;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use contract::{Database, Drain, DrainSwitch, Load, ServerState};
use loops::{ListenError, Listener, Loops, Orders, Seats, listen_beside, until_none};
use telemetry::{Log, Registry};

use crate::client::cancel::Ways;
use crate::door::Shared;
use crate::events::{Counts, Events};
use crate::listening::Listeners;
use crate::open::Open;
use crate::orders::{self, Arrivals, Order};
use crate::plan::Plan;
use crate::server::Pool;
use crate::status::Status;
use crate::top::{Top, TopStatement};
use crate::view::Shape;

/// How long clients that are cut off have to take their last words.
const CUT: Duration = Duration::from_secs(2);

/// One SQL door, to be started.
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
    shape: Arc<Shape>,
    database: Database,
    /// `None`: it drains, and nothing is listened on any more.
    listening: Option<Listening>,
    /// Where it will be, see [`Handle::listen_too`].
    beside: Option<Listening>,
}

impl Running {
    /// Also where it listens itself: as for `0.0.0.0:6432` in the place of `127.0.0.1:6432`.
    fn listen(&self, address: SocketAddr, loops: usize) -> Result<Listener, ListenError> {
        let ours: Vec<SocketAddr> = [&self.listening, &self.beside].into_iter().flatten().map(|one| one.listener.address).collect();
        listen_beside(address, loops, &ours)
    }
}

/// One address; dropping it stops accepting there.
struct Listening {
    listener: Listener,
    _stop: DrainSwitch,
}

/// Why a plan is not followed; the one before still is.
#[derive(Debug)]
pub enum SwapError {
    /// Its address cannot be listened on.
    Listen(ListenError),
    /// A certificate cannot be used, with what to do.
    Plan(String),
}

impl fmt::Display for SwapError {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            SwapError::Listen(error) => error.fmt(out),
            SwapError::Plan(reason) => out.write_str(reason),
        }
    }
}

impl std::error::Error for SwapError {}

impl Tier {
    /// Serves `plan` on `listener` (see [`loops::listen`]) with the connections to `database`.
    ///
    /// It reads certificates and makes the users' keys, some milliseconds: do not call it on a loop.
    ///
    /// # Errors
    /// What is wrong with a certificate of the plan.
    pub fn start(
        plan: Plan,
        database: Database,
        listener: Listener,
        loops: &Loops,
        log: Log,
        registry: &Registry,
    ) -> Result<Handle, String> {
        let shape = Arc::new(Shape::new(plan, None)?);
        let (seats, clients) = Seats::new(loops.len());
        let (pool, messages) = Pool::new(loops.len(), shape.plan.pool.server);
        let events = Arc::new(Events::new(log.clone(), shape.plan.name.clone(), pool.clone(), seats.clone(), loops.len()));
        registry.add(events.clone());
        let top = Top::new(shape.plan.name.clone(), loops.len(), shape.plan.slow, log);
        registry.add(top.clone());
        let (ways, cancels) = Ways::new(loops.len());
        let (listeners, listens) = Listeners::new();
        let common = Arc::new(Shared::new(seats, events, pool, top, ways, listeners));
        let mut listens = Some(listens);
        let (orders, received) = Orders::new(loops.len());
        for (index, (((clients, messages), cancels), orders)) in clients.into_iter().zip(messages).zip(cancels).zip(received).enumerate() {
            let (common, shape, database) = (common.clone(), shape.clone(), database.clone());
            let arrivals = Arrivals { clients, cancels, messages, listens: listens.take(), orders };
            loops.run(index, move |here| orders::follow(here, common, shape, database, arrivals));
        }
        let running = Mutex::new(Running { shape, database, listening: None, beside: None });
        let inner = Inner { loops: loops.clone(), common, orders, running };
        inner.running().listening = Some(inner.listen_on(listener));
        Ok(Handle(Arc::new(inner)))
    }
}

impl Handle {
    /// Where it listens, with the real port; empty once it drains.
    pub fn addresses(&self) -> Vec<SocketAddr> {
        self.0.running().listening.iter().map(|listening| listening.listener.address).collect()
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
        if running.listening.is_some() {
            running.beside = Some(self.0.listen_on(listener));
        }
        Ok(real)
    }

    /// Its sockets, for another door that is to take their place; `None` when it listens on nothing.
    ///
    /// # Errors
    /// When the process has no descriptor left.
    pub fn share_listener(&self) -> std::io::Result<Option<Listener>> {
        self.0.running().listening.as_ref().map(|listening| listening.listener.share()).transpose()
    }

    /// Lets in nobody new, as in a drain; those inside stay.
    pub fn close_entrance(&self) {
        self.0.running().listening = None;
    }

    /// Lets in again those who come to `listener`, after [`Handle::close_entrance`].
    pub fn open_entrance(&self, listener: Listener) {
        self.0.running().listening = Some(self.0.listen_on(listener));
    }

    /// Follows `plan` and `database` from now on. Clients keep their connections; those to a server that is elsewhere now are
    /// closed when they are idle. While draining, every plan is ignored. As [`Tier::start`], not for a loop.
    ///
    /// # Errors
    /// [`SwapError`]; nothing has changed then.
    pub fn swap(&self, plan: Plan, database: Database) -> Result<(), SwapError> {
        let mut running = self.0.running();
        let Some(listening) = &running.listening else { return Ok(()) };
        let shape = Arc::new(Shape::new(plan, Some(&running.shape)).map_err(SwapError::Plan)?);
        let wanted = shape.plan.listen.address;
        let may_give_way = !shape.plan.listen.written || wanted.port() == 0;
        let is_there = |Listening { listener, .. }: &Listening| listener.asked == wanted && (may_give_way || listener.address == wanted);
        let is_new = !is_there(listening) && !running.beside.as_ref().is_some_and(is_there);
        let new = is_new.then(|| running.listen(wanted, self.0.loops.len())).transpose().map_err(SwapError::Listen)?;
        self.0.orders.ask(|done| Order::Shape(shape.clone(), database.clone(), done));
        self.0.common.pool.set_most(shape.plan.pool.server);
        self.0.common.top.set_slow(shape.plan.slow);
        (running.shape, running.database) = (shape, database);
        let new = new.map(|listener| self.0.listen_on(listener)).or(running.beside.take().filter(is_there));
        running.listening = new.or(running.listening.take());
        Ok(())
    }

    /// Whether the files that its plan names hold something else than when they were read: a certificate was renewed. Reads them: as
    /// [`Tier::start`], not for a loop.
    pub fn has_renewed_files(&self) -> bool {
        let shape = self.0.running().shape.clone();
        shape.is_renewed()
    }

    /// Stops accepting, tells clients between two transactions to leave, lets transactions end for at most `deadline`, then closes
    /// every client that is left (SQLSTATE 57P01); `true` when there was none.
    pub async fn drain(&self, deadline: Duration) -> bool {
        {
            let mut running = self.0.running();
            (running.listening, running.beside) = (None, None);
        }
        self.0.orders.ask(Order::Drain);
        if until_none(|| self.clients(), deadline).await {
            return true;
        }
        self.0.orders.ask(Order::Cut);
        until_none(|| self.clients(), CUT).await;
        false
    }

    /// Client connections open now.
    pub fn clients(&self) -> u64 {
        self.0.common.open.load(std::sync::atomic::Ordering::Acquire)
    }

    /// The tier's load line: the share of the pool that is lent, or how close the longest wait is to its bound.
    pub fn load(&self) -> Load {
        let (counts, wait) = (self.counts(), self.0.running().shape.plan.pool.wait);
        let tier = format!("sql.{}", self.0.common.events.name);
        let reason = format!("{} of {} server connections are lent", counts.busy, counts.most);
        let busy = Load::of(tier.clone(), "server connections", counts.busy as f64, counts.most as f64, reason);
        let reason = format!("a client has waited {:.1} s of {} s for a connection", counts.longest_wait.as_secs_f64(), wait.as_secs_f64());
        busy.max(Load::of(tier, "longest wait", counts.longest_wait.as_secs_f64(), wait.as_secs_f64(), reason))
    }

    /// Counts since the start, and what is open now.
    pub fn counts(&self) -> Counts {
        self.0.common.events.counts(Instant::now())
    }

    /// Users and databases, their connections and clients, who is pinned, and who has a transaction open. Asks the loops: not for
    /// a loop.
    pub fn status(&self) -> Status {
        let (pinned, open): (Vec<_>, Vec<_>) = self.0.orders.ask(Order::Clients).into_iter().unzip();
        let server = self.0.running().database.state();
        let (pinned, open) = (pinned.into_iter().flatten().collect(), Open::join(open));
        Status { pinned, open, ..Status::new(&self.0.common.pool, server, Instant::now()) }
    }

    /// Kinds of statements, those that took most time in all first.
    pub fn statements(&self) -> Vec<TopStatement> {
        self.0.common.top.statements()
    }

    /// Whether a statement that comes now has a server: it is up and was reached, or will be started for it.
    pub fn is_ready(&self) -> bool {
        let state = self.0.running().database.state();
        matches!(state, ServerState::Asleep | ServerState::Up(_)) && !self.0.common.pool.is_failing()
    }
}

impl Inner {
    fn running(&self) -> MutexGuard<'_, Running> {
        self.running.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn listen_on(&self, listener: Listener) -> Listening {
        let (stop, drain) = DrainSwitch::new();
        for failed in self.orders.listen(&listener, |socket| Order::Listen(socket, Drain::clone(&drain))) {
            self.common.events.cannot_listen(&failed);
        }
        Listening { listener, _stop: stop }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_door_that_is_gone_leaves_nothing_on_its_loops() {
        let loops = Loops::start(2).unwrap();
        let listener = loops::listen(([127, 0, 0, 1], 0).into(), 2).unwrap();
        let (plan, database) = (crate::client::tests::plan(), Database::outside(contract::ServerAddress::Tcp("127.0.0.1".into(), 1)));
        let handle = Tier::start(plan, database, listener, &loops, Log::nowhere(), &Registry::default()).unwrap();
        let (shared, pool) = (Arc::downgrade(&handle.0.common), Arc::downgrade(&handle.0.common.pool));
        assert!(handle.drain(Duration::ZERO).await);
        drop(handle);
        testkit::until("nothing of it is left", || shared.strong_count() + pool.strong_count() == 0);
        loops.end();
    }
}
