//! Sends what needs no app: small answers, and the site's bytes and files.

use std::future::poll_fn;
use std::io::{self, IoSlice};
use std::sync::Arc;
use std::task::ready;
use std::time::{Duration, Instant};

use loops::Expired;
use tokio::io::Interest;
use tokio::net::TcpStream;

use super::{Asked, Body, Need, Reply, Small, Splice, warm};
use crate::accept::{Known, RequestHead};
use crate::events::add;
use crate::visit::{After, Client, Desk, Visit};
use loops::socket::poll_write_all;

/// Bodies up to so many bytes are copied behind their head.
const COPIED: usize = 8 << 10;

/// Answers with `status`. The connection stays when the request was read to its end.
pub(crate) async fn refuse(visit: &mut Visit<'_>, status: u16) -> After {
    let stays = visit.may_stay() && !visit.desk.facts.has_body();
    let splice_connection = visit.connection(stays);
    let date = visit.door.date();
    let Desk { facts, down, .. } = &mut *visit.desk;
    let accept = (!facts.accept.is_empty()).then_some(&*facts.accept);
    if facts.request_id.is_empty() {
        visit.door.new_id(&mut facts.request_id);
    }
    let splice = Splice { date: &date, request_id: &facts.request_id, connection: splice_connection };
    let small = Small { head_only: facts.is_head(), fields: fields_of(status), ..Small::new(status, accept) };
    down.out.clear();
    small.write(&splice, &mut down.out);
    if status == 408 {
        add(&visit.door.common.events.loops[visit.door.here.index].timeouts, 1);
    }
    let mut bytes = 0;
    let written = write(visit.client, visit.view.shape.plan.timeout.body, &down.out, &mut bytes).await;
    visit.record(status, bytes, Instant::now());
    after(visit, written.is_ok(), stays)
}

/// What happens after a whole answer of the door's own, `sent` or not.
fn after(visit: &mut Visit<'_>, sent: bool, stays: bool) -> After {
    if !sent {
        return After::Close;
    }
    if !stays {
        return After::Linger;
    }
    visit.consume_head();
    After::Again
}

fn fields_of(status: u16) -> &'static [u8] {
    match status {
        405 => b"Allow: GET, HEAD, POST, PUT, DELETE, PATCH, OPTIONS\r\n",
        503 => b"Retry-After: 1\r\n",
        _ => b"",
    }
}

/// Lets the site answer if the request is its; `None`: it is an app's, or nobody's.
pub(crate) async fn site(visit: &mut Visit<'_>) -> Option<After> {
    let view = visit.view.clone();
    let (site, settings) = (view.site.as_ref()?, view.shape.plan.site.as_ref()?);
    let need = match visit.route {
        None => Need::Whole,
        Some(_) if settings.first => Need::Existing,
        Some(_) => return None,
    };
    let stays = visit.may_stay() && !visit.desk.facts.has_body();
    let connection = visit.connection(stays);
    let date = visit.door.date();
    let Desk { input, request, facts, down, site_path, tags, .. } = &mut *visit.desk;
    let asked = asked(request, input.as_ref()?.unread(), site_path, tags);
    let splice = Splice { date: &date, request_id: &facts.request_id, connection };
    down.out.clear();
    let reply = site.answer(&asked, &splice, need, visit.since, &mut down.out).await?;
    visit.answered_by_site = true;
    visit.route = None;
    let mut bytes = 0;
    let sent = send(visit.client, visit.view.shape.plan.timeout.body, &mut down.out, &reply, &mut bytes).await;
    visit.record(reply.status, bytes, Instant::now());
    Some(after(visit, sent.is_ok(), stays))
}

/// What the site needs to know; `tags` is space for lists that came in several fields.
fn asked<'a>(head: &'a RequestHead, buffer: &'a [u8], path: &'a [u8], tags: &'a mut [Vec<u8>; 2]) -> Asked<'a> {
    let [if_match, if_none_match] = tags;
    let mut asked = Asked { method: head.method_text.of_buffer(buffer), path, ..Asked::default() };
    asked.query = head.query.map(|query| query.of_buffer(buffer));
    for field in &head.fields {
        let value = Some(field.value.of_buffer(buffer));
        match field.known {
            Known::Accept => asked.accept = value,
            Known::AcceptEncoding => asked.accept_encoding = value,
            Known::Range => asked.range = value,
            Known::IfRange => asked.if_range = value,
            Known::IfModifiedSince => asked.if_modified_since = value,
            Known::IfUnmodifiedSince => asked.if_unmodified_since = value,
            Known::Other if field.name.of_buffer(buffer).eq_ignore_ascii_case(b"sec-fetch-mode") => asked.fetch_mode = value,
            _ => {}
        }
    }
    asked.if_match = head.list(Known::IfMatch, buffer, if_match);
    asked.if_none_match = head.list(Known::IfNoneMatch, buffer, if_none_match);
    asked
}

