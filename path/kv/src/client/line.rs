//! A client's line of `CLIENT LIST`.

use std::sync::atomic::Ordering;

use super::Peer;
use super::peer::{LEAVES, MONITOR, NO_EVICT};
use crate::frame::Protocol;
use crate::store::Ms;

/// Bytes that every client takes: its task and what others see of it.
const BASE: usize = size_of::<Peer>() + (2 << 10);

impl Peer {
    /// Its line of `CLIENT LIST`.
    pub(crate) fn line(&self, now: Ms) -> Vec<u8> {
        let [sub, psub, ssub] = [0, 1, 2].map(|at: usize| self.subscriptions[at].load(Ordering::Relaxed));
        let ((waiting, messages), unsent, sent, held) = (self.mail.length(), self.unsent(), self.sent(), self.held());
        let seconds = |since: Ms| now.saturating_sub(since) / 1000;
        let mut line = format!("id={} addr={} laddr={} fd=8 name=", self.id, self.address, self.local).into_bytes();
        line.extend_from_slice(&self.name());
        let rest = format!(
            " age={} idle={} flags={} db=0 sub={sub} psub={psub} ssub={ssub} multi={} qbuf={sent} qbuf-free=0 argv-mem=0 multi-mem=0 \
             rbs=0 rbp=0 obl={unsent} oll={messages} omem={} tot-mem={} events=r cmd={} user={} redir=-1 resp={}",
            seconds(self.born),
            seconds(self.seen.load(Ordering::Relaxed)),
            self.flags(),
            self.queued.load(Ordering::Relaxed),
            waiting + unsent,
            BASE + held,
            self.last(),
            String::from_utf8_lossy(&self.user()),
            if self.protocol() == Protocol::Resp3 { 3 } else { 2 },
        );
        line.extend_from_slice(rest.as_bytes());
        line
    }

    fn flags(&self) -> String {
        let flags = [
            ('O', self.is_marked(MONITOR)),
            ('P', self.kind() == "pubsub"),
            ('x', self.queued.load(Ordering::Relaxed) >= 0),
            ('b', self.is_blocked()),
            ('c', self.is_marked(LEAVES)),
            ('e', self.is_marked(NO_EVICT)),
        ];
        let said: String = flags.into_iter().filter(|(_, is)| *is).map(|(letter, _)| letter).collect();
        if said.is_empty() { "N".into() } else { said }
    }
}
