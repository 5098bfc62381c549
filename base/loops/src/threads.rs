use std::future::Future;
use std::io;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

use tokio::runtime::{Builder, Handle, LocalOptions};
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio::time::Instant;

use crate::time::Timers;
use crate::{Alarms, Buffers, clock, time};

/// How often each loop writes down how busy it was.
const SAMPLE: Duration = Duration::from_secs(1);

/// Threads of one loop for what must block (cold files); they end after 10 s without work.
const BLOCKING: usize = 8;

/// The loops of this process. Clones mean the same loops; [`Loops::end`] ends them.
#[derive(Clone)]
pub struct Loops {
    threads: Arc<[Thread]>,
    joins: Arc<Mutex<Vec<JoinHandle<()>>>>,
}

struct Thread {
    orders: UnboundedSender<Order>,
    busy: Arc<Busy>,
}

enum Order {
    Run(Box<dyn FnOnce(Loop) + Send>),
    End,
}

/// The busy share of the last whole second in millionths.
#[derive(Default)]
struct Busy(AtomicU64);

/// What a task on a loop has at hand. Cheap to clone, stays on its loop.
#[derive(Clone, Debug)]
pub struct Loop {
    /// Which loop this is, from 0.
    pub index: usize,
    /// Deadlines of this loop's connections.
    pub alarms: Alarms,
    /// Buffers of this loop's connections.
    pub buffers: Buffers,
}

/// How many loops this process should have: the cores it may use, by affinity and cgroup quota, at least 1.
pub fn allowed() -> usize {
    std::thread::available_parallelism().map_or(1, |cores| cores.get())
}

impl Loops {
    /// Starts `count` loops (at least one) on threads `loop-0`, `loop-1`, …
    ///
    /// # Errors
    /// When the system gives no thread or no epoll descriptor.
    pub fn start(count: usize) -> io::Result<Loops> {
        let (timers, mut threads, mut joins) = (Timers::start()?, Vec::new(), Vec::new());
        for index in 0..count.max(1) {
            let (orders, received) = unbounded_channel();
            let busy = Arc::new(Busy::default());
            let (built, result) = std::sync::mpsc::sync_channel(1);
            let (share, timers) = (busy.clone(), timers.clone());
            let thread = std::thread::Builder::new().name(format!("loop-{index}"));
            joins.push(thread.spawn(move || live(index, received, share, timers, built))?);
            result.recv().map_err(io::Error::other)??;
            threads.push(Thread { orders, busy });
        }
        Ok(Loops { threads: threads.into(), joins: Arc::new(Mutex::new(joins)) })
    }

    /// How many loops there are.
    #[allow(clippy::len_without_is_empty)] // never empty
    pub fn len(&self) -> usize {
        self.threads.len()
    }

    /// Makes a task on loop `index` and lets it run to its end (or the loop's). A panic ends that task only.
    pub fn run<F, Fut>(&self, index: usize, make: F)
    where
        F: FnOnce(Loop) -> Fut + Send + 'static,
        Fut: Future<Output = ()> + 'static,
    {
        let order = Order::Run(Box::new(move |here| drop(tokio::task::spawn_local(make(here)))));
        // A loop that has ended runs nothing more, which is what the caller of `end` asked for.
        let _ = self.threads[index].orders.send(order);
    }

    /// The share (0..=1) of the last whole second in which the busiest loop worked.
    pub fn busy_share(&self) -> f64 {
        self.busy_shares().into_iter().fold(0.0, f64::max)
    }

    /// The busy share of each loop over the last whole second.
    pub fn busy_shares(&self) -> Vec<f64> {
        self.threads.iter().map(|thread| thread.busy.0.load(Ordering::Relaxed) as f64 / 1e6).collect()
    }

    /// Ends every loop, dropping the tasks that still run, and waits for the threads. Never call it on a loop.
    pub fn end(&self) {
        for thread in self.threads.iter() {
            let _ = thread.orders.send(Order::End);
        }
        for join in self.joins.lock().unwrap_or_else(PoisonError::into_inner).drain(..) {
            // The panic of a thread was printed by the panic hook.
            let _ = join.join();
        }
    }
}

fn live(
    index: usize,
    mut orders: UnboundedReceiver<Order>,
    busy: Arc<Busy>,
    timers: Arc<Timers>,
    built: std::sync::mpsc::SyncSender<io::Result<()>>,
) {
    let mut builder = Builder::new_current_thread();
    builder.enable_io().max_blocking_threads(BLOCKING).thread_name(format!("cold-{index}")).on_thread_unpark(clock::forget);
    clock::begin();
    time::begin(&timers);
    let runtime = match builder.build_local(LocalOptions::default()) {
        Ok(runtime) => runtime,
        Err(error) => return drop(built.send(Err(error))),
    };
    let _ = built.send(Ok(()));
    runtime.block_on(async move {
        let here = Loop { index, alarms: Alarms::default(), buffers: Buffers::default() };
        tokio::task::spawn_local(here.alarms.clone().sweep());
        tokio::task::spawn_local(sample(busy));
        while let Some(Order::Run(start)) = orders.recv().await {
            start(here.clone());
        }
    });
    runtime.shutdown_timeout(Duration::from_secs(1));
}

async fn sample(busy: Arc<Busy>) {
    let metrics = Handle::current().metrics();
    let (mut then, mut worked) = (Instant::now(), metrics.worker_total_busy_duration(0));
    loop {
        time::sleep(SAMPLE).await;
        let (now, total) = (Instant::now(), metrics.worker_total_busy_duration(0));
        let share = (total - worked).as_secs_f64() / (now - then).as_secs_f64();
        busy.0.store((share.min(1.0) * 1e6) as u64, Ordering::Relaxed);
        (then, worked) = (now, total);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::mpsc::channel;

    #[test]
    fn each_loop_is_a_thread_with_its_name() {
        let loops = Loops::start(2).unwrap();
        let (sender, names) = channel();
        for index in 0..loops.len() {
            let sender = sender.clone();
            loops.run(index, move |here| async move {
                sender.send((here.index, std::thread::current().name().unwrap().to_string())).unwrap();
            });
        }
        drop(sender);
        let mut seen: Vec<_> = names.iter().collect();
        seen.sort();
        assert_eq!(seen, [(0, "loop-0".into()), (1, "loop-1".into())]);
        loops.end();
    }

    #[test]
    fn a_panic_ends_its_task_only() {
        let loops = Loops::start(1).unwrap();
        loops.run(0, |_| async { panic!("this panic is part of the test") });
        let (sender, alive) = channel();
        loops.run(0, move |_| async move { sender.send(()).unwrap() });
        alive.recv().unwrap();
        loops.end();
    }

    #[test]
    fn the_end_drops_what_runs() {
        struct Guard(std::sync::mpsc::Sender<()>);
        impl Drop for Guard {
            fn drop(&mut self) {
                let _ = self.0.send(());
            }
        }
        let loops = Loops::start(1).unwrap();
        let (sender, dropped) = channel();
        let guard = Guard(sender);
        loops.run(0, |_| async move {
            let _guard = guard;
            std::future::pending::<()>().await;
        });
        loops.end();
        dropped.recv().unwrap();
    }
}
