use std::io;

use tokio::sync::watch;

/// What the person who started Plimsoll asked for, by a signal to the keeper or to the server itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Asked {
    /// SIGTERM or SIGINT: drain and exit. The keeper itself answers a second one, by ending everything at once.
    Stop,
    /// SIGHUP.
    Reload,
}

/// The stream of what was asked. Requests of a kind that wait are one.
#[derive(Debug)]
pub struct Orders {
    orders: watch::Receiver<Ordered>,
    seen: Ordered,
}

#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub(crate) struct Ordered {
    pub(crate) stop: bool,
    pub(crate) reloads: u64,
}

impl Orders {
    pub(crate) fn new(orders: watch::Receiver<Ordered>) -> Orders {
        Orders { orders, seen: Ordered::default() }
    }

    /// The next request; after [`Asked::Stop`] there is none.
    pub async fn next(&mut self) -> Asked {
        let seen = self.seen;
        let Ok(now) = self.orders.wait_for(|now| *now != seen).await.map(|now| *now) else { return std::future::pending().await };
        if now.stop && !seen.stop {
            self.seen = Ordered { stop: true, ..now };
            return Asked::Stop;
        }
        self.seen = now;
        if now.stop { std::future::pending().await } else { Asked::Reload }
    }
}

/// Whoever signals the server itself (a service manager that signals every process) means the same.
pub(crate) fn listen_to_signals(ordered: &watch::Sender<Ordered>) -> io::Result<()> {
    use tokio::signal::unix::{SignalKind, signal};
    for kind in [SignalKind::terminate(), SignalKind::interrupt(), SignalKind::hangup()] {
        let (mut signals, ordered) = (signal(kind)?, ordered.clone());
        tokio::spawn(async move {
            while signals.recv().await.is_some() {
                ordered.send_modify(|now| match kind == SignalKind::hangup() {
                    true => now.reloads += 1,
                    false => now.stop = true,
                });
            }
        });
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn reloads_that_wait_are_one_and_stop_comes_first() {
        let (ordered, orders) = watch::channel(Ordered::default());
        let mut orders = Orders::new(orders);
        ordered.send_modify(|now| now.reloads += 1);
        ordered.send_modify(|now| now.reloads += 1);
        assert_eq!(orders.next().await, Asked::Reload);
        ordered.send_modify(|now| now.reloads += 1);
        ordered.send_modify(|now| now.stop = true);
        assert_eq!(orders.next().await, Asked::Stop);
    }
}
