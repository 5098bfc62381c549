//! Where a script runs: what it may do, the keys that it has taken, and what came of it so far.

use std::cell::RefCell;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use super::raise::Raise;
use super::random::Lrand48;
use super::running::Running;
use super::shebang::Marks;
use crate::client::{Client, Wants};
use crate::command::{Command, Flags, Here, after, looked_up, only_reads, permitted_in_script, run_in_script, shards};
use crate::door::Shared;
use crate::events::add;
use crate::frame::{Args, Protocol, Reply};
use crate::store::{Held, Ms, Outcome, View};

/// What scripts may do once `DEBUG SET-DISABLE-DENY-SCRIPTS` says so.
const IN_TESTS: [&str; 3] = ["client|list", "debug|protocol", "debug|sleep"];

/// What the functions of ours share with who runs scripts.
pub(super) type Seat = Rc<RefCell<Chair>>;

#[derive(Default)]
pub(super) struct Chair {
    /// While a command is done that has to do with scripts.
    pub(super) stage: Option<Box<Stage>>,
    /// While a library is loaded: what it has registered.
    pub(super) loading: Option<super::library::Loading>,
    pub(super) random: Lrand48,
    /// A script was told to end.
    pub(super) is_ending: bool,
}

pub(crate) struct Stage {
    pub(super) common: Arc<Shared>,
    /// Stands for the client in what a script does.
    client: Client,
    held: Held,
    outcome: Outcome,
    now: Ms,
    /// Memory was full before.
    is_full: bool,
    /// The script, while there is one.
    running: Option<Script>,
    /// What it wants to be answered in.
    pub(super) protocol: Protocol,
    /// The last answer.
    pub(super) out: Vec<u8>,
}

/// A script that runs.
struct Script {
    running: Arc<Running>,
    marks: Marks,
}

impl Chair {
    /// The stage, if a script runs; `otherwise` is raised if none does.
    pub(super) fn running(&mut self, otherwise: &str) -> Result<&mut Stage, Raise> {
        let stage = self.stage.as_deref_mut().filter(|stage| stage.running.is_some());
        stage.ok_or_else(|| Raise::answer(otherwise))
    }

    pub(super) fn is_running(&self) -> bool {
        self.stage.as_ref().is_some_and(|stage| stage.running.is_some())
    }

    /// A line of `redis.log`.
    pub(super) fn log(&self, level: i64, text: &str) {
        if let Some(stage) = &self.stage {
            stage.common.events.script_says(level, text);
        }
    }

    /// The stage.
    ///
    /// # Panics
    /// No command is done.
    pub(super) fn stage(&mut self) -> &mut Stage {
        self.stage.as_deref_mut().expect("a command is done")
    }
}

impl Stage {
    /// For the client that `client` stands for, at `now`.
    pub(crate) fn new(common: Arc<Shared>, mut client: Client, now: Ms) -> Stage {
        client.limits.known = true;
        // What others say to the client is not for the script.
        client.wants = Wants::None;
        let mut outcome = Outcome { wanted: common.config.wanted(), ..Outcome::default() };
        let is_full = common.store.is_full() && crate::upkeep::make_room(&common, now, &mut outcome).is_err();
        let held = Held::new(common.store.clone());
        let protocol = Protocol::Resp2;
        Stage { common, client, held, outcome, now, is_full, running: None, protocol, out: Vec::new() }
    }

    /// Takes the keys of these shards.
    pub(crate) fn take(&mut self, numbers: &[usize]) {
        self.held.take(numbers);
    }

    /// Whether the user of the script may have this done.
    pub(super) fn may(&self, command: &'static Command, args: Args<'_>) -> bool {
        self.client.user.check(command, args).is_ok()
    }

