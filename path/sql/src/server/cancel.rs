//! Cancels what a server connection does: by a connection of its own, as the protocol wants it.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use contract::ServerAddress;
use loops::time::timeout;
use tokio::sync::{Mutex, Notify};

use super::connect::{ConnectError, reach};
use super::connection::CancelKey;
use super::tls::Trust;

const REQUEST: u32 = 80_877_102;

/// Longest that a cancel may take; after that nobody knows whether it will still come.
const LONGEST: Duration = Duration::from_secs(10);

/// Most cancels that wait for each other at one connection; more say nothing new.
const QUEUE: usize = 8;

/// One server connection as it can be cancelled. It must not serve another client while a cancel is on its way.
#[derive(Debug)]
pub(crate) struct Target {
    address: ServerAddress,
    trust: Trust,
    key: CancelKey,
    running: AtomicUsize,
    is_doubtful: AtomicBool,
    ended: Notify,
    one: Mutex<()>,
}

/// Asks the server to cancel what the connection of `key` does; done when the server has passed it on.
///
/// # Errors
/// When the server could not be reached or did not end: it may come later or never.
pub(crate) async fn cancel(address: &ServerAddress, trust: &Trust, key: &CancelKey) -> Result<(), ConnectError> {
    let mut stream = reach(address, trust).await?;
    stream.write_all(&request(key)).await?;
    // The server closes when the signal is sent. A reset means the same.
    while stream.read(&mut [0; 64]).await.is_ok_and(|count| count > 0) {}
    Ok(())
}

fn request(key: &CancelKey) -> Vec<u8> {
    let length = (12 + key.secret.len()) as u32;
    [&length.to_be_bytes()[..], &REQUEST.to_be_bytes(), &key.process.to_be_bytes(), &key.secret].concat()
}

impl Target {
    pub(super) fn new(address: ServerAddress, trust: Trust, key: CancelKey) -> Arc<Target> {
        Arc::new(Target {
            address,
            trust,
            key,
            running: AtomicUsize::new(0),
            is_doubtful: AtomicBool::new(false),
            ended: Notify::new(),
            one: Mutex::new(()),
        })
    }

    /// The server's process.
    pub(crate) fn process(&self) -> u32 {
        self.key.process
    }

    /// Cancels what is done now. From this call on, before the future is polled, the connection is not quiet: it cannot be
    /// given to another client meanwhile. Several are sent one after another: each may mean a statement of its own.
    pub(crate) fn cancel(self: Arc<Target>) -> impl Future<Output = ()> {
        let running = Running::begin(self);
        async move {
            let Some(Running(target)) = &running else { return };
            let _one = target.one.lock().await;
            // One that reached nobody cancels nothing: only what was sent and not seen to its end is in doubt.
            if timeout(LONGEST, cancel(&target.address, &target.trust, &target.key)).await.is_err() {
                target.is_doubtful.store(true, Ordering::Relaxed);
            }
        }
    }

    /// Whether no cancel is on its way and none was lost there: the connection may serve anybody.
    pub(crate) fn is_quiet(&self) -> bool {
        self.running.load(Ordering::Relaxed) == 0 && !self.is_doubtful.load(Ordering::Relaxed)
    }

    /// Waits until no cancel is on its way; whether the connection may serve anybody then, else it is to be closed.
    pub(crate) async fn quiet(&self) -> bool {
        loop {
            let ended = self.ended.notified();
            if self.running.load(Ordering::Relaxed) == 0 {
                return self.is_quiet();
            }
            ended.await;
        }
    }
}

/// A cancel on its way, however it ends.
struct Running(Arc<Target>);

impl Running {
    fn begin(target: Arc<Target>) -> Option<Running> {
        let before = target.running.fetch_add(1, Ordering::Relaxed);
        let running = Running(target);
        (before < QUEUE).then_some(running)
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.0.running.fetch_sub(1, Ordering::Relaxed);
        self.0.ended.notify_waiters();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_connection_is_not_quiet_from_the_moment_it_is_to_be_cancelled() {
        let target = crate::server::tests::target();
        let cancels: Vec<_> = (0..2 * QUEUE).map(|_| target.clone().cancel()).collect();
        assert!(!target.is_quiet());
        assert_eq!(target.running.load(Ordering::Relaxed), QUEUE);
        drop(cancels);
        assert!(target.quiet().await);
    }

    #[test]
    fn the_request_holds_a_secret_of_any_length() {
        let key = CancelKey { process: 7, secret: [1; 5].into() };
        assert_eq!(request(&key), b"\0\0\0\x11\x04\xd2\x16\x2e\0\0\0\x07\x01\x01\x01\x01\x01");
    }
}
