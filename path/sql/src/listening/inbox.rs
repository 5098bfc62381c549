//! One client's ears: what came for it and was not told.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::task::{Context, Poll};

use tokio::sync::mpsc;

use super::Channel;
use crate::frame;

/// Messages that wait for one client; one that lets more come is told to go.
pub(super) const MOST: usize = 4096;

/// Bytes that are taken at a time.
const AT_A_TIME: usize = 64 * 1024;

/// Brings whole messages to a client.
pub(crate) type Sender = mpsc::Sender<Arc<[u8]>>;

/// What a client listens on, and what it heard.
#[derive(Debug)]
pub(crate) struct Ears {
    pub(crate) channels: BTreeSet<Channel>,
    /// `None`: it listens on its own connection.
    inbox: Option<Inbox>,
}

#[derive(Debug)]
struct Inbox {
    messages: mpsc::Receiver<Arc<[u8]>>,
    /// One that was looked at and not taken.
    next: Option<Arc<[u8]>>,
}

/// The client let too much wait: it has missed something and is to be told so, and closed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Deaf;

/// How much there is to tell.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Heard {
    /// All was taken.
    All,
    /// There is more.
    Part,
}

impl Ears {
    /// Of a client that listens on its own connection.
    pub(crate) fn own(channels: BTreeSet<Channel>) -> Ears {
        Ears { channels, inbox: None }
    }

    /// Of a client that somebody else listens for, and the way to it.
    pub(crate) fn shared() -> (Ears, Sender) {
        let (sender, messages) = mpsc::channel(MOST);
        (Ears { channels: BTreeSet::new(), inbox: Some(Inbox { messages, next: None }) }, sender)
    }

    /// Whether the client listens on its own connection.
    pub(crate) fn is_own(&self) -> bool {
        self.inbox.is_none()
    }

    /// Ready when there is something to take.
    pub(crate) fn poll(&mut self, context: &mut Context<'_>) -> Poll<()> {
        let Some(inbox) = &mut self.inbox else { return Poll::Pending };
        if inbox.next.is_none() {
            // The end is something, too.
            inbox.next = std::task::ready!(inbox.messages.poll_recv(context));
        }
        Poll::Ready(())
    }

    /// Appends what came, a bounded part of it at a time.
    ///
    /// # Errors
    /// [`Deaf`]
    pub(crate) fn take(&mut self, out: &mut Vec<u8>) -> Result<Heard, Deaf> {
        let Some(inbox) = &mut self.inbox else { return Ok(Heard::All) };
        let start = out.len();
        while out.len() - start < AT_A_TIME {
            let message = match inbox.next.take() {
                Some(message) => message,
                None => match inbox.messages.try_recv() {
                    Ok(message) => message,
                    Err(mpsc::error::TryRecvError::Empty) => return Ok(Heard::All),
                    Err(mpsc::error::TryRecvError::Disconnected) => return Err(Deaf),
                },
            };
            if channel(&message).is_none_or(|channel| self.channels.contains(channel)) {
                out.extend_from_slice(&message);
            }
        }
        Ok(Heard::Part)
    }
}

/// The channel of a whole `NotificationResponse`; `None` of another message.
pub(crate) fn channel(message: &[u8]) -> Option<&[u8]> {
    let body = message.strip_prefix(b"A")?.get(8..)?;
    frame::split_text(body).map(|split| split.0)
}

/// Whether the body of a `NotificationResponse` is of one of `channels`.
pub(crate) fn is_of(body: &[u8], channels: &BTreeSet<Channel>) -> bool {
    body.get(4..).and_then(frame::split_text).is_some_and(|(channel, _)| channels.contains(channel))
}

/// Appends whole messages; notifications by process `from` are said to be by process `to`.
pub(crate) fn append(out: &mut Vec<u8>, messages: &[u8], from: u32, to: u32) {
    let mut at = out.len();
    out.extend_from_slice(messages);
    while let Ok(Some(header)) = frame::header(&out[at..]) {
        let next = at + frame::HEADER + header.body;
        if let Some(process) = out.get_mut(at + 5..at + 9).filter(|process| header.tag == b'A' && **process == from.to_be_bytes()) {
            process.copy_from_slice(&to.to_be_bytes());
        }
        at = next.min(out.len());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn notification(channel: &str) -> Arc<[u8]> {
        let mut out = Vec::new();
        frame::message(&mut out, b'A', |out| {
            out.extend_from_slice(&7u32.to_be_bytes());
            frame::text(out, channel.as_bytes());
            frame::text(out, b"payload");
        });
        out.into()
    }

    #[test]
    fn only_what_the_client_still_listens_on_is_taken_and_in_order() {
        let (mut ears, sender) = Ears::shared();
        ears.channels.insert(b"a"[..].into());
        for name in ["a", "b", "a"] {
            sender.try_send(notification(name)).unwrap();
        }
        let mut context = Context::from_waker(std::task::Waker::noop());
        assert!(ears.poll(&mut context).is_ready() && ears.poll(&mut context).is_ready());
        let mut out = Vec::new();
        assert_eq!(ears.take(&mut out), Ok(Heard::All));
        assert_eq!(out, [notification("a"), notification("a")].concat());
        assert!(ears.poll(&mut context).is_pending());
        drop(sender);
        assert!(ears.poll(&mut context).is_ready());
        assert_eq!(ears.take(&mut out), Err(Deaf));
    }

    #[test]
    fn what_is_taken_at_a_time_is_bounded() {
        let (mut ears, sender) = Ears::shared();
        let long = "x".repeat(8000);
        ears.channels.insert(long.as_bytes().into());
        (0..20).for_each(|_| sender.try_send(notification(&long)).unwrap());
        let mut out = Vec::new();
        assert_eq!(ears.take(&mut out), Ok(Heard::Part));
        assert!(out.len() < AT_A_TIME + 9000);
        while ears.take(&mut out) == Ok(Heard::Part) {}
        assert_eq!(out.len(), 20 * notification(&long).len());
    }

    #[test]
    fn its_own_notifications_bear_the_number_that_the_client_knows() {
        let (message, mut out) = (notification("a"), Vec::new());
        append(&mut out, &[&message[..], &message].concat(), 7, 300);
        append(&mut out, &message, 8, 300);
        let (first, rest) = out.split_at(message.len());
        let (second, third) = rest.split_at(message.len());
        assert_eq!((&first[5..9], second, third), (&[0, 0, 1, 44][..], first, &message[..]));
    }
}
