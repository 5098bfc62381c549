//! How a client cancels: its key leads to its loop, there to what is lent to it now, and so to a server.
//!
//! A process id is `1 + place * loops + loop`: the right loop is known without a lock, on it the place is an index.

use std::cell::{Cell, RefCell};
use std::future::poll_fn;
use std::rc::Rc;
use std::sync::Arc;
use std::task::{Poll, Waker};
use std::time::Instant;

use tokio::sync::mpsc::{Receiver, Sender, channel};
use tokio::sync::oneshot;
use tokio::task::spawn_local;

use super::startup::Protocol;
use crate::frame;
use crate::open::{Doing, Open, Work};
use crate::pins::PinBoard;
use crate::scram::{is_equal, random};
use crate::server::Target;

/// Requests on their way to a loop; beyond it they are dropped, which a cancel may always be.
const QUEUE: usize = 256;

/// The way to every loop's registry.
#[derive(Debug)]
pub(crate) struct Ways(Box<[Sender<Request>]>);

/// What one loop asks another to cancel.
#[derive(Debug)]
pub(crate) struct Request {
    process: u32,
    secret: Box<[u8]>,
    /// Dropped when it is done.
    done: oneshot::Sender<()>,
}

/// The clients of one loop, by place.
#[derive(Debug)]
pub(crate) struct Registry {
    here: usize,
    ways: Arc<Ways>,
    places: RefCell<Places>,
}

#[derive(Debug, Default)]
struct Places {
    taken: Vec<Option<Rc<Cancelable>>>,
    free: Vec<u32>,
}

/// A client's place; dropping it frees it.
#[derive(Debug)]
pub(crate) struct Seat {
    registry: Rc<Registry>,
    own: Rc<Cancelable>,
}

#[derive(Debug)]
struct Cancelable {
    process: u32,
    secret: Box<[u8]>,
    lent: RefCell<Option<Arc<Target>>>,
    /// Waits for a connection, and would rather know that it was cancelled.
    waits: RefCell<Option<Waker>>,
    is_cancelled: Cell<bool>,
    work: Work,
}

/// While it lives, a cancel reaches the connection lent. To be dropped before the connection is given back.
#[derive(Debug)]
pub(crate) struct Lending(Rc<Cancelable>);

impl Ways {
    /// Ways to `loops` loops, and for each loop the end where requests arrive.
    pub(crate) fn new(loops: usize) -> (Arc<Ways>, Vec<Receiver<Request>>) {
        let (ways, arrivals): (Vec<_>, Vec<_>) = (0..loops).map(|_| channel(QUEUE)).unzip();
        (Arc::new(Ways(ways.into())), arrivals)
    }
}

impl Registry {
    /// The registry of loop `here`.
    pub(crate) fn new(here: usize, ways: Arc<Ways>) -> Rc<Registry> {
        Rc::new(Registry { here, ways, places: RefCell::default() })
    }

    /// Does what the loops ask for, for ever.
    pub(crate) async fn follow(self: Rc<Registry>, mut requests: Receiver<Request>) {
        while let Some(Request { process, secret, done }) = requests.recv().await {
            if let Some(target) = self.find(process, &secret) {
                // It begins now, while the connection is this client's; one that hangs must not hold up the others.
                let cancel = target.cancel();
                spawn_local(async move {
                    cancel.await;
                    drop(done);
                });
            }
        }
    }

    /// Cancels what the client of this key does, on whichever loop; done when its server knows. A key that is nobody's
    /// is passed over in silence, as Postgres does.
    pub(crate) async fn cancel(&self, process: u32, secret: Box<[u8]>) {
        let (done, end) = oneshot::channel();
        let loops = self.ways.0.len();
        let index = process.wrapping_sub(1) as usize % loops;
        if self.ways.0[index].try_send(Request { process, secret, done }).is_ok() {
            // The sender is dropped, never used.
            let _ = end.await;
        }
    }

    /// A place for a client that speaks `protocol`.
    pub(crate) fn seat(self: &Rc<Registry>, protocol: Protocol) -> Seat {
        let mut places = self.places.borrow_mut();
        let place = places.free.pop().unwrap_or(places.taken.len() as u32);
        let process = 1 + place * self.ways.0.len() as u32 + self.here as u32;
        let secret = &random::<32>()[..protocol.secret()];
        let secret = secret.into();
        let (lent, waits, is_cancelled, work) = Default::default();
        let own = Rc::new(Cancelable { process, secret, lent, waits, is_cancelled, work });
        if place as usize == places.taken.len() {
            places.taken.push(None);
        }
        places.taken[place as usize] = Some(own.clone());
        Seat { registry: self.clone(), own }
    }

    /// What is lent to the client of this key. One that waits for a connection is told here.
    fn find(&self, process: u32, secret: &[u8]) -> Option<Arc<Target>> {
        let places = self.places.borrow();
        let client = places.taken.get(self.place(process)).and_then(Option::as_ref)?;
        if client.process != process || !is_equal(&client.secret, secret) {
            return None;
        }
        let target = client.lent.borrow().clone();
        if target.is_none()
            && let Some(waiter) = client.waits.take()
        {
            client.is_cancelled.set(true);
            waiter.wake();
        }
        target
    }

