//! Takes connections from a loop's sockets, counts them, seats them on a loop, and serves each in a task of its own.

use std::net::{SocketAddr, TcpListener};
use std::rc::Rc;

use contract::Drain;
use loops::{Accepted, Newcomer, Seat, Seated};
use tokio::net::TcpStream;
use tokio::sync::mpsc::Receiver;

use super::arrival::{attend, turn_away};
use crate::door::Door;
use crate::error::Fault;
use crate::events::add;
use tls::Stream;

/// Clients beyond `pool.client` that are told so at a time on each loop; more are closed without a word.
const TOLD: usize = 64;

/// What a connection holds for as long as it lives.
struct Place {
    _seat: Seat,
    door: Rc<Door>,
}

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
    while let Some(Newcomer { stream, seat, .. }) = newcomers.recv().await {
        // It fails only when the process has no descriptor or memory left; the client sees a closed connection.
        if let Ok(stream) = TcpStream::from_std(stream) {
            begin(&door, stream, seat);
        }
    }
}

fn seat(door: &Rc<Door>, stream: TcpStream, address: SocketAddr) {
    let (seats, here) = (&door.common.seats, door.here.index);
    add(&door.events().accepted, 1);
    if seats.taken() >= door.shape().plan.pool.client {
        add(&door.events().refused, 1);
        return refuse(door, stream);
    }
    match seats.seat(here, stream, address) {
        Seated::Here(stream, seat) => begin(door, stream, seat),
        Seated::There => add(&door.events().handed_over, 1),
        Seated::Lost => {}
    }
}

fn begin(door: &Rc<Door>, stream: TcpStream, seat: Seat) {
    door.opened();
    let place = Place { _seat: seat, door: door.clone() };
    tokio::task::spawn_local(async move {
        // It inherits its listener's options.
        attend(place.door.clone(), Stream::Tcp(stream)).await;
        drop(place);
    });
}

/// Tells a client that there are too many. It may still cancel.
fn refuse(door: &Rc<Door>, stream: TcpStream) {
    if let Some(refusing) = door.begin_refusing(TOLD) {
        tokio::task::spawn_local(async move {
            turn_away(&refusing, Stream::Tcp(stream), Fault::too_many_clients()).await;
        });
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.door.closed();
        if std::thread::panicking() {
            self.door.common.events.panicked(self.door.here.index);
        }
    }
}
