//! Forwards a request to an endpoint of its app, and to another one as long as that is allowed.

use std::sync::Arc;
use std::time::{Duration, Instant};

use super::attempt::{self, Line, Lost};
use super::{Attempt, Decision, Exchange, Failure, Group, NoPeer, Outcome, Peer, deliver, upward};
use crate::accept::Framing;
use crate::answer::send::refuse;
use crate::events::add;
use crate::visit::{After, Desk, Visit};
use loops::socket::{Seen, look};

/// Bytes of a request, head and body, that are kept until its answer begins, so that it can be sent again.
const KEPT: usize = 16 << 10;

/// What the attempts so far say.
#[derive(Debug, Default)]
struct History {
    refreshed: bool,
    retries: u32,
    same: Option<Arc<Peer>>,
    /// With what the first failure is answered that says more than "there is no endpoint".
    status: Option<u16>,
}

/// Forwards the request to the app of route `route` and passes its answer on.
pub(crate) async fn forward(visit: &mut Visit<'_>, route: usize) -> After {
    let view = visit.view.clone();
    let group = &view.shape.routes[route].group;
    prepare(visit);
    let mut history = History::default();
    let mut now = visit.since;
    loop {
        let chosen = match history.same.take() {
            Some(peer) => Ok((peer, now)),
            None => choose(visit, group, now, history.status).await,
        };
        let (peer, chosen_at) = match chosen {
            Ok(chosen) => chosen,
            Err(Lost::Refused(status)) => return refuse(visit, status).await,
            Err(_) => return gone(visit),
        };
        let mut exchange = Exchange::begin(peer, chosen_at);
        let mut reused = false;
        let lost = match attempt::connect(visit, &exchange, history.refreshed, chosen_at).await {
            Err(lost) => lost,
            Ok(line) => {
                reused = line.reused;
                match attempt::ask(visit, &mut exchange, &line).await {
                    Ok(()) => {
                        // An upgraded connection may last for days, and must not keep a plan that was replaced.
                        drop(view);
                        return deliver::deliver(visit, exchange, line).await;
                    }
                    Err(lost) => lost,
                }
            }
        };
        now = Instant::now();
        match lost {
            Lost::Client => {
                exchange.end(Outcome::ClientGone, now);
                return gone(visit);
            }
            Lost::Refused(status) => {
                exchange.end(Outcome::ClientGone, now);
                return refuse(visit, status).await;
            }
            Lost::Endpoint(failure) => {
                if let Err(status) = again(visit, group, exchange, failure, reused, &mut history, now) {
                    return refuse(visit, status).await;
                }
            }
        }
    }
}

/// Writes the head for the app; from here on the input holds the body.
fn prepare(visit: &mut Visit<'_>) {
    let Desk { request, input, facts, up, .. } = &mut *visit.desk;
    let Some(input) = input else { return };
    up.out.clear();
    upward::write(&mut up.out, facts, request, input.unread(), visit.door);
    up.begin(facts.framing, facts.framing == Framing::Chunked, visit.view.shape.plan.max.body, KEPT);
    visit.consume_head();
}

/// An endpoint that was not tried; waits in the bounded queue from `now` on for one when none is free. Without one the
/// client is told the `earlier` failure's status, if there was one. Also when it was found.
async fn choose(visit: &Visit<'_>, group: &Arc<Group>, now: Instant, earlier: Option<u16>) -> Result<(Arc<Peer>, Instant), Lost> {
    let (index, tried) = (visit.door.here.index, &visit.desk.tried);
    match group.choose(index, now, tried) {
        Ok(peer) => return Ok((peer, now)),
        Err(NoPeer::Tried) => return Err(Lost::Refused(earlier.unwrap_or(502))),
        Err(NoPeer::Empty | NoPeer::Down | NoPeer::Busy) => {}
    }
    let (since, no_place) = (now, Lost::Refused(earlier.unwrap_or(503)));
    let Some(place) = group.enqueue() else { return Err(no_place) };
    let most = visit.view.shape.plan.timeout.queue;
    // The alarm of the connection is free until an endpoint is found.
    visit.client.alarm.set(most);
    loop {
        let now = Instant::now();
        if now.saturating_duration_since(since) > most + Duration::from_secs(1) {
            return Err(no_place);
        }
        match group.choose(index, now, tried) {
            Ok(peer) => return Ok((peer, now)),
            Err(NoPeer::Tried) => return Err(Lost::Refused(earlier.unwrap_or(502))),
            Err(_) => {}
        }
        if visit.client.alarm.limit(place.changed()).await.is_err() {
            return Err(no_place);
        }
        // A client that left gives its place to others.
        if matches!(look(&visit.client.stream), Seen::End | Seen::Failed) {
            return Err(Lost::Client);
        }
    }
}

/// Ends a failed attempt and prepares the next one, or says with which status the client is answered.
fn again(
    visit: &mut Visit<'_>,
    group: &Arc<Group>,
    exchange: Exchange,
    failure: Failure,
    reused: bool,
    history: &mut History,
    now: Instant,
) -> Result<(), u16> {
    let desk = &mut *visit.desk;
    let sent = desk.up.written > 0;
    let answered = desk.answer.as_ref().is_some_and(|answer| !answer.is_empty());
    let attempt = Attempt {
        failure,
        safe: desk.facts.is_safe(),
        sent,
        answered,
        reused,
        replayable: desk.up.is_replayable(),
        refreshed: history.refreshed,
        retries: history.retries,
    };
    let decision = group.decide(visit.door.here.index, now, &attempt);
    let peer = exchange.peer().clone();
    let is_stale = matches!(decision, Decision::SameFresh(_));
    if !is_stale && failure != Failure::Connect {
        history.status.get_or_insert(failure.status());
    }
    exchange.end(if is_stale { Outcome::Stale } else { Outcome::Failed(failure) }, now);
    match decision {
        Decision::Answer(status, _) => return Err(status),
        Decision::SameFresh(_) => {
            history.refreshed = true;
            history.same = Some(peer);
        }
        Decision::Elsewhere(_) => {
            history.retries += 1;
            desk.tried.push(peer.id());
        }
    }
    desk.up.rewind();
    Ok(())
}

/// The client left before its answer: counted as 499, as nginx does.
fn gone(visit: &Visit<'_>) -> After {
    add(&visit.door.common.events.loops[visit.door.here.index].clients_gone, 1);
    visit.record(499, 0, Instant::now());
    After::Close
}

/// Keeps a connection for the next request if it may be used again.
pub(super) fn keep(visit: &Visit<'_>, peer: &Arc<Peer>, line: Line, now: Instant) {
    let desk = &*visit.desk;
    let is_clean = desk.answer.as_ref().is_none_or(|answer| answer.is_empty());
    if desk.response.keep_alive && desk.up.is_done() && is_clean {
        visit.door.pool.put(peer, line.stream, now);
    }
}
