//! The app behind the proxies: one thread, epoll, a few fixed answers, as little CPU as can be.

mod exchange;

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::net::{SocketAddr, TcpListener};
use std::os::fd::OwnedFd;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use rustix::buffer::spare_capacity;
use rustix::event::{Timespec, epoll};

use crate::machine;
use exchange::{Heard, Talk};
pub use exchange::{LARGE, SMALL, pattern};

/// One place where the origin listens, and how it behaves there.
#[derive(Debug)]
pub struct Place {
    pub address: SocketAddr,
    /// Nothing is answered while this is set, health checks neither.
    pub hangs: AtomicBool,
    /// Requests that came, health checks not counted.
    pub requests: AtomicU64,
    /// Milliseconds after the origin's start at which the last of them came.
    pub last: AtomicU64,
    delay: Duration,
    began: Instant,
}

impl Place {
    /// When the last request came, health checks not counted.
    pub fn last(&self) -> Instant {
        self.began + Duration::from_millis(self.last.load(Ordering::Relaxed))
    }
}

/// The running origin; ends when dropped.
#[derive(Debug)]
pub struct Origin {
    pub places: Vec<Arc<Place>>,
    stop: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Origin {
    /// Starts with one place for each delay, on `cpus`.
    pub fn start(delays: &[Duration], cpus: &[usize]) -> std::io::Result<Origin> {
        let mut listeners = Vec::new();
        let mut places = Vec::new();
        for delay in delays {
            let listener = TcpListener::bind("127.0.0.1:0")?;
            listener.set_nonblocking(true)?;
            places.push(Arc::new(Place {
                address: listener.local_addr()?,
                hangs: AtomicBool::default(),
                requests: AtomicU64::default(),
                last: AtomicU64::default(),
                delay: *delay,
                began: Instant::now(),
            }));
            listeners.push(listener);
        }
        let stop = Arc::new(AtomicBool::new(false));
        let (cpus, of_thread, ends) = (cpus.to_vec(), places.clone(), stop.clone());
        let thread = std::thread::spawn(move || {
            machine::pin(&cpus);
            if let Err(error) = serve(&listeners, &of_thread, &ends) {
                eprintln!("bench: the origin ended: {error}");
            }
        });
        Ok(Origin { places, stop, thread: Some(thread) })
    }

    /// One place, no delay.
    pub fn plain(cpus: &[usize]) -> std::io::Result<Origin> {
        Origin::start(&[Duration::ZERO], cpus)
    }

    /// Where it listens.
    pub fn addresses(&self) -> Vec<SocketAddr> {
        self.places.iter().map(|place| place.address).collect()
    }
}

impl Drop for Origin {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        if let Some(thread) = self.thread.take() {
            // Its panic was printed when it happened.
            let _ = thread.join();
        }
    }
}

/// Longest wait, so that the end is noticed.
const PATIENCE: Duration = Duration::from_millis(50);

fn serve(listeners: &[TcpListener], places: &[Arc<Place>], stop: &AtomicBool) -> std::io::Result<()> {
    let mut server =
        Server { epoll: epoll::create(epoll::CreateFlags::CLOEXEC)?, talks: Vec::new(), free: Vec::new(), due: BinaryHeap::new() };
    for (index, listener) in listeners.iter().enumerate() {
        epoll::add(&server.epoll, listener, epoll::EventData::new_u64(index as u64), epoll::EventFlags::IN)?;
    }
    let mut events: Vec<epoll::Event> = Vec::with_capacity(512);
    let mut space = vec![0u8; 256 << 10];
    while !stop.load(Ordering::Relaxed) {
        let wait = server.due.peek().map_or(PATIENCE, |Reverse((at, _, _))| at.saturating_duration_since(Instant::now()).min(PATIENCE));
        let timeout = Timespec { tv_sec: 0, tv_nsec: i64::from(wait.subsec_nanos()) };
        events.clear();
        match epoll::wait(&server.epoll, spare_capacity(&mut events), Some(&timeout)) {
            Ok(_) | Err(rustix::io::Errno::INTR) => {}
            Err(error) => return Err(error.into()),
        }
        for event in &events {
            let (data, flags) = (event.data, event.flags);
            match (data.u64() as usize).checked_sub(listeners.len()) {
                None => server.accept(&listeners[data.u64() as usize], &places[data.u64() as usize], listeners.len())?,
                Some(index) => server.step(index, flags, &mut space),
            }
        }
        server.answer_due();
    }
    Ok(())
}

struct Server {
    epoll: OwnedFd,
    talks: Vec<Option<Talk>>,
    free: Vec<usize>,
    /// Delayed answers: when, which talk, and its number, since an index is used again.
    due: BinaryHeap<Reverse<(Instant, usize, u64)>>,
}

impl Server {
    fn accept(&mut self, listener: &TcpListener, place: &Arc<Place>, listeners: usize) -> std::io::Result<()> {
        while let Ok((stream, _)) = listener.accept() {
            stream.set_nonblocking(true)?;
            stream.set_nodelay(true)?;
            let index = self.free.pop().unwrap_or_else(|| {
                self.talks.push(None);
                self.talks.len() - 1
            });
            epoll::add(
                &self.epoll,
                &stream,
                epoll::EventData::new_u64((index + listeners) as u64),
                epoll::EventFlags::IN | epoll::EventFlags::OUT | epoll::EventFlags::ET,
            )?;
            self.talks[index] = Some(Talk::new(stream, place.clone()));
        }
        Ok(())
    }

    fn step(&mut self, index: usize, flags: epoll::EventFlags, space: &mut [u8]) {
        let Some(talk) = self.talks[index].as_mut() else { return };
        let mut heard = if flags.contains(epoll::EventFlags::OUT) { talk.write() } else { Heard::Nothing };
        while heard == Heard::Nothing {
            heard = talk.read(space);
            match heard {
                Heard::Request if talk.place.hangs.load(Ordering::Relaxed) => heard = Heard::Nothing,
                Heard::Request if talk.is_counted() && !talk.place.delay.is_zero() => {
                    self.due.push(Reverse((Instant::now() + talk.place.delay, index, talk.number)));
                    heard = Heard::Nothing;
                }
                Heard::Request => heard = talk.answer(),
                _ => {}
            }
        }
        self.settle(index, heard);
    }

    fn answer_due(&mut self) {
        let now = Instant::now();
        while let Some(Reverse((at, index, number))) = self.due.peek().copied() {
            if at > now {
                return;
            }
            self.due.pop();
            let Some(talk) = self.talks[index].as_mut().filter(|talk| talk.number == number) else { continue };
            let heard = talk.answer();
            self.settle(index, heard);
        }
    }

    fn settle(&mut self, index: usize, heard: Heard) {
        if heard == Heard::End {
            self.talks[index] = None;
            self.free.push(index);
        }
    }
}

impl Place {
    fn count(&self) {
        self.requests.fetch_add(1, Ordering::Relaxed);
        self.last.store(self.began.elapsed().as_millis() as u64, Ordering::Relaxed);
    }
}
