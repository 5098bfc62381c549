//! One loop's idle connections to endpoints, the freshest first.

use std::cell::RefCell;
use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::net::TcpStream;

use super::Peer;
use loops::socket::{Seen, glance, look};

/// Idle connections a loop keeps to one endpoint.
const KEPT: usize = 256;

/// A request that must not be sent twice only goes on a connection that was used this recently: an app that closes
/// idle connections has hardly begun to.
const RECENT: Duration = Duration::from_secs(1);

/// For a connection that was used this recently the loop's own knowledge does, as it does for other proxies; one that
/// waited longer is looked at, for one system call.
const FRESH: Duration = Duration::from_millis(10);

/// See the module.
#[derive(Debug, Default)]
pub(crate) struct Pool(RefCell<Vec<Shelf>>);

#[derive(Debug)]
struct Shelf {
    peer: Arc<Peer>,
    idle: Vec<Idle>,
}

#[derive(Debug)]
struct Idle {
    stream: TcpStream,
    since: Instant,
}

impl Pool {
    /// A connection to `peer` that was used within `most_idle` in which nothing lies, neither its end nor bytes too many; only a recent one when `unsafe_request`.
    pub(crate) fn take(&self, peer: &Arc<Peer>, now: Instant, most_idle: Duration, unsafe_request: bool) -> Option<TcpStream> {
        let mut shelves = self.0.borrow_mut();
        let shelf = shelves.iter_mut().find(|shelf| Arc::ptr_eq(&shelf.peer, peer))?;
        let most_idle = if unsafe_request { most_idle.min(RECENT) } else { most_idle };
        while let Some(Idle { stream, since }) = shelf.idle.pop() {
            if now.saturating_duration_since(since) >= most_idle {
                // Those below have waited longer; the sweep clears them away.
                shelf.idle.push(Idle { stream, since });
                return None;
            }
            let seen = if now.saturating_duration_since(since) < FRESH { glance(&stream) } else { look(&stream) };
            if seen == Seen::Nothing {
                return Some(stream);
            }
        }
        None
    }

    /// Keeps a connection whose answer was read to its end.
    pub(crate) fn put(&self, peer: &Arc<Peer>, stream: TcpStream, now: Instant) {
        if peer.is_gone() {
            return;
        }
        let mut shelves = self.0.borrow_mut();
        let known = shelves.iter().position(|shelf| Arc::ptr_eq(&shelf.peer, peer));
        let index = known.unwrap_or_else(|| {
            shelves.push(Shelf { peer: peer.clone(), idle: Vec::new() });
            shelves.len() - 1
        });
        if shelves[index].idle.len() < KEPT {
            shelves[index].idle.push(Idle { stream, since: now });
        }
    }

    /// Closes what has been idle for `most_idle`, what has ended, and what belongs to endpoints that left; forgets endpoints
    /// to which nothing is open (those of an app that left the file are never marked as gone).
    pub(crate) fn sweep(&self, now: Instant, most_idle: Duration) {
        self.0.borrow_mut().retain_mut(|shelf| {
            shelf.idle.retain(|idle| now.saturating_duration_since(idle.since) < most_idle && look(&idle.stream) == Seen::Nothing);
            !shelf.idle.is_empty() && !shelf.peer.is_gone()
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::balance::tests::simulation::{endpoints, group};

    #[tokio::test]
    async fn an_endpoint_without_idle_connections_is_forgotten() {
        let now = Instant::now();
        let group = group(&endpoints(1, 1, now), 1, now);
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let stream = TcpStream::connect(listener.local_addr().unwrap()).await.unwrap();
        let (pool, peer) = (Pool::default(), group.peer_of(0, 0));
        pool.put(&peer, stream, now);
        pool.sweep(now, RECENT);
        assert_eq!(pool.0.borrow().len(), 1);
        pool.sweep(now + RECENT, RECENT);
        assert_eq!(pool.0.borrow().len(), 0);
    }
}
