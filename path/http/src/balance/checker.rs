//! Carries out the checks of `health` over plain connections, and keeps a group in step with its list.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Instant;

use contract::Endpoints;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::task::{AbortHandle, JoinSet};
use tokio::time::{MissedTickBehavior, interval, timeout};

use super::group::Group;
use super::health::{Check, Health, Tally};
use super::member::Member;
use crate::socket::is_of_this_side;

/// Bytes of an answer that are read to find its status line.
const HEAD: usize = 256;

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
        let asked = timeout(check.timeout, ask(member.endpoint.address, check.path.as_deref())).await;
        let late = |_| Some(Err(format!("no answer within {} ms", check.timeout.as_millis())));
        let Some(result) = asked.unwrap_or_else(late) else { continue };
        let well = result.is_ok();
        tally = tally.after(well, &check);
        let reason = result.unwrap_or_else(|reason| reason);
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

/// One check: why it is well, or why it is not; `None` when this process lacks what it takes to ask.
async fn ask(address: SocketAddr, path: Option<&str>) -> Option<Result<String, String>> {
    match (TcpStream::connect(address).await, path) {
        (Err(error), _) if is_of_this_side(&error) => None,
        (Err(error), _) => Some(Err(format!("no connection: {error}"))),
        (Ok(_), None) => Some(Ok("the port accepts".into())),
        (Ok(stream), Some(path)) => Some(ask_for(path, address, stream).await),
    }
}

async fn ask_for(path: &str, address: SocketAddr, mut stream: TcpStream) -> Result<String, String> {
    let request =
        format!("GET {path} HTTP/1.1\r\nHost: {address}\r\nUser-Agent: plimsoll-health\r\nAccept: */*\r\nConnection: close\r\n\r\n");
    let lost = |error: std::io::Error| format!("{path} was not answered: {error}");
    stream.write_all(request.as_bytes()).await.map_err(lost)?;
    let mut head = Vec::with_capacity(HEAD);
    while status(&head).is_none() && head.len() < HEAD {
        if stream.read_buf(&mut head).await.map_err(lost)? == 0 {
            break;
        }
    }
    match status(&head) {
        Some(code @ 200..=399) => Ok(format!("{path} answered {code}")),
        Some(code) => Err(format!("{path} answered {code}")),
        None => Err(format!("{path} was not answered with HTTP/1.1")),
    }
}

/// The code of a status line (RFC 9112 section 4) as soon as all its digits are there.
fn status(head: &[u8]) -> Option<u16> {
    let rest = head.strip_prefix(b"HTTP/1.")?;
    let (code, after) = (rest.get(2..5)?, rest.get(5)?);
    let valid = rest[0].is_ascii_digit() && rest[1] == b' ' && code.iter().all(u8::is_ascii_digit) && matches!(after, b' ' | b'\r' | b'\n');
    valid.then(|| code.iter().fold(0, |sum, digit| sum * 10 + u16::from(digit - b'0')))
}

#[cfg(test)]
mod tests;
