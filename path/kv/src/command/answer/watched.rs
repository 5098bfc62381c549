//! What is counted of commands, and what somebody wants to see of them.

use std::time::Instant;

use super::{Batch, Did, Request, TIMED};
use crate::client::Client;
use crate::command::admit::refused;
use crate::command::{Command, Run, looked_up, transactions};
use crate::door::Shared;
use crate::error::Fault;
use crate::frame::Args;

/// Whether each command is timed: quick ones may be called slow, or somebody wants to know.
pub(super) fn times(common: &Shared) -> bool {
    let config = &common.config;
    let watched = (1..=TIMED as u64 / 1000).contains(&config.latency_threshold());
    (0..TIMED).contains(&config.slower_than()) || watched || config.tracks_latency()
}

impl Batch<'_> {
    /// Runs a command that somebody wants to see, or to know the time of.
    #[cold]
    pub(super) fn run_watched(&mut self, command: &'static Command, request: &mut Request<'_>) -> Did {
        let start = Instant::now();
        // What a script does is shown after it.
        let is_script = matches!(command.run, Run::Script(_)) && self.common.scripts.busy().is_none();
        if self.common.is_watched() && is_script {
            self.common.shows(&request.client.peer, command, request.args);
        }
        let did = self.run(command, request);
        let Request { client, args, .. } = request;
        if self.common.is_watched() && !is_script && !matches!(did, Did::Retry(_) | Did::Owes(_)) {
            self.common.shows(&client.peer, command, *args);
        }
        if matches!(did, Did::Done | Did::Failed(_)) {
            let time = start.elapsed();
            self.events.calls.took(command, time);
            if self.times {
                self.common.took(&client.peer, command, *args, time);
            }
        }
        did
    }

    /// Counts a command that was done.
    #[inline]
    pub(super) fn count(&self, command: &Command, did: &Did) {
        match did {
            Did::Done | Did::Stop(_) => self.events.calls.called(command),
            Did::Failed(_) => {
                self.events.calls.called(command);
                self.events.calls.failed(command);
            }
            Did::Retry(_) | Did::Owes(_) => {}
        }
    }

    /// A command is not done.
    #[cold]
    pub(super) fn refuse(&mut self, client: &mut Client, args: Args<'_>, fault: Fault) -> Fault {
        let is_over = args.is(0, "exec");
        looked_up(args).into_iter().for_each(|command| self.events.calls.rejected(command));
        let fault = refused(client, args, fault);
        if is_over {
            self.held = None;
            transactions::forget(client, &self.common.store);
        }
        fault
    }
}
