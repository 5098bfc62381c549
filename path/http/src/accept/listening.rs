//! Takes connections from a loop's sockets, counts them, and seats them on a loop.

use std::net::{SocketAddr, TcpListener};
use std::rc::Rc;
use std::time::Duration;

use contract::Drain;
use loops::{Newcomer, Seat};
use tokio::net::TcpStream;
use tokio::sync::mpsc::Receiver;

use super::connection::{Place, serve};
use crate::door::Door;
use crate::events::add;

/// How long a loop waits when the process has no descriptor left.
const NO_DESCRIPTOR: Duration = Duration::from_millis(50);

/// Accepts on `socket` until `stop`; what the kernel had queued by then is still served.
pub(crate) async fn accept(door: Rc<Door>, socket: TcpListener, mut stop: Drain) {
    let listener = match tokio::net::TcpListener::from_std(socket) {
        Ok(listener) => listener,
        Err(error) => return door.common.events.log.error("http", &format!("a listening socket cannot be used: {error}")),
    };
    let mut is_failing = false;
    loop {
        let accepted = tokio::select! {
            biased;
            accepted = listener.accept() => accepted,
            () = stop.begun() => return,
        };
        match accepted {
            Ok((stream, address)) => {
                if std::mem::take(&mut is_failing) {
                    door.common.events.log.info("http", "connections are accepted again");
                }
                seat(&door, stream, address);
            }
            Err(error) if is_of_one_connection(&error) => {}
            Err(error) => {
                add(&door.common.events.loops[door.here.index].accept_failures, 1);
                // Once, not twenty times a second: the count tells how often.
                if !std::mem::replace(&mut is_failing, true) {
                    door.common.events.log.warning("http", &format!("cannot accept connections: {error}"));
                }
                tokio::time::sleep(NO_DESCRIPTOR).await;
            }
        }
    }
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
    match seats.best(here) {
        best if best == here => begin(door, stream, address, seats.take(here)),
        best => hand_over(door, stream, address, seats.take(best)),
    }
}

fn hand_over(door: &Rc<Door>, stream: TcpStream, address: SocketAddr, seat: Seat) {
    let seats = &door.common.seats;
    let Ok(stream) = stream.into_std() else { return };
    match seats.hand_over(Newcomer { stream, peer: address, seat }) {
        Ok(()) => add(&door.common.events.loops[door.here.index].handed_over, 1),
        Err(Newcomer { stream, .. }) => {
            if let Ok(stream) = TcpStream::from_std(stream) {
                begin(door, stream, address, seats.take(door.here.index));
            }
        }
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

/// The client was gone before it was accepted.
fn is_of_one_connection(error: &std::io::Error) -> bool {
    use std::io::ErrorKind::{ConnectionAborted, ConnectionRefused, ConnectionReset, Interrupted};
    matches!(error.kind(), ConnectionAborted | ConnectionRefused | ConnectionReset | Interrupted)
}
