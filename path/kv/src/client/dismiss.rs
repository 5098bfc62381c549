//! dismiss: clients that read too slowly, say nothing for too long, or hold the most when all hold too much, are closed.

use std::sync::Arc;
use std::time::Duration;

use super::{Ends, Peer};
use crate::door::{Shared, now};

/// How often what clients hold is looked at, and each of them.
const OFTEN: Duration = Duration::from_millis(100);
const EACH: u32 = 5;
/// A pause in any case, so that others are served.
const BREATH: Duration = Duration::from_millis(5);
/// Clients that are looked at at once.
const AT_ONCE: usize = 256;
/// Clients that are closed at once.
const MOST: usize = 64;

/// Looks after the clients of a door until it is dropped.
pub(crate) async fn dismiss(common: Arc<Shared>) {
    let mut round = 0;
    loop {
        // Which of both it was does not matter.
        let _ = loops::time::timeout(OFTEN, common.bounds.crowded.notified()).await;
        common.store.set_beside(common.bounds.held());
        round = (round + 1) % EACH;
        let longest = common.config.idle() * 1000;
        if round == 0 && (longest > 0 || common.bounds.could_be_slow()) {
            let now = now();
            each(&common, |peer| {
                if peer.is_slow(now) {
                    peer.end(Ends::TooSlow);
                } else if longest > 0 && peer.is_idle(now, longest) {
                    peer.end(Ends::Idle);
                }
            })
            .await;
        }
        if common.bounds.too_much() > 0 {
            evict(&common).await;
            loops::time::sleep(BREATH).await;
        }
    }
}

/// Looks at each client, some at a time.
async fn each(common: &Shared, mut look: impl FnMut(&Arc<Peer>)) {
    let mut from = 0;
    loop {
        let some = common.roster.some(from, AT_ONCE);
        some.iter().for_each(&mut look);
        let Some(last) = some.last().filter(|_| some.len() == AT_ONCE) else { return };
        from = last.id + 1;
        tokio::task::yield_now().await;
    }
}

/// Ends the largest clients, until the others hold no more than they may.
async fn evict(common: &Shared) {
    let (mut largest, mut leave): (Vec<(usize, Arc<Peer>)>, usize) = (Vec::new(), 0);
    each(common, |peer| {
        let held = peer.held();
        if peer.ends().is_some() {
            leave += held;
        } else if held > 0 && peer.may_be_evicted() {
            let at = largest.partition_point(|(more, _)| *more >= held);
            largest.insert(at, (held, peer.clone()));
            largest.truncate(MOST);
        }
    })
    .await;
    let mut rest = common.bounds.too_much().saturating_sub(leave);
    for (held, peer) in largest {
        if rest == 0 {
            return;
        }
        peer.end(Ends::TooBig);
        rest = rest.saturating_sub(held);
    }
}
