//! A connection's whole life: logged in, welcomed, served, gone.

use std::future::{Future, poll_fn};
use std::pin::pin;
use std::rc::Rc;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use super::guest::{Guest, Traits};
use super::{Client, Entrance, Known, greet};
use crate::door::Door;
use crate::error::{ErrorResponse, Fault, Severity};
use crate::events::Failure;
use crate::server::{Lent, Refused, TRIES, Tried, Unfit};
use crate::session::{self, Names, Reported, Session, Unsettled, settle};
use crate::visit::serve;
use tls::Stream;

/// How long who is not in yet when the door begins to close may still take: it may have come to cancel something.
const LEAVING: Duration = Duration::from_secs(2);

/// Bytes that a client may send before it is told that it is in; more are not read until then.
const EARLY: usize = 64 << 10;

/// Takes a connection from its first byte to its end.
pub(crate) async fn attend(door: Rc<Door>, stream: Stream) {
    // Boxed: the task of an idle client has the size of its largest state.
    if let Some(Some(guest)) = Box::pin(while_open(&door, arrive(&door, stream))).await {
        serve(door, guest).await;
    }
}

/// Does `work` as long as the door is open, and for a moment more; `None`: that was not enough.
async fn while_open<F: Future>(door: &Rc<Door>, work: F) -> Option<F::Output> {
    let (mut work, alarm, mut is_leaving) = (pin!(work), door.here.alarms.alarm(), false);
    poll_fn(|context| {
        if let Poll::Ready(done) = work.as_mut().poll(context) {
            return Poll::Ready(Some(done));
        }
        if door.is_cut() {
            return Poll::Ready(None);
        }
        if door.is_draining() && !std::mem::replace(&mut is_leaving, true) {
            alarm.set(LEAVING);
        }
        // Whoever drains the door wakes every task that once looked at an alarm.
        alarm.poll_rung(context).map(|()| None)
    })
    .await
}

/// Lets nobody in, but may cancel something.
pub(crate) async fn turn_away(door: &Rc<Door>, stream: Stream, fault: Fault) {
    enter(door, stream, Some(fault)).await;
}

/// Lets a client in and tells it that it may begin. `None`: it is gone, or was told why not.
async fn arrive(door: &Rc<Door>, stream: Stream) -> Option<Guest> {
    let client = enter(door, stream, door.is_draining().then(Fault::shutting_down)).await?;
    welcome(door, client).await
}

async fn enter(door: &Rc<Door>, stream: Stream, refusal: Option<Fault>) -> Option<Client> {
    let shape = door.shape();
    let entrance = Entrance { gate: &shape.gate, registry: &door.registry, interned: &door.sessions.interned, refusal };
    super::enter(stream, &entrance).await.unwrap_or_else(|_| {
        door.events().failed(Failure::Login);
        None
    })
}

async fn welcome(door: &Rc<Door>, mut client: Client) -> Option<Guest> {
    client.key = door.side.key(&client.key.user, &client.key.database);
    let attendance = door.side.attend(&client.key);
    let number = door.new_client();
    let (process, address) = (client.seat.process(), client.stream.peer());
    let who = session::Client { number, process, key: client.key.clone(), address };
    let (session, mut out) = match meet(door, &mut client, who).await {
        Ok(session) => (session, Vec::new()),
        Err(out) => {
            // Whether it hears it is its own affair.
            let _ = client.stream.write_all(&out).await;
            return None;
        }
    };
    greet(&mut out, &client, session.told());
    client.stream.write_all(&out).await.ok()?;
    let Client { stream, key, seat, early, .. } = client;
    let alarm = door.here.alarms.alarm();
    let traits = Traits::of(&session);
    seat.work().is_of(session.client(), session.told());
    Some(Guest { traits, stream, key, seat, session, names: Names::default(), alarm, _attendance: attendance, number, early })
}

/// A session for a client: told what a server says, or what one said a while ago. The error is what the client is told,
/// nothing when it is gone.
async fn meet(door: &Rc<Door>, client: &mut Client, who: session::Client) -> Result<Session, Vec<u8>> {
    let known = door.common.welcomes.known(&client.key, &client.startup);
    let startup = client.startup.clone();
    let new = |told: &Arc<Reported>| Session::new(&door.sessions, who.clone(), &startup, told);
    let lent = match &known {
        Known::Fresh(told) => return Ok(new(told)),
        Known::Stale(told) => match door.side.try_lend(&client.key, |_| true) {
            Some(lent) => lent,
            None => return Ok(new(told)),
        },
        Known::Nothing => lend(door, client).await?,
    };
    let mut session = new(&Arc::default());
    introduce(door, client, &mut session, lent).await?;
    Ok(session)
}

/// Makes a connection the client's, to learn what it is told there.
async fn introduce(door: &Rc<Door>, client: &mut Client, session: &mut Session, mut lent: Lent) -> Result<(), Vec<u8>> {
    let mut tried = Tried::default();
    for number in 1.. {
        let unfit = match settle(session, &mut lent, &mut Vec::new()).await {
            Ok(()) => {
                door.common.welcomes.note(&client.key, &client.startup, session.told().clone());
                lent.give_back();
                return Ok(());
            }
            Err(Unsettled::Refused(said)) => Unfit::Refused(Box::new((lent, said))),
            Err(Unsettled::Lost) => Unfit::Lost,
        };
        tried.judge(unfit, |_| false).map_err(|said| denial(&said))?;
        if number == TRIES {
            break;
        }
        lent = match door.side.try_lend(&client.key, |_| true) {
            Some(lent) => lent,
            None => {
                tried.make_room();
                lend(door, client).await?
            }
        };
    }
    Err(match tried.said() {
        Some(said) => denial(&said),
        None => refusal(door, &Refused::Away("every connection to it broke at once".into())),
    })
}

/// A connection for a client that is to be welcomed. One that leaves waits no more, and nobody does when the door closes.
async fn lend(door: &Rc<Door>, client: &mut Client) -> Result<Lent, Vec<u8>> {
    let key = client.key.clone();
    let mut lend = pin!(door.side.lend(&key));
    poll_fn(|context| {
        if let Poll::Ready(lent) = lend.as_mut().poll(context) {
            return Poll::Ready(lent.map_err(|refused| refusal(door, &refused)));
        }
        if door.is_draining() {
            return Poll::Ready(Err(refusal(door, &Refused::Closing)));
        }
        poll_gone(client, context).map(|()| Err(Vec::new()))
    })
    .await
}

/// Ready when the client is gone. What it sends meanwhile is kept.
fn poll_gone(client: &mut Client, context: &mut Context<'_>) -> Poll<()> {
    let mut space = [0; 512];
    while client.early.len() < EARLY {
        match client.stream.poll_read(context, &mut space) {
            Poll::Ready(Ok(count)) if count > 0 => client.early = [&*client.early, &space[..count]].concat().into(),
            Poll::Ready(_) => return Poll::Ready(()),
            Poll::Pending => break,
        }
    }
    Poll::Pending
}

fn denial(said: &ErrorResponse) -> Vec<u8> {
    let mut out = Vec::new();
    said.write(&mut out, Severity::Fatal);
    out
}

fn refusal(door: &Rc<Door>, refused: &Refused) -> Vec<u8> {
    door.events().failed(Failure::Unreachable);
    let mut out = Vec::new();
    refused.write(&mut out, Severity::Fatal);
    out
}
