use std::cell::{Cell, RefCell};
use std::future::{Future, poll_fn};
use std::pin::pin;
use std::rc::Rc;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use tokio::sync::Notify;
use tokio::time::Instant;

/// How often deadlines are looked at: an alarm rings up to two ticks late, never early.
const TICK: Duration = Duration::from_millis(100);

const OFF: u64 = u64::MAX;
const RUNG: u64 = 0;

/// The alarm rang before the work was done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Expired;

/// All deadlines of one loop, looked at ten times a second: setting one is a store, not a timer.
#[derive(Clone, Debug, Default)]
pub struct Alarms(Rc<Shared>);

#[derive(Debug)]
struct Shared {
    start: Instant,
    /// Milliseconds since `start`, as of the last tick.
    now: Cell<u64>,
    slots: RefCell<Slots>,
    first: Notify,
}

#[derive(Debug, Default)]
struct Slots {
    deadlines: Vec<u64>,
    wakers: Vec<Option<Waker>>,
    free: Vec<u32>,
}

/// One deadline, owned by one task and used again and again.
#[derive(Debug)]
pub struct Alarm {
    shared: Rc<Shared>,
    slot: u32,
}

impl Default for Shared {
    fn default() -> Shared {
        Shared { start: Instant::now(), now: Cell::new(1), slots: RefCell::default(), first: Notify::new() }
    }
}

impl Alarms {
    /// A new alarm, off.
    pub fn alarm(&self) -> Alarm {
        let shared = self.0.clone();
        let mut slots = shared.slots.borrow_mut();
        if slots.free.len() == slots.deadlines.len() {
            shared.refresh();
            shared.first.notify_one();
        }
        let slot = slots.free.pop().unwrap_or_else(|| {
            slots.deadlines.push(OFF);
            slots.wakers.push(None);
            slots.deadlines.len() as u32 - 1
        });
        drop(slots);
        Alarm { shared, slot }
    }

    /// Wakes every task that waits for an alarm although none rang: something else that they look at has changed.
    pub fn wake_all(&self) {
        for waker in self.0.slots.borrow().wakers.iter().flatten() {
            waker.wake_by_ref();
        }
    }

    /// Rings what is due, for ever; sleeps while there is no alarm.
    pub(crate) async fn sweep(self) {
        loop {
            if self.0.is_empty() {
                self.0.first.notified().await;
            }
            crate::time::sleep(TICK).await;
            // A loop that never sleeps reads its clock here.
            crate::clock::forget();
            self.0.refresh();
            self.0.ring();
        }
    }
}

impl Shared {
    fn is_empty(&self) -> bool {
        let slots = self.slots.borrow();
        slots.free.len() == slots.deadlines.len()
    }

    fn refresh(&self) {
        self.now.set(self.start.elapsed().as_millis() as u64 + 1);
    }

    fn ring(&self) {
        let (now, mut slots) = (self.now.get(), self.slots.borrow_mut());
        let Slots { deadlines, wakers, .. } = &mut *slots;
        for (deadline, waker) in deadlines.iter_mut().zip(wakers) {
            if *deadline <= now && *deadline != RUNG {
                *deadline = RUNG;
                if let Some(waker) = waker {
                    waker.wake_by_ref();
                }
            }
        }
    }
}

impl Alarm {
    /// Rings `wait` from now, whatever it was set to before.
    pub fn set(&self, wait: Duration) {
        let millis = u64::try_from(wait.as_millis()).unwrap_or(OFF);
        let due = self.shared.now.get().saturating_add(millis).saturating_add(TICK.as_millis() as u64);
        self.shared.slots.borrow_mut().deadlines[self.slot as usize] = due;
    }

    /// Never rings until it is set again.
    pub fn off(&self) {
        self.shared.slots.borrow_mut().deadlines[self.slot as usize] = OFF;
    }

    /// Whether it has rung since it was last set.
    #[cfg(test)]
    fn has_rung(&self) -> bool {
        self.shared.slots.borrow().deadlines[self.slot as usize] == RUNG
    }

    /// Ready once it has rung; otherwise the task is woken when it does.
    pub fn poll_rung(&self, context: &mut Context<'_>) -> Poll<()> {
        let slots = &mut *self.shared.slots.borrow_mut();
        let slot = self.slot as usize;
        if slots.deadlines[slot] == RUNG {
            return Poll::Ready(());
        }
        match &mut slots.wakers[slot] {
            Some(waker) => waker.clone_from(context.waker()),
            empty => *empty = Some(context.waker().clone()),
        }
        Poll::Pending
    }

    /// Runs `work` until it is done or the alarm rings.
    ///
    /// # Errors
    /// [`Expired`] when the alarm rang first; `work` is dropped then.
    pub async fn limit<F: Future>(&self, work: F) -> Result<F::Output, Expired> {
        let mut work = pin!(work);
        poll_fn(|context| match work.as_mut().poll(context) {
            Poll::Ready(output) => Poll::Ready(Ok(output)),
            Poll::Pending => self.poll_rung(context).map(|()| Err(Expired)),
        })
        .await
    }
}

impl Drop for Alarm {
    fn drop(&mut self) {
        let mut slots = self.shared.slots.borrow_mut();
        slots.deadlines[self.slot as usize] = OFF;
        slots.wakers[self.slot as usize] = None;
        slots.free.push(self.slot);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::future::pending;

    fn run(test: impl AsyncFnOnce(Alarms)) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build_local(Default::default());
        runtime.unwrap().block_on(async {
            let alarms = Alarms::default();
            tokio::task::spawn_local(alarms.clone().sweep());
            test(alarms).await;
        });
    }

    #[test]
    fn rings_after_its_wait_and_at_most_two_ticks_late() {
        run(async |alarms| {
            let (alarm, start) = (alarms.alarm(), Instant::now());
            alarm.set(Duration::from_secs(10));
            assert_eq!(alarm.limit(pending::<()>()).await, Err(Expired));
            let late = start.elapsed() - Duration::from_secs(10);
            assert!(late <= 2 * TICK, "{late:?}");
        });
    }

    #[test]
    fn a_later_deadline_replaces_an_earlier_one() {
        run(async |alarms| {
            let (alarm, start) = (alarms.alarm(), Instant::now());
            alarm.set(Duration::from_secs(1));
            alarm.set(Duration::from_secs(5));
            assert_eq!(alarm.limit(pending::<()>()).await, Err(Expired));
            assert!(start.elapsed() >= Duration::from_secs(5));
            alarm.off();
            assert!(!alarm.has_rung());
        });
    }

    #[test]
    fn slots_are_used_again() {
        run(async |alarms| {
            for _ in 0..100 {
                let alarm = alarms.alarm();
                alarm.set(Duration::from_secs(1));
                assert_eq!(alarm.limit(async { 7 }).await, Ok(7));
            }
            assert_eq!(alarms.0.slots.borrow().deadlines.len(), 1);
            let alarm = alarms.alarm();
            tokio::time::sleep(Duration::from_secs(60)).await;
            assert!(!alarm.has_rung());
        });
    }
}
