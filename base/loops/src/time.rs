//! Sleeping on a loop: as tokio's functions of the same names.
//!
//! The loops' own runtimes have no timers, because each time a loop sleeps it would look at the clock twice to see
//! whether one is due. A thread of its own has them for all loops and wakes the tasks that wait. On other threads tokio's
//! functions are meant as they are, and tests may stop the clock.

use std::cell::OnceCell;
use std::future::Future;
use std::io;
use std::sync::Arc;
use std::sync::mpsc::sync_channel;
use std::time::Duration;

use tokio::runtime::{Builder, Handle};
use tokio::sync::oneshot::{self, Sender};
use tokio::time::{Instant, Interval, Sleep, Timeout};

thread_local! {
    /// Where the timers are, on a loop.
    static TIMERS: OnceCell<Handle> = const { OnceCell::new() };
}

/// The thread `timers`, which ends when this is dropped: not before the last loop has.
#[derive(Debug)]
pub(crate) struct Timers {
    handle: Handle,
    _end: Sender<()>,
}

impl Timers {
    /// # Errors
    /// When the system gives no thread.
    pub(crate) fn start() -> io::Result<Arc<Timers>> {
        let ((end, ended), (built, result)) = (oneshot::channel(), sync_channel(1));
        std::thread::Builder::new().name("timers".into()).spawn(move || match Builder::new_current_thread().enable_time().build() {
            Ok(runtime) => {
                let _ = built.send(Ok(runtime.handle().clone()));
                let _ = runtime.block_on(ended);
            }
            Err(error) => drop(built.send(Err(error))),
        })?;
        let handle = result.recv().map_err(io::Error::other)??;
        Ok(Arc::new(Timers { handle, _end: end }))
    }
}

/// The timers of this thread, which is a loop, are these.
pub(crate) fn begin(timers: &Timers) {
    TIMERS.with(|here| {
        here.get_or_init(|| timers.handle.clone());
    });
}

/// A timer belongs to the runtime that it was made in, wherever it is polled.
fn make<T>(timer: impl FnOnce() -> T) -> T {
    TIMERS.with(|timers| {
        let _entered = timers.get().map(Handle::enter);
        timer()
    })
}

/// Ready after `duration`.
pub fn sleep(duration: Duration) -> Sleep {
    make(|| tokio::time::sleep(duration))
}

/// Ready at `deadline`.
pub fn sleep_until(deadline: Instant) -> Sleep {
    make(|| tokio::time::sleep_until(deadline))
}

/// `future`, for `duration` at most.
pub fn timeout<F: Future>(duration: Duration, future: F) -> Timeout<F> {
    make(|| tokio::time::timeout(duration, future))
}

/// `future`, until `deadline` at most.
pub fn timeout_at<F: Future>(deadline: Instant, future: F) -> Timeout<F> {
    make(|| tokio::time::timeout_at(deadline, future))
}

/// Ready at once and then every `period`, which is not zero.
pub fn interval(period: Duration) -> Interval {
    make(|| tokio::time::interval(period))
}
