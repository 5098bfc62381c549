//! Carries out the checks of `health` over plain connections, and keeps a group in step with its list.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Instant;

use contract::Endpoints;
use loops::Unwell;
use loops::time::interval;
use tokio::task::{AbortHandle, JoinSet};
use tokio::time::MissedTickBehavior;

use super::group::Group;
use super::health::{Check, Health, Tally};
use super::member::Member;
use loops::socket::is_of_this_side;

/// Follows `endpoints` and checks each of them until dropped. When the list's writer is gone the last list stays.
///
/// Runs on any runtime; each endpoint is checked by a task of its own, the first time at once.
pub async fn keep(group: Arc<Group>, mut endpoints: Endpoints, check: Check) {
    let check = Arc::new(check);
    let mut checks = JoinSet::new();
    let mut running: HashMap<u64, AbortHandle> = HashMap::new();
    loop {
        let list = endpoints.borrow_and_update().clone();
        group.update(&list, clock());
        let members = group.members();
        running.retain(|id, task| {
            let stays = members.iter().any(|member| member.id == *id);
            if !stays {
                task.abort();
            }
            stays
        });
        for member in members {
            running.entry(member.id).or_insert_with(|| checks.spawn(watch(group.clone(), member.clone(), check.clone())));
        }
        tokio::select! {
            changed = endpoints.changed() => if changed.is_err() { return std::future::pending().await },
            Some(_) = checks.join_next() => {}
        }
    }
}

async fn watch(group: Arc<Group>, member: Arc<Member>, check: Arc<Check>) {
    let mut tally = Tally::new(member.health());
    let mut ticks = interval(check.every);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        ticks.tick().await;
        let (well, reason) = match loops::probe(member.endpoint.address, check.path.as_deref(), check.timeout).await {
            Ok(reason) => (true, reason),
            // This process lacks what it takes to ask.
            Err(Unwell::NoConnection(error)) if is_of_this_side(&error) => continue,
            Err(unwell) => (false, unwell.to_string()),
        };
        tally = tally.after(well, &check);
        // A first failure is no verdict, and must not bring back an endpoint that a request has found dead.
        if well || tally.health != Health::Up {
            group.checked(&member, tally.health, &reason, clock());
        }
    }
}

/// Tokio's clock, so that tests can stop it.
fn clock() -> Instant {
    tokio::time::Instant::now().into_std()
}

#[cfg(test)]
mod tests;
