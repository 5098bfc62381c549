//! What others have to say to a client: messages that it has subscribed to, and what a monitor sees.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

use crate::frame::Reply;

/// What is said, as it is written; the same bytes for all who hear it.
pub(crate) type Message = Arc<[u8]>;

/// Bytes that may wait, and for how long more than the lower bound of them may (`client-output-buffer-limit pubsub`).
const MOST: usize = 32 << 20;
const MUCH: usize = 8 << 20;
const MUCH_FOR: Duration = Duration::from_secs(60);

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
    /// Since when it is more than [`MUCH`].
    much: Option<Instant>,
}

/// What became of a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Posted {
    /// It waits behind others.
    Behind,
    /// It is the first one: the client sleeps, perhaps.
    First,
    /// Too many wait.
    TooMany,
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

    pub(super) fn post(&self, message: &Message) -> Posted {
        let mut queue = self.queue.lock().unwrap_or_else(PoisonError::into_inner);
        queue.bytes += message.len();
        queue.messages.push_back(message.clone());
        if queue.is_too_much() {
            queue.messages.clear();
            return Posted::TooMany;
        }
        if self.is_waiting.swap(true, Ordering::AcqRel) { Posted::Behind } else { Posted::First }
    }

    /// Writes all of it.
    pub(super) fn take(&self, reply: &mut Reply<'_>) {
        let mut queue = self.queue.lock().unwrap_or_else(PoisonError::into_inner);
        self.is_waiting.store(false, Ordering::Release);
        (queue.bytes, queue.much) = (0, None);
        queue.messages.drain(..).for_each(|message| reply.raw(&message));
    }
}

impl Queue {
    fn is_too_much(&mut self) -> bool {
        if self.bytes <= MUCH {
            return false;
        }
        let since = *self.much.get_or_insert_with(Instant::now);
        self.bytes > MOST || since.elapsed() > MUCH_FOR
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::frame::Protocol;

    fn taken(mail: &Mail) -> String {
        let mut out = Vec::new();
        mail.take(&mut Reply::new(&mut out, Protocol::Resp2));
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn messages_come_in_order_and_only_the_first_one_wakes() {
        let mail = Mail::default();
        assert_eq!(mail.post(&b"a"[..].into()), Posted::First);
        assert_eq!(mail.post(&b"b"[..].into()), Posted::Behind);
        assert!(mail.is_waiting() && mail.length() == (2, 2));
        assert_eq!(taken(&mail), "ab");
        assert!(!mail.is_waiting());
        assert_eq!(mail.post(&b"c"[..].into()), Posted::First);
    }

    #[tokio::test(start_paused = true)]
    async fn who_reads_slowly_is_cut_off() {
        let (mail, message) = (Mail::default(), Message::from(vec![0; 9 << 20]));
        assert_eq!(mail.post(&message), Posted::First);
        tokio::time::advance(MUCH_FOR / 2).await;
        assert_eq!(mail.post(&message), Posted::Behind);
        tokio::time::advance(MUCH_FOR).await;
        assert_eq!(mail.post(&message), Posted::TooMany);
        let mail = Mail::default();
        (0..3).for_each(|_| _ = mail.post(&message));
        assert_eq!(mail.post(&message), Posted::TooMany);
    }
}
