//! Carries out a loop's orders from the tier's handle, and the loop's own chores.

use std::net::TcpListener;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::mpsc::SyncSender;
use std::time::Duration;

use contract::Drain;
use loops::{Loop, Newcomer};
use tokio::sync::mpsc::{Receiver, UnboundedReceiver};
use tokio::task::spawn_local;

use crate::accept::listening;
use crate::access::{self, AccessLines};
use crate::door::{Door, Shared};
use crate::view::{Shape, View};

/// How often idle connections to endpoints are looked at.
const SWEEP: Duration = Duration::from_secs(1);

/// What a loop is told.
#[derive(Debug)]
pub(crate) enum Order {
    /// Follow this plan; say when.
    View(Arc<Shape>, SyncSender<()>),
    /// Accept here until the drain begins.
    Listen(TcpListener, Drain),
    /// Close what is idle and, after their answers, all connections; say when.
    Drain(SyncSender<()>),
}

/// One loop's part of the tier, from its start to the end of the loop.
pub(crate) async fn follow(
    here: Loop,
    loops: usize,
    common: Arc<Shared>,
    shape: Arc<Shape>,
    newcomers: Receiver<Newcomer>,
    mut orders: UnboundedReceiver<Order>,
) {
    let access = AccessLines::new(common.events.log.clone());
    let door = Door::new(here, common, View::new(shape, loops, None), access);
    spawn_local(listening::arrivals(door.clone(), newcomers));
    spawn_local(sweep(door.clone()));
    spawn_local(flush(door.clone()));
    while let Some(order) = orders.recv().await {
        match order {
            Order::View(shape, done) => {
                let before = door.view();
                door.set_view(View::new(shape, loops, Some(&before)));
                let _ = done.send(());
            }
            Order::Listen(socket, stop) => drop(spawn_local(listening::accept(door.clone(), socket, stop))),
            Order::Drain(done) => {
                door.drain();
                let _ = done.send(());
            }
        }
    }
}

async fn sweep(door: Rc<Door>) {
    loop {
        loops::time::sleep(SWEEP).await;
        let most = door.view().shape.plan.timeout.upstream_idle;
        door.pool.sweep(std::time::Instant::now(), most);
    }
}

async fn flush(door: Rc<Door>) {
    loop {
        loops::time::sleep(access::WAIT).await;
        door.access.flush();
    }
}
