//! An instance as the rest of the tier sees it: what it does, and what it is told.

use std::sync::Arc;

use contract::InFlight;
use tokio::sync::watch;
use tokio::time::Instant;

use crate::tier::Failure;

/// What an instance shall do; it only ever moves down this list.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Order {
    Run,
    /// Leave when requests and upgraded connections are done.
    Linger,
    /// Leave when requests are done.
    Stop,
}

/// What an instance is doing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum State {
    Building,
    Starting,
    Healthy,
    Waiting,
    Draining,
    Stopping,
    Failed,
    Gone,
}

/// How an instance looks from outside.
#[derive(Debug, Clone)]
pub(crate) struct View {
    pub(crate) state: State,
    pub(crate) pid: Option<u32>,
    pub(crate) port: Option<u16>,
    pub(crate) healthy_since: Option<Instant>,
    pub(crate) restarts: u64,
    /// How its first try ended: healthy, or why not.
    pub(crate) first: Option<Result<(), Failure>>,
    pub(crate) in_flight: Option<Arc<InFlight>>,
}

/// The way to an instance. Clones are the same one; dropping them stops nothing.
#[derive(Debug, Clone)]
pub(crate) struct Instance {
    pub(crate) app: Arc<str>,
    pub(crate) name: Arc<str>,
    pub(crate) view: watch::Receiver<View>,
    pub(crate) orders: watch::Sender<Order>,
}

impl Instance {
    /// Tells it, unless it was told more.
    pub(crate) fn order(&self, order: Order) {
        self.orders.send_if_modified(|now| {
            let more = order > *now;
            *now = order.max(*now);
            more
        });
    }

    /// Whether it was told to leave but may stay for its upgraded connections.
    pub(crate) fn is_lingering(&self) -> bool {
        *self.orders.borrow() == Order::Linger
    }

    pub(crate) fn is_gone(&self) -> bool {
        self.view.borrow().state == State::Gone || self.view.has_changed().is_err()
    }

    /// Waits until nothing of it is left.
    pub(crate) async fn gone(&self) {
        // An error says that its task is gone.
        let _ = self.view.clone().wait_for(|view| view.state == State::Gone).await;
    }

    /// Waits until it is healthy or has left, as a reload or the end may want; only a build that failed is an error.
    pub(crate) async fn healthy(&self) -> Result<(), Failure> {
        let mut view = self.view.clone();
        match view.wait_for(|view| matches!(view.state, State::Healthy | State::Failed | State::Gone)).await {
            Ok(view) if view.state == State::Failed => {}
            _ => return Ok(()),
        }
        self.first().await
    }

    /// Waits for the end of its first try.
    pub(crate) async fn first(&self) -> Result<(), Failure> {
        let mut view = self.view.clone();
        let first = view.wait_for(|view| view.first.is_some()).await.ok().and_then(|view| view.first.clone());
        first.unwrap_or_else(|| Err(Failure { app: self.app.clone(), reason: format!("{} was stopped", self.name), lines: Vec::new() }))
    }
}
