//! script: Lua, for EVAL and for functions.
//!
//! One thread runs all scripts, one after the other, and all commands that have to do with them. It takes the keys that a script
//! names out of their shards before it runs, and others when it comes to them; clients of other keys go on meanwhile. So a script
//! may take as long as it likes: no loop waits for it.

mod api;
mod bits;
mod convert;
mod engine;
mod json;
mod library;
mod machine;
mod pack;
mod raise;
mod random;
mod readers;
mod running;
mod sandbox;
mod shebang;
mod stage;
mod structs;

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::mpsc::{self, Sender};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::{io, panic, thread};

use tokio::sync::Notify;

use crate::error::Fault;
pub(crate) use engine::Engine;
pub(crate) use library::Restore;
pub(crate) use running::Running;
pub(crate) use stage::Stage;

/// Bytes of the stack of the thread: tables in tables are answered one in the other.
const STACK: usize = 32 << 20;
/// Bytes that a state of Lua may use: this part of those for the keys, and at least.
const PART: usize = 4;
const LEAST: usize = 64 << 20;

const EVAL_BUSY: Fault = Fault::fixed("BUSY Redis is busy running a script. You can only call SCRIPT KILL or SHUTDOWN NOSAVE.");
const FUNCTION_BUSY: Fault = Fault::fixed("BUSY Redis is busy running a script. You can only call FUNCTION KILL or SHUTDOWN NOSAVE.");

/// Something for the thread to do.
type Job = Box<dyn FnOnce(&mut Engine) + Send>;

/// What all loops see of scripts.
#[derive(Debug, Default)]
pub(crate) struct Scripts {
    /// The thread, once there is something for it.
    thread: OnceLock<Result<Sender<Job>, String>>,
    running: Mutex<Option<Arc<Running>>>,
    /// The script that runs has done so for too long.
    is_late: AtomicBool,
    late: Notify,
    pub(crate) counts: Counts,
    pub(crate) readers: readers::Readers,
}

/// What there is of scripts, for those who ask how much.
#[derive(Debug, Default)]
pub(crate) struct Counts {
    pub(crate) scripts: AtomicUsize,
    pub(crate) libraries: AtomicUsize,
    pub(crate) functions: AtomicUsize,
    /// Bytes of the states of Lua.
    pub(crate) eval_bytes: AtomicUsize,
    pub(crate) function_bytes: AtomicUsize,
}

impl Scripts {
    /// Has the thread do something, after all that it was given before. `memory` is the bound of the keys.
    ///
    /// # Errors
    /// No thread can be started.
    pub(crate) fn run(&self, memory: usize, job: impl FnOnce(&mut Engine) + Send + 'static) -> Result<(), Fault> {
        let thread = self.thread.get_or_init(|| start(memory).map_err(|error| error.to_string()));
        let failed = |why: &str| Fault::made(format!("ERR no thread can be started for scripts: {why}"));
        let sender = thread.as_ref().map_err(|why| failed(why))?;
        sender.send(Box::new(job)).map_err(|_| failed("it has ended"))
    }

    /// The script that runs.
    pub(crate) fn running(&self) -> Option<Arc<Running>> {
        self.locked().clone()
    }

    fn locked(&self) -> MutexGuard<'_, Option<Arc<Running>>> {
        self.running.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn set_running(&self, running: Option<Arc<Running>>) {
        self.is_late.store(false, Ordering::Relaxed);
        *self.locked() = running;
    }

    fn be_late(&self, running: &Running) {
        running.be_late();
        self.is_late.store(true, Ordering::Release);
        self.late.notify_waiters();
    }

    /// What is said to those who would have to wait for a script that takes too long.
    pub(crate) fn busy(&self) -> Option<Fault> {
        if !self.is_late.load(Ordering::Acquire) {
            return None;
        }
        self.running().map(|running| if running.is_eval { EVAL_BUSY } else { FUNCTION_BUSY })
    }

    /// Ready once a script takes too long.
    pub(crate) async fn late(&self) -> Fault {
        loop {
            let late = self.late.notified();
            if let Some(fault) = self.busy() {
                return fault;
            }
            late.await;
        }
    }

    /// `SCRIPT KILL` and `FUNCTION KILL`.
    pub(crate) fn kill(&self, is_eval: bool) -> Result<(), Fault> {
        let running = self.running().ok_or(Fault::fixed("NOTBUSY No scripts in execution right now."))?;
        if running.has_written() {
            return Err(Fault::fixed(
                "UNKILLABLE Sorry the script already executed write commands against the dataset. You can either wait the script \
                 termination or kill the server in a hard way using the SHUTDOWN NOSAVE command.",
            ));
        }
        match (is_eval, running.is_eval) {
            (true, false) => Err(FUNCTION_BUSY),
            (false, true) => Err(EVAL_BUSY),
            _ => {
                running.kill();
                Ok(())
            }
        }
    }
}

impl Drop for Scripts {
    /// An endless script must not outlive its door.
    fn drop(&mut self) {
        if let Some(running) = self.locked().take() {
            running.kill();
        }
    }
}

fn start(memory: usize) -> io::Result<Sender<Job>> {
    let (sender, jobs) = mpsc::channel::<Job>();
    let work = move || {
        let mut engine = Engine::new((memory / PART).max(LEAST));
        for job in jobs {
            // It was printed by the panic hook, and whoever waits for the job sees its end.
            let done = panic::catch_unwind(panic::AssertUnwindSafe(|| job(&mut engine)));
            if done.is_err() {
                engine.recover();
            }
        }
    };
    thread::Builder::new().name("kv-script".into()).stack_size(STACK).spawn(work)?;
    Ok(sender)
}