    /// The keys that were taken.
    pub(crate) fn view(&mut self) -> View<'_> {
        self.held.view(self.now, &mut self.outcome)
    }

    /// All is done: tells others of it, and gives the shards that owe something.
    pub(crate) fn end(&mut self) -> Vec<usize> {
        let common = self.common.clone();
        after(&mut self.view(), &common);
        add(&common.events.scripts.changes, self.outcome.changes);
        self.held.owing()
    }

    /// A script begins.
    ///
    /// # Errors
    /// What it is marked with does not let it run now.
    pub(super) fn begin(&mut self, name: &str, is_eval: bool, marks: Marks, reads_only: bool, words: Args<'_>) -> Result<(), &'static str> {
        let mut marks = marks;
        if !marks.is_plain {
            if reads_only && !marks.reads_only {
                return Err("ERR Can not execute a script with write flag using *_ro command.");
            }
            if self.is_full && !marks.allows_full && !marks.reads_only {
                return Err("OOM allow-oom flag is not set on the script, can not run it when used memory > 'maxmemory'");
            }
        }
        marks.reads_only |= reads_only;
        let running = Arc::new(Running::new(name, is_eval, words.owned()));
        self.common.scripts.set_running(Some(running.clone()));
        self.running = Some(Script { running, marks });
        self.protocol = Protocol::Resp2;
        Ok(())
    }

    pub(super) fn finish(&mut self) {
        self.common.scripts.set_running(None);
        self.running = None;
    }

    /// The script has run for a while; whether it is to end.
    pub(super) fn is_killed(&mut self) -> bool {
        let Some(Script { running, .. }) = &self.running else { return false };
        let bound = self.common.config.busy_after();
        if bound > Duration::ZERO && !running.is_late() && running.began.elapsed() >= bound {
            self.held.be_busy();
            self.common.scripts.be_late(running);
            self.common.events.slow_script(&running.name, running.is_eval);
        }
        running.is_killed()
    }

    /// Does a command of the script; its answer is in `out`.
    ///
    /// # Errors
    /// It was not done: a code and a text.
    pub(super) fn call(&mut self, args: Args<'_>) -> Result<(), String> {
        self.out.clear();
        let command = looked_up(args).ok_or("ERR Unknown Redis command called from script")?;
        let may = self.check(command, args);
        let may = may.and_then(|()| permitted_in_script(&self.client, &self.common, command, args).map_err(|fault| fault.0.into_owned()));
        may.inspect_err(|_| self.common.events.scripts.calls.rejected(command))?;
        if command.flags.has(Flags::WRITE)
            && let Some(script) = &self.running
        {
            script.running.has_written.store(true, Ordering::Relaxed);
        }
        self.held.take(&shards(&self.common.store, command.keys, args));
        if self.common.is_watched() {
            self.common.roster.show_script(command, args);
        }
        let mut view = self.held.view(self.now, &mut self.outcome);
        let mut here = Here { client: &mut self.client, common: &self.common, in_transaction: true };
        let mut reply = Reply::new(&mut self.out, self.protocol);
        let (done, calls) = (run_in_script(command, &mut here, &mut view, args, &mut reply), &self.common.events.scripts.calls);
        calls.called(command);
        if let Err(fault) = done {
            calls.failed(command);
            calls.error(&fault);
            reply.undo(0);
            reply.error(&fault);
        }
        Ok(())
    }

    fn check(&self, command: &Command, args: Args<'_>) -> Result<(), String> {
        let Some(Script { running, marks }) = &self.running else { return Err("ERR no script runs".into()) };
        if !command.takes(args.len()) {
            return Err("ERR Wrong number of args calling Redis command from script".into());
        }
        let is_test = IN_TESTS.contains(&command.name) && self.common.tests_in_scripts();
        if command.flags.has(Flags::NO_SCRIPT) && !is_test {
            return Err("ERR This Redis command is not allowed from script".into());
        }
        if marks.reads_only && !only_reads(command) {
            return Err("ERR Write commands are not allowed from read-only scripts.".into());
        }
        let allows_full = !marks.is_plain && marks.allows_full;
        // A script that has begun to change something is not stopped halfway.
        if self.is_full && !allows_full && command.flags.has(Flags::DENY_OOM) && !running.has_written.load(Ordering::Relaxed) {
            return Err("OOM command not allowed when used memory > 'maxmemory'.".into());
        }
        if waits(command, args) {
            return Err(format!("ERR {} command is not allowed with BLOCK option from scripts", String::from_utf8_lossy(args.at(0))));
        }
        Ok(())
    }
}

/// Whether a read of streams asks to wait.
fn waits(command: &Command, args: Args<'_>) -> bool {
    let first = match command.name {
        "xread" => 1,
        "xreadgroup" => 4,
        _ => return false,
    };
    (first..args.len()).take_while(|at| !args.is(*at, "STREAMS")).any(|at| args.is(at, "BLOCK"))
}
