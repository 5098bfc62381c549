use std::net::TcpListener;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::time::{Duration, Instant};

use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};

use crate::Listener;

/// How long a loop may take to follow an order; one that does not is stuck, and the others go on.
const OBEYED: Duration = Duration::from_secs(5);

/// How often [`until_none`] looks.
const LOOK: Duration = Duration::from_millis(20);

/// The way to what a tier runs on each loop.
#[derive(Debug)]
pub struct Orders<T>(Vec<UnboundedSender<T>>);

impl<T> Orders<T> {
    /// For so many loops, with what each of them receives.
    pub fn new(loops: usize) -> (Orders<T>, Vec<UnboundedReceiver<T>>) {
        let (senders, receivers) = (0..loops).map(|_| unbounded_channel()).unzip();
        (Orders(senders), receivers)
    }

    /// Gives every loop an order, made with where its answer goes, and waits for the answers; at most five seconds, and not for a
    /// loop that has ended. Blocks: never call it on a loop.
    pub fn ask<A>(&self, order: impl Fn(SyncSender<A>) -> T) -> Vec<A> {
        let (sender, answers) = sync_channel(self.0.len());
        for orders in &self.0 {
            // A loop that has ended follows nothing.
            let _ = orders.send(order(sender.clone()));
        }
        drop(sender);
        collect(&answers, OBEYED)
    }

    /// Gives every loop its socket of `listener`. Returns what to tell of those that cannot have it.
    pub fn listen(&self, listener: &Listener, order: impl Fn(TcpListener) -> T) -> Vec<String> {
        let mut failed = Vec::new();
        for (index, orders) in self.0.iter().enumerate() {
            match listener.socket(index) {
                Ok(socket) => drop(orders.send(order(socket))),
                Err(error) => failed.push(format!("loop {index} cannot listen: {error}")),
            }
        }
        failed
    }
}

/// Until every sender is gone or one is stuck.
fn collect<A>(answers: &Receiver<A>, deadline: Duration) -> Vec<A> {
    let end = Instant::now() + deadline;
    std::iter::from_fn(|| answers.recv_timeout(end.saturating_duration_since(Instant::now())).ok()).collect()
}

/// Waits until `count` is 0, for at most `deadline`; `true` when it is.
pub async fn until_none(count: impl Fn() -> u64, deadline: Duration) -> bool {
    let end = tokio::time::Instant::now() + deadline;
    while count() > 0 && tokio::time::Instant::now() < end {
        crate::time::sleep(LOOK).await;
    }
    count() == 0
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::atomic::{AtomicU64, Ordering};

    #[test]
    fn every_loop_is_asked_and_one_that_ended_is_not_waited_for() {
        let (orders, mut receivers) = Orders::<SyncSender<usize>>::new(3);
        drop(receivers.remove(1));
        let follow = |(index, mut orders): (usize, UnboundedReceiver<SyncSender<usize>>)| {
            std::thread::spawn(move || orders.blocking_recv().unwrap().send(index).unwrap())
        };
        let threads: Vec<_> = receivers.into_iter().enumerate().map(follow).collect();
        let mut answers = orders.ask(|answer| answer);
        answers.sort_unstable();
        assert_eq!(answers, [0, 1]);
        threads.into_iter().for_each(|thread| thread.join().unwrap());
    }

    #[test]
    fn a_stuck_loop_is_waited_for_in_bounds() {
        let (sender, answers) = sync_channel(2);
        sender.send(7).unwrap();
        assert_eq!(collect(&answers, Duration::from_millis(1)), [7]);
    }

    #[test]
    fn every_loop_gets_its_socket() {
        let (orders, mut receivers) = Orders::new(2);
        let listener = crate::listen(([127, 0, 0, 1], 0).into(), 2).unwrap();
        assert!(orders.listen(&listener, |socket| socket).is_empty());
        for receiver in &mut receivers {
            assert_eq!(receiver.try_recv().unwrap().local_addr().unwrap(), listener.address);
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_count_is_waited_for_until_the_deadline() {
        let left = AtomicU64::new(3);
        let count = || left.fetch_sub(1, Ordering::Relaxed).saturating_sub(1);
        assert!(until_none(count, Duration::from_secs(1)).await);
        assert!(!until_none(|| 1, Duration::from_secs(1)).await);
    }
}
