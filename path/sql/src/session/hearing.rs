//! A client that listens: what it hears, and from whom.

use std::collections::BTreeSet;
use std::task::{Context, Poll};

use super::Session;
use crate::listening::{Channel, Deaf, Ears, Heard, Unheard, Wish, append};
use crate::parse::Effects;
use crate::server::Connection;

impl Session {
    /// Whether a `NotificationResponse` of the client's own connection is for the client: it listens there, or began to.
    pub(crate) fn hears(&self) -> bool {
        self.effects.has(Effects::LISTENING) || self.ears().is_some_and(Ears::is_own)
    }

    /// Channels of which the client hears otherwise than by its own connection.
    pub(crate) fn elsewhere(&self) -> Option<&BTreeSet<Channel>> {
        self.ears().filter(|ears| !ears.is_own()).map(|ears| &ears.channels)
    }

    /// Ready when there is something to take, see [`Session::take_heard`]; for a client that is idle.
    pub(crate) fn poll_heard(&mut self, context: &mut Context<'_>) -> Poll<()> {
        self.ears_mut().map_or(Poll::Pending, |ears| ears.poll(context))
    }

    /// Appends notifications that came for the client; it is between two transactions.
    ///
    /// # Errors
    /// [`Deaf`]
    pub(crate) fn take_heard(&mut self, out: &mut Vec<u8>) -> Result<Heard, Deaf> {
        self.ears_mut().map_or(Ok(Heard::All), |ears| ears.take(out))
    }

    /// The same while the client has a connection: what was notified there bears the number that the client knows as its own.
    pub(super) fn take_own(&mut self, connection: &Connection, out: &mut Vec<u8>) {
        let (mut taken, process) = (Vec::new(), self.client.process);
        self.take_all(&mut taken);
        append(out, &taken, connection.process(), process);
    }

    fn take_all(&mut self, out: &mut Vec<u8>) {
        // Deaf ears are found so again, by who tells the client.
        while self.take_heard(out) == Ok(Heard::Part) {}
    }

    /// Whether somebody else listens for it: what was committed before its last words may still be on its way.
    pub(crate) fn is_behind(&self) -> bool {
        self.elsewhere().is_some_and(|channels| !channels.is_empty())
    }

    /// Appends what was notified before now; it is between two transactions.
    pub(crate) async fn catch_up(&mut self, out: &mut Vec<u8>) {
        if self.is_behind() {
            self.wait_for_rest().await;
            self.take_all(out);
        }
    }

    /// Done when all was heard that is on its way.
    pub(super) fn wait_for_rest(&self) -> impl Future<Output = ()> + use<> {
        self.here.listeners.catch_up((&self.client.key, self.client.number))
    }

    /// Done when echo `number`, which is still to be made, was heard.
    pub(super) fn wait_for(&self, number: u64) -> impl Future<Output = ()> + use<> {
        self.here.listeners.wait_for(number, (&self.client.key, self.client.number), self.here.patience.get())
    }

    /// Channels that somebody else listens on for the client.
    pub(super) fn shared_channels(&self) -> usize {
        self.elsewhere().map_or(0, BTreeSet::len)
    }

    /// The shared connection listens for the client on these, too, and on some no more.
    pub(super) async fn hear(
        &mut self,
        listen: BTreeSet<Channel>,
        unlisten: BTreeSet<Channel>,
        mute: Option<(BTreeSet<Channel>, u64)>,
    ) -> Result<(), Unheard> {
        let mut sender = None;
        if self.ears().is_none_or(Ears::is_own) {
            let (ears, way) = Ears::shared();
            (self.rare().ears, sender) = (Some(ears), Some(way));
        }
        let result = self.wish(Wish { listen: listen.clone(), unlisten: unlisten.clone(), sender, mute }).await;
        if result.is_err() {
            // It may have come to pass, or still do.
            self.hear_less(Wish { listen: unlisten, unlisten: listen, ..Wish::default() });
        } else if let Some(ears) = self.ears_mut() {
            for channel in &unlisten {
                ears.channels.remove(channel);
            }
            ears.channels.extend(listen);
        }
        result
    }

    fn wish(&self, wish: Wish) -> impl Future<Output = Result<(), Unheard>> + use<> {
        self.here.listeners.hear((&self.client.key, self.client.number), wish, self.here.patience.get())
    }

    /// The shared connection listens for the client on what it did not lose, for which nobody waits.
    pub(super) fn hear_less(&mut self, wish: Wish) {
        if self.ears().is_none_or(|ears| ears.channels.is_empty()) {
            return self.stop_listening();
        }
        drop(self.wish(wish));
    }

    /// Nobody listens for the client any more.
    pub(super) fn stop_listening(&mut self) {
        let ears = self.rare.as_mut().and_then(|rare| rare.ears.take());
        if ears.is_some_and(|ears| !ears.is_own()) {
            self.here.listeners.leave(&self.client.key, self.client.number);
        }
        self.unpin(crate::pins::Pin::Listen);
    }
}

impl Drop for Session {
    fn drop(&mut self) {
        self.stop_listening();
    }
}
