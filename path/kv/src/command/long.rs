//! What takes long is done by a worker, with the keys taken out of their shards.

use std::mem;
use std::time::Instant;

use tokio::sync::oneshot;

use super::execute::{on_keys, shards};
use super::serve::after;
use super::transactions::Ground;
use super::{Command, transactions};
use crate::client::Client;
use crate::door::now;
use crate::frame::{Args, Owned, Protocol, Reply};
use crate::store::{Outcome, View};
use crate::visit::Visit;

/// A command, or a transaction, for a worker.
pub(crate) enum Long {
    Command {
        command: &'static Command,
        args: Owned,
        protocol: Protocol,
    },
    /// What the client has queued, on these shards.
    Transaction(Vec<usize>),
}

/// Writes the answer; gives the client back that it has.
type Work = Box<dyn FnOnce(&mut View<'_>, &mut Vec<u8>) -> Option<Client> + Send>;

/// What it came to.
pub(super) struct Told {
    pub(super) out: Vec<u8>,
    /// Shards that owe something to those who wait.
    pub(super) debts: Vec<usize>,
    /// The one that had queued it.
    pub(super) client: Option<Client>,
    /// Up to where the log must be on the disk.
    pub(super) logged: u64,
}

impl Told {
    /// The client hears it.
    pub(super) fn heard(self, visit: &mut Visit<'_>) {
        if let Some(client) = self.client {
            *visit.client = client;
        }
        visit.desk.debts.extend(self.debts);
        visit.desk.outcome.logged = visit.desk.outcome.logged.max(self.logged);
        visit.says(&self.out);
    }
}

impl Long {
    pub(super) fn command(command: &'static Command, args: Args<'_>, protocol: Protocol) -> Long {
        Long::Command { command, args: args.owned(), protocol }
    }

    /// Has a worker run it, and waits for its answer.
    pub(crate) async fn run(self, visit: &mut Visit<'_>) {
        let (common, peer) = (visit.door.common.clone(), visit.client.peer.clone());
        let (sender, answer) = oneshot::channel();
        let store = common.store.clone();
        let (numbers, work): (_, Work) = match self {
            Long::Command { command, args, protocol } => {
                let (numbers, common) = (shards(&store, command.keys, args.args()), common.clone());
                let work = move |view: &mut View<'_>, out: &mut Vec<u8>| {
                    let start = Instant::now();
                    let (mut reply, calls) = (Reply::new(out, protocol), &common.events.worker.calls);
                    if let Err(fault) = on_keys(command, args.args(), view, &mut reply) {
                        calls.failed(command);
                        calls.error(&fault);
                        reply.error(&fault);
                    }
                    let time = start.elapsed();
                    calls.took(command, time);
                    common.took(&peer, command, args.args(), time);
                    None
                };
                (numbers, Box::new(work))
            }
            Long::Transaction(numbers) => {
                let mut client = mem::replace(visit.client, Client::new(peer, (visit.client.user.clone(), visit.client.users_seen)));
                let common = common.clone();
                let work = move |view: &mut View<'_>, out: &mut Vec<u8>| {
                    let protocol = client.protocol;
                    let both = (&common, &common.events.worker);
                    transactions::work(&mut client, both, &mut Ground::Locked(view), &mut Reply::new(out, protocol));
                    Some(client)
                };
                (numbers, Box::new(work))
            }
        };
        let now = now();
        store.run_away(numbers, move |store, keys| {
            let mut outcome = Outcome { wanted: common.config.wanted(), ..Outcome::default() };
            let mut view = store.view_many(keys.iter_mut().map(|(number, keys)| (*number, &mut **keys)), now, &mut outcome);
            let mut out = Vec::new();
            let client = work(&mut view, &mut out);
            after(&mut view, &common);
            common.count_changes(view.outcome);
            let debts = keys.iter().filter(|(_, keys)| keys.owes()).map(|(number, _)| *number).collect();
            // The client may be gone.
            let _ = sender.send(Told { out, debts, client, logged: outcome.logged });
        });
        match answer.await {
            Ok(told) => told.heard(visit),
            // The worker panicked with it, and nobody knows what it has done.
            Err(_) => visit.client.leaves = true,
        }
    }
}
