//! What others have to say to a client: messages that it has subscribed to, and what a monitor sees.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use crate::frame::Reply;

/// What is said, as it is written; the same bytes for all who hear it.
pub(crate) type Message = Arc<[u8]>;

/// Bytes that a message takes in a queue beside its own.
const SLOT: usize = size_of::<Message>();

/// Messages that a client has not been sent yet.
#[derive(Debug, Default)]
pub(crate) struct Mail {
    is_waiting: AtomicBool,
    queue: Mutex<Queue>,
}

#[derive(Debug, Default)]
struct Queue {
    messages: VecDeque<Message>,
    bytes: usize,
}

/// What became of a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Posted {
    /// It waits behind others.
    Behind,
    /// It is the first one: the client sleeps, perhaps.
    First,
}

impl Mail {
    /// Whether there is some.
    pub(crate) fn is_waiting(&self) -> bool {
        self.is_waiting.load(Ordering::Acquire)
    }

    /// Bytes that wait, and in how many messages.
    pub(crate) fn length(&self) -> (usize, usize) {
        let queue = self.queue.lock().unwrap_or_else(PoisonError::into_inner);
        (queue.bytes, queue.messages.len())
    }

    /// Adds a message. `None`: so many bytes would wait that `forbids` says no, and nothing does any more. Gives what more, or less,
    /// it is than before.
    pub(super) fn post(&self, message: &Message, forbids: impl FnOnce(usize) -> bool) -> (Option<Posted>, isize) {
        let mut queue = self.queue.lock().unwrap_or_else(PoisonError::into_inner);
        let (before, more) = (queue.bytes, message.len() + SLOT);
        if forbids(before + more) {
            *queue = Queue::default();
            return (None, -(before as isize));
        }
        queue.bytes += more;
        queue.messages.push_back(message.clone());
        let posted = if self.is_waiting.swap(true, Ordering::AcqRel) { Posted::Behind } else { Posted::First };
        (Some(posted), more as isize)
    }

    /// Writes all of it; gives how much it was.
    pub(super) fn take(&self, reply: &mut Reply<'_>) -> usize {
        let mut queue = self.queue.lock().unwrap_or_else(PoisonError::into_inner);
        self.is_waiting.store(false, Ordering::Release);
        queue.messages.drain(..).for_each(|message| reply.raw(&message));
        if queue.messages.capacity() > KEPT {
            queue.messages = VecDeque::new();
        }
        std::mem::take(&mut queue.bytes)
    }

    /// Nobody will be sent it; gives how much it was.
    pub(super) fn drop_all(&self) -> usize {
        let mut queue = self.queue.lock().unwrap_or_else(PoisonError::into_inner);
        std::mem::take(&mut *queue).bytes
    }
}

/// Places for messages that an idle client keeps.
const KEPT: usize = 16;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::frame::Protocol;

    fn taken(mail: &Mail) -> (String, usize) {
        let mut out = Vec::new();
        let bytes = mail.take(&mut Reply::new(&mut out, Protocol::Resp2));
        (String::from_utf8(out).unwrap(), bytes)
    }

    #[test]
    fn messages_come_in_order_and_only_the_first_one_wakes() {
        let mail = Mail::default();
        let one = 1 + SLOT;
        assert_eq!(mail.post(&b"a"[..].into(), |_| false), (Some(Posted::First), one as isize));
        assert_eq!(mail.post(&b"b"[..].into(), |_| false), (Some(Posted::Behind), one as isize));
        assert!(mail.is_waiting() && mail.length() == (2 * one, 2));
        assert_eq!(taken(&mail), ("ab".into(), 2 * one));
        assert!(!mail.is_waiting());
        assert_eq!(mail.post(&b"c"[..].into(), |_| false).0, Some(Posted::First));
        // Too much: all of it goes.
        assert_eq!(mail.post(&b"d"[..].into(), |bytes| bytes > one), (None, -(one as isize)));
        assert_eq!((mail.length(), mail.drop_all()), ((0, 0), 0));
    }
}