/// Sends `head` and the body; a client that takes nothing for `pause` is given up. `sent`, 0 at first, counts what went
/// out, whether the rest does or not.
async fn send(client: &Client, pause: Duration, head: &mut Vec<u8>, reply: &Reply, sent: &mut u64) -> io::Result<()> {
    match &reply.body {
        Body::Empty => write(client, pause, head, sent).await,
        Body::Bytes(bytes, range) if range.len() <= COPIED => {
            head.extend_from_slice(&bytes[range.clone()]);
            write(client, pause, head, sent).await
        }
        Body::Bytes(bytes, range) => write_both(client, pause, head, &bytes[range.clone()], sent).await,
        Body::File { file, offset, length } => {
            client.alarm.set(pause);
            client.alarm.limit(write_more(&client.stream, head, sent)).await.map_err(late)??;
            send_file(client, pause, file, *offset, *length, sent).await
        }
    }
}

fn late(_: Expired) -> io::Error {
    io::ErrorKind::TimedOut.into()
}

async fn write(client: &Client, pause: Duration, bytes: &[u8], sent: &mut u64) -> io::Result<()> {
    client.alarm.set(pause);
    let mut done = 0;
    let written = client.alarm.limit(poll_fn(|context| poll_write_all(&client.stream, context, bytes, &mut done))).await;
    *sent += done as u64;
    written.map_err(late)?
}

/// Writes a head that is followed by a file: both begin in one packet.
async fn write_more(stream: &TcpStream, head: &[u8], sent: &mut u64) -> io::Result<()> {
    poll_fn(|context| {
        while let Some(rest) = head.get(*sent as usize..).filter(|rest| !rest.is_empty()) {
            ready!(stream.poll_write_ready(context))?;
            let flags = rustix::net::SendFlags::NOSIGNAL | rustix::net::SendFlags::MORE;
            match stream.try_io(Interest::WRITABLE, || Ok(rustix::net::send(stream, rest, flags)?)) {
                Ok(count) => *sent += count as u64,
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                Err(error) => return std::task::Poll::Ready(Err(error)),
            }
        }
        std::task::Poll::Ready(Ok(()))
    })
    .await
}

async fn write_both(client: &Client, pause: Duration, head: &[u8], body: &[u8], sent: &mut u64) -> io::Result<()> {
    let (stream, whole) = (&client.stream, head.len() + body.len());
    let mut done = 0;
    while done < whole {
        client.alarm.set(pause);
        let written = client.alarm.limit(poll_fn(|context| {
            ready!(stream.poll_write_ready(context))?;
            let parts = [IoSlice::new(head.get(done..).unwrap_or_default()), IoSlice::new(&body[done.saturating_sub(head.len())..])];
            match stream.try_io(Interest::WRITABLE, || Ok(rustix::io::writev(stream, &parts)?)) {
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => std::task::Poll::Ready(Ok(0)),
                result => std::task::Poll::Ready(result),
            }
        }));
        done += written.await.map_err(late)??;
        *sent = done as u64;
    }
    Ok(())
}

async fn send_file(
    client: &Client,
    pause: Duration,
    file: &Arc<std::fs::File>,
    mut offset: u64,
    mut length: u64,
    sent: &mut u64,
) -> io::Result<()> {
    let stream = &client.stream;
    while length > 0 {
        let mut piece = warm(file, offset, length).await?;
        while piece > 0 {
            client.alarm.set(pause);
            let taken = client.alarm.limit(poll_fn(|context| {
                ready!(stream.poll_write_ready(context))?;
                let most = piece as usize;
                match stream.try_io(Interest::WRITABLE, || Ok(rustix::fs::sendfile(stream, file, Some(&mut offset), most)?)) {
                    Err(error) if error.kind() == io::ErrorKind::WouldBlock => std::task::Poll::Ready(Ok(None)),
                    result => std::task::Poll::Ready(result.map(Some)),
                }
            }));
            match taken.await.map_err(late)?? {
                None => {}
                // The file has become shorter than its head says.
                Some(0) => return Err(io::ErrorKind::UnexpectedEof.into()),
                Some(count) => {
                    piece -= count as u64;
                    length -= count as u64;
                    *sent += count as u64;
                }
            }
        }
        if length > 0 {
            // A client that takes everything at once must not keep the loop from others.
            tokio::task::yield_now().await;
        }
    }
    Ok(())
}
