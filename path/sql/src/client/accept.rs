//! Takes connections from a loop's sockets, counts them, seats them on a loop, and serves each in a task of its own.

use std::net::{SocketAddr, TcpListener};
use std::rc::Rc;
use std::time::Duration;

use contract::Drain;
use loops::{Newcomer, Seat};
use tokio::net::TcpStream;
use tokio::sync::mpsc::Receiver;

use crate::arrival::{attend, turn_away};
use crate::door::Door;
use crate::error::Fault;
use crate::events::add;
use crate::stream::Stream;

/// How long a loop waits when the process has no descriptor left.
const NO_DESCRIPTOR: Duration = Duration::from_millis(50);

/// Clients beyond `pool.client` that are told so at a time on each loop; more are closed without a word.
const TOLD: usize = 64;

/// What a connection holds for as long as it lives.
struct Place {
    _seat: Seat,
    door: Rc<Door>,
}

/// Accepts on `socket` until `stop`; what the kernel had queued by then is still served.
pub(crate) async fn accept(door: Rc<Door>, socket: TcpListener, mut stop: Drain) {
    let listener = match tokio::net::TcpListener::from_std(socket) {
        Ok(listener) => listener,
        Err(error) => return door.common.events.error(&format!("a listening socket cannot be used: {error}")),
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
                    door.common.events.info("connections are accepted again");
                }
                seat(&door, stream, address);
            }
            Err(error) if is_of_one_connection(&error) => {}
            Err(error) => {
                add(&door.events().accept_failures, 1);
                // Once, not twenty times a second: the count tells how often.
                if !std::mem::replace(&mut is_failing, true) {
                    door.common.events.warning(&format!("cannot accept connections: {error}"));
                }
                tokio::time::sleep(NO_DESCRIPTOR).await;
            }
        }
    }
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
    match seats.best(here) {
        best if best == here => begin(door, stream, seats.take(here)),
        best => hand_over(door, stream, address, seats.take(best)),
    }
}

fn hand_over(door: &Rc<Door>, stream: TcpStream, address: SocketAddr, seat: Seat) {
    let seats = &door.common.seats;
    let Ok(stream) = stream.into_std() else { return };
    match seats.hand_over(Newcomer { stream, peer: address, seat }) {
        Ok(()) => add(&door.events().handed_over, 1),
        Err(Newcomer { stream, .. }) => {
            if let Ok(stream) = TcpStream::from_std(stream) {
                begin(door, stream, seats.take(door.here.index));
            }
        }
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
            add(&self.door.events().panics, 1);
            self.door.common.events.error("a client's connection was closed because its task panicked");
        }
    }
}

/// An error that concerns only the connection that could not be accepted.
fn is_of_one_connection(error: &std::io::Error) -> bool {
    use std::io::ErrorKind::{ConnectionAborted, ConnectionRefused, ConnectionReset, Interrupted};
    matches!(error.kind(), ConnectionAborted | ConnectionRefused | ConnectionReset | Interrupted)
}
