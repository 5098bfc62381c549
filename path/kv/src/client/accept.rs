//! Takes connections from a loop's sockets, counts them, seats them on a loop, and serves each in a task of its own.

use std::future::poll_fn;
use std::net::{SocketAddr, TcpListener};
use std::pin::pin;
use std::rc::Rc;
use std::sync::Arc;
use std::task::Poll;
use std::time::Duration;

use contract::Drain;
use loops::{Accepted, Newcomer, Seat, Seated};
use tls::Stream;
use tokio::net::TcpStream;
use tokio::sync::mpsc::Receiver;

use super::{Client, Peer};
use crate::command::forget_watches;
use crate::door::{Door, now};
use crate::events::add;
use crate::visit::serve;

/// A client, for as long as it is there.
pub(crate) struct Present<'d> {
    pub(crate) client: Client,
    door: &'d Door,
}

/// The longest that a handshake takes.
const HANDSHAKE: Duration = Duration::from_secs(10);

const TOO_MANY: &[u8] = b"-ERR max number of clients reached\r\n";
/// The same, for clients of memcached.
const TOO_MANY_THERE: &[u8] = b"ERROR Too many open connections\r\n";

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
    while let Some(Newcomer { stream, seat, peer }) = newcomers.recv().await {
        // It fails only when the process has no descriptor or memory left; the client sees a closed connection.
        if let Ok(stream) = TcpStream::from_std(stream) {
            begin(&door, stream, peer, seat);
        }
    }
}

fn seat(door: &Rc<Door>, stream: TcpStream, address: SocketAddr) {
    let (seats, here) = (&door.common.seats, door.here.index);
    add(&door.events().accepted, 1);
    if seats.taken() >= door.common.config.max().clients {
        add(&door.events().refused, 1);
        let local = stream.local_addr().unwrap_or(address);
        let is_memcached = door.common.memcached(local).is_some();
        if is_memcached || door.common.tls().is_none() {
            // A new socket takes so few bytes at once, or the client is closed without a word.
            let _ = stream.try_write(if is_memcached { TOO_MANY_THERE } else { TOO_MANY });
        }
        return;
    }
    match seats.seat(here, stream, address) {
        Seated::Here(stream, seat) => begin(door, stream, address, seat),
        Seated::There => add(&door.events().handed_over, 1),
        Seated::Lost => {}
    }
}

fn begin(door: &Rc<Door>, stream: TcpStream, address: SocketAddr, seat: Seat) {
    door.opened();
    let place = Place { _seat: seat, door: door.clone() };
    tokio::task::spawn_local(async move {
        // A task is woken by the same waker for as long as it lives.
        let waker = poll_fn(|context| Poll::Ready(context.waker().clone())).await;
        let local = stream.local_addr().unwrap_or(address);
        let memcached = place.door.common.memcached(local);
        // Clients of memcached come from this machine, and speak no TLS.
        let stream = if memcached.is_some() { Some(Stream::Tcp(stream)) } else { secured(&place.door, stream).await };
        let Some(stream) = stream else { return };
        let bounds = place.door.common.bounds.clone();
        let peer = Arc::new(Peer::new(place.door.new_client(), (address, local), now(), waker, bounds));
        place.door.common.roster.add(&peer);
        let users = &place.door.common.users;
        let mut client = Client::new(peer, users.default());
        client.memcached = memcached;
        client.limits.known = !users.needs_login();
        client.look();
        let client = Present { client, door: &place.door };
        serve(&place.door, stream, client).await;
        drop(place);
    });
}

/// Shakes hands, where clients speak TLS; none: it came to nothing.
async fn secured(door: &Door, stream: TcpStream) -> Option<Stream> {
    let Some(config) = door.common.tls() else { return Some(Stream::Tcp(stream)) };
    let (alarm, mut shaking) = (door.here.alarms.alarm(), pin!(tls::accept(stream, config, &[])));
    alarm.set(HANDSHAKE);
    let shaken = poll_fn(|context| match alarm.poll_rung(context).is_ready() || door.is_draining() {
        true => Poll::Ready(None),
        false => shaking.as_mut().poll(context).map(Result::ok),
    });
    let tls = shaken.await;
    if tls.is_none() {
        add(&door.events().unsecured, 1);
    }
    tls.map(Stream::Tls)
}

impl Drop for Present<'_> {
    /// Nobody finds it any more.
    fn drop(&mut self) {
        let (client, common) = (&mut self.client, &self.door.common);
        common.roster.remove(client.id());
        common.channels.leave(client.peer.id, &mut client.subscriptions);
        if client.is_monitor {
            common.roster.remove_monitor(client.id());
            common.look();
        }
        if !client.watches.is_empty() {
            forget_watches(client, &common.store);
        }
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
