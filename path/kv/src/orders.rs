//! Carries out a loop's orders from the tier's handle.

use std::net::TcpListener;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::mpsc::SyncSender;

use contract::Drain;
use loops::{Loop, Newcomer};
use tokio::sync::mpsc::{Receiver, UnboundedReceiver};
use tokio::task::{JoinHandle, spawn_local};

use crate::client::{accept, dismiss};
use crate::door::{Door, Shared};
use crate::pubsub::deliver;
use crate::survey::{self, Found, KeysAsked};
use crate::upkeep;

/// What a loop is told.
#[derive(Debug)]
pub(crate) enum Order {
    /// Accept here until the drain begins.
    Listen(TcpListener, Drain),
    /// Close clients between two commands; say when they are told to.
    Drain(SyncSender<()>),
    /// Tell what is known of the keys.
    Keys(KeysAsked, SyncSender<Found>),
}

/// One loop's part of the tier, from its start until nobody can give an order any more.
pub(crate) async fn follow(here: Loop, common: Arc<Shared>, clients: Receiver<Newcomer>, mut orders: UnboundedReceiver<Order>) {
    let mut beside = vec![spawn_local(upkeep::keep(common.clone(), here.index)), spawn_local(survey::keep(common.clone(), here.index))];
    if here.index == 0 {
        beside.extend([spawn_local(dismiss(common.clone())), spawn_local(deliver(common.clone()))]);
    }
    let door = Door::new(here, common);
    let arrivals = spawn_local(accept::arrivals(door.clone(), clients));
    while let Some(order) = orders.recv().await {
        obey(&door, order);
    }
    door.drain();
    arrivals.abort();
    beside.iter().for_each(JoinHandle::abort);
}

fn obey(door: &Rc<Door>, order: Order) {
    // Who asked may have stopped waiting.
    match order {
        Order::Listen(socket, stop) => drop(spawn_local(accept::accept(door.clone(), socket, stop))),
        Order::Drain(done) => {
            door.drain();
            let _ = done.send(());
        }
        Order::Keys(asked, answer) => drop(spawn_local(survey::tell(door.common.clone(), door.here.index, asked, answer))),
    }
}
