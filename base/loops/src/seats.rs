use std::net::{SocketAddr, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use tokio::sync::mpsc::{Receiver, Sender, channel};

/// Connections on their way to another loop; beyond it a loop keeps what it accepted.
const QUEUE: usize = 256;

/// How many connections each loop serves, and the way to hand a new one to a loop with fewer.
#[derive(Debug)]
pub struct Seats {
    cells: Box<[Cell]>,
    doors: Box<[Sender<Newcomer>]>,
}

/// Two cache lines: neighbours are fetched in pairs.
#[derive(Debug, Default)]
#[repr(align(128))]
struct Cell(AtomicUsize);

/// A connection that another loop accepted for this one.
#[derive(Debug)]
pub struct Newcomer {
    /// The socket, non-blocking, registered nowhere.
    pub stream: TcpStream,
    /// The client.
    pub peer: SocketAddr,
    /// Its place among this loop's connections.
    pub seat: Seat,
}

/// Where a connection is served that a loop accepted.
#[derive(Debug)]
pub enum Seated {
    /// On this loop.
    Here(tokio::net::TcpStream, Seat),
    /// On another, which has notably fewer: it is on its way.
    There,
    /// Nowhere: it could not be made ready to go there.
    Lost,
}

/// One connection's place on a loop; dropping it frees the place.
#[derive(Debug)]
pub struct Seat {
    seats: Arc<Seats>,
    index: usize,
}

impl Seats {
    /// Places on `loops` loops, and for each loop the end where newcomers arrive.
    pub fn new(loops: usize) -> (Arc<Seats>, Vec<Receiver<Newcomer>>) {
        let (doors, arrivals): (Vec<_>, Vec<_>) = (0..loops).map(|_| channel(QUEUE)).unzip();
        let cells = (0..loops).map(|_| Cell::default()).collect();
        (Arc::new(Seats { cells, doors: doors.into() }), arrivals)
    }

    /// Connections on all loops.
    pub fn taken(&self) -> usize {
        self.cells.iter().map(|cell| cell.0.load(Ordering::Relaxed)).sum()
    }

    /// Gives a connection that loop `here` accepted its place: there, unless another loop has notably fewer and takes it.
    pub fn seat(self: &Arc<Seats>, here: usize, stream: tokio::net::TcpStream, peer: SocketAddr) -> Seated {
        let best = self.best(here);
        if best == here {
            return Seated::Here(stream, self.take(here));
        }
        let Ok(stream) = stream.into_std() else { return Seated::Lost };
        match self.hand_over(Newcomer { stream, peer, seat: self.take(best) }) {
            Ok(()) => Seated::There,
            Err(Newcomer { stream, .. }) => match tokio::net::TcpStream::from_std(stream) {
                Ok(stream) => Seated::Here(stream, self.take(here)),
                Err(_) => Seated::Lost,
            },
        }
    }

    /// The loop that should serve a connection which `here` accepted: `here`, unless another has notably fewer.
    fn best(&self, here: usize) -> usize {
        let mine = self.taken_on(here);
        let (least, count) =
            (0..self.cells.len()).map(|index| (index, self.taken_on(index))).min_by_key(|seen| seen.1).unwrap_or((here, mine));
        if mine > count + 1 + count / 8 { least } else { here }
    }

    /// A place on loop `index`.
    fn take(self: &Arc<Seats>, index: usize) -> Seat {
        self.cells[index].0.fetch_add(1, Ordering::Relaxed);
        Seat { seats: self.clone(), index }
    }

    /// Hands `newcomer` to the loop of its seat. Gives it back when that loop's queue is full or the loop takes nobody any more.
    fn hand_over(&self, newcomer: Newcomer) -> Result<(), Newcomer> {
        self.doors[newcomer.seat.index].try_send(newcomer).map_err(|error| error.into_inner())
    }

    fn taken_on(&self, index: usize) -> usize {
        self.cells[index].0.load(Ordering::Relaxed)
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        self.seats.cells[self.index].0.fetch_sub(1, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_loop_with_notably_fewer_connections_is_best() {
        let (seats, _arrivals) = Seats::new(2);
        let taken: Vec<_> = (0..2).map(|_| seats.take(0)).collect();
        assert_eq!((seats.best(0), seats.best(1)), (1, 1));
        drop(taken);
        let _one = seats.take(0);
        assert_eq!(seats.best(0), 0);
        assert_eq!(seats.taken(), 1);
    }

    #[tokio::test]
    async fn a_loop_that_takes_nobody_leaves_the_connection_where_it_is() {
        let (seats, mut arrivals) = Seats::new(2);
        let _taken: Vec<_> = (0..3).map(|_| seats.take(0)).collect();
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let peer = listener.local_addr().unwrap();
        let stream = tokio::net::TcpStream::connect(peer).await.unwrap();
        assert!(matches!(seats.seat(0, stream, peer), Seated::There));
        let newcomer = arrivals[1].try_recv().unwrap();
        assert_eq!((newcomer.seat.index, newcomer.peer), (1, peer));
        drop((newcomer, arrivals));
        let stream = tokio::net::TcpStream::connect(peer).await.unwrap();
        let Seated::Here(_stream, seat) = seats.seat(0, stream, peer) else { panic!("it is served here") };
        assert_eq!(seat.index, 0);
    }
}
