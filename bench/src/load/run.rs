use std::collections::VecDeque;
use std::os::fd::OwnedFd;
use std::time::{Duration, Instant};

use rustix::buffer::spare_capacity;
use rustix::event::{Timespec, epoll};

use super::{Client, Load, Outcome, Pace, Step};
use crate::machine;

/// From this rate on, a second, a sleep between two requests would be late by as much as it is long: the socket is looked at again and again.
const DENSE: f64 = 10_000.0;

/// Runs `load` on the calling thread; `cpu` tells the server's CPU time at both ends of the measured time.
pub fn run<C: Client>(load: &Load<C>, cpu: impl Fn() -> Duration) -> Result<Outcome, String> {
    let mut generator = Generator::new(load)?;
    generator.drive(Instant::now() + load.warm_up)?;
    generator.outcome.requests = 0;
    generator.outcome.micros.clear();
    let (began, before, own) = (Instant::now(), cpu(), machine::this_thread());
    generator.drive(began + load.measured)?;
    let mut outcome = generator.outcome;
    outcome.seconds = began.elapsed().as_secs_f64();
    outcome.generator = machine::this_thread().saturating_sub(own);
    outcome.cpu = cpu() - before;
    outcome.micros.sort_unstable();
    Ok(outcome)
}

struct Generator<'a, C: Client> {
    load: &'a Load<C>,
    epoll: OwnedFd,
    connections: Vec<C>,
    idle: Vec<usize>,
    /// Intended starts that no connection was free for.
    waiting: VecDeque<Instant>,
    next: Instant,
    space: Vec<u8>,
    outcome: Outcome,
}

impl<'a, C: Client> Generator<'a, C> {
    fn new(load: &'a Load<C>) -> Result<Generator<'a, C>, String> {
        let epoll = epoll::create(epoll::CreateFlags::CLOEXEC).map_err(|error| error.to_string())?;
        let mut generator = Generator {
            load,
            epoll,
            connections: Vec::new(),
            idle: Vec::new(),
            waiting: VecDeque::new(),
            next: Instant::now(),
            space: vec![0; 256 << 10],
            outcome: Outcome::default(),
        };
        for _ in 0..load.connections {
            let index = generator.open()?;
            generator.free(index);
        }
        Ok(generator)
    }

    fn open(&mut self) -> Result<usize, String> {
        let index = self.connections.len();
        let connection = self.connect(index)?;
        self.connections.push(connection);
        Ok(index)
    }

    fn connect(&self, index: usize) -> Result<C, String> {
        let connection = C::open(self.load.address, &self.load.exchange, index).map_err(|error| format!("connect: {error}"))?;
        epoll::add(&self.epoll, connection.stream(), epoll::EventData::new_u64(index as u64), epoll::EventFlags::IN)
            .map_err(|error| error.to_string())?;
        Ok(connection)
    }

    fn drive(&mut self, until: Instant) -> Result<(), String> {
        let mut events = Vec::with_capacity(512);
        loop {
            let now = Instant::now();
            if now >= until {
                return Ok(());
            }
            self.start_due(now)?;
            let wait = match self.load.pace {
                Pace::Closed => until - now,
                Pace::Open(rate) if rate >= DENSE => Duration::ZERO,
                Pace::Open(_) => until.min(self.next).saturating_duration_since(now),
            };
            let timeout = Timespec { tv_sec: wait.as_secs() as i64, tv_nsec: i64::from(wait.subsec_nanos()) };
            events.clear();
            match epoll::wait(&self.epoll, spare_capacity(&mut events), Some(&timeout)) {
                Ok(_) | Err(rustix::io::Errno::INTR) => {}
                Err(error) => return Err(error.to_string()),
            }
            for event in &events {
                let event: &epoll::Event = event;
                let (data, flags) = (event.data, event.flags);
                self.step(data.u64() as usize, flags)?;
            }
        }
    }

    fn start_due(&mut self, now: Instant) -> Result<(), String> {
        if let Pace::Open(rate) = self.load.pace {
            while self.next <= now {
                self.waiting.push_back(self.next);
                self.next += Duration::from_secs_f64(1.0 / rate);
            }
            while !self.waiting.is_empty() && self.idle.is_empty() && self.connections.len() < self.load.connections * C::GROWTH {
                let index = self.open()?;
                self.idle.push(index);
            }
        }
        while !self.idle.is_empty() {
            let intended = match self.load.pace {
                Pace::Closed => now,
                Pace::Open(_) => match self.waiting.pop_front() {
                    Some(intended) => intended,
                    None => break,
                },
            };
            let Some(index) = self.idle.pop() else { break };
            let step = self.connections[index].begin(intended);
            self.after(index, step)?;
        }
        Ok(())
    }

    fn step(&mut self, index: usize, flags: epoll::EventFlags) -> Result<(), String> {
        if flags.contains(epoll::EventFlags::OUT) {
            let step = self.connections[index].write();
            if step != Step::Blocked {
                self.interest(index, epoll::EventFlags::IN)?;
            }
            self.after(index, step)?;
        }
        if flags.intersects(epoll::EventFlags::IN | epoll::EventFlags::HUP | epoll::EventFlags::ERR) {
            let mut space = std::mem::take(&mut self.space);
            let step = self.connections[index].read(&mut space);
            self.space = space;
            self.after(index, step)?;
        }
        Ok(())
    }

    fn after(&mut self, index: usize, step: Step) -> Result<(), String> {
        match step {
            Step::Waiting => Ok(()),
            Step::Blocked => self.interest(index, epoll::EventFlags::IN | epoll::EventFlags::OUT),
            Step::Done { closes } => {
                let now = Instant::now();
                if let Some(began) = self.connections[index].end() {
                    self.outcome.requests += self.connections[index].requests();
                    self.outcome.micros.push(now.saturating_duration_since(began).as_micros() as u32);
                }
                if closes { self.reopen(index) } else { self.again(index, now) }
            }
            Step::Failed(what) => {
                // Closing between exchanges is a server's right.
                if self.connections[index].end().is_some() {
                    self.outcome.fail(what);
                } else {
                    self.idle.retain(|idle| *idle != index);
                }
                self.reopen(index)
            }
        }
    }

    /// A closed loop goes on at once, which saves a round of epoll.
    fn again(&mut self, index: usize, now: Instant) -> Result<(), String> {
        if matches!(self.load.pace, Pace::Open(_)) {
            self.free(index);
            return Ok(());
        }
        match self.connections[index].begin(now) {
            Step::Waiting => Ok(()),
            step => self.after(index, step),
        }
    }

    fn reopen(&mut self, index: usize) -> Result<(), String> {
        if self.outcome.failed() > 100_000 {
            return Err(format!("nothing but errors: {:?}", self.outcome.errors));
        }
        self.connections[index] = self.connect(index)?;
        self.free(index);
        Ok(())
    }

    fn free(&mut self, index: usize) {
        self.idle.push(index);
    }

    fn interest(&self, index: usize, flags: epoll::EventFlags) -> Result<(), String> {
        let stream = self.connections[index].stream();
        epoll::modify(&self.epoll, stream, epoll::EventData::new_u64(index as u64), flags).map_err(|error| error.to_string())
    }
}
