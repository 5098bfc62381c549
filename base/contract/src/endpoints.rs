use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Instant;

use tokio::sync::watch;

/// The live list of one app's endpoints: apps (or the file) write it, balance reads it.
///
/// An endpoint that leaves the list gets no new request; what it holds may finish. `apps` watches its
/// [`InFlight`] to know when it is drained.
pub type Endpoints = watch::Receiver<Arc<[Endpoint]>>;

/// A list of endpoints to write, and the side that reads it.
pub fn endpoints(first: Vec<Endpoint>) -> (watch::Sender<Arc<[Endpoint]>>, Endpoints) {
    watch::channel(Arc::from(first))
}

/// One place where an app can be reached. Clones share the counts.
#[derive(Debug, Clone)]
pub struct Endpoint {
    /// The instance's name in logs and status, unique for its life: `shop.3`, or `10.0.0.5:3000` for an outside app.
    pub name: Arc<str>,
    /// Where it listens.
    pub address: SocketAddr,
    /// When it joined the list: slow start counts from here.
    pub since: Instant,
    /// What the doors have open there.
    pub in_flight: Arc<InFlight>,
}

impl Endpoint {
    /// An endpoint that joins now; `loops` is the number of loops that will count on it.
    pub fn new(name: &str, address: SocketAddr, loops: usize, now: Instant) -> Endpoint {
        Endpoint { name: Arc::from(name), address, since: now, in_flight: Arc::new(InFlight::new(loops)) }
    }

    /// Whether both are one life of one instance, not only the same name or address.
    pub fn is(&self, other: &Endpoint) -> bool {
        Arc::ptr_eq(&self.in_flight, &other.in_flight)
    }
}

/// Requests and upgraded connections open at one endpoint, a cell for each loop so that cores share no cache line.
#[derive(Debug)]
pub struct InFlight {
    cells: Box<[Cell]>,
}

/// Two cache lines: neighbours are fetched in pairs.
#[derive(Debug, Default)]
#[repr(align(128))]
struct Cell {
    requests: AtomicU32,
    upgraded: AtomicU32,
}

impl InFlight {
    /// Counts for `loops` loops, all zero.
    pub fn new(loops: usize) -> InFlight {
        InFlight { cells: (0..loops.max(1)).map(|_| Cell::default()).collect() }
    }

    /// A request begins on loop `index`. Only that loop's thread calls this and [`InFlight::end`] with its index.
    pub fn begin(&self, index: usize) {
        let cell = &self.cells[index].requests;
        cell.store(cell.load(Ordering::Relaxed) + 1, Ordering::Relaxed);
    }

    /// A request that began on loop `index` ends.
    pub fn end(&self, index: usize) {
        let cell = &self.cells[index].requests;
        cell.store(cell.load(Ordering::Relaxed).saturating_sub(1), Ordering::Release);
    }

    /// A request that began on loop `index` became an upgraded connection (WebSocket): counted apart from now on.
    pub fn upgrade(&self, index: usize) {
        self.end(index);
        let cell = &self.cells[index].upgraded;
        cell.store(cell.load(Ordering::Relaxed) + 1, Ordering::Relaxed);
    }

    /// An upgraded connection of loop `index` ends.
    pub fn end_upgraded(&self, index: usize) {
        let cell = &self.cells[index].upgraded;
        cell.store(cell.load(Ordering::Relaxed).saturating_sub(1), Ordering::Release);
    }

    /// Requests that loop `index` has open here.
    pub fn requests_of(&self, index: usize) -> u32 {
        self.cells[index].requests.load(Ordering::Relaxed)
    }

    /// Requests open over all loops, upgraded connections not counted.
    pub fn requests(&self) -> u32 {
        self.cells.iter().map(|cell| cell.requests.load(Ordering::Acquire)).sum()
    }

    /// Upgraded connections open over all loops.
    pub fn upgraded(&self) -> u32 {
        self.cells.iter().map(|cell| cell.upgraded.load(Ordering::Acquire)).sum()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_are_summed_over_loops() {
        let counts = InFlight::new(2);
        counts.begin(0);
        counts.begin(1);
        counts.upgrade(1);
        assert_eq!((counts.requests(), counts.upgraded(), counts.requests_of(0)), (1, 1, 1));
        counts.end(0);
        counts.end_upgraded(1);
        assert_eq!((counts.requests(), counts.upgraded()), (0, 0));
    }
}
