//! What is done on the thread that runs scripts: a command, or a transaction with such a one in it.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

use tokio::sync::oneshot;

use super::execute::shards;
use super::long::Told;
use super::transactions::{Ground, forget, work};
use super::{Command, Run};
use crate::client::{Client, Peer};
use crate::door::{Shared, now};
use crate::error::Fault;
use crate::frame::{Args, Owned, Protocol, Reply};
use crate::script::{Engine, Stage};
use crate::users::User;
use crate::visit::Visit;

/// The user of a client, as of which change.
type Known = (Arc<User>, u64);

/// What the thread is to do.
pub(crate) enum Scripted {
    Command {
        command: &'static Command,
        args: Owned,
        protocol: Protocol,
        user: Known,
    },
    /// What a client has queued, on these shards.
    Transaction(Box<Client>, Vec<usize>),
}

/// It waits for its turn; whoever takes it out has it.
type Waiting = Arc<Mutex<Option<Scripted>>>;

fn take(waiting: &Waiting) -> Option<Scripted> {
    waiting.lock().unwrap_or_else(PoisonError::into_inner).take()
}

impl Scripted {
    pub(super) fn command(command: &'static Command, args: Args<'_>, client: &Client) -> Scripted {
        let user = (client.user.clone(), client.users_seen);
        Scripted::Command { command, args: args.owned(), protocol: client.protocol, user }
    }

    /// Has the thread do it, and waits for its answer; not for a script that takes too long.
    pub(crate) async fn run(self, visit: &mut Visit<'_>) {
        let (common, peer) = (visit.door.common.clone(), visit.client.peer.clone());
        let (sender, mut answer) = oneshot::channel();
        let waiting: Waiting = Arc::new(Mutex::new(Some(self)));
        let (job, on_thread) = (waiting.clone(), common.clone());
        let sent = common.scripts.run(common.store.limit(), move |engine| {
            if let Some(scripted) = take(&job) {
                // The client may be gone.
                let _ = sender.send(scripted.done(engine, on_thread, peer));
            }
        });
        let refused = match sent {
            Err(fault) => Some(fault),
            Ok(()) => tokio::select! {
                biased;
                told = &mut answer => return hear(visit, told.ok()),
                fault = common.scripts.late() => Some(fault),
            },
        };
        match (refused, take(&waiting)) {
            (Some(fault), Some(scripted)) => scripted.refuse(visit, fault),
            // It is its own script that takes so long.
            _ => hear(visit, answer.await.ok()),
        }
    }

    fn refuse(self, visit: &mut Visit<'_>, fault: Fault) {
        let mut out = Vec::new();
        let mut reply = Reply::new(&mut out, visit.client.protocol);
        match self {
            Scripted::Command { .. } => reply.error(&fault),
            Scripted::Transaction(client, _) => {
                *visit.client = *client;
                forget(visit.client, &visit.door.common.store);
                reply.error(&Fault::made(format!("EXECABORT Transaction discarded because of: {}", fault.0)));
            }
        }
        visit.says(&out);
    }

    fn done(self, engine: &mut Engine, common: Arc<Shared>, peer: Arc<Peer>) -> Told {
        let mut out = Vec::new();
        let stage = |user| Stage::new(common.clone(), Client::new(peer.clone(), user), now());
        let (client, mut stage) = match self {
            Scripted::Command { command, args, protocol, user } => {
                let (args, mut stage) = (args.args(), stage(user));
                stage.take(&shards(&common.store, command.keys, args));
                let Run::Script(run) = command.run else { unreachable!("{} has nothing to do with scripts", command.name) };
                let (start, mut reply) = (Instant::now(), Reply::new(&mut out, protocol));
                let (done, stage) = engine.on_stage(stage, |engine| run(engine, args, &mut reply));
                let (time, calls) = (start.elapsed(), &common.events.scripts.calls);
                if let Err(fault) = done {
                    calls.failed(command);
                    calls.error(&fault);
                    reply.undo(0);
                    reply.error(&fault);
                } else if let Some(error) = out.strip_prefix(b"-") {
                    // The script gave it back.
                    calls.failed(command);
                    calls.error(&Fault::made(String::from_utf8_lossy(error).into_owned()));
                }
                calls.took(command, time);
                common.took(&peer, command, args, time);
                (None, stage)
            }
            Scripted::Transaction(mut client, numbers) => {
                let mut stage = stage((client.user.clone(), client.users_seen));
                stage.take(&numbers);
                let protocol = client.protocol;
                let ((), stage) = engine.on_stage(stage, |engine| {
                    let both = (&common, &common.events.scripts);
                    work(&mut client, both, &mut Ground::Scripts(engine), &mut Reply::new(&mut out, protocol));
                });
                (Some(*client), stage)
            }
        };
        let debts = stage.end();
        Told { out, debts, client, logged: common.persist.log.end() }
    }
}

fn hear(visit: &mut Visit<'_>, told: Option<Told>) {
    match told {
        Some(told) => told.heard(visit),
        // The thread panicked with it, and nobody knows what it has done.
        None => visit.client.leaves = true,
    }
}
