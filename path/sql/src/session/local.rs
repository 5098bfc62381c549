//! Statements that need no server: a client between two transactions, with no connection of its own, is answered here.

use std::collections::BTreeSet;

use super::Session;
use crate::error::{Fault, Severity, code};
use crate::frame;
use crate::listening::{Channel, MOST_CHANNELS, Unheard, Wish};
use crate::parse::{Effects, Name, Recognised, Step};

/// Longest name of a channel, bytes (`NAMEDATALEN` less one): the server cuts longer ones and says so.
const LONGEST: usize = 63;

impl Session {
    /// Whether `text`, a simple query of a client without a connection, can be answered by [`answer_locally`].
    pub(crate) fn is_local(&self, text: &Recognised) -> bool {
        if !text.effects.has(Effects::LISTENING) || self.is_pinned() || self.effects != Effects::NONE {
            return false;
        }
        match &text.steps[..] {
            [Step::Listen(channel)] => is_plain(channel) && self.reads_as_written(),
            [Step::Unlisten(Name::One(channel))] => is_plain(channel),
            [Step::Unlisten(Name::All)] => true,
            // What the server would report then only the server knows.
            [Step::DiscardAll] => self.parameters.is(&self.startup),
            _ => false,
        }
    }

    fn reads_as_written(&self) -> bool {
        self.told.get("client_encoding") == self.told.get("server_encoding")
    }
}

/// Answers `text`, see [`Session::is_local`]: everything up to `ReadyForQuery`.
pub(crate) async fn answer_locally(session: &mut Session, text: &Recognised, out: &mut Vec<u8>) {
    session.catch_up(out).await;
    let tag = match &text.steps[..] {
        [Step::Listen(channel)] => session.listen(channel.as_bytes(), out).await.then_some("LISTEN"),
        [Step::Unlisten(name)] => {
            session.unlisten(name);
            Some("UNLISTEN")
        }
        _ => {
            session.discard();
            // Nothing of it is on any connection.
            session.effects = Effects::NONE;
            Some("DISCARD ALL")
        }
    };
    if let Some(tag) = tag {
        frame::message(out, b'C', |out| frame::text(out, tag.as_bytes()));
    }
    // Deaf ears are found so again, by who waits for the client's next words.
    let _ = session.take_heard(out);
    frame::message(out, b'Z', |out| out.push(b'I'));
}

fn is_plain(channel: &str) -> bool {
    !channel.is_empty() && channel.len() <= LONGEST && channel.is_ascii()
}

impl Session {
    async fn listen(&mut self, channel: &[u8], out: &mut Vec<u8>) -> bool {
        if self.ears().is_some_and(|ears| ears.channels.contains(channel)) {
            return true;
        }
        if self.shared_channels() >= MOST_CHANNELS {
            Fault::too_many_channels().write(out, Severity::Error);
            return false;
        }
        match self.hear(BTreeSet::from([channel.into()]), BTreeSet::new(), None).await {
            Ok(()) => return true,
            Err(Unheard::Refused(said)) => out.extend_from_slice(said.bytes()),
            Err(Unheard::Late) => {
                let message = "the connection that listens for all clients has been lost and could not be made again in time";
                Fault::new(code::CANNOT_CONNECT_NOW, message).write(out, Severity::Error);
            }
        }
        false
    }

    fn unlisten(&mut self, name: &Name) {
        match name {
            Name::All => self.stop_listening(),
            Name::One(name) => {
                let name = Channel::from(name.as_bytes());
                if self.ears_mut().is_some_and(|ears| ears.channels.remove(&name)) {
                    self.hear_less(Wish { unlisten: BTreeSet::from([name]), ..Wish::default() });
                }
            }
        }
    }
}
