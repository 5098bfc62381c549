//! Carries out a loop's orders from the tier's handle, and the loop's own chores.

use std::net::TcpListener;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::mpsc::SyncSender;
use std::time::Duration;

use contract::{Database, Drain};
use loops::{Loop, Newcomer, now};
use tokio::sync::mpsc::{Receiver, UnboundedReceiver};
use tokio::task::{JoinHandle, spawn_local};

use crate::client::accept;
use crate::client::cancel::Request;
use crate::door::{Door, Shared};
use crate::listening;
use crate::open::Open;
use crate::pins::Pinned;
use crate::server::{Message, Side, seed, to_server};
use crate::view::Shape;

/// How long what a server said of its tables is believed.
const BELIEVED: Duration = Duration::from_secs(60);

/// What a loop is told.
#[derive(Debug)]
pub(crate) enum Order {
    /// Follow this plan, with this server; say when.
    Shape(Arc<Shape>, Database, SyncSender<()>),
    /// Accept here until the drain begins.
    Listen(TcpListener, Drain),
    /// Tell clients to leave between two transactions, close what is idle; say when.
    Drain(SyncSender<()>),
    /// Close every client, whatever it does; say when they are told to.
    Cut(SyncSender<()>),
    /// Say who is pinned, and who has a transaction open.
    Clients(SyncSender<(Vec<Pinned>, Open)>),
}

/// What comes to one loop.
pub(crate) struct Arrivals {
    pub(crate) clients: Receiver<Newcomer>,
    pub(crate) cancels: Receiver<Request>,
    pub(crate) messages: UnboundedReceiver<Message>,
    /// On the loop that listens for all clients.
    pub(crate) listens: Option<UnboundedReceiver<listening::Order>>,
    pub(crate) orders: UnboundedReceiver<Order>,
}

/// One loop's part of the tier, from its start until nobody can give an order any more.
pub(crate) async fn follow(here: Loop, common: Arc<Shared>, shape: Arc<Shape>, database: Database, arrivals: Arrivals) {
    let Arrivals { clients, cancels, messages, listens, mut orders } = arrivals;
    let (pool, events) = (common.pool.clone(), common.events.clone());
    let side = Side::new(here.clone(), pool, events, shape.clone(), database, to_server(), seed());
    let mut chores = Vec::from(side.start(messages));
    if let Some(listens) = listens {
        chores.push(spawn_local(listening::serve(listens, beside(side.clone()), common.events.clone())));
    }
    let door = Door::new(here, common, side, shape);
    chores.push(spawn_local(forget(door.clone())));
    chores.push(spawn_local(door.registry.clone().follow(cancels)));
    chores.push(spawn_local(accept::arrivals(door.clone(), clients)));
    while let Some(order) = orders.recv().await {
        obey(&door, order);
    }
    door.cut();
    chores.iter().for_each(JoinHandle::abort);
}

/// Connections for who listens.
fn beside(side: Rc<Side>) -> (listening::Open, listening::LeadsThere) {
    let there = side.clone();
    let open: listening::Open = Rc::new(move |key| {
        let side = side.clone();
        Box::pin(async move { side.open_beside(key).await })
    });
    (open, Rc::new(move |connection| !there.has_moved(connection)))
}

/// What a server said of its tables is believed for a while only.
async fn forget(door: Rc<Door>) {
    loop {
        loops::time::sleep(BELIEVED).await;
        door.memory.borrow_mut().worth.clear();
        if door.here.index == 0 {
            // Whoever does not come through the door makes tables too.
            door.common.begin_generation();
        }
    }
}

fn obey(door: &Rc<Door>, order: Order) {
    match order {
        Order::Shape(shape, database, done) => {
            door.set_shape(shape.clone());
            door.side.swap(shape, database);
            // Who asked may have stopped waiting.
            let _ = done.send(());
        }
        Order::Listen(socket, stop) => drop(spawn_local(accept::accept(door.clone(), socket, stop))),
        Order::Drain(done) => {
            door.drain();
            let _ = done.send(());
        }
        Order::Cut(done) => {
            door.cut();
            let _ = done.send(());
        }
        Order::Clients(answer) => {
            let (pins, now) = (&door.sessions.pins, now());
            let _ = answer.send((pins.list(now), door.registry.open(pins, now)));
        }
    }
}