    /// Clients that have a transaction open, or whose statement runs.
    pub(crate) fn open(&self, pins: &PinBoard, now: Instant) -> Open {
        let places = self.places.borrow();
        let clients = places.taken.iter().flatten();
        let busy = clients.filter_map(|client| Some((&client.work, client.lent.borrow().as_ref()?.process())));
        Open::of(busy, |client| pins.reasons(client), now)
    }

    fn place(&self, process: u32) -> usize {
        process.wrapping_sub(1) as usize / self.ways.0.len()
    }
}

impl Seat {
    /// The client's number: unique among those who are here.
    pub(crate) fn process(&self) -> u32 {
        self.own.process
    }

    /// Appends `BackendKeyData`.
    pub(crate) fn write(&self, out: &mut Vec<u8>) {
        frame::message(out, b'K', |out| {
            out.extend_from_slice(&self.own.process.to_be_bytes());
            out.extend_from_slice(&self.own.secret);
        });
    }

    /// Lets cancels reach `target`, lent for what came at `came`, until the guard is dropped.
    pub(crate) fn lend(&self, target: &Arc<Target>, came: Instant) -> Lending {
        *self.own.lent.borrow_mut() = Some(target.clone());
        self.own.work.begins(came);
        Lending(self.own.clone())
    }

    /// Whose it is, and what it does.
    pub(crate) fn work(&self) -> &Work {
        &self.own.work
    }

    /// Ready when the client cancels while it has no connection; for as long as it waits for one.
    pub(crate) async fn cancelled(&self) {
        let _waits = Waits(&self.own);
        poll_fn(|context| {
            if self.own.is_cancelled.get() {
                return Poll::Ready(());
            }
            *self.own.waits.borrow_mut() = Some(context.waker().clone());
            Poll::Pending
        })
        .await;
    }
}

impl Lending {
    /// What the client does now with what is lent to it; the last that it said came at `came`.
    pub(crate) fn shows(&self, doing: Doing, came: Instant) {
        self.0.work.is(doing, came);
    }
}

impl Drop for Lending {
    fn drop(&mut self) {
        self.0.lent.take();
    }
}

/// Ends the wait of [`Seat::cancelled`], however it ends.
struct Waits<'s>(&'s Cancelable);

impl Drop for Waits<'_> {
    fn drop(&mut self) {
        self.0.waits.take();
        self.0.is_cancelled.set(false);
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        let mut places = self.registry.places.borrow_mut();
        let place = self.registry.place(self.own.process);
        places.taken[place] = None;
        places.free.push(place as u32);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn registry(here: usize, loops: usize) -> Rc<Registry> {
        Registry::new(here, Ways::new(loops).0)
    }

    #[test]
    fn process_ids_are_unique_among_the_living_on_all_loops() {
        let registries: Vec<_> = (0..3).map(|here| registry(here, 3)).collect();
        let seats: Vec<_> = registries.iter().flat_map(|registry| (0..5).map(|_| registry.seat(Protocol::OLDEST))).collect();
        let mut ids: Vec<_> = seats.iter().map(Seat::process).collect();
        ids.sort_unstable();
        assert_eq!(ids, (1..=15).collect::<Vec<_>>());
        drop(seats);
        assert_eq!(registries[1].seat(Protocol::OLDEST).process() % 3, 2);
        assert_eq!(registries[1].places.borrow().taken.len(), 5);
    }

    #[test]
    fn only_the_right_secret_finds_what_is_lent_now() {
        let registry = registry(1, 2);
        let seat = registry.seat(Protocol::OLDEST);
        let target = crate::server::tests::target();
        let (process, secret) = (seat.process(), seat.own.secret.clone());
        assert!(registry.find(process, &secret).is_none());
        let lending = seat.lend(&target, Instant::now());
        assert!(registry.find(process, &secret).is_some_and(|found| Arc::ptr_eq(&found, &target)));
        assert!(registry.find(process, &secret).is_some());
        assert!(registry.find(process, &secret[..3]).is_none() && registry.find(process + 1, &secret).is_none());
        assert!(registry.find(0, &secret).is_none() && registry.find(u32::MAX, &secret).is_none());
        drop(lending);
        assert!(registry.find(process, &secret).is_none());
        drop(seat);
        assert!(registry.find(process, &secret).is_none());
    }

    #[tokio::test]
    async fn a_client_that_waits_is_told() {
        let registry = registry(0, 1);
        let seat = registry.seat(Protocol::OLDEST);
        let (process, secret) = (seat.process(), seat.own.secret.clone());
        // Nobody waits: it is lost, as at an idle Postgres session.
        registry.find(process, &secret);
        let cancel = async {
            tokio::task::yield_now().await;
            registry.find(process, &secret);
        };
        tokio::join!(seat.cancelled(), cancel);
        assert!(!seat.own.is_cancelled.get());
    }
}
