//! Takes connections from a loop's sockets, counts them, and seats them on a loop.

use std::net::{SocketAddr, TcpListener};
use std::rc::Rc;

use contract::Drain;
use loops::{Accepted, Newcomer, Seat, Seated};
use tokio::net::TcpStream;
use tokio::sync::mpsc::Receiver;

use super::connection::{Place, serve};
use crate::door::Door;
use crate::events::add;

/// Accepts on `socket` until `stop`; what the kernel had queued by then is still served.
pub(crate) async fn accept(door: Rc<Door>, socket: TcpListener, mut stop: Drain) {
    let each = |accepted| match accepted {
        Accepted::Client(stream, address) => seat(&door, stream, address),
        trouble => door.common.events.accepting(door.here.index, &trouble),
    };
    loops::accept(socket, stop.begun(), each).await;
}

/// Serves what other loops accepted for this one.
pub(crate) async fn arrivals(door: Rc<Door>, mut newcomers: Receiver<Newcomer>) {
    while let Some(Newcomer { stream, peer, seat }) = newcomers.recv().await {
        // It fails only when the process has no descriptor or memory left; the client sees a closed connection.
        if let Ok(stream) = TcpStream::from_std(stream) {
            begin(&door, stream, peer, seat);
        }
    }
}

fn seat(door: &Rc<Door>, stream: TcpStream, address: SocketAddr) {
    let (seats, here) = (&door.common.seats, door.here.index);
    let counts = &door.common.events.loops[here];
    add(&counts.accepted, 1);
    if seats.taken() >= door.view().shape.plan.max.connections {
        return add(&counts.refused_total, 1);
    }
    match seats.seat(here, stream, address) {
        Seated::Here(stream, seat) => begin(door, stream, address, seat),
        Seated::There => add(&counts.handed_over, 1),
        Seated::Lost => {}
    }
}

fn begin(door: &Rc<Door>, stream: TcpStream, address: SocketAddr, seat: Seat) {
    let most = door.view().shape.plan.max.connections_per_ip;
    let Some(counted) = door.common.addresses.enter(address.ip(), most) else {
        return add(&door.common.events.loops[door.here.index].refused_address, 1);
    };
    door.opened();
    let place = Place { _seat: seat, _counted: counted, door: door.clone() };
    tokio::task::spawn_local(serve(stream, address, place));
}
