//! Reads the next head of a connection within its bounds and time.

use std::time::Instant;

use super::field::raw_value;
use super::{Progress, RequestHead};
use crate::visit::{Desk, Facts, Visit};
use loops::socket::fill;

/// A head that grows beyond this room is given more.
const LEAST_ROOM: usize = 2 << 10;

/// What came.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Came {
    /// A whole head.
    Head,
    /// Something to be refused with this status; the connection closes.
    Refused(u16),
    /// The end, before a head was whole.
    End,
}

/// Reads a head into `visit.desk.request`; it stays at the front of the input.
pub(crate) async fn head(visit: &mut Visit<'_>) -> Came {
    let bounds = visit.view.shape.bounds;
    let timeout = visit.view.shape.plan.timeout.head;
    let (client, buffers) = (visit.client, &visit.door.here.buffers);
    let Desk { input, request, facts, .. } = &mut *visit.desk;
    let input = input.get_or_insert_with(|| buffers.take());
    let (mut is_timed, mut has_begun) = (false, false);
    loop {
        if !input.is_empty() {
            let parsed = parse(request, input.unread(), &bounds);
            if parsed == Ok(true) || !std::mem::replace(&mut has_begun, true) {
                visit.since = Instant::now();
            }
            match parsed {
                Ok(true) => {
                    visit.head = request.len();
                    return Came::Head;
                }
                Ok(false) => {}
                Err(status) => return refused(facts, input.unread(), status),
            }
            if input.space().len() < LEAST_ROOM {
                input.reserve(loops::BUFFER_BYTES);
            }
        }
        // The first read finds something: the connection was readable.
        if !std::mem::replace(&mut is_timed, true) {
            client.alarm.set(timeout);
        }
        match client.alarm.limit(fill(&client.stream, input)).await {
            Ok(Ok(0) | Err(_)) => return Came::End,
            Ok(Ok(_)) => {}
            Err(_) if input.is_empty() => return Came::End,
            Err(_) => return refused(facts, input.unread(), 408),
        }
    }
}

/// Notes what the refused head says the answer should be.
fn refused(facts: &mut Facts, head: &[u8], status: u16) -> Came {
    facts.accept.extend_from_slice(raw_value(head, b"accept").unwrap_or_default());
    Came::Refused(status)
}

fn parse(request: &mut RequestHead, bytes: &[u8], bounds: &super::HeadBounds) -> Result<bool, u16> {
    match request.parse(bytes, bounds) {
        Ok(Progress::Whole(_)) => Ok(true),
        Ok(Progress::Partial) => Ok(false),
        Err(refusal) => Err(refusal.status),
    }
}
