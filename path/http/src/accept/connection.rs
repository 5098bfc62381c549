//! The life of a client connection: idle without a buffer, busy in a boxed future, idle again.

use std::cell::Cell;
use std::future::{Future, poll_fn};
use std::net::SocketAddr;
use std::pin::pin;
use std::rc::Rc;
use std::task::Poll;
use std::time::Duration;

use loops::{BUFFER_BYTES, Seat};
use rustix::net::RecvFlags;
use tokio::io::Interest;
use tokio::net::TcpStream;

use crate::admit::per_address::Counted;
use crate::door::Door;
use crate::path;
use crate::visit::{After, Client, Visit};
use loops::socket::poll_read;

/// How long a connection keeps its state after a request, for the next one: then it shrinks to what idle ones take.
const WARM: Duration = Duration::from_secs(1);

/// Connections of a loop that keep it at a time: thousands that come at once must not hold thousands of states.
const WARM_MOST: usize = 256;

/// How long and how much is read from a client that still sends although it was answered, so that it can read the answer.
const LINGER: Duration = Duration::from_secs(2);
const LINGER_BYTES: usize = 1 << 20;

/// What a connection holds for as long as it lives.
pub(crate) struct Place {
    pub(crate) _seat: Seat,
    pub(crate) _counted: Counted,
    pub(crate) door: Rc<Door>,
}

impl Drop for Place {
    fn drop(&mut self) {
        self.door.closed();
        if std::thread::panicking() {
            self.door.common.events.panicked(self.door.here.index);
        }
    }
}

/// Serves one client until it goes, is refused, is idle for too long, or the tier drains.
pub(crate) async fn serve(stream: TcpStream, address: SocketAddr, place: Place) {
    let client = Client { stream, address, alarm: place.door.here.alarms.alarm() };
    forget_assumed(&client.stream);
    loop {
        // Copied: a view must not outlive a reload because a connection is busy for days.
        let timeout = place.door.view().shape.plan.timeout;
        if !wait(&client, &place.door, timeout.idle).await {
            return;
        }
        if Box::pin(busy(&client, &place.door)).await == After::Close {
            return;
        }
    }
}

/// Requests one after the other until the client pauses for longer than [`WARM`] (`Again`), or the end.
async fn busy(client: &Client, door: &Rc<Door>) -> After {
    let mut visit = Visit::new(client, door);
    let after = requests(&mut visit).await;
    door.give_back(visit.desk);
    after
}

async fn requests(visit: &mut Visit<'_>) -> After {
    let (client, door) = (visit.client, visit.door);
    loop {
        match path::path(visit).await {
            After::Again => {}
            After::Close => return After::Close,
            After::Linger => {
                linger(visit).await;
                return After::Close;
            }
        }
        if visit.desk.input.as_ref().is_none_or(|input| input.is_empty()) {
            visit.desk.input = None;
            visit.desk.answer = None;
            let warm = Warm::begin(&door.warm);
            let most = if warm.among_first(WARM_MOST) { WARM.min(visit.view.shape.plan.timeout.idle) } else { Duration::ZERO };
            if !wait(client, door, most).await {
                return if door.is_draining() { After::Close } else { After::Again };
            }
        }
    }
}

/// One of the connections that keep their state between two requests, counted while it lives.
struct Warm<'a>(&'a Cell<usize>);

impl Warm<'_> {
    fn begin(count: &Cell<usize>) -> Warm<'_> {
        count.set(count.get() + 1);
        Warm(count)
    }

    fn among_first(&self, most: usize) -> bool {
        self.0.get() <= most
    }
}

impl Drop for Warm<'_> {
    fn drop(&mut self) {
        self.0.set(self.0.get() - 1);
    }
}

/// A socket just accepted counts as readable until it is asked: a client that says nothing must not get a buffer for it.
fn forget_assumed(stream: &TcpStream) {
    let mut byte = [0];
    // Whatever there is (bytes, the end, an error) is found again by the first read.
    let _ = stream.try_io(Interest::READABLE, || Ok(rustix::net::recv(stream, &mut byte, RecvFlags::PEEK)?));
}

/// Whether the client says something within `most`; not when the tier drains.
async fn wait(client: &Client, door: &Door, most: Duration) -> bool {
    client.alarm.set(most);
    poll_fn(|context| {
        if client.stream.poll_read_ready(context).is_ready() {
            return Poll::Ready(true);
        }
        if door.is_draining() || client.alarm.poll_rung(context).is_ready() {
            return Poll::Ready(false);
        }
        Poll::Pending
    })
    .await
}

/// Says that nothing more comes, and lets the client finish.
async fn linger(visit: &mut Visit<'_>) {
    let client = visit.client;
    // A client that is gone already needs no farewell.
    let _ = rustix::net::shutdown(&client.stream, rustix::net::Shutdown::Write);
    client.alarm.set(LINGER);
    let buffers = &visit.door.here.buffers;
    let input = visit.desk.input.get_or_insert_with(|| buffers.take());
    input.clear();
    let mut left = LINGER_BYTES;
    let drained = pin!(poll_fn(|context| {
        while left > 0 {
            match poll_read(&client.stream, context, &mut input.space()[..BUFFER_BYTES]) {
                Poll::Ready(Ok(0) | Err(_)) => return Poll::Ready(()),
                Poll::Ready(Ok(count)) => left = left.saturating_sub(count),
                Poll::Pending => return Poll::Pending,
            }
        }
        Poll::Ready(())
    }));
    // Whoever still sends after this is cut off.
    let _ = client.alarm.limit(drained as std::pin::Pin<&mut dyn Future<Output = ()>>).await;
}

#[cfg(test)]
mod tests {
    use super::*;

    fn size_of_future<A, B, C, F>(_: impl Fn(A, B, C) -> F) -> usize {
        size_of::<F>()
    }

    #[test]
    fn an_idle_connection_is_small() {
        let size = size_of_future(serve);
        assert!(size <= 512, "{size} bytes for each idle connection");
    }

    #[tokio::test]
    async fn a_silent_connection_is_not_taken_for_a_busy_one() {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let _client = std::net::TcpStream::connect(listener.local_addr().unwrap()).unwrap();
        let (stream, _) = listener.accept().await.unwrap();
        forget_assumed(&stream);
        let readable = poll_fn(|context| Poll::Ready(stream.poll_read_ready(context).is_ready())).await;
        assert!(!readable);
    }
}
