//! LISTEN for many clients over one server connection for each database: it belongs to loop 0, comes on top of
//! `pool.server`, and is there while somebody listens and a minute longer.
//!
//! A session tells what its client listens on from now on and what no more; what the connection listens on is all of that.
//! The connection is made again when it is lost, and everybody told that something may have been missed.

mod counts;
mod inbox;
mod line;
mod serve;

use std::collections::BTreeSet;
use std::hash::{BuildHasher, Hasher, RandomState};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use loops::time::timeout;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio::sync::oneshot;

use crate::error::ErrorResponse;
use crate::server::Key;
use line::ECHOES;

pub(crate) use counts::Counts;
pub(crate) use inbox::{Deaf, Ears, Heard, Sender, append, is_of};
pub(crate) use serve::{LeadsThere, Open, serve};

/// How long a client waits at most for what may be on its way to it.
const LAG: Duration = Duration::from_millis(250);

/// A channel's name in the database's encoding.
pub(crate) type Channel = Box<[u8]>;

/// Most channels that one client listens on.
pub(crate) const MOST_CHANNELS: usize = 4096;

/// The way from every loop to those who listen. Clones mean the same.
#[derive(Debug, Clone)]
pub(crate) struct Listeners {
    orders: UnboundedSender<Order>,
    echoes: Arc<AtomicU64>,
}

/// What is to be done. Bounded by the clients: each has at most one that it waits for, and one when it goes.
#[derive(Debug)]
pub(crate) enum Order {
    /// Of a session.
    Of { key: Arc<Key>, client: u64, what: What },
    /// Of a statement that wants a database to itself: connections that nobody listens on go at once, for as long as the server
    /// waits for that.
    Vacate,
}

/// What a session wants.
#[derive(Debug)]
pub(crate) enum What {
    /// It listens on something else from now on.
    Hear { wish: Wish, done: oneshot::Sender<Result<(), ErrorResponse>> },
    /// Say when all has been heard that was notified before this echo.
    Echo { number: u64, done: oneshot::Sender<()> },
    /// Say when all has been heard that was committed before.
    CatchUp { done: oneshot::Sender<()> },
    /// It listens on nothing.
    Leave,
}

/// What is to change in what a client hears.
#[derive(Debug, Default)]
pub(crate) struct Wish {
    /// These channels, too.
    pub(crate) listen: BTreeSet<Channel>,
    /// These no more.
    pub(crate) unlisten: BTreeSet<Channel>,
    /// With the first of them: it hears nothing else.
    pub(crate) sender: Option<Sender>,
    /// These only from an echo on: what came before it the client heard by itself.
    pub(crate) mute: Option<(BTreeSet<Channel>, u64)>,
}

/// Why a client does not hear what it wants to.
#[derive(Debug)]
pub(crate) enum Unheard {
    /// The server would not have it.
    Refused(ErrorResponse),
    /// There is no connection to the server, or none that answers.
    Late,
}

impl Listeners {
    /// The way, and the end of it that [`serve`] follows.
    pub(crate) fn new() -> (Listeners, UnboundedReceiver<Order>) {
        let (orders, received) = unbounded_channel();
        // Others may use the same channel for theirs: two doors, or two Plimsolls.
        let first = RandomState::new().build_hasher().finish() >> 1;
        (Listeners { orders, echoes: Arc::new(first.into()) }, received)
    }

    /// Client `client` of `key` hears what it wishes from when what is returned is done, which nobody has to wait for.
    ///
    /// # Errors
    /// See [`Unheard`]; after `wait` at the latest. It may still come to pass then.
    pub(crate) fn hear(
        &self,
        (key, client): (&Arc<Key>, u64),
        wish: Wish,
        wait: Duration,
    ) -> impl Future<Output = Result<(), Unheard>> + use<> {
        let (done, answer) = oneshot::channel();
        self.order(key, client, What::Hear { wish, done });
        async move {
            match timeout(wait, answer).await {
                Ok(Ok(result)) => result.map_err(Unheard::Refused),
                Ok(Err(_)) | Err(_) => Err(Unheard::Late),
            }
        }
    }

    /// Client `client` of `key` hears nothing.
    pub(crate) fn leave(&self, key: &Arc<Key>, client: u64) {
        self.order(key, client, What::Leave);
    }

    /// Databases that nobody listens in are left at once, for as long as a server waits that wants one to itself.
    pub(crate) fn vacate(&self) {
        self.send(Order::Vacate);
    }

    /// The number of an echo, and the statement that makes it.
    pub(crate) fn echo(&self) -> (u64, String) {
        let number = self.echoes.fetch_add(1, Ordering::Relaxed);
        (number, format!("NOTIFY {ECHOES}, '{number}'"))
    }

    /// Waits until echo `number`, which is still to be made, is heard: no longer than `wait`, and not if nobody listens now.
    pub(crate) fn wait_for(&self, number: u64, (key, client): (&Arc<Key>, u64), wait: Duration) -> impl Future<Output = ()> + use<> {
        let (done, heard) = oneshot::channel();
        self.order(key, client, What::Echo { number, done });
        async move {
            // Late or lost: what the client notified reaches it later, as that of others.
            let _ = timeout(wait, heard).await;
        }
    }

    /// Waits until all is heard that was committed before now: no longer than [`LAG`], and not if nobody listens now.
    pub(crate) fn catch_up(&self, (key, client): (&Arc<Key>, u64)) -> impl Future<Output = ()> + use<> {
        let (done, heard) = oneshot::channel();
        self.order(key, client, What::CatchUp { done });
        async move {
            // Late or lost: it comes later.
            let _ = timeout(LAG, heard).await;
        }
    }

    fn order(&self, key: &Arc<Key>, client: u64, what: What) {
        self.send(Order::Of { key: key.clone(), client, what });
    }

    fn send(&self, order: Order) {
        // Nobody serves any more: the door closes.
        let _ = self.orders.send(order);
    }
}

#[cfg(test)]
mod tests {
    use tokio::time::{Instant, sleep};

    use super::*;

    const WAIT: Duration = Duration::from_secs(30);

    async fn waits(after: Option<Duration>) -> Duration {
        let (listeners, mut orders) = Listeners::new();
        let key = Arc::new(Key { user: "u".into(), database: "d".into() });
        let (begun, heard) = (Instant::now(), listeners.wait_for(5, (&key, 1), WAIT));
        let answer = async {
            let Some(Order::Of { what: What::Echo { number: 5, done }, .. }) = orders.recv().await else { panic!("no echo") };
            let Some(after) = after else { return drop(done) };
            sleep(after).await;
            let _ = done.send(());
        };
        tokio::join!(heard, answer);
        begun.elapsed()
    }

    #[tokio::test(start_paused = true)]
    async fn what_a_client_notified_itself_is_waited_for_as_long_as_a_connection_is() {
        let late = Duration::from_secs(10);
        assert_eq!(waits(Some(late)).await, late);
        assert_eq!(waits(None).await, Duration::ZERO, "nobody listens now");
    }
}
